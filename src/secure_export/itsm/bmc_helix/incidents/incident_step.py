"""One step on one incident: what all kinds of steps have in common."""

from collections.abc import Mapping, Sequence
from typing import Any

from secure_export.itsm.bmc_helix.api.verdict import Ok, Verdict
from secure_export.itsm.bmc_helix.cmdb.ci_reference import reference
from secure_export.itsm.bmc_helix.forms import INCIDENT, NUMBER
from secure_export.itsm.bmc_helix.incidents import associations, twins
from secure_export.itsm.bmc_helix.incidents.record import (
    CHANGE_ACTION,
    LONGEST_NOTES,
    ci_values,
    confirmed,
    update_id,
    work_info,
)
from secure_export.itsm.bmc_helix.rows import Row, value
from secure_export.itsm.bmc_helix.tools import Tools
from secure_export.itsm.ended import Ended, unwritten
from secure_export.itsm.notes import Part, bound_cis, parts, reached
from secure_export.itsm.record_keys import record_key
from secure_export.itsm.texts import utf8_bytes
from secure_export.workitems.outcome import Done, Outcome, Refused, TryLater, Unclear
from secure_export.workitems.work_item import Note, WorkItem

_GONE = "BMC has no incident of this work item any more: a look decides"
_NOTES_DROPPED = (
    "BMC does not keep the work notes that come with a change of the incident (z1D_WorklogDetails): they are written "
    "to HPD:WorkLog by themselves"
)


