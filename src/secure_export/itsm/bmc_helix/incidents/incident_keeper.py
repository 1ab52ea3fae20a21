"""Work items as incidents."""

from secure_export.itsm.bmc_helix.forms import INCIDENT
from secure_export.itsm.bmc_helix.incidents import absence, creating, ending
from secure_export.itsm.bmc_helix.incidents.incident_step import IncidentStep
from secure_export.itsm.bmc_helix.incidents.record import is_over
from secure_export.itsm.bmc_helix.incidents.twins import TWINS
from secure_export.itsm.bmc_helix.tools import Tools
from secure_export.itsm.ended import Ended
from secure_export.itsm.record_keeper import RecordKeeper
from secure_export.workitems.outcome import Done, Refused
from secure_export.workitems.work_item import StepKind, WorkItem

WORK_ITEMS = frozenset({"incident", "HPD:Help Desk", INCIDENT})


class Incidents(RecordKeeper[IncidentStep]):
    """Keeps work items as incidents.

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

    def _step(self, item: WorkItem) -> IncidentStep:
        if item.desired.content.work_item not in WORK_ITEMS:
            raise Ended(
                Refused(
                    f"{item.desired.content.work_item!r} is nothing that is kept in BMC Helix here: set the route's "
                    "work_item to incident"
                )
            )
        return IncidentStep(self._tools, item)


async def _look(step: IncidentStep) -> Done:
    rows = await step.rows()
    if not rows:
        await absence.is_sure(step)
        return Done(None)
    step.tools.unseen.ends(step.key)
    if not step.item.doubt:
        step.remark(*TWINS.strangers(rows))
        return step.done(rows[0])
    return step.done(await step.settled(rows), revision=await step.revision_there(rows[0]))


async def _update(step: IncidentStep) -> Done:
    row = await step.the_row()
    if is_over(row):
        return step.done(row)
    await step.bring_in(row)
    return step.done(row, revision=step.item.desired.revision)
