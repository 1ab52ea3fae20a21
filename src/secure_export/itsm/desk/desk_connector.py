"""The embedded desk as a connector."""

import re
from collections.abc import Awaitable, Sequence
from typing import TYPE_CHECKING

from secure_export.cmdb.contract import Cmdb
from secure_export.errors import StoreUnavailable
from secure_export.itsm.contract import Changes, CheckResult
from secure_export.itsm.desk.contract import WriteInDoubt
from secure_export.itsm.desk.desk_cmdb import DeskCmdb
from secure_export.itsm.desk.incident import Addition, Incident, IncidentCi, IncidentDraft, IncidentState
from secure_export.itsm.desk.settings import DeskSettings
from secure_export.workitems.outcome import Done, Outcome, TryLater, Unclear
from secure_export.workitems.work_item import Confirmed, ToolState, WorkItem

if TYPE_CHECKING:  # resources names the desk's contract, so importing it here would go in a circle
    from secure_export.itsm.resources import Resources

_CHANGES_AT_A_TIME = 500
_TOOL_STATE = {
    IncidentState.NEW: ToolState.OPEN,
    IncidentState.IN_PROGRESS: ToolState.OPEN,
    IncidentState.ON_HOLD: ToolState.OPEN,
    IncidentState.RESOLVED: ToolState.RESOLVED,
    IncidentState.CLOSED: ToolState.CLOSED,
}
_ASSIGNEE = "assignee"
_CURSOR = re.compile(r"[0-9]{1,18}")


class DeskConnector:
    """Keeps work items as incidents of the desk.

    Args:
        name: The connection's name.
        settings: Its settings.
        resources: What the program lends.
    """

    def __init__(self, name: str, settings: DeskSettings, resources: "Resources") -> None:
        self._name = name
        self._settings = settings
        self._records = resources.desk
        self._clock = resources.clock
        self._console_url = resources.console_url.rstrip("/")
        self._cmdb = DeskCmdb(resources.desk)

    @property
    def cmdb(self) -> Cmdb:
        """The desk's own CMDB."""
        return self._cmdb

    async def look(self, item: WorkItem) -> Outcome:
        """Find the incident by its key."""
        try:
            incident = await self._records.incident_by_key(self._name, item.key)
        except StoreUnavailable as error:
            return TryLater(str(error))
        return Done(self._confirmed(incident) if incident is not None else None)

    async def create(self, item: WorkItem) -> Outcome:
        """Open the incident, with the notes that are owed already; the key's own, when there is one."""
        return await self._write(self._records.open_incident(self._draft(item), now=self._clock()))

    async def update(self, item: WorkItem) -> Outcome:
        """Bring notes and CIs into the incident."""
        return await self._write(self._add(item))

    async def resolve(self, item: WorkItem) -> Outcome:
        """Bring notes and CIs in and resolve the incident; its state is read back in the same transaction."""
        return await self._write(self._add(item, resolution=item.desired.resolution))

    async def reopen(self, item: WorkItem) -> Outcome:
        """Open the incident again if it is resolved, and bring notes and CIs in."""
        return await self._write(self._add(item, reopens=True))

    async def changes(self, cursor: str) -> Changes:
        """Say which incidents people changed; a cursor that is none of ours starts from now on."""
        try:
            if not _CURSOR.fullmatch(cursor):
                return Changes((), str(await self._records.change_counter()))
            changed = await self._records.changed_since(self._name, int(cursor), limit=_CHANGES_AT_A_TIME)
        except StoreUnavailable:
            return Changes((), cursor)
        return Changes(changed.keys, str(changed.position), changed.more)

    async def check(self) -> Sequence[CheckResult]:
        """Try whether incidents can be read and written, and whether the CMDB has anything to bind to."""
        try:
            await self._records.try_out()
            some = await self._records.list_cis(limit=1)
        except StoreUnavailable as error:
            return [CheckResult("desk records", passed=False, detail=str(error))]
        filled = (
            "it has configuration items" if some.cis else "it is empty: fill it with secure-export cmdb import FILE"
        )
        return [
            CheckResult("desk records", passed=True, detail="incidents can be read and written"),
            CheckResult("desk CMDB", passed=True, detail=filled),
        ]

    async def close(self) -> None:
        """Let go of nothing: the store belongs to the program."""

    async def _write(self, change: Awaitable[Incident | None]) -> Outcome:
        try:
            incident = await change
        except WriteInDoubt as error:
            return Unclear(str(error))
        except StoreUnavailable as error:
            return TryLater(str(error))
        if incident is None:
            return Unclear("the desk has no incident of this work item any more")
        return Done(self._confirmed(incident))

    def _draft(self, item: WorkItem) -> IncidentDraft:
        content = item.desired.content
        fields = dict(content.fields)
        return IncidentDraft(
            connection=self._name,
            key=item.key,
            title=content.title,
            description=content.description,
            impact=content.impact,
            urgency=content.urgency,
            priority=content.priority,
            revision=item.desired.revision,
            assignee=fields.pop(_ASSIGNEE, ""),
            assignment_group=content.assignment_group or self._settings.assignment_group,
            fields=fields,
            notes=item.desired.notes,
            cis=_cis(item),
        )

    async def _add(self, item: WorkItem, *, resolution: str | None = None, reopens: bool = False) -> Incident | None:
        addition = Addition(
            revision=item.desired.revision,
            notes=item.desired.notes,
            cis=_cis(item),
            resolution=resolution,
            reopens=reopens,
        )
        return await self._records.add(self._name, item.key, addition, now=self._clock())

    def _confirmed(self, incident: Incident) -> Confirmed:
        return Confirmed(
            ref=incident.number,
            number=incident.number,
            url=f"{self._console_url}/desk/incidents/{incident.number}" if self._console_url else "",
            state=_TOOL_STATE[incident.state],
            revision=incident.revision,
            at=self._clock(),
            assignment=incident.assignee or incident.assignment_group,
            ended_at=incident.resolved_at,
            tool_state=incident.state.value,
            resolution=incident.resolution,
            changed_at=incident.updated_at,
        )


class DeskType:
    """How connections of type ``desk`` are configured and made."""

    settings = DeskSettings
    concurrency = 64
    poll_seconds = 2.0
    in_process = True

    def why_not_settable(self, field: str) -> None:
        """The desk takes every field."""

    def make(self, name: str, settings: DeskSettings, resources: "Resources") -> DeskConnector:
        """Make the connector of a connection."""
        return DeskConnector(name, settings, resources)


def _cis(item: WorkItem) -> tuple[IncidentCi, ...]:
    return tuple(
        IncidentCi(id=b.id, name=b.name, rule=b.rule, reason=b.reason)
        for b in item.desired.content.bindings
        if b.id is not None
    )
