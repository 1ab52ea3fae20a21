"""A console over rows in memory and a real desk in a file."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from tests.sqlite import with_tables
from tests.unit.console.standins import (
    NOW,
    VM,
    Asker,
    AuditInMemory,
    FewTokens,
    ReplayInMemory,
    RowsInMemory,
    alert_row,
    lane_row,
    quarantined_row,
    work_item_row,
)

from secure_export.cmdb.drafts import CiDraft, RelationDraft
from secure_export.console.app import console_app
from secure_export.itsm.desk.contract import DeskRecords
from secure_export.itsm.desk.incident import IncidentCi, IncidentDraft
from secure_export.store.sqlite.database import Database
from secure_export.store.sqlite.desk import SqliteDesk


@dataclass
class Console:
    """A console with what stands below it."""

    records: RowsInMemory
    actions: AuditInMemory
    desk: DeskRecords
    number: str
    ci: str
    asker: Asker

    def app(self, *, local_access: bool = True) -> Any:
        return console_app(
            records=self.records,
            actions=self.actions,
            desk=self.desk,
            gate=FewTokens(),
            replay=ReplayInMemory(self.actions),
            local_access=local_access,
            clock=lambda: NOW,
        )

    def without_local_access(self) -> Asker:
        return replace(self.asker, app=self.app(local_access=False))


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncIterator[DeskRecords]:
    """A desk of its own for each test."""
    database = await Database.open(with_tables(tmp_path / "desk.db"))
    yield SqliteDesk(database)
    await database.close()


@pytest.fixture
async def console(desk: DeskRecords) -> Console:
    """One alert with its work item, lane and incident, one CI, one quarantined notification."""
    await desk.put_cis(
        [
            CiDraft(name="shop", class_name="application"),
            CiDraft(
                name="web-1",
                class_name="virtual-machine",
                resource_id=VM.lower(),
                attributes={"environment": "production"},
                relations=(RelationDraft("part-of", "shop"), RelationDraft("runs-on", "host-9")),
            ),
        ],
        now=NOW,
    )
    ci = (await desk.cis_by_names(["web-1"]))[0].id
    incident = await desk.open_incident(
        IncidentDraft(
            connection="desk",
            key="0" * 32,
            title="CPU above 90 % on web-1",
            description="Percentage CPU is 97, above 90.",
            impact=2,
            urgency=1,
            priority=2,
            revision=1,
            assignment_group="platform",
            cis=(IncidentCi(id=ci, name="web-1", rule="resource-id", reason="Its id is the alert's target."),),
        ),
        now=NOW,
    )
    records = RowsInMemory([alert_row()], [work_item_row()], [lane_row()], [quarantined_row()])
    console = Console(records, AuditInMemory(), desk, incident.number, ci, Asker(None))
    console.asker = replace(console.asker, app=console.app())
    return console
