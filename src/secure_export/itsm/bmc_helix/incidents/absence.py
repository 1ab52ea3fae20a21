"""Whether an incident that is not found surely is not there: it may still come, be hidden, or be there by its id.

An AR server answers what we may not see like what is not there, and counts nothing of it.
"""

from datetime import timedelta

from secure_export.itsm.bmc_helix.api import qualification
from secure_export.itsm.bmc_helix.api.entry_api import Page, Query
from secure_export.itsm.bmc_helix.api.verdict import Ok, Refused
from secure_export.itsm.bmc_helix.forms import CREATE, INCIDENT, NUMBER, PEOPLE
from secure_export.itsm.bmc_helix.incidents.incident_step import IncidentStep
from secure_export.itsm.bmc_helix.rows import value
from secure_export.itsm.ended import Ended, unread
from secure_export.itsm.record_keys import connection_prefix
from secure_export.itsm.verdict import NotThere
from secure_export.workitems.outcome import TryLater
from secure_export.workitems.work_item import Confirmed

# Workflow of a create takes seconds, and more under load; the server itself gives up after 120 s.
_MAY_STILL_COME = timedelta(seconds=45)
# Rights that were taken away by mistake, and noticed, are back soon; until then nothing is called deleted.
_MAY_COME_BACK = timedelta(hours=2)
_SEE = "see whether the integration user still has its permissions, and its access to the company"


async def is_sure(step: IncidentStep) -> None:
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
        await _company_is_seen(step)
        return
    key_field = step.tools.settings.key_field
    told = await step.tools.api.entry(INCIDENT, known.ref, (NUMBER, key_field))
    if isinstance(told, NotThere):
        await _company_is_seen(step)
        await _deleted_rather_than_hidden(step, known)
        return
    if not isinstance(told, Ok):
        raise Ended(unread(told, INCIDENT))
    if value(told.body, key_field).strip().lower() == step.key:
        why = f"{known.number} is there, but BMC does not find it by its {key_field}"
        step.tools.trust.lose(why)
        raise Ended(TryLater(why))


async def sees_company(step: IncidentStep) -> bool | None:
    """Say whether we may see the company of our incidents; None where that cannot be told.

    Who works there is hidden with its incidents. Users who may not read people at all, and connections without a
    company, cannot be told by that.

    Raises:
        Ended: There is no answer now.
    """
    company = step.tools.settings.company
    if company is None or not company.isprintable():
        return None
    told = await step.tools.api.entries(PEOPLE, Query(qualification.equal("Company", company), ("Company",), limit=1))
    if isinstance(told, Refused | NotThere):
        return None
    if not isinstance(told, Ok) or not isinstance(told.body, Page):
        raise Ended(unread(told, PEOPLE))
    return bool(told.body.rows)


def may_come_back(step: IncidentStep, what: str) -> bool:
    """Whether what is not to be seen may be hidden by mistake: for a while after it was first missed."""
    now = step.tools.clock()
    return now < step.tools.unseen.begins(what, now) + _MAY_COME_BACK


async def _company_is_seen(step: IncidentStep) -> None:
    if await sees_company(step) is False:
        company = step.tools.settings.company
        _wait_for_rights(step, f"nobody of {company} is to be seen, so that its incident may be hidden, too")


async def _deleted_rather_than_hidden(step: IncidentStep, known: Confirmed) -> None:
    """Look for anything else of ours.

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
    if not told.body.rows:
        why = f"{known.number} is not to be seen, and no other incident that this program made either"
        _wait_for_rights(step, f"{why}, so that it does not count as deleted yet")


def _wait_for_rights(step: IncidentStep, why: str) -> None:
    if may_come_back(step, step.key):
        raise Ended(TryLater(f"{why}: {_SEE}"))
