"""Tries the forms of this site: a part of ``secure-export check``.

Forms differ from site to site in what they demand, how long texts may be, and what selections are called. ``OPTIONS``
of a form tells it; what only workflow demands is seen with the first incident. Nothing is written: a test record could
not be deleted again with the integration user's rights.
"""

from collections.abc import Mapping, Sequence

from secure_export.itsm.bmc_helix.api.ar_errors import Cause
from secure_export.itsm.bmc_helix.api.verdict import Ok, Refused, Verdict
from secure_export.itsm.bmc_helix.forms import ASSOCIATIONS, CREATE, INCIDENT, WORK_LOG, FormShape
from secure_export.itsm.bmc_helix.incidents.further import further_fields, matching
from secure_export.itsm.bmc_helix.incidents.record import opening
from secure_export.itsm.bmc_helix.settings import BmcHelixSettings
from secure_export.itsm.bmc_helix.tools import Tools
from secure_export.itsm.contract import CheckResult
from secure_export.itsm.record_keys import record_key
from secure_export.itsm.verdict import NotThere
from secure_export.workitems.work_item import Content, Desired, State, WorkItem

_WRITTEN = (CREATE, INCIDENT, WORK_LOG)
_LONGEST_LIST = 12
_ROLES = {
    CREATE: "Incident Master, or Incident Submitter and Incident User",
    INCIDENT: "Incident Master or Incident User",
    WORK_LOG: "Incident Master or Incident User",
    ASSOCIATIONS: "Incident Master or Incident User",
}
_NEEDED = {
    INCIDENT: ("Incident Number", "Status", "Status_Reason", "Resolution", "Last Modified Date", "HPD_CI_ReconID"),
    WORK_LOG: ("Incident Number", "Description", "Detailed Description", "Work Log Type", "View Access"),
}


class CheckForms:
    """Tries the forms.

    Args:
        tools: What the steps of the connection share.
    """

    def __init__(self, tools: Tools) -> None:
        self._tools = tools
        self._settings = tools.settings

    async def run(self) -> Sequence[CheckResult]:
        """Try access to each form, then what is written to them."""
        told = {form: await self._tools.api.shape(form) for form in (*_WRITTEN, ASSOCIATIONS)}
        access = [access_result(form, one) for form, one in told.items()]
        shapes = {form: one.body for form, one in told.items() if isinstance(one, Ok)}
        if not all(form in shapes for form in _WRITTEN):
            return access
        fields = await self._fields(shapes[CREATE])
        return [*access, *fields, selections_result(shapes, self._settings), reasons_result(shapes, self._settings)]

    async def _fields(self, shape: FormShape) -> list[CheckResult]:
        """Say what a new incident would have, and what it would lack."""
        item = _sample(self._tools)
        further = await further_fields(item, self._settings, self._tools.site)
        lengths = {name: shape.longest(name) for name in ("Description", "Detailed_Decription")}
        key = {self._settings.key_field: record_key(self._tools.connection, item.key)}
        given = {**further.values, **opening(item, self._settings, lengths), **key}
        named = CheckResult(
            "fields of the configuration",
            passed=not further.remarks,
            detail="; ".join(further.remarks) or f"{len(further.values)} are taken as they are",
        )
        return [named, required_result(shape, given)]


def access_result(form: str, told: Verdict) -> CheckResult:
    """Say whether a form may be used.

    Args:
        form: The form.
        told: What came of asking what it is like.
    """
    subject = f"form {form}"
    if isinstance(told, Ok):
        return _shape_result(subject, form, told.body)
    optional = form == ASSOCIATIONS
    after = ". Further CIs of an incident are left out until then" if optional else ""
    if isinstance(told, Refused) and told.cause is Cause.PERMISSION:
        detail = f"{told.reason}. It needs {_ROLES[form]} in the user's permission groups{after}"
    elif isinstance(told, Refused | NotThere):
        detail = f"{told.reason}. Is Incident Management installed, and the form not archived?{after}"
    else:
        detail = told.reason
    return CheckResult(subject, passed=False, detail=detail)


