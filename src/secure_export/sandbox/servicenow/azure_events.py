"""What the listener of the Azure Monitor connector makes of an alert (servicenow-facts section 1).

The shipped transform script is not public (section 15): the severities are the published table, everything else here
is a plausible choice. The common alert schema is required; other bodies are refused.
"""

from collections.abc import Mapping
from typing import Any, Final

import msgspec

from secure_export.sandbox.servicenow.event_fields import CLOSING, Severity

SOURCE: Final = "Azure Monitor"
_SCHEMA: Final = "azureMonitorCommonAlertSchema"
_SEVERITIES: Final = {
    "Sev0": Severity.CRITICAL,
    "Sev1": Severity.MAJOR,
    "Sev2": Severity.WARNING,
    "Sev3": Severity.WARNING,
    "Sev4": Severity.OK,
}
_LAST_OF_TIME: Final = 19


class NotCommonSchemaError(ValueError):
    """The body is no alert in the common alert schema."""


def event_of(body: Mapping[str, Any]) -> dict[str, str]:
    """Make an event of an alert.

    Args:
        body: What the action group posted.

    Returns:
        Columns of ``em_event``.

    Raises:
        NotCommonSchemaError: It is not in the common alert schema.
    """
    essentials = _essentials(body)
    resolved = essentials.get("monitorCondition") == "Resolved"
    target = _first(essentials.get("alertTargetIDs"))
    return {
        "source": SOURCE,
        "event_class": SOURCE,
        "node": _first(essentials.get("configurationItems")),
        "type": str(essentials.get("signalType", "")),
        "resource": target.rsplit("/", 1)[-1],
        "ci_type": _resource_type(target),
        "metric_name": _metric(body),
        "message_key": str(essentials.get("alertId", "")),
        "severity": Severity.CLEAR if resolved else _severity(essentials),
        "resolution_state": CLOSING if resolved else "New",
        "time_of_event": _moment(essentials.get("resolvedDateTime" if resolved else "firedDateTime")),
        "description": f"{essentials.get('alertRule', '')}: {essentials.get('description') or ''}".strip(": "),
        "additional_info": msgspec.json.encode(_info(essentials, target)).decode(),
    }


def _essentials(body: Mapping[str, Any]) -> Mapping[str, Any]:
    data = body.get("data")
    essentials = data.get("essentials") if isinstance(data, dict) else None
    if body.get("schemaId") != _SCHEMA or not isinstance(essentials, dict) or not essentials.get("alertId"):
        raise NotCommonSchemaError("The body is not an alert in the common alert schema.")
    return essentials


def _severity(essentials: Mapping[str, Any]) -> str:
    return _SEVERITIES.get(str(essentials.get("severity", "")), Severity.WARNING)


def _info(essentials: Mapping[str, Any], target: str) -> dict[str, str]:
    told = {name: value for name, value in essentials.items() if isinstance(value, str) and value}
    return told | {"object_id": target, "resourceType": _resource_type(target)}


def _resource_type(target: str) -> str:
    parts = target.strip("/").split("/")
    if "providers" not in (lowered := [part.lower() for part in parts]):
        return ""
    after = parts[lowered.index("providers") + 1 :]
    return "/".join([after[0], *after[1::2]]) if after else ""


def _metric(body: Mapping[str, Any]) -> str:
    context = body["data"].get("alertContext")
    condition = context.get("condition") if isinstance(context, dict) else None
    criteria = condition.get("allOf") if isinstance(condition, dict) else None
    first = criteria[0] if isinstance(criteria, list) and criteria else None
    return str(first.get("metricName") or "") if isinstance(first, dict) else ""


def _moment(value: object) -> str:
    return str(value or "").replace("T", " ")[:_LAST_OF_TIME]


def _first(values: object) -> str:
    return str(values[0]) if isinstance(values, list) and values else ""
