"""What alerts and their incidents do to each other (servicenow-facts section 2).

The values of the properties are read by their first word, in any case: ``Resolve Incident``, ``close``, ``nothing``.
The values of ``evt_mgmt.alert_reopens_incident`` are not documented: ``reopen`` or ``true``, ``new``, else nothing.
"""

from typing import Final

from secure_export.sandbox.servicenow.alert_decision import CLOSED, REOPEN
from secure_export.sandbox.servicenow.errors import SnowError
from secure_export.sandbox.servicenow.event_fields import Severity
from secure_export.sandbox.servicenow.instance import Instance
from secure_export.sandbox.servicenow.rules import Change, Operation
from secure_export.sandbox.servicenow.tables import Row

ALERT_CLOSES_INCIDENT: Final = "evt_mgmt.alert_closes_incident"
ALERT_REOPENS_INCIDENT: Final = "evt_mgmt.alert_reopens_incident"
INCIDENT_CLOSES_ALERT: Final = "evt_mgmt.incident_closes_alert"
CREATES_INCIDENTS: Final = "sandbox.evt_mgmt.create_incidents"
_IN_PROGRESS, _RESOLVED, _STATE_CLOSED, _CANCELED = "2", "6", "7", "8"
_ENDED: Final = (_RESOLVED, _STATE_CLOSED)
_OVER: Final = (*_ENDED, _CANCELED)
_CLOSE_CODES: Final = ("Solution provided", "Resolved by caller", "Closed/Resolved by Caller")
_URGENCIES: Final = {Severity.CRITICAL: "1", Severity.MAJOR: "2"}
_COPIED: Final = ("short_description", "description", "cmdb_ci", "assignment_group", "impact", "urgency", "category")


def install(instance: Instance) -> None:
    """Have alerts and incidents follow each other."""
    instance.after("em_alert", _alert_opened, operations=[Operation.INSERT])
    instance.after("em_alert", _alert_changed, operations=[Operation.UPDATE])
    instance.after("incident", _incident_changed, operations=[Operation.UPDATE])


def _alert_opened(change: Change) -> None:
    """Do as the subflow "Create Incident" does, if the sandbox is told to."""
    alert, instance = change.current, change.instance
    wanted = instance.properties.flag(CREATES_INCIDENTS) and alert.get("state") != CLOSED
    if wanted and not alert.get("incident") and alert.get("maintenance") != "true":
        incident = instance.insert("incident", _incident_of(alert))
        instance.update("em_alert", alert["sys_id"], {"incident": incident["sys_id"]})


def _incident_of(alert: Row) -> Row:
    urgency = _URGENCIES.get(Severity(alert["severity"]), "3") if alert.get("severity") else "3"
    return {
        "short_description": alert.get("description", "").splitlines()[0] if alert.get("description") else "Alert",
        "description": alert.get("description", ""),
        "cmdb_ci": alert.get("cmdb_ci", ""),
        "impact": urgency,
        "urgency": urgency,
        "work_notes": f"Made from alert {alert.get('number', '')}.",
    }


def _alert_changed(change: Change) -> None:
    sys_id = change.new("incident")
    incident = change.instance.tables.get("incident", sys_id) if sys_id else None
    if incident is None:
        return
    if change.changes_to("state", CLOSED):
        _alert_closed(change, incident)
    elif change.changes_to("state", REOPEN):
        _alert_reopened(change, incident)


def _alert_closed(change: Change, incident: Row) -> None:
    number = change.new("number")
    if incident.get("state") in _OVER:
        _write(change, incident, {"work_notes": f"Alert {number} was closed."})
        return
    wanted = _first_word(change.instance, ALERT_CLOSES_INCIDENT, "resolve")
    if wanted not in {"resolve", "close"} or _has_open_alert(change.instance, incident):
        return
    notes = {"close_code": _close_code(change.instance), "close_notes": f"Alert {number} was closed."}
    _write(change, incident, {**notes, "state": _RESOLVED if wanted == "resolve" else _STATE_CLOSED})


def _alert_reopened(change: Change, incident: Row) -> None:
    note = {"work_notes": f"Alert {change.new('number')} was reopened."}
    if incident.get("state") not in _ENDED:
        _write(change, incident, note)
        return
    match _first_word(change.instance, ALERT_REOPENS_INCIDENT, "nothing"):
        case "reopen" | "true":
            _write(change, incident, {**note, "state": _IN_PROGRESS})
        case "new" | "create":
            copied = {name: incident.get(name, "") for name in _COPIED}
            made = change.instance.insert("incident", copied | note)
            change.instance.update("em_alert", change.current["sys_id"], {"incident": made["sys_id"]})


def _incident_changed(change: Change) -> None:
    if not change.changes_to("state", *_ENDED) or not change.instance.properties.flag(
        INCIDENT_CLOSES_ALERT, default=True
    ):
        return
    for alert in _alerts_of(change.instance, change.current):
        if alert.get("state") != CLOSED:
            closed = {
                "state": CLOSED,
                "close_time": change.instance.clock.stamp(),
                "work_notes": f"Incident {change.new('number')} was resolved.",
            }
            change.instance.update("em_alert", alert["sys_id"], closed)


def _has_open_alert(instance: Instance, incident: Row) -> bool:
    return any(alert.get("state") != CLOSED for alert in _alerts_of(instance, incident))


def _alerts_of(instance: Instance, incident: Row) -> list[Row]:
    return [row for row in instance.tables.rows("em_alert") if row.get("incident") == incident["sys_id"]]


def _write(change: Change, incident: Row, fields: Row) -> None:
    """Write as the platform; what is refused is said on the alert."""
    try:
        change.instance.update("incident", incident["sys_id"], fields)
    except SnowError as refusal:
        note = f"Incident {incident.get('number', '')} could not be changed: {refusal.detail or refusal.message}"
        change.instance.update("em_alert", change.current["sys_id"], {"work_notes": note})


def _close_code(instance: Instance) -> str:
    known = instance.choices.active("incident", "close_code")
    return next((code for code in _CLOSE_CODES if code in known), next(iter(known), ""))


def _first_word(instance: Instance, name: str, default: str) -> str:
    words = instance.properties.get(name, default).lower().replace("do ", "").split()
    return words[0] if words else default
