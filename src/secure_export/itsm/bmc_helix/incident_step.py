"""One step on one incident: what all kinds of steps have in common."""

from collections.abc import Mapping, Sequence
from typing import Any

from secure_export.itsm.bmc_helix import associations, twins
from secure_export.itsm.bmc_helix.ci_reference import reference
from secure_export.itsm.bmc_helix.ended import Ended, unwritten
from secure_export.itsm.bmc_helix.forms import INCIDENT, NUMBER
from secure_export.itsm.bmc_helix.record import CHANGE_ACTION, LONGEST_NOTES, ci_values, confirmed, update_id, work_info
from secure_export.itsm.bmc_helix.rows import Row, value
from secure_export.itsm.bmc_helix.tools import Tools
from secure_export.itsm.bmc_helix.verdict import Ok, Verdict
from secure_export.itsm.notes import Part, bound_cis, parts
from secure_export.itsm.record_keys import record_key
from secure_export.itsm.texts import utf8_bytes
from secure_export.workitems.outcome import Done, Unclear
from secure_export.workitems.work_item import WorkItem

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
        return await self.settled(rows)

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
        self.remark(*twins.strangers(rows))
        return found

    async def owed(self, row: Row) -> list[Part]:
        """Give the work notes that an incident lacks: one part at least, the last without a text if it has them all.

        A revision that is higher than ours was written by a later life of our store: it is not taken back.

        Raises:
            Ended: What it has cannot be told now.
        """
        desired, known = self.item.desired, self.known_revision
        newer = [note for note in desired.notes if note.revision > known]
        held = max(known, await self.tools.work_log.held(value(row, NUMBER))) if newer else known
        return parts(newer, held, max(desired.revision, held), most=LONGEST_NOTES, size=utf8_bytes)

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
        self.remark(*await associations.add(self.tools.api, value(row, NUMBER), others, forms))

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
        return await self.tools.api.change(INCIDENT, update_id(row), {**CHANGE_ACTION, **wanted})

    async def note_kept(self, row: Row, part: Part) -> None:
        """See to it that a work note that went with a change is there.

        Raises:
            Ended: It is not known to be.
        """
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

    async def _has(self, row: Row, part: Part) -> bool:
        try:
            return await self.tools.work_log.held(value(row, NUMBER)) >= part.revision
        except Ended as ended:
            raise Ended(Unclear(f"BMC took the change, but its note could not be read back: {ended}")) from ended

    def remark(self, *texts: str) -> None:
        """Tell something of this step, each once."""
        self.remarks += [text for text in dict.fromkeys(texts) if text not in self.remarks]

    def done(self, row: Row, *, revision: int = 0) -> Done:
        """Say what an incident is; see ``record.confirmed``."""
        at, settings = self.tools.clock(), self.tools.settings
        return Done(confirmed(row, settings, at=at, revision=revision, remarks=self.remarks))
