"""Alert rules of every kind, and the action groups that they name (entra-facts 6.2)."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final

from secure_export.sandbox.azure_monitor.arm.errors import bad_request, flat
from secure_export.sandbox.azure_monitor.arm.visit import Visit
from secure_export.sandbox.azure_monitor.arm.world import Row

MOST_GROUPS: Final = 5
METRIC: Final = "microsoft.insights/metricalerts"
LOG: Final = "microsoft.insights/scheduledqueryrules"
ACTIVITY: Final = "microsoft.insights/activitylogalerts"
SMART: Final = "microsoft.alertsmanagement/smartdetectoralertrules"
_OLD_LOG: Final = "2018-04-16"
_METRIC_MEMBERS: Final = (
    "description",
    "severity",
    "enabled",
    "scopes",
    "evaluationFrequency",
    "windowSize",
    "targetResourceType",
    "targetResourceRegion",
    "criteria",
    "autoMitigate",
    "actions",
)
_METRIC_REQUIRED: Final = ("severity", "enabled", "scopes", "evaluationFrequency", "windowSize", "criteria")
_LOG_MEMBERS: Final = (
    "description",
    "displayName",
    "severity",
    "enabled",
    "scopes",
    "evaluationFrequency",
    "windowSize",
    "overrideQueryTimeRange",
    "targetResourceTypes",
    "criteria",
    "muteActionsDuration",
    "actions",
    "checkWorkspaceAlertsStorageConfigured",
    "skipQueryValidation",
    "autoMitigate",
    "ruleResolveConfiguration",
)
_OLD_LOG_MEMBERS: Final = ("description", "displayName", "autoMitigate", "enabled", "source", "schedule", "action")
_ACTIVITY_MEMBERS: Final = ("scopes", "condition", "actions", "enabled", "description", "tenantScope")
_SMART_MEMBERS: Final = (
    "description",
    "state",
    "severity",
    "frequency",
    "detector",
    "scope",
    "actionGroups",
    "throttling",
)


async def check_metric(visit: Visit, row: Row) -> Row:
    """Take a metric alert rule.

    Raises:
        RestError: Azure takes no such rule.
    """
    del visit
    said = _known(METRIC, row, _METRIC_MEMBERS, _METRIC_REQUIRED)
    _check_severity(METRIC, said["severity"])
    return _kept(row, METRIC, {"autoMitigate": True, "actions": [], **said})


async def check_log(visit: Visit, row: Row) -> Row:
    """Take a log search alert rule; the oldest version has members of its own.

    Raises:
        RestError: Azure takes no such rule.
    """
    if visit.version == _OLD_LOG:
        return _kept(row, LOG, _known(LOG, row, _OLD_LOG_MEMBERS, ("source", "action")))
    said = _known(LOG, row, _LOG_MEMBERS, ("scopes", "criteria"))
    _check_severity(LOG, said.get("severity", 3))
    return _kept(row, LOG, {"enabled": True, "actions": {}, **said})


async def check_activity(visit: Visit, row: Row) -> Row:
    """Take an activity log alert rule.

    Raises:
        RestError: Azure takes no such rule.
    """
    del visit
    said = _known(ACTIVITY, row, _ACTIVITY_MEMBERS, ("scopes", "condition", "actions"))
    return _kept(row, ACTIVITY, {"enabled": True, **said})


async def check_smart_detector(visit: Visit, row: Row) -> Row:
    """Take a smart detector alert rule.

    Raises:
        RestError: Azure takes no such rule.
    """
    del visit
    required = ("state", "severity", "frequency", "detector", "scope", "actionGroups")
    said = _known(SMART, row, _SMART_MEMBERS, required)
    return _kept(row, SMART, said)


def groups_of(row: Row) -> list[str]:
    """Give the ids of the action groups that a rule names, in lower case."""
    found = _FINDERS[row["type"].lower()](row["properties"])
    return [str(one).lower() for one in found if one]


def is_enabled(row: Row) -> bool:
    """Say whether a rule fires at all."""
    said = row["properties"]
    return str(said.get("enabled", said.get("state", True))).lower() in {"true", "enabled"}


def _metric_groups(said: Mapping[str, Any]) -> Iterable[Any]:
    return (one.get("actionGroupId") for one in said.get("actions") or ())


def _log_groups(said: Mapping[str, Any]) -> Iterable[Any]:
    old = ((said.get("action") or {}).get("aznsAction") or {}).get("actionGroup") or ()
    return [*((said.get("actions") or {}).get("actionGroups") or ()), *old]


def _activity_groups(said: Mapping[str, Any]) -> Iterable[Any]:
    return (one.get("actionGroupId") for one in (said.get("actions") or {}).get("actionGroups") or ())


def _smart_groups(said: Mapping[str, Any]) -> Iterable[Any]:
    return (said.get("actionGroups") or {}).get("groupIds") or ()


_FINDERS: Final[Mapping[str, Callable[[Mapping[str, Any]], Iterable[Any]]]] = {
    METRIC: _metric_groups,
    LOG: _log_groups,
    ACTIVITY: _activity_groups,
    SMART: _smart_groups,
}


def _known(kind: str, row: Row, names: tuple[str, ...], required: tuple[str, ...]) -> Row:
    said = {name: row["properties"][name] for name in names if row["properties"].get(name) is not None}
    for name in required:
        if name not in said:
            raise _problem(kind, f"The property '{name}' of the alert rule is required.")
    return said


def _kept(row: Row, kind: str, said: Row) -> Row:
    groups = groups_of({"type": kind, "properties": said})
    if len(groups) > MOST_GROUPS:
        raise _problem(kind, f"An alert rule has at most {MOST_GROUPS} action groups, not {len(groups)}.")
    for one in groups:
        if "/providers/microsoft.insights/actiongroups/" not in one:
            raise bad_request(f"'{one}' is not the id of an action group.", "LinkedInvalidPropertyId")
    return {**row, "properties": said}


def _problem(kind: str, message: str) -> Exception:
    """Refuse in the form that the service has: metric and activity log rules answer flat."""
    return flat(400, "BadRequest", message) if kind in {METRIC, ACTIVITY} else bad_request(message)


def _check_severity(kind: str, severity: Any) -> None:
    if not isinstance(severity, int) or isinstance(severity, bool) or not 0 <= severity <= 4:  # noqa: PLR2004 - Sev4
        raise _problem(kind, "The severity must be between 0 and 4.")
