"""From the API's form of an alert to the body that the webhook would have brought: pure.

The two say the same by other names (Azure Monitor docs, "Common alert schema"; AlertsManagement 2019-03-01,
definition ``essentials``). What the API does not have is left out: configuration items, the investigation link, and
what the monitor service said at the end of the condition.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

import msgspec

from secure_export.alerts.alert import Condition
from secure_export.alerts.common_schema import SCHEMA_ID
from secure_export.azure.missed.listed import ListedAlert, text

_ACTIVITY_LOG: Final = "ActivityLog "
_OF_ACTIVITY_LOG: Final = frozenset({"servicehealth", "resource health", "resourcehealth"})
_encode = msgspec.json.Encoder(order="deterministic").encode


def conditions(alert: ListedAlert) -> tuple[Condition, ...]:
    """Say of which notifications an alert tells, in the order of their events."""
    return (Condition.FIRED, Condition.RESOLVED) if alert.resolved else (Condition.FIRED,)


def body_of(alert: ListedAlert, condition: Condition) -> bytes:
    """Write the notification of an alert in the common alert schema; the same alert always gives the same bytes."""
    data = {
        "essentials": {name: value for name, value in _essentials(alert, condition).items() if value not in (None, "")},
        "alertContext": _context(alert.context),
        "customProperties": alert.custom_properties,
    }
    return _encode({"schemaId": SCHEMA_ID, "data": data, "fetchedFromAzure": True})


def _essentials(alert: ListedAlert, condition: Condition) -> dict[str, Any]:
    said, target, service = alert.essentials, text(alert.essentials.get("targetResource")), _service(alert)
    is_over = condition is Condition.RESOLVED
    return {
        "alertId": alert.alert_id,
        "alertRule": rule_name(alert),
        "alertRuleID": alert.rule if alert.rule.startswith("/") else None,
        "severity": text(said.get("severity")),
        "signalType": _signal(text(said.get("signalType")), service),
        "monitorCondition": "Resolved" if is_over else "Fired",
        "monitoringService": service,
        "alertTargetIDs": [target] if target else None,
        "originAlertId": text(said.get("sourceCreatedId")),
        "firedDateTime": _time(alert.started),
        "resolvedDateTime": _time(alert.resolved_at) if is_over else None,
        "description": text(said.get("description")),
        "targetResourceType": text(said.get("targetResourceType")),
        "targetResourceGroup": text(said.get("targetResourceGroup")),
    }


def rule_name(alert: ListedAlert) -> str:
    """Give the rule's name: that of the list, or the end of the rule's id."""
    is_guid = alert.name.lower() == alert.guid
    return alert.rule.rstrip("/").rpartition("/")[2] if is_guid or not alert.name else alert.name


def _service(alert: ListedAlert) -> str:
    """Write the service as the webhook does: ``ActivityLog Policy`` is ``Activity Log - Policy`` there."""
    service = text(alert.essentials.get("monitorService"))
    if service.startswith(_ACTIVITY_LOG):
        return f"Activity Log - {service.removeprefix(_ACTIVITY_LOG)}"
    return service


def _signal(signal: str, service: str) -> str | None:
    """Give the signal's type; the API knows none for the activity log, and says ``Unknown`` or ``Log``."""
    if service.startswith("Activity Log - ") or service.lower() in _OF_ACTIVITY_LOG:
        return "Activity Log"
    return None if signal == "Unknown" else signal


def _context(context: Mapping[str, Any] | None) -> Mapping[str, Any] | None:
    """Take a context out of the wrapping that some services put around it."""
    if context is not None and set(context) == {"context"} and isinstance(context["context"], Mapping):
        return context["context"]
    return context


def _time(at: datetime | None) -> str | None:
    return at.isoformat().replace("+00:00", "Z") if at is not None else None