class IncidentStep:
    """A step that is being taken.

    Args:
        tools: What steps share.
        item: The work item.
    """

    def __init__(self, tools: Tools, item: WorkItem) -> None:
        self.tools = tools
        self.item = item
        self.key = record_key(tools.connection, item.key)
        self.remarks: list[str] = []
        self._row: Row | None = None
        self._revision = self.known_revision
        self._wrote = False
        self._moved = False

    @property
    def known_revision(self) -> int:
        """The revision that the incident was known to hold before the step."""
        return self.item.confirmed.revision if self.item.confirmed is not None else 0

    async def rows(self) -> tuple[Row, ...]:
        """Give the incidents of the work item, oldest first; see ``Sightings.rows``."""
        return await self.tools.sightings.rows(self.key)

    async def settled(self, rows: Sequence[Row]) -> Row:
        """End superfluous incidents, and give the one that stays."""
        self.remark(*await twins.settle(self.tools, rows))
        return rows[0]

    async def the_row(self) -> Row:
        """Give the incident that is to be changed.

        Raises:
            Ended: There is none any more, or it cannot be told now.
        """
        rows = await self.rows()
        if not rows:
            raise Ended(Unclear(_GONE))
        self._row = await self.settled(rows)
        return self._row

    async def read_back(self, number: str) -> Row:
        """Read an incident back that was just changed.

        Raises:
            Ended: It is not found, or cannot be read now: what became of the change is not known.
        """
        try:
            rows = await self.rows()
        except Ended as ended:
            raise Ended(Unclear(f"BMC took the change, but it could not be read back: {ended}")) from ended
        found = next((row for row in rows if value(row, NUMBER) == number), None)
        if found is None:
            raise Ended(Unclear("BMC took the change, but its incident is not found by its key"))
        self.remark(*twins.TWINS.strangers(rows))
        return found

    async def held(self, row: Row) -> int:
        """Say which revision an incident's work notes tell of; 0: none that counts.

        Raises:
            Ended: It cannot be told now.
        """
        return reached(await self.tools.work_log.held(value(row, NUMBER)), self.item.desired)

    async def revision_there(self, row: Row) -> int:
        """Say which of the notes that are owed an incident has, as ``held``; 0 where none are owed."""
        return await self.held(row) if self._newer() else 0

    async def owed(self, row: Row) -> list[Part]:
        """Give the work notes that an incident lacks: one part at least, the last without a text if it has them all.

        Raises:
            Ended: What it has cannot be told now.
        """
        held = max(self._revision, await self.revision_there(row))
        revision = max(self.item.desired.revision, held)
        return parts(self._newer(), held, revision, most=LONGEST_NOTES, size=utf8_bytes)

    async def bring_in(self, row: Row) -> None:
        """Bring in the configuration items and the notes that an incident lacks, each note once.

        Raises:
            Ended: It could not be done, or is not known to be.
        """
        await self.more_cis(row)
        cis = self.first_ci(row)
        for part in await self.owed(row):
            await self.change(row, part, cis)
            cis = {}

    async def more_cis(self, row: Row) -> None:
        """Relate the configuration items that do not fit into the incident's own field."""
        self.remark(*self.tools.ci_remarks(self.item.desired.content.bindings))
        bound = bound_cis(self.item.desired.content.bindings)
        told = [(binding, ci.identity) for binding in bound if (ci := reference(binding.id)) is not None]
        primary = value(row, "HPD_CI_ReconID") or (told[0][1] if told else "")
        others = [binding for binding, identity in told if identity != primary]
        forms = self.tools.settings.cmdb.asset_forms
        added = await associations.add(self.tools.api, value(row, NUMBER), others, forms)
        self._wrote = self._wrote or added.count > 0
        self.remark(*added.remarks)

    def first_ci(self, row: Row) -> dict[str, str]:
        """Give the values that bind an incident to its first CI; none when it has one: what a person chose stays."""
        if value(row, "HPD_CI_ReconID"):
            return {}
        return ci_values(bound_cis(self.item.desired.content.bindings), self.tools.settings.cmdb.asset_forms)

    async def change(self, row: Row, part: Part, values: Mapping[str, Any]) -> None:
        """Change an incident and write a work note, which is read back as long as it is not known to be kept.

        Raises:
            Ended: It could not be done, or is not known to be.
        """
        told = await self.attempt(row, part, values)
        if told is not None and not isinstance(told, Ok):
            raise Ended(unwritten(told))
        await self.note_kept(row, part)

    async def attempt(self, row: Row, part: Part, values: Mapping[str, Any]) -> Verdict | None:
        """Change an incident, with its note where that is known to work or to be tried; None: nothing to change."""
        note = work_info(part, self.tools.settings) if self.tools.observed.notes_by_change is not False else {}
        wanted = {**values, **note}
        if not wanted:
            return None
        told = await self.tools.api.change(INCIDENT, update_id(row), {**CHANGE_ACTION, **wanted})
        if isinstance(told, Ok):
            self._wrote = True
            self._moved = self._moved or "Status" in values
        return told

    async def note_kept(self, row: Row, part: Part) -> None:
        """See to it that a work note that went with a change is there.

        Raises:
            Ended: It is not known to be.
        """
        await self._kept(row, part)
        self._revision = max(self._revision, part.revision)

    def cut_short(self, outcome: Outcome) -> Outcome:
        """Say what came of a step that changed something before it could not go on.

        Only an outcome that leaves no doubt may say that nothing was changed.
        """
        if not isinstance(outcome, TryLater | Refused) or not self._wrote:
            return outcome
        if self._moved or self._row is None:
            return Unclear(outcome.reason)
        return self.done(self._row, revision=self._revision)

    def _newer(self) -> list[Note]:
        return [note for note in self.item.desired.notes if note.revision > self.known_revision]

    async def _kept(self, row: Row, part: Part) -> None:
        observed = self.tools.observed
        if not part.text or observed.notes_by_change:
            return
        if observed.notes_by_change is None:
            observed.notes_by_change = await self._has(row, part)
            if observed.notes_by_change:
                return
            self.remark(_NOTES_DROPPED)
        told = await self.tools.work_log.write(value(row, NUMBER), part)
        if not isinstance(told, Ok):
            raise Ended(unwritten(told))
        self._wrote = True

    async def _has(self, row: Row, part: Part) -> bool:
        try:
            return await self.held(row) >= part.revision
        except Ended as ended:
            raise Ended(Unclear(f"BMC took the change, but its note could not be read back: {ended}")) from ended

    def remark(self, *texts: str) -> None:
        """Tell something of this step, each once."""
        self.remarks += [text for text in dict.fromkeys(texts) if text not in self.remarks]

    def done(self, row: Row, *, revision: int = 0) -> Done:
        """Say what an incident is; see ``record.confirmed``."""
        at, settings = self.tools.clock(), self.tools.settings
        return Done(confirmed(row, settings, at=at, revision=revision, remarks=self.remarks))
