"""The configuration items of an incident beyond its first: relations in ``HPD:Associations``."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from secure_export.itsm.bmc_helix.api import qualification
from secure_export.itsm.bmc_helix.api.entry_api import EntryApi, Page, Query
from secure_export.itsm.bmc_helix.api.verdict import Ok, Refused
from secure_export.itsm.bmc_helix.cmdb.ci_reference import reference
from secure_export.itsm.bmc_helix.cmdb.ci_rows import ci_name
from secure_export.itsm.bmc_helix.forms import ASSOCIATIONS, BASE
from secure_export.itsm.bmc_helix.rows import value
from secure_export.itsm.ended import Ended, unread, unwritten
from secure_export.itsm.verdict import NotThere
from secure_export.workitems.outcome import Unclear
from secure_export.workitems.work_item import Binding

_CI = "Request ID01"
_INCIDENT = "Request ID02"
_KIND = "Request Type01"
_A_CI = "Configuration Item"
_RELATED = "Related To"
_MOST = 500


@dataclass(frozen=True, slots=True)
class Added:
    """What came of relating configuration items.

    Attributes:
        count: How many were related.
        remarks: What could not be related, each a sentence for people.
    """

    count: int = 0
    remarks: tuple[str, ...] = ()


async def add(api: EntryApi, number: str, cis: Sequence[Binding], asset_forms: Mapping[str, str]) -> Added:
    """Relate configuration items to an incident that it is not related to yet; its other relations stay.

    Args:
        api: The server.
        number: The incident's number.
        cis: The configuration items, each found in the CMDB.
        asset_forms: By ``ClassId``, the asset forms that are not named after their class.

    Raises:
        Ended: BMC gave no answer now, or it is not known whether one was related.
    """
    if not cis:
        return Added()
    text = qualification.together(qualification.equal(_INCIDENT, number), qualification.equal(_KIND, _A_CI))
    told = await api.entries(ASSOCIATIONS, Query(text, (_CI, _INCIDENT), limit=_MOST))
    if isinstance(told, Refused | NotThere):
        return Added(remarks=(_not_related(cis, told.reason),))
    if not isinstance(told, Ok) or not isinstance(told.body, Page):
        raise Ended(unread(told, ASSOCIATIONS))
    there = {value(row, _CI) for row in told.body.rows if value(row, _INCIDENT) == number}
    relations = [_values(number, binding, asset_forms) for binding in cis]
    missing = [values for values in relations if values and values[_CI] not in there]
    for count, values in enumerate(missing):
        made = await api.create(ASSOCIATIONS, values, ("Associations ID",))
        if isinstance(made, Refused | NotThere):
            return Added(count, (_not_related(missing[count:], made.reason),))
        if not isinstance(made, Ok):
            raise Ended(Unclear(made.reason) if count else unwritten(made))
    return Added(len(missing))


def _values(number: str, binding: Binding, asset_forms: Mapping[str, str]) -> dict[str, str]:
    """The values of a relation, as published records of such relations have them."""
    ci = reference(binding.id)
    if ci is None:
        return {}
    return {
        _CI: ci.identity,
        "Form Name01": ci.asset_form(asset_forms),
        "Request Description01": ci_name(binding),
        _KIND: _A_CI,
        "Association Type01": _RELATED,
        _INCIDENT: number,
        "Form Name02": BASE,
        "Lookup Keyword": ci.class_id,
    }


def _not_related(cis: Sequence[object], why: str) -> str:
    return f"{len(cis)} further CIs could not be related to the incident ({ASSOCIATIONS}): {why}"
