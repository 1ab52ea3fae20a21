"""Tries whether who and what the configuration names is there: a part of ``secure-export check``."""

from collections.abc import Sequence

from secure_export.itsm.bmc_helix.api import qualification
from secure_export.itsm.bmc_helix.api.entry_api import Page, Query
from secure_export.itsm.bmc_helix.api.verdict import Ok
from secure_export.itsm.bmc_helix.check.sign_in import LOGIN_ID
from secure_export.itsm.bmc_helix.forms import PEOPLE
from secure_export.itsm.bmc_helix.rows import value
from secure_export.itsm.bmc_helix.settings import Customer
from secure_export.itsm.bmc_helix.site import Group
from secure_export.itsm.bmc_helix.tools import Tools
from secure_export.itsm.contract import CheckResult
from secure_export.itsm.ended import Ended
from secure_export.itsm.verdict import Later, NotSignedIn, Unclear

_COMPANY = "COM:Company"
_CIS = "BMC.CORE:BMC_BaseElement"
_NOBODY = (
    "no customer is set: BMC takes that only for incidents of the service type Infrastructure Event, or with a "
    "template. Set customer otherwise"
)
_NOT_ASSIGNED = (
    "no assignee is set: BMC does not let an incident be resolved that nobody works on, so that its end is noted and "
    "left to a person. Set assignee to a member of the group that gets incidents, if they are to be resolved"
)
_NO_COMPANY = (
    "no company is set, and neither a customer nor a template brings one: every incident has one. Set company to an "
    "operating company, as COM:Company has it"
)


class CheckNames:
    """Tries names.

    Args:
        tools: What the steps of the connection share.
    """

    def __init__(self, tools: Tools) -> None:
        self._tools = tools
        self._settings = tools.settings

    async def run(self) -> Sequence[CheckResult]:
        """Try what is named; what is not named is no line, but for what BMC needs."""
        settings = self._settings
        results = [await self._customer()]
        if settings.company is not None:
            results.append(await self._one("company", _COMPANY, {"Company": settings.company}, "Company"))
        elif settings.customer is None and settings.template is None and "Company" not in settings.fields:
            results.append(CheckResult("company", passed=False, detail=_NO_COMPANY))
        if settings.support_group is not None and settings.support_group.group is not None:
            results.append(await self._group())
        if settings.template is not None:
            results.append(await self._template(settings.template))
        if settings.assignee is not None:
            login = settings.assignee.login_id
            asked = {LOGIN_ID: login} if login else {"Full Name": settings.assignee.name}
            results.append(await self._one("assignee", PEOPLE, asked, "Full Name"))
        else:
            results.append(CheckResult("assignee", passed=True, detail=_NOT_ASSIGNED))
        if settings.service_ci is not None:
            asked = {
                "ReconciliationIdentity": settings.service_ci.reconciliation_id,
                "DatasetId": settings.cmdb.dataset,
            }
            results.append(await self._one("service CI", _CIS, asked, "Name"))
        return results

    async def _customer(self) -> CheckResult:
        customer = self._settings.customer
        if customer is None:
            needed = self._settings.service_type != "Infrastructure Event" and self._settings.template is None
            return CheckResult("customer", passed=not needed, detail=_NOBODY)
        return await self._one("customer", PEOPLE, _asked(customer, self._settings.company), "Full Name")

    async def _group(self) -> CheckResult:
        own = self._settings.support_group
        group = Group(own.company or "", own.organization or "", own.group or "") if own is not None else Group()
        try:
            found = await self._tools.site.group(group)
        except Ended as error:
            return CheckResult("support group", passed=False, detail=str(error))
        if isinstance(found.value, Group):
            told = f"{found.value.company} > {found.value.organization} > {found.value.name}"
            return CheckResult("support group", passed=True, detail=told)
        return CheckResult("support group", passed=False, detail=f"{found.why} (CTM:Support Group)")

    async def _template(self, name: str) -> CheckResult:
        try:
            found = await self._tools.site.template(name)
        except Ended as error:
            return CheckResult("template", passed=False, detail=str(error))
        if isinstance(found.value, str):
            return CheckResult("template", passed=True, detail=f"{name} ({found.value})")
        return await self._one("template", "HPD:Template", {"InstanceId": name}, "Template Name")

    async def _one(self, subject: str, form: str, asked: dict[str, str], shown: str) -> CheckResult:
        """Say whether a form has exactly one record with some values."""
        try:
            text = qualification.together(*(qualification.equal(name, text) for name, text in asked.items()))
        except ValueError as error:
            return CheckResult(subject, passed=False, detail=str(error))
        told = await self._tools.api.entries(form, Query(text, tuple(dict.fromkeys((*asked, shown))), limit=3))
        named = ", ".join(asked.values())
        if isinstance(told, Later | NotSignedIn | Unclear):
            return CheckResult(subject, passed=False, detail=told.reason)
        if not isinstance(told, Ok) or not isinstance(told.body, Page):
            detail = f"{named}: not known, because {form} cannot be read; BMC says it itself when it is wrong"
            return CheckResult(subject, passed=True, detail=detail)
        count = len(told.body.rows)
        if count == 1:
            return CheckResult(subject, passed=True, detail=value(told.body.rows[0], shown) or named)
        if count:
            detail = f"{form} has more than one {named}: BMC refuses what is not unique; name it more exactly"
            return CheckResult(subject, passed=False, detail=detail)
        detail = f"{form} has no {named} that the integration user can see; capitals count"
        return CheckResult(subject, passed=False, detail=detail)


def _asked(customer: Customer, company: str | None) -> dict[str, str]:
    """How a customer is looked up, by what tells people apart best."""
    if customer.person_id is not None:
        return {"Person ID": customer.person_id}
    if customer.login_id is not None:
        return {LOGIN_ID: customer.login_id}
    named = {"First Name": customer.first_name or "", "Last Name": customer.last_name or ""}
    return {**named, "Company": company} if company else named
