"""Work items as records of a table of tasks: incident, problem, change request, or any other."""

from secure_export.itsm.ended import Ended, unread
from secure_export.itsm.record_keeper import RecordKeeper
from secure_export.itsm.servicenow import keys
from secure_export.itsm.servicenow.api.rows import value
from secure_export.itsm.servicenow.api.verdict import Ok
from secure_export.itsm.servicenow.tasks import creating, ending
from secure_export.itsm.servicenow.tasks.kinds import kind_of
from secure_export.itsm.servicenow.tasks.record import is_over
from secure_export.itsm.servicenow.tasks.task_step import TaskStep
from secure_export.itsm.servicenow.tasks.twins import TWINS
from secure_export.itsm.servicenow.tools import Tools
from secure_export.itsm.verdict import NotThere
from secure_export.workitems.outcome import Done, Refused, TryLater
from secure_export.workitems.work_item import StepKind, WorkItem


class TaskRecords(RecordKeeper[TaskStep]):
    """Keeps work items as tasks.

    Args:
        tools: What steps share.
    """

    def __init__(self, tools: Tools) -> None:
        self._tools = tools
        super().__init__(
            self._step,
            {
                StepKind.LOOK: _look,
                StepKind.CREATE: creating.create,
                StepKind.UPDATE: _update,
                StepKind.RESOLVE: ending.resolve,
                StepKind.REOPEN: ending.reopen,
            },
        )

    def _step(self, item: WorkItem) -> TaskStep:
        kind = kind_of(item.desired.content.work_item, self._tools.settings)
        if kind is None:
            raise Ended(
                Refused(
                    f"{item.desired.content.work_item!r} is no table of ServiceNow: set the route's work_item to "
                    "incident, problem, change_request, event, or the name of another table of tasks"
                )
            )
        self._tools.observed.tables.add(kind.table)
        return TaskStep(self._tools, item, kind)


async def _look(step: TaskStep) -> Done:
    rows = await step.rows()
    if rows:
        if step.item.doubt:
            return step.done(await step.settled(rows))
        step.remark(*TWINS.strangers(rows))
        return step.done(rows[0])
    await _surely_gone(step)
    return Done(None)


async def _surely_gone(step: TaskStep) -> None:
    """Ask for a record that was there by its own key, too, before it counts as deleted.

    Raises:
        Ended: It is there, or that cannot be told now.
    """
    known = step.item.confirmed
    if known is None or not keys.is_sys_id(known.ref):
        return
    told = await step.tools.api.row(step.kind.table, known.ref, ("sys_id", "correlation_id"))
    if isinstance(told, NotThere):
        return
    if not isinstance(told, Ok):
        raise Ended(unread(told, step.kind.table))
    if value(told.result, "correlation_id") == step.correlation_id:
        why = f"{known.number} is there, but ServiceNow does not find it by its correlation_id"
        step.tools.canary.distrust(step.kind.table, why)
        raise Ended(TryLater(why))


async def _update(step: TaskStep) -> Done:
    row = await step.the_row()
    if is_over(row, step.kind):
        return step.done(row)
    return step.done(await step.bring_in(row), revision=step.item.desired.revision)
