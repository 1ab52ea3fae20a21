"""The record that a work item would become, without making it: for ``secure-export explain``."""

from secure_export.itsm.contract import Preview
from secure_export.itsm.ended import Ended
from secure_export.itsm.notes import bound_cis
from secure_export.itsm.servicenow import keys
from secure_export.itsm.servicenow.events import event
from secure_export.itsm.servicenow.events.event import Origin
from secure_export.itsm.servicenow.events.event_keeper import EVENTS
from secure_export.itsm.servicenow.tasks.creating import further_fields, opening_part
from secure_export.itsm.servicenow.tasks.kinds import kind_of
from secure_export.itsm.servicenow.tasks.record import opening
from secure_export.itsm.servicenow.tasks.task_step import TaskStep
from secure_export.itsm.servicenow.tools import Tools
from secure_export.workitems.work_item import WorkItem


async def task(tools: Tools, item: WorkItem) -> Preview:
    """Give the record of a work item that becomes a task; names and choices are looked up as for the real one.

    Args:
        tools: What steps share.
        item: The work item.
    """
    work_item = item.desired.content.work_item
    kind = kind_of(work_item, tools.settings)
    if kind is None:
        return Preview(work_item, {}, (f"{work_item!r} is no table of ServiceNow: it would be refused",))
    step = TaskStep(tools, item, kind)
    try:
        further = await further_fields(step)
    except Ended as ended:
        further = {}
        step.remark(f"fields of the configuration and the route could not be looked up, and are not shown: {ended}")
    others = len(bound_cis(item.desired.content.bindings)) - 1
    if others > 0:
        step.remark(f"{others} further configuration items would be added as affected CIs (task_ci)")
    return Preview(
        table=kind.table,
        fields={
            "sys_id": keys.sys_id(kind.table, step.correlation_id),
            "correlation_id": step.correlation_id,
            **opening(item, kind, further, opening_part(item)),
        },
        remarks=tuple(step.remarks),
    )


def first_event(tools: Tools, item: WorkItem, origin: Origin) -> Preview:
    """Give the first event of a work item that becomes an alert of Event Management.

    Args:
        tools: What steps share.
        item: The work item.
        origin: What all events of the connection have in common.
    """
    key = keys.correlation_id(tools.connection, item.key)
    first, *more = event.opening(item, key, origin, now=tools.clock())
    remarks = (f"{len(more)} more events would bring in what does not fit into it",) if more else ()
    return Preview(EVENTS, first, remarks)