def required_result(shape: FormShape, given: Mapping[str, object]) -> CheckResult:
    """Say which required field nothing fills.

    Args:
        shape: What the form that makes incidents is like.
        given: What a new incident would have.
    """
    subject = "required fields"
    if not shape.fields:
        detail = f"{CREATE} does not tell which they are: a refusal of the first incident names what is missing"
        return CheckResult(subject, passed=True, detail=detail)
    missing = shape.missing(given)
    if missing and "TemplateID" in given:
        detail = f"{_listed(missing)} must come from the template, because nothing else fills them"
        return CheckResult(subject, passed=True, detail=detail)
    if missing:
        detail = f"{CREATE} requires {_listed(missing)}, which nothing fills: set them in the connection's fields"
        return CheckResult(subject, passed=False, detail=detail)
    return CheckResult(subject, passed=True, detail="all are filled; what workflow demands more, it says itself")


def selections_result(shapes: Mapping[str, FormShape], settings: BmcHelixSettings) -> CheckResult:
    """Say whether each label that is written exists.

    Args:
        shapes: The forms, by name.
        settings: The connection's settings.
    """
    create, work_log = shapes[CREATE], shapes[WORK_LOG]
    written: list[tuple[FormShape, str, str, str]] = [
        (create, "Status", "New", "fields"),
        (create, "Reported Source", settings.reported_source, "reported_source"),
        (create, "Service_Type", settings.service_type, "service_type"),
        *((create, "Impact", matching(label, create, "Impact"), "impact") for label in settings.impact.values()),
        *((create, "Urgency", matching(label, create, "Urgency"), "urgency") for label in settings.urgency.values()),
        (work_log, "Work Log Type", settings.work_info_type, "work_info_type"),
        (work_log, "View Access", settings.work_info_access, "work_info_access"),
    ]
    wrong = [why for one in written if (why := _wrong(*one))]
    known = any(shape.fields.get(name) and shape.fields[name].labels for shape, name, _, _ in written)
    if not known:
        return CheckResult("selections", passed=True, detail="the forms do not tell their labels")
    return CheckResult("selections", passed=not wrong, detail="; ".join(wrong) or "every label exists")


def reasons_result(shapes: Mapping[str, FormShape], settings: BmcHelixSettings) -> CheckResult:
    """Say which status reason a resolved incident will get."""
    subject = "status reason"
    found = shapes[INCIDENT].fields.get("Status_Reason")
    if found is None or not found.labels:
        detail = f"{settings.status_reasons[0]!r} will be tried first; the form does not tell which there are"
        return CheckResult(subject, passed=True, detail=detail)
    usable = [reason for reason in settings.status_reasons if reason in found.labels]
    if usable:
        return CheckResult(subject, passed=True, detail=f"{usable[0]!r} will be written when an incident is resolved")
    detail = f"none of status_reasons exists here; write one of {_listed(found.labels)} that goes with Resolved"
    return CheckResult(subject, passed=False, detail=detail)


def _shape_result(subject: str, form: str, shape: FormShape) -> CheckResult:
    if not shape.fields:
        return CheckResult(subject, passed=True, detail="it can be used; it does not tell its fields")
    missing = [name for name in _NEEDED.get(form, ()) if not shape.has(name)]
    if missing:
        detail = f"the integration user does not see {_listed(missing)}: give it read access to these fields"
        return CheckResult(subject, passed=False, detail=detail)
    return CheckResult(subject, passed=True, detail=f"it can be used, and shows {len(shape.fields)} fields")


def _wrong(shape: FormShape, name: str, label: str, setting: str) -> str:
    found = shape.fields.get(name)
    if found is None or not found.labels or label in found.labels:
        return ""
    return f"{name} has no {label!r}; set {setting} to one of {_listed(found.labels)}"


def _listed(names: Sequence[str]) -> str:
    more = f" and {len(names) - _LONGEST_LIST} more" if len(names) > _LONGEST_LIST else ""
    return f"{', '.join(names[:_LONGEST_LIST])}{more}"


def _sample(tools: Tools) -> WorkItem:
    """A work item as the first alert would make it; nothing of it is written."""
    content = Content(title="Azure Monitor alert", description="An alert.", impact=2, urgency=2, priority=3)
    now = tools.clock()
    return WorkItem("check", tools.connection, "check", 1, Desired(State.OPEN, content), None, now)
