"""The embedded desk as a tool for the conformance suite."""

from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import TypeVar

from msgspec.structs import replace
from tests.conformance.connector_suite_steps import NOW
from tests.conformance.connector_suite_tool import (
    CONNECTION,
    OTHER_CONNECTION,
    PERSON,
    PERSONS_RESOLUTION,
    PERSONS_WORDS,
    Ability,
    Act,
    Fault,
    Record,
)

from secure_export.cmdb.drafts import CiDraft
from secure_export.errors import StoreUnavailable
from secure_export.itsm.contract import Connector
from secure_export.itsm.desk import connector
from secure_export.itsm.desk.contract import CiPage, PeoplesChanges, WriteInDoubt
from secure_export.itsm.desk.incident import (
    Addition,
    EventKind,
    Incident,
    IncidentDraft,
    IncidentState,
)
from secure_export.itsm.desk.people_changes import Action, Assign, Comment, Rate, SetState
from secure_export.itsm.desk.settings import DeskSettings
from secure_export.itsm.resources import Resources
from secure_export.store.sqlite.database import Database
from secure_export.store.sqlite.desk import SqliteDesk
from secure_export.workitems.work_item import ToolState

T = TypeVar("T")

CONSOLE_URL = "https://console.example/"
_STATES = {IncidentState.RESOLVED: ToolState.RESOLVED, IncidentState.CLOSED: ToolState.CLOSED}
_ACTIONS: dict[Act, Action] = {
    Act.COMMENT: Comment(PERSONS_WORDS),
    Act.ASSIGN: Assign(assignee=PERSON),
    Act.HOLD: SetState(IncidentState.ON_HOLD),
    Act.LOWER_PRIORITY: Rate(impact=3, urgency=3),
    Act.RESOLVE: SetState(IncidentState.RESOLVED, PERSONS_RESOLUTION),
    Act.REOPEN: SetState(IncidentState.IN_PROGRESS),
    Act.CLOSE: SetState(IncidentState.CLOSED, PERSONS_RESOLUTION),
}


class FaultyDesk(SqliteDesk):
    """Records that cannot be reached, or whose answers get lost, when a test wants it."""

    fault: Fault | None = None

    async def _changed(self, change: Callable[[], Awaitable[T]]) -> T:
        if self.fault is Fault.UNREACHABLE:
            raise StoreUnavailable("the disk is full")
        result = await change()
        if self.fault is Fault.ANSWER_LOST:
            raise WriteInDoubt("the connection broke during the commit")
        return result

    def _asked(self) -> None:
        if self.fault is Fault.UNREACHABLE:
            raise StoreUnavailable("the disk is gone")

    async def open_incident(self, draft: IncidentDraft, *, now: datetime) -> Incident:
        return await self._changed(lambda: super(FaultyDesk, self).open_incident(draft, now=now))

    async def add(self, connection: str, key: str, addition: Addition, *, now: datetime) -> Incident | None:
        if self.fault is Fault.RESOLVE_IGNORED:
            addition = replace(addition, resolution=None)
        if self.fault is Fault.REOPEN_IGNORED:
            addition = replace(addition, reopens=False)
        return await self._changed(lambda: super(FaultyDesk, self).add(connection, key, addition, now=now))

    async def incident_by_key(self, connection: str, key: str) -> Incident | None:
        self._asked()
        return await super().incident_by_key(connection, key)

    async def change_counter(self) -> int:
        self._asked()
        return await super().change_counter()

    async def changed_since(self, connection: str, position: int, *, limit: int) -> PeoplesChanges:
        self._asked()
        return await super().changed_since(connection, position, limit=limit)

    async def list_cis(self, *, search: str | None = None, cursor: str | None = None, limit: int = 100) -> CiPage:
        self._asked()
        return await super().list_cis(search=search, cursor=cursor, limit=limit)


class DeskTool:
    """Looks into the desk behind its connector."""

    faults = frozenset({Fault.UNREACHABLE, Fault.ANSWER_LOST, Fault.RESOLVE_IGNORED, Fault.REOPEN_IGNORED})
    lacks: Mapping[Ability, str] = {}
    secrets: Sequence[str] = ()

    def __init__(self, database: Database) -> None:
        self.database = database
        self.desk = SqliteDesk(database)
        self.faulty = FaultyDesk(database)
        resources = Resources(desk=self.faulty, clock=lambda: NOW, console_url=CONSOLE_URL)
        self.connector: Connector = connector.make(CONNECTION, DeskSettings(), resources)
        self.other_connector: Connector = connector.make(OTHER_CONNECTION, DeskSettings(), resources)

    async def records(self, key: str) -> Sequence[Record]:
        rows = await self.database.read(
            lambda db: db.execute("SELECT id FROM desk_incidents WHERE key = ?", (bytes.fromhex(key),)).fetchall()
        )
        return [await self._record(f"INC{row:07d}") for (row,) in rows]

    async def count(self) -> int:
        rows = await self.database.read(lambda db: db.execute("SELECT count(*) FROM desk_incidents").fetchall())
        count: int = rows[0][0]
        return count

    async def act(self, key: str, act: Act) -> None:
        (record,) = await self.records(key)
        await self.desk.act(record.number, _ACTIONS[act], by=PERSON, now=NOW)

    async def delete(self, key: str) -> None:
        await self.database.write(
            lambda db: db.execute("DELETE FROM desk_incidents WHERE key = ?", (bytes.fromhex(key),)).rowcount
        )

    async def add_ci(self, name: str, resource_id: str) -> str:
        await self.desk.put_cis([CiDraft(name, "virtual-machine", resource_id)], now=NOW)
        (ci,) = await self.desk.cis_by_resource_ids([resource_id])
        return ci.id

    @contextmanager
    def failing(self, fault: Fault) -> Iterator[None]:
        self.faulty.fault = fault
        try:
            yield
        finally:
            self.faulty.fault = None

    async def _record(self, number: str) -> Record:
        details = await self.desk.incident(number)
        incident = details.incident
        return Record(
            number=number,
            title=incident.title,
            description=incident.description,
            state=_STATES.get(incident.state, ToolState.OPEN),
            on_hold=incident.state is IncidentState.ON_HOLD,
            priority=incident.priority,
            group=incident.assignment_group,
            assignee=incident.assignee,
            notes=tuple(e.text for e in details.timeline if e.kind is EventKind.NOTE),
            cis=tuple(ci.id for ci in details.cis),
            resolution=incident.resolution,
        )
