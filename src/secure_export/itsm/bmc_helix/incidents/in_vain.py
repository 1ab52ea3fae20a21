"""Incidents that were made in vain: BMC took them, and they are not found by their key.

Its workflow may not carry the key over, or rights may hide what we make. Each alert would then become incidents without
end, so that nothing else is made as long as that is so of one.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from secure_export.itsm.bmc_helix.api.entry_api import Page, Query
from secure_export.itsm.bmc_helix.api.qualification import equal
from secure_export.itsm.bmc_helix.api.verdict import Ok
from secure_export.itsm.bmc_helix.forms import CREATE, INCIDENT, NUMBER
from secure_export.itsm.bmc_helix.incidents import absence
from secure_export.itsm.bmc_helix.incidents.incident_step import IncidentStep
from secure_export.itsm.bmc_helix.incidents.record import is_over
from secure_export.itsm.bmc_helix.rows import Row, value
from secure_export.workitems import outcome


@dataclass(frozen=True, slots=True)
class Made:
    """What BMC says of a new incident.

    Attributes:
        number: Its number; empty when it says only where the staging form's record is.
        staging_id: The id of that record; empty when it is not told.
    """

    number: str
    staging_id: str


async def none_is_left(step: IncidentStep) -> None:
    """See what became of an incident that was made and not found by its key: more of them would follow.

    Raises:
        Ended: It is as it was, or that cannot be told now.
    """
    trust = step.tools.trust
    if not trust.vain:
        return
    row = await _by_number(step, INCIDENT, trust.vain)
    if await _is_deleted(step, trust.vain) if row is None else _is_mended(step, row):
        step.tools.unseen.ends(trust.vain)
        trust.vain = ""
    else:
        trust.lose_again()
        trust.holds()


def _is_mended(step: IncidentStep, row: Row) -> bool:
    return is_over(row) or bool(value(row, step.tools.settings.key_field).strip())


async def _is_deleted(step: IncidentStep, number: str) -> bool:
    """Whether an incident that is not to be seen is deleted rather than hidden.

    The staging form's record outlives it, but may be shown to those who may not see the incident, too.
    """
    if not absence.may_come_back(step, number):
        return True
    return bool(await absence.sees_company(step)) and await _by_number(step, CREATE, number) is not None


async def made_in_vain(step: IncidentStep, made: Made) -> outcome.Refused | outcome.Unclear:
    """Say why a new incident is not found by its key: BMC's workflow may not have carried it over."""
    key_field = step.tools.settings.key_field
    number = made.number or await _number_of(step, made)
    row = await _by_number(step, INCIDENT, number)
    if row is None:
        why = (
            f"BMC took a new incident{f' ({number})' if number else ''}, but it is not to be seen: nothing is made "
            "until it is. See whether the integration user has access to the company of its incidents"
        )
        step.tools.lost.begins_anew(step.key, step.tools.clock())
        step.tools.trust.lose(why, vain=number)
        return outcome.Unclear(why)
    why = (
        f"BMC made {number}, but {value(row, key_field) or 'nothing'!r} stands in its {key_field} in place of our key, "
        f"so that it would not be found again: let the integration user write and read {key_field} (60 characters) on "
        f"{CREATE} and {INCIDENT}, or name another key_field; then cancel {number}, and more are made"
    )
    step.tools.trust.lose(why, vain=number)
    return outcome.Refused(why)


async def _by_number(step: IncidentStep, form: str, number: str) -> Row | None:
    """Read an incident, or the staging form's record of it, by its number; None: it is not to be seen."""
    if not number:
        return None
    fields = (NUMBER, step.tools.settings.key_field, "Status")
    told = await step.tools.api.entries(form, Query(equal(NUMBER, number), fields))
    rows = told.body.rows if isinstance(told, Ok) and isinstance(told.body, Page) else ()
    return next((row for row in rows if value(row, NUMBER) == number), None)


async def _number_of(step: IncidentStep, made: Made) -> str:
    """Read the number of a new incident from the staging form, where BMC told only its record there."""
    if not made.staging_id:
        return ""
    told = await step.tools.api.entry(CREATE, made.staging_id, (NUMBER,))
    return value(told.body, NUMBER) if isinstance(told, Ok) and isinstance(told.body, Mapping) else ""
