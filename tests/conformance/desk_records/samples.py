"""Desks in both stores, and what tests put into them."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from secure_export.itsm.desk.contract import DeskRecords
from secure_export.itsm.desk.incident import (
    Incident,
    IncidentCi,
    IncidentDraft,
)
from secure_export.workitems.work_item import tool_key

NOW = datetime(2026, 3, 1, 12, 0, 0, 123456, tzinfo=UTC)


LATER = NOW + timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Desks:
    """The same records reached twice, as two processes would."""

    first: DeskRecords
    second: DeskRecords


def key(name: str = "alert-1") -> str:
    """Give a work item's key."""
    return tool_key("desk", name, 1)


def draft(name: str = "alert-1", *, connection: str = "desk", title: str = "CPU is high") -> IncidentDraft:
    """Make a draft."""
    return IncidentDraft(
        connection=connection,
        key=key(name),
        title=title,
        description="Percentage CPU is 93",
        impact=2,
        urgency=1,
        priority=2,
        revision=1,
        assignment_group="Linux",
        fields={"category": "cloud"},
        cis=(ci("CI0000001"),),
    )


def ci(ci_id: str) -> IncidentCi:
    """Make a CI of an incident."""
    return IncidentCi(id=ci_id, name=f"vm {ci_id}", rule="resource-id", reason="the CMDB has its resource id")


async def opened(desk: DeskRecords, name: str = "alert-1", **members: str) -> Incident:
    """Open an incident."""
    return await desk.open_incident(draft(name, **members), now=NOW)
