"""Work items as incidents."""

from collections.abc import Awaitable, Callable
from datetime import timedelta

from secure_export.itsm.bmc_helix import creating, ending, qualification
from secure_export.itsm.bmc_helix.ended import Ended, unread
from secure_export.itsm.bmc_helix.entry_api import Query
from secure_export.itsm.bmc_helix.forms import CREATE, INCIDENT, NUMBER
from secure_export.itsm.bmc_helix.incident_step import IncidentStep
from secure_export.itsm.bmc_helix.record import is_over
from secure_export.itsm.bmc_helix.rows import Row, value
from secure_export.itsm.bmc_helix.tools import Tools
from secure_export.itsm.bmc_helix.twins import strangers
from secure_export.itsm.bmc_helix.verdict import NotThere, Ok
from secure_export.itsm.record_keys import connection_prefix
from secure_export.workitems.outcome import Done, Outcome, Refused, TryLater
from secure_export.workitems.work_item import Confirmed, WorkItem

WORK_ITEMS = frozenset({"incident", "HPD:Help Desk", INCIDENT})
# Workflow of a create takes seconds, and more under load; the server itself gives up after 120 s.
_MAY_STILL_COME = timedelta(seconds=45)
# Rights that were taken away by mistake, and noticed, are back soon; until then nothing is called deleted.
_MAY_COME_BACK = timedelta(hours=2)


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
        try:
            return await take(IncidentStep(self._tools, item))
        except Ended as ended:
            return ended.outcome


async def _look(step: IncidentStep) -> Done:
    rows = await step.rows()
    if not rows:
        await _surely_none(step)
        return Done(None)
    step.tools.unseen.ends(step.key)
    if not step.item.doubt:
        step.remark(*strangers(rows))
        return step.done(rows[0])
    return step.done(await step.settled(rows), revision=await _held(step, rows[0]))


async def _held(step: IncidentStep, row: Row) -> int:
    """Say which of our notes an incident has, where some are owed."""
    owed = any(note.revision > step.known_revision for note in step.item.desired.notes)
    return await step.tools.work_log.held(value(row, NUMBER)) if owed else 0


async def _surely_none(step: IncidentStep) -> None:
    """Ask for an incident that was there by its own id, too, and give one that was being made time to appear.

    Raises:
        Ended: It is there, or may still come, or that cannot be told now.
    """
    since = step.tools.lost.get(step.key)
    if since is not None and step.tools.clock() < since + _MAY_STILL_COME:
        why = (
            "the answer to a create was lost, and BMC may still be making the incident: looked at again before another"
        )
        raise Ended(TryLater(why, since + _MAY_STILL_COME))
    known = step.item.confirmed
    if known is None or not known.ref:
        return
    key_field = step.tools.settings.key_field
    told = await step.tools.api.entry(INCIDENT, known.ref, (NUMBER, key_field))
    if isinstance(told, NotThere):
        await _deleted_rather_than_hidden(step, known)
        return
    if not isinstance(told, Ok):
        raise Ended(unread(told, INCIDENT))
    if value(told.body, key_field).strip().lower() == step.key:
        why = f"{known.number} is there, but BMC does not find it by its {key_field}"
        step.tools.trust.lose(why)
        raise Ended(TryLater(why))


async def _deleted_rather_than_hidden(step: IncidentStep, known: Confirmed) -> None:
    """Look for anything else of ours: what we may not see is answered like what is not there.

    The staging form's record outlives an incident that is deleted. When that cannot be seen, and no other incident of
    this connection either, it is our rights that are gone rather than one incident.

    Raises:
        Ended: Nothing of ours is to be seen, or that cannot be told now.
    """
    key_field, api = step.tools.settings.key_field, step.tools.api
    made = await api.entries(CREATE, Query(qualification.equal(NUMBER, known.number), (NUMBER,), limit=1))
    if isinstance(made, Ok) and made.body.rows:
        return
    ours = qualification.begins(key_field, connection_prefix(step.tools.connection))
    told = await api.entries(INCIDENT, Query(ours, (NUMBER, key_field), limit=1))
    if not isinstance(told, Ok):
        raise Ended(unread(told, INCIDENT))
    if told.body.rows:
        return
    now = step.tools.clock()
    if now < step.tools.unseen.begins(step.key, now) + _MAY_COME_BACK:
        why = (
            f"{known.number} is not to be seen, and no other incident that this program made either, so that it does "
            "not count as deleted yet: see whether the integration user still has its permissions, and its access to "
            "the company"
        )
        raise Ended(TryLater(why))


async def _update(step: IncidentStep) -> Done:
    row = await step.the_row()
    if is_over(row):
        return step.done(row)
    await step.bring_in(row)
    return step.done(row, revision=step.item.desired.revision)
