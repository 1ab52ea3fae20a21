"""Work items as records of a table of tasks: incident, problem, change request, or any other."""

from collections.abc import Awaitable, Callable

from secure_export.itsm.servicenow import keys
from secure_export.itsm.servicenow.api.ended import Ended, unread
from secure_export.itsm.servicenow.api.rows import value
from secure_export.itsm.servicenow.api.verdict import NotThere, Ok
from secure_export.itsm.servicenow.tasks import creating, ending
from secure_export.itsm.servicenow.tasks.kinds import kind_of
from secure_export.itsm.servicenow.tasks.record import is_over
from secure_export.itsm.servicenow.tasks.task_step import TaskStep
from secure_export.itsm.servicenow.tasks.twins import strangers
from secure_export.itsm.servicenow.tools import Tools
from secure_export.workitems.outcome import Done, Outcome, Refused, TryLater
from secure_export.workitems.work_item import WorkItem


class TaskRecords:
    """Keeps work items as tasks.

    Args:
        tools: What steps share.
    """

    def __init__(self, tools: Tools) -> None:
        self._tools = tools

    async def look(self, item: WorkItem) -> Outcome:
        """Find the record by its key; ``Done(None)`` when there surely is none."""
        return await self._outcome(item, _look)

    async def create(self, item: WorkItem) -> Outcome:
        """Make the record; see ``creating.create``."""
        return await self._outcome(item, creating.create)

    async def update(self, item: WorkItem) -> Outcome:
        """Bring notes and configuration items in; a record that is over stays as it is."""
        return await self._outcome(item, _update)

    async def resolve(self, item: WorkItem) -> Outcome:
        """Resolve the record; see ``ending.resolve``."""
        return await self._outcome(item, ending.resolve)

    async def reopen(self, item: WorkItem) -> Outcome:
        """Open the record again; see ``ending.reopen``."""
        return await self._outcome(item, ending.reopen)

    async def _outcome(self, item: WorkItem, take: Callable[[TaskStep], Awaitable[Done]]) -> Outcome:
        kind = kind_of(item.desired.content.work_item, self._tools.settings)
        if kind is None:
            return Refused(
                f"{item.desired.content.work_item!r} is no table of ServiceNow: set the route's work_item to incident, "
                "problem, change_request, event, or the name of another table of tasks"
            )
        self._tools.observed.tables.add(kind.table)
        step = TaskStep(self._tools, item, kind)
        try:
            return await take(step)
        except Ended as ended:
            return ended.outcome if take is creating.create else step.cut_short(ended.outcome)


async def _look(step: TaskStep) -> Done:
    rows = await step.rows()
    if rows:
        if step.item.doubt:
            return step.done(await step.settled(rows))
        step.remark(*strangers(rows))
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
