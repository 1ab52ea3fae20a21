"""Work items as incidents."""

from collections.abc import Awaitable, Callable

from secure_export.itsm.bmc_helix.api.ended import Ended
from secure_export.itsm.bmc_helix.forms import INCIDENT
from secure_export.itsm.bmc_helix.incidents import absence, creating, ending
from secure_export.itsm.bmc_helix.incidents.incident_step import IncidentStep
from secure_export.itsm.bmc_helix.incidents.record import is_over
from secure_export.itsm.bmc_helix.incidents.twins import strangers
from secure_export.itsm.bmc_helix.tools import Tools
from secure_export.workitems.outcome import Done, Outcome, Refused
from secure_export.workitems.work_item import WorkItem

WORK_ITEMS = frozenset({"incident", "HPD:Help Desk", INCIDENT})


class Incidents:
    """Keeps work items as incidents.

    Args:
        tools: What steps share.
    """

    def __init__(self, tools: Tools) -> None:
        self._tools = tools

    async def look(self, item: WorkItem) -> Outcome:
        """Find the incident by its key; ``Done(None)`` when there surely is none."""
        return await self._outcome(item, _look)

    async def create(self, item: WorkItem) -> Outcome:
        """Make the incident; see ``creating.create``."""
        return await self._outcome(item, creating.create)

    async def update(self, item: WorkItem) -> Outcome:
        """Bring notes and configuration items in; an incident that is over stays as it is."""
        return await self._outcome(item, _update)

    async def resolve(self, item: WorkItem) -> Outcome:
        """Resolve the incident; see ``ending.resolve``."""
        return await self._outcome(item, ending.resolve)

    async def reopen(self, item: WorkItem) -> Outcome:
        """Open the incident again; see ``ending.reopen``."""
        return await self._outcome(item, ending.reopen)

    async def _outcome(self, item: WorkItem, take: Callable[[IncidentStep], Awaitable[Done]]) -> Outcome:
        if item.desired.content.work_item not in WORK_ITEMS:
            return Refused(
                f"{item.desired.content.work_item!r} is nothing that is kept in BMC Helix here: set the route's "
                "work_item to incident"
            )
        step = IncidentStep(self._tools, item)
        try:
            return await take(step)
        except Ended as ended:
            return step.cut_short(ended.outcome)


async def _look(step: IncidentStep) -> Done:
    rows = await step.rows()
    if not rows:
        await absence.is_sure(step)
        return Done(None)
    step.tools.unseen.ends(step.key)
    if not step.item.doubt:
        step.remark(*strangers(rows))
        return step.done(rows[0])
    return step.done(await step.settled(rows), revision=await step.revision_there(rows[0]))


async def _update(step: IncidentStep) -> Done:
    row = await step.the_row()
    if is_over(row):
        return step.done(row)
    await step.bring_in(row)
    return step.done(row, revision=step.item.desired.revision)
