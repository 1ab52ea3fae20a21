"""One step on one record: what all kinds of steps have in common."""

from collections.abc import Mapping, Sequence

from secure_export.itsm.ended import Ended, unwritten
from secure_export.itsm.notes import bound_cis, reached
from secure_export.itsm.servicenow import keys
from secure_export.itsm.servicenow.api.rows import Row, value
from secure_export.itsm.servicenow.api.verdict import Ok
from secure_export.itsm.servicenow.tasks import affected_cis
from secure_export.itsm.servicenow.tasks.kinds import Kind
from secure_export.itsm.servicenow.tasks.record import (
    confirmed,
    differences,
    display_of,
    is_over,
    parts,
    revision_of,
    row_fields,
)
from secure_export.itsm.servicenow.tasks.twins import TWINS
from secure_export.itsm.servicenow.tools import Tools
from secure_export.workitems.outcome import Done, Outcome, Refused, TryLater, Unclear
from secure_export.workitems.work_item import Note, WorkItem

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
        self._revision = item.confirmed.revision if item.confirmed is not None else 0
        self._written: Row | None = None
        self._added_cis = False

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
        self.remark(*TWINS.strangers(rows))
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
        added = await affected_cis.add(self.tools.api, value(row, "sys_id"), others)
        self._added_cis = self._added_cis or added.count > 0
        self.remark(*added.remarks)

    def owed(self, row: Row, last_words: str = "") -> list[dict[str, str]]:
        """Give the values of each call that a record lacks: only what differs, none when it has everything.

        What a person chose as configuration item stays.

        Args:
            row: The record.
            last_words: A note that belongs to the revision that the record is to hold; empty: none.
        """
        desired = self.item.desired
        held = max(reached(revision_of(row), desired), self._revision)
        notes = (*desired.notes, Note(desired.revision, last_words)) if last_words else desired.notes
        bound = bound_cis(desired.content.bindings)
        calls: list[dict[str, str]] = []
        for part in parts(notes, held, max(desired.revision, held)):
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
        self._written = row
        self._revision = max(self._revision, revision_of(values))
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

    def cut_short(self, outcome: Outcome) -> Outcome:
        """Say what came of a step that changed something before it could not go on.

        Only an outcome that leaves no doubt may say that nothing was changed.
        """
        if not isinstance(outcome, TryLater | Refused) or (self._written is None and not self._added_cis):
            return outcome
        if self._written is None or is_over(self._written, self.kind):
            return Unclear(outcome.reason)
        return self.done(self._written, revision=max(self._revision, revision_of(self._written)))

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
