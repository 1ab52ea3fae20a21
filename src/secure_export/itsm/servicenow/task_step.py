"""One step on one record: what all kinds of steps have in common."""

from collections.abc import Mapping, Sequence

from secure_export.itsm.servicenow import affected_cis, keys
from secure_export.itsm.servicenow.ended import Ended, unwritten
from secure_export.itsm.servicenow.kinds import Kind
from secure_export.itsm.servicenow.record import (
    bound_cis,
    confirmed,
    differences,
    display_of,
    parts,
    revision_of,
    row_fields,
)
from secure_export.itsm.servicenow.rows import Row, value
from secure_export.itsm.servicenow.tools import Tools
from secure_export.itsm.servicenow.twins import strangers
from secure_export.itsm.servicenow.verdict import Ok
from secure_export.workitems.outcome import Done, Unclear
from secure_export.workitems.work_item import WorkItem

_GONE = "ServiceNow has no record of this work item any more: a look decides"


class TaskStep:
    """A step that is being taken.

    Args:
        tools: What steps share.
        item: The work item.
        kind: What it is in ServiceNow.
    """

    def __init__(self, tools: Tools, item: WorkItem, kind: Kind) -> None:
        self.tools = tools
        self.item = item
        self.kind = kind
        self.correlation_id = keys.correlation_id(tools.connection, item.key)
        self.remarks: list[str] = []

    async def rows(self) -> tuple[Row, ...]:
        """Give the records of the work item, oldest first; see ``Sightings.rows``."""
        return await self.tools.sightings.rows(self.kind, self.correlation_id)

    async def settled(self, rows: Sequence[Row]) -> Row:
        """End superfluous records, and give the one that stays."""
        self.remark(*await self.tools.twins.settle(self.kind, rows))
        return rows[0]

    async def the_row(self) -> Row:
        """Give the record that is to be changed.

        Raises:
            Ended: There is none any more, or it cannot be told now.
        """
        rows = await self.rows()
        if not rows:
            raise Ended(Unclear(_GONE))
        return await self.settled(rows)

    async def read_back(self, sys_id: str) -> Row:
        """Read a record back that was just changed.

        Raises:
            Ended: It is not found, or cannot be read now: what became of the change is not known.
        """
        try:
            rows = await self.rows()
        except Ended as ended:
            raise Ended(Unclear(f"ServiceNow took the change, but it could not be read back: {ended}")) from ended
        found = next((row for row in rows if value(row, "sys_id") == sys_id), None)
        if found is None:
            raise Ended(Unclear("ServiceNow took the change, but its record is not found by its key"))
        self.remark(*strangers(rows))
        return found

    async def bring_in(self, row: Row) -> Row:
        """Bring in the configuration items and the notes that a record lacks, each note once.

        Raises:
            Ended: It could not be done, or is not known to be.
        """
        await self.more_cis(row)
        for values in self.owed(row):
            row = await self.change(row, values)
        return row

    async def more_cis(self, row: Row) -> None:
        """Add the configuration items that do not fit into the record's own field."""
        bound = bound_cis(self.item.desired.content.bindings)
        primary = value(row, "cmdb_ci") or (bound[0].id if bound else "")
        others = [ci for ci in bound if ci.id != primary]
        self.remark(*await affected_cis.add(self.tools.api, value(row, "sys_id"), others))

    def owed(self, row: Row) -> list[dict[str, str]]:
        """Give the values of each call that a record lacks: only what differs, none when it has everything.

        What a person chose as configuration item stays. A revision that is higher than ours was written by a later
        life of our store: it is not taken back.
        """
        known = self.item.confirmed.revision if self.item.confirmed is not None else 0
        desired, held = self.item.desired, max(revision_of(row), known)
        bound = bound_cis(desired.content.bindings)
        calls: list[dict[str, str]] = []
        for part in parts(desired.notes, held, max(desired.revision, held)):
            values = {"work_notes": part.text} if part.text else {}
            if not calls and bound and not value(row, "cmdb_ci"):
                values["cmdb_ci"] = bound[0].id or ""
            if part.revision != revision_of(row):
                values["correlation_display"] = display_of(self.item, part.revision)
            if values:
                calls.append(values)
        return calls

    async def change(self, row: Row, values: Mapping[str, str]) -> Row:
        """Change a record, and give it as it is then.

        Raises:
            Ended: It could not be done, or is not known to be.
        """
        fields = row_fields(self.kind, *values)
        told = await self.tools.api.patch(self.kind.table, value(row, "sys_id"), values, fields)
        if not isinstance(told, Ok):
            raise Ended(unwritten(told))
        return self.written(values, told.result)

    def written(self, values: Mapping[str, str], row: Row) -> Row:
        """Take a record as it was answered to a write, and tell what is otherwise than it was written."""
        self.tools.own.add(row)
        different = differences(values, row)
        self.tools.choices.forget(self.kind.table, *different)
        self.remark(*different.values())
        if "correlation_display" in values and revision_of(row) != revision_of(values):
            self.remark(
                "ServiceNow did not keep correlation_display: after a lost answer a work note may be written twice. "
                "Let the integration user write the field, 100 characters of it"
            )
        return row

    def remark(self, *texts: str) -> None:
        """Tell something of this step, each once."""
        self.remarks += [text for text in dict.fromkeys(texts) if text not in self.remarks]

    def done(self, row: Row, *, revision: int | None = None) -> Done:
        """Say what a record is; see ``record.confirmed``."""
        return Done(
            confirmed(
                row,
                self.kind,
                url=self.tools.settings.url,
                at=self.tools.clock(),
                revision=revision,
                remarks=self.remarks,
            )
        )
