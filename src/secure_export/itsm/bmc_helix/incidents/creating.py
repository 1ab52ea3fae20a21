"""Making an incident: never a second one for a work item, as far as a tool without a key of ours allows."""

from collections.abc import Mapping, Sequence
from typing import Any

from secure_export.itsm.bmc_helix.api.ar_errors import Cause
from secure_export.itsm.bmc_helix.api.verdict import Ok, Refused
from secure_export.itsm.bmc_helix.forms import CREATE, NUMBER
from secure_export.itsm.bmc_helix.incidents import in_vain
from secure_export.itsm.bmc_helix.incidents.further import further_fields, matching
from secure_export.itsm.bmc_helix.incidents.in_vain import Made
from secure_export.itsm.bmc_helix.incidents.incident_step import IncidentStep
from secure_export.itsm.bmc_helix.incidents.record import LONGEST_NOTES, opening, work_info
from secure_export.itsm.bmc_helix.rows import ID, Row, id_in, value
from secure_export.itsm.ended import Ended, unwritten
from secure_export.itsm.notes import Part, opening_notes, parts
from secure_export.itsm.texts import utf8_bytes
from secure_export.itsm.verdict import Unclear
from secure_export.workitems import outcome
from secure_export.workitems.outcome import Done
from secure_export.workitems.work_item import WorkItem

_TEXTS = ("Description", "Detailed_Decription")
_LABELS = ("Impact", "Urgency")


async def create(step: IncidentStep) -> Done:
    """Make the incident; one that is there already is given as it is.

    Raises:
        Ended: It could not be made, or is not known to be.
    """
    there = await step.rows()
    if there:
        return step.done(await step.settled(there), revision=await step.revision_there(there[0]))
    async with step.tools.trust.first_alone():
        return await _made(step)


async def _made(step: IncidentStep) -> Done:
    step.tools.trust.holds()
    await in_vain.none_is_left(step)
    part = opening_part(step.item)
    values = await _values(step, part)
    made = await _inserted(step, values)
    if made is None:
        row = await step.the_row()
        return step.done(row, revision=await step.revision_there(row))
    rows = await _found(step, made)
    row = await step.settled(rows)
    if not _is(row, made, rows):
        return step.done(row, revision=await _told_by_another(step, row))
    _compare(step, values, row)
    return await _completed(step, row, part)


def opening_part(item: WorkItem) -> Part:
    """Say which notes, and which revision, a new incident begins with; see ``notes.opening_notes``."""
    notes, revision = opening_notes(item.desired)
    return parts(notes, 0, revision, most=LONGEST_NOTES, size=utf8_bytes)[0]


async def _values(step: IncidentStep, part: Part) -> dict[str, Any]:
    tools = step.tools
    further = await further_fields(step.item, tools.settings, tools.site)
    step.remark(*further.remarks, *tools.ci_remarks(step.item.desired.content.bindings))
    shape = await tools.site.shape(CREATE)
    opened = opening(step.item, tools.settings, {name: shape.longest(name) for name in _TEXTS})
    opened |= {name: matching(opened[name], shape, name) for name in _LABELS}
    note = work_info(part, tools.settings) if tools.observed.notes_by_create is not False else {}
    return {**further.values, **opened, **note, tools.settings.key_field: step.key}


async def _inserted(step: IncidentStep, values: Mapping[str, Any]) -> Made | None:
    """Make the incident; None when a unique index of the site refused it, because one is there already."""
    told = await step.tools.api.create(CREATE, values, (NUMBER,))
    if isinstance(told, Unclear):
        step.tools.lost.begins_anew(step.key, step.tools.clock())
    if isinstance(told, Refused) and told.cause is Cause.DUPLICATE and await step.rows():
        return None
    if isinstance(told, Refused):
        step.tools.site.forget(CREATE)
        raise Ended(outcome.Refused(await _why_refused(step, values, told)))
    if not isinstance(told, Ok):
        raise Ended(unwritten(told))
    row = told.body if isinstance(told.body, Mapping) else {}
    return Made(value(row, NUMBER), id_in(told.location) or str(row.get(ID) or ""))


async def _why_refused(step: IncidentStep, values: Mapping[str, Any], told: Refused) -> str:
    """Say which required fields of this site are missing, where the refusal does not."""
    if told.fields:
        return told.reason
    missing = (await step.tools.site.shape(CREATE)).missing(values)
    return f"{told.reason}. Required here and not given: {', '.join(missing)}" if missing else told.reason


async def _found(step: IncidentStep, made: Made) -> tuple[Row, ...]:
    """Look for the new incident by its key, and for others that were made at the same time, oldest first.

    Raises:
        Ended: The incident is made, but it cannot be told now what else there is.
    """
    try:
        rows = await step.rows()
    except Ended as ended:
        raise Ended(outcome.Unclear(f"the incident was made, but could not be read back: {ended}")) from ended
    if rows:
        return rows
    raise Ended(await in_vain.made_in_vain(step, made))


def _is(row: Row, made: Made, rows: Sequence[Row]) -> bool:
    """Whether an incident is the one that was made just now, and not one that another process made first."""
    return value(row, NUMBER) == made.number if made.number else len(rows) == 1


async def _told_by_another(step: IncidentStep, row: Row) -> int:
    """Say which of our notes an incident has that another process made; 0 where that cannot be told now."""
    try:
        return await step.revision_there(row)
    except Ended:
        return 0


def _compare(step: IncidentStep, values: Mapping[str, Any], row: Row) -> None:
    """Tell when BMC's own assignment went before ours."""
    wanted, there = values.get("Assigned Group"), value(row, "Assigned Group")
    if wanted and there != wanted:
        step.remark(f"BMC assigned it to {there or 'nobody'!r} instead of {wanted!r}: a rule of its own decided")


async def _completed(step: IncidentStep, row: Row, part: Part) -> Done:
    """Bring in what did not fit into the first call; what cannot be brought in now stays owed."""
    desired, observed = step.item.desired, step.tools.observed
    try:
        if part.text and observed.notes_by_create is not True:
            observed.notes_by_create = await step.held(row) >= part.revision
        kept = not part.text or observed.notes_by_create
        if kept and part.revision == desired.revision:
            return step.done(row, revision=part.revision)
        await step.bring_in(row)
    except Ended:
        return step.done(row, revision=part.revision if not part.text or observed.notes_by_create else 0)
    return step.done(row, revision=desired.revision)
