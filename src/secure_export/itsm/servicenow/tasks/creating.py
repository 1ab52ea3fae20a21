"""Making a record: never a second one for a work item, whatever happens in between."""

from collections.abc import Mapping

from secure_export.itsm.ended import Ended, unwritten
from secure_export.itsm.notes import Part, opening_notes
from secure_export.itsm.servicenow import keys
from secure_export.itsm.servicenow.api.refusals import Cause
from secure_export.itsm.servicenow.api.rows import Row, value
from secure_export.itsm.servicenow.api.verdict import Ok, Refused
from secure_export.itsm.servicenow.settings import why_not_settable
from secure_export.itsm.servicenow.tasks.record import opening, parts, row_fields
from secure_export.itsm.servicenow.tasks.task_step import TaskStep
from secure_export.itsm.verdict import NotThere
from secure_export.workitems import outcome
from secure_export.workitems.outcome import Done, Unclear
from secure_export.workitems.work_item import WorkItem

_DEFAULTS = {
    "caller_id": "caller",
    "category": "category",
    "subcategory": "subcategory",
    "business_service": "business_service",
    "contact_type": "contact_type",
    "assignment_group": "assignment_group",
}
# ServiceNow may say a duplicate sys_id in words that nobody here knows.
_MAY_BE_THERE = frozenset({Cause.DUPLICATE, Cause.OTHER})


async def create(step: TaskStep) -> Done:
    """Make the record; one that is there already is given as it is.

    Raises:
        Ended: It could not be made, or is not known to be.
    """
    there = await step.rows()
    if there:
        return step.done(await step.settled(there))
    async with step.tools.canary.first_alone(step.kind.table):
        return await _made(step)


async def _made(step: TaskStep) -> Done:
    await step.tools.canary.passes(step.kind.table)
    part = opening_part(step.item)
    made = await _inserted(step, part)
    if made is None:
        return await _already_there(step)
    row = await _without_twins(step, made)
    if value(row, "sys_id") != value(made, "sys_id"):
        return step.done(row)
    return await _completed(step, row, part)


def opening_part(item: WorkItem) -> Part:
    """Say which notes, and which revision, a new record begins with; see ``notes.opening_notes``."""
    notes, revision = opening_notes(item.desired)
    return parts(notes, 0, revision)[0]


async def _inserted(step: TaskStep, part: Part) -> Row | None:
    """Insert the record; None when the instance has one with its ``sys_id`` already."""
    values = {
        "sys_id": keys.sys_id(step.kind.table, step.correlation_id),
        "correlation_id": step.correlation_id,
        **opening(step.item, step.kind, await further_fields(step), part),
    }
    told = await step.tools.api.insert(step.kind.table, values, row_fields(step.kind, *values))
    if isinstance(told, Refused) and told.cause in _MAY_BE_THERE:
        there = await step.tools.api.row(step.kind.table, values["sys_id"], ("sys_id",))
        if isinstance(there, Ok) or told.cause is Cause.DUPLICATE:
            return None
    if not isinstance(told, Ok):
        raise Ended(unwritten(told))
    return _checked(step, values, step.written(values, told.result))


def _checked(step: TaskStep, values: Mapping[str, str], row: Row) -> Row:
    """Look whether the new record has the keys that it was made with."""
    number, table = value(row, "number"), step.kind.table
    if value(row, "correlation_id") != step.correlation_id:
        why = (
            f"ServiceNow made {number} without its correlation_id, so that it would not be found again: let the "
            f"integration user write and read {table}.correlation_id (100 characters), and delete {number}"
        )
        step.tools.canary.lost(table, value(row, "sys_id"), why)
        raise Ended(outcome.Refused(why))
    if value(row, "sys_id") != values["sys_id"]:
        step.tools.observed.sys_id_dropped = number
    return row


async def _already_there(step: TaskStep) -> Done:
    """The instance refused the ``sys_id`` because it has it: an answer was lost, or somebody changed the record.

    Raises:
        Ended: The record is not ours any more, or cannot be seen.
    """
    rows = await step.rows()
    if rows:
        return step.done(await step.settled(rows))
    sys_id, table = keys.sys_id(step.kind.table, step.correlation_id), step.kind.table
    there = await step.tools.api.row(table, sys_id, row_fields(step.kind), display=True)
    if isinstance(there, Ok):
        number = value(there.result, "number")
        raise Ended(
            outcome.Refused(
                f"{number} was made for this work item, but its correlation_id was changed to "
                f"{value(there.result, 'correlation_id')!r}: set it back to {step.correlation_id}, or delete {number}"
            )
        )
    if isinstance(there, NotThere | Refused):
        raise Ended(
            outcome.Refused(
                f"ServiceNow says that a {table} with the sys_id {sys_id} is there, and does not show it: let the "
                "integration user read its own records (read ACL)"
            )
        )
    raise Ended(unwritten(there))


async def _without_twins(step: TaskStep, made: Row) -> Row:
    """Look for the new record by its key, and for another that was made at the same time.

    Raises:
        Ended: The record is made, but it cannot be told now what else there is.
    """
    number = value(made, "number")
    try:
        rows = await step.rows()
    except Ended as ended:
        raise Ended(Unclear(f"{number} was made, but could not be read back: {ended}")) from ended
    if all(value(row, "sys_id") != value(made, "sys_id") for row in rows):
        why = f"{number} was made, but ServiceNow does not find it by its correlation_id: nothing is written until then"
        step.tools.canary.saw(step.kind.table, value(made, "sys_id"), step.correlation_id)
        step.tools.canary.distrust(step.kind.table, why)
        raise Ended(Unclear(why))
    return await step.settled(rows)


async def _completed(step: TaskStep, row: Row, part: Part) -> Done:
    """Bring in what did not fit into the first call; what cannot be brought in now stays owed."""
    desired = step.item.desired
    if part.revision == desired.revision:
        return step.done(row, revision=part.revision)
    try:
        row = await step.bring_in(row)
    except Ended:
        return step.done(row, revision=part.revision)
    return step.done(row, revision=desired.revision)


async def further_fields(step: TaskStep) -> Mapping[str, str]:
    """The further fields of the record, in ServiceNow's values.

    Raises:
        Ended: They cannot be looked up now.
    """
    content, settings = step.item.desired.content, step.tools.settings
    defaults = {name: getattr(settings, setting) or "" for name, setting in _DEFAULTS.items()} | dict(settings.fields)
    asked: dict[str, str] = {}
    for name, text in content.fields.items():
        if (why := why_not_settable(name)) is not None:
            step.remark(f"{why}: it was left out")
        else:
            asked[name] = text
    group = {"assignment_group": content.assignment_group} if content.assignment_group else {}
    found = await step.tools.choices.fields(
        step.kind.table, {**defaults, **group, **asked}, quiet=frozenset(defaults) - frozenset(asked)
    )
    step.remark(*found.remarks)
    return found.values
