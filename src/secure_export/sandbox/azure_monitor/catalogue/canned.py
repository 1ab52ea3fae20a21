"""The portal's "Test action group": canned bodies with constant ids, shared even by tests of different kinds."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from secure_export.sandbox.azure_monitor.catalogue.story import Ending, Notification, Story, common_body
from secure_export.sandbox.azure_monitor.catalogue.workshop import Workshop, essentials, stamp, versions

# What the older test bodies carry; whether the live ones name the sender's own subscription is not documented.
CANNED_SUBSCRIPTION: Final = "11111111-1111-1111-1111-111111111111"
CANNED_ALERT: Final = "12345678-1234-1234-1234-1234567890ab"
_CUSTOM: Final = {"customKey1": "value1", "customKey2": "value2"}
_HASH: Final = "1234abcd5678efgh" * 4


@dataclass(frozen=True, slots=True)
class _Canned:
    """What one kind of test says.

    Attributes:
        rule: The rule's name; None for budgets.
        signal: The signal type.
        service: The monitoring service.
        target: The target's path below the test's resource group; empty: the bare subscription; None: no target.
        item: The configuration item; None: the member is missing.
        context: Makes the context from the time as text.
        alert: The alert id below the subscription.
    """

    rule: str | None
    signal: str | None
    service: str
    target: str | None
    item: str | None
    context: Callable[[str], dict[str, Any]]
    alert: str = f"providers/Microsoft.AlertsManagement/alerts/{CANNED_ALERT}"


def canned_kinds() -> list[str]:
    """Name the kinds of test notifications."""
    return list(_TESTS)


def canned_story(kind: str, shop: Workshop, *, subscription: str = CANNED_SUBSCRIPTION) -> Story:
    """Build a test notification.

    Args:
        kind: One of ``canned_kinds``.
        shop: Only its time is used: everything else is constant.
        subscription: The subscription that the ids name.
    """
    canned, at = _TESTS[kind], stamp(shop.at, 3)
    alert_id = f"/subscriptions/{subscription}/{canned.alert}"
    head = essentials(
        alert_id=alert_id,
        rule=canned.rule,
        severity="Sev4" if canned.rule else None,
        signal=canned.signal,
        service=canned.service,
        targets=_targets(canned, subscription),
        fired_at=at,
        originAlertId="22222222-2222-2222-2222-222222222222" if canned.rule else None,
        description="Alertruledescription",
        **versions("1.1" if canned.service == "Log Analytics" else "1.0"),
    )
    if canned.item is not None:
        head["configurationItems"] = [canned.item]
    context = canned.context(at)
    if "AlertData" in context:
        context["AlertData"] |= _budget_ids(subscription, context["AlertData"]["BudgetName"])
    body = common_body(head, context, **({"customProperties": _CUSTOM} if canned.service == "Platform" else {}))
    return Story(kind, canned.rule, Ending.NEVER, Notification("Fired", alert_id, body), is_test=True)


def _budget_ids(subscription: str, name: str) -> dict[str, str]:
    scope = f"/subscriptions/{subscription}"
    return {"Scope": f"{scope}/", "BudgetId": f"{scope}/providers/Microsoft.Consumption/budgets/{name}"}


def _targets(canned: _Canned, subscription: str) -> list[str] | None:
    if canned.target is None:
        return None
    if not canned.target:
        return [f"/subscriptions/{subscription}"]
    return [f"/subscriptions/{subscription}/resourcegroups/test-RG/providers/{canned.target}"]


def _metric(condition_type: str, metric: str, at: str, **more: Any) -> dict[str, Any]:
    item = {
        "metricName": metric,
        "metricNamespace": "Microsoft.Storage/storageAccounts",
        "operator": "GreaterThan",
        "threshold": "0",
        "timeAggregation": "Total",
        "dimensions": [],
        "metricValue": 100,
        "webTestName": None,
        **more,
    }
    condition = {"windowSize": "PT5M", "allOf": [item], "windowStartTime": at, "windowEndTime": at}
    return {"properties": _CUSTOM, "conditionType": condition_type, "condition": condition}


def _static(at: str) -> dict[str, Any]:
    dimensions = [{"name": "ApiName", "value": "GetBlob"}]
    return _metric("SingleResourceMultipleMetricCriteria", "Transactions", at, dimensions=dimensions)


def _dynamic(at: str) -> dict[str, Any]:
    periods = {"numberOfEvaluationPeriods": 3, "minFailingPeriodsToAlert": 3}
    learned = {"alertSensitivity": "Low", "failingPeriods": periods, "ignoreDataBefore": None, "threshold": "0.3"}
    return _metric("DynamicThresholdCriteria", "Transactions", at, **learned)


def _web_test(at: str) -> dict[str, Any]:
    name = "test-availabilityTest-test-applicationInsights"
    more = {"metricNamespace": None, "threshold": "2", "timeAggregation": "Sum", "metricValue": 5, "webTestName": name}
    return _metric("WebtestLocationAvailabilityCriteria", "FailedLocation", at, **more)


def _log_version_1(at: str, alert_type: str) -> dict[str, Any]:
    return {
        "SearchQuery": "Heartbeat",
        "SearchIntervalStartTimeUtc": at,
        "SearchIntervalEndtimeUtc": at,
        "ResultCount": 1,
        "SeverityDescription": "Informational",
        "WorkspaceId": "33333333-3333-3333-3333-333333333333",
        "SearchIntervalDurationMin": "1440",
        "AffectedConfigurationItems": ["test-computer"] if alert_type == "Number of results" else [],
        "AlertType": alert_type,
        "IncludeSearchResults": True,
        "SearchIntervalInMinutes": "1440",
        "Threshold": 0,
        "Operator": "Greater Than",
        "IncludedSearchResults": "True",
    }


def _log_version_2(at: str) -> dict[str, Any]:
    item = {
        "searchQuery": "Heartbeat",
        "metricMeasureColumn": None,
        "targetResourceTypes": "['Microsoft.OperationalInsights/workspaces']",
        "operator": "GreaterThan",
        "threshold": "0",
        "timeAggregation": "Count",
        "dimensions": [{"name": "Computer", "value": "test-computer"}],
        "metricValue": 3.0,
        "failingPeriods": {"numberOfEvaluationPeriods": 1, "minFailingPeriodsToAlert": 1},
    }
    condition = {"windowSize": "PT1H", "allOf": [item], "windowStartTime": at, "windowEndTime": at}
    return {"properties": _CUSTOM, "conditionType": "LogQueryCriteria", "condition": condition}


def _event(at: str, source: str | int, operation: str, **more: Any) -> dict[str, Any]:
    return {
        "channels": "Operation",
        "correlationId": "44444444-4444-4444-4444-444444444444",
        "eventSource": source,
        "eventTimestamp": at,
        "eventDataId": "55555555-5555-5555-5555-555555555555",
        "level": "Informational",
        "operationName": operation,
        "operationId": "66666666-6666-6666-6666-666666666666",
        "submissionTimestamp": at,
        **more,
    }


def _administrative(at: str) -> dict[str, Any]:
    more = {"claims": "{}", "caller": "user@example.com", "properties": {"eventCategory": "Administrative"}}
    operation = "Microsoft.Compute/virtualMachines/restart/action"
    return _event(at, "Administrative", operation, status="Succeeded", subStatus="", **more)


def _service_health(at: str) -> dict[str, Any]:
    properties = {
        "title": "TestActionGroup-TestServiceHealthAlert",
        "service": "AzureServiceName",
        "region": "Global",
        "communication": "<p>ThisisatestfromServiceHealthAlert</p>",
        "incidentType": "Incident",
        "trackingId": "TEST-TTT",
        "impactStartTime": at,
        "impactMitigationTime": at,
        "impactedServices": [{"ImpactedRegions": [{"RegionName": "Global"}], "ServiceName": "AzureServiceName"}],
        "stage": "Resolved",
        "isHIR": "false",
        "IsSynthetic": "True",
        "version": "0.1.1",
    }
    numbers = {"channels": 1, "level": 3}
    operation = "Microsoft.ServiceHealth/incident/action"
    return _event(at, 2, operation, **numbers, properties=properties, status="Resolved", subStatus=None)


def _resource_health(at: str) -> dict[str, Any]:
    properties = {
        "title": "Rebooted by user",
        "details": None,
        "currentHealthStatus": "Unavailable",
        "previousHealthStatus": "Available",
        "type": "Downtime",
        "cause": "UserInitiated",
    }
    operation = "Microsoft.Resourcehealth/healthevent/Activated/action"
    return _event(at, "ResourceHealth", operation, properties=properties, status="Active")


def _budget(name: str, threshold: str, **amounts: str) -> Callable[[str], dict[str, Any]]:
    data = {
        "ThresholdType": threshold,
        "BudgetType": "Cost",
        "BudgetThreshold": "$50.00",
        "NotificationThresholdAmount": "$25.00",
        "BudgetName": name,
        "BudgetStartDate": "2022-11-01",
        "BudgetCreator": "test@example.com",
        "Unit": "USD",
        **amounts,
    }
    return lambda _: {"AlertCategory": "budgets", "AlertData": dict(data)}


def _smart_detector(at: str) -> dict[str, Any]:
    return {
        "DetectionSummary": "A dependency takes longer than over the last 24 hours",
        "FormattedOccurrenceTime": at,
        "DetectedValue": "0.45 sec",
        "NormalValue": "0.27 sec (over the last 7 days)",
        "SmartDetectorId": "DependencyPerformanceDegradationDetector",
        "SmartDetectorName": "Dependency Performance Degradation Detector",
        "AnalysisTimestamp": at,
    }


_STORAGE: Final = "microsoft.storage/storageaccounts/test-storageAccount"
_MACHINE: Final = "microsoft.compute/virtualmachines/test-VM"
_COMPONENT: Final = "microsoft.insights/components/test-applicationInsights"
_WORKSPACE: Final = "microsoft.operationalinsights/workspaces/test-logAnalyticsWorkspace"
_ACTIVITY_ALERT: Final = "resourceGroups/test-RG/providers/microsoft.insights/activityLogAlerts/Test_Alert"
_SERVICE_ALERT: Final = f"providers/Microsoft.AlertsManagement/alerts/{_HASH}"
_COST_ALERT: Final = "providers/Microsoft.CostManagement/alerts/Test_Alert"


def _cost(context: Callable[[str], dict[str, Any]]) -> _Canned:
    return _Canned(None, None, "CostAlerts", None, "budgets", context, _COST_ALERT)


_TESTS: Final[dict[str, _Canned]] = {
    "test-metric-static": _Canned(
        "test-metricAlertRule", "Metric", "Platform", _STORAGE, "test-storageAccount", _static
    ),
    "test-metric-dynamic": _Canned(
        "test-dynamicMetricAlertRule", "Metric", "Platform", _STORAGE, "test-storageAccount", _dynamic
    ),
    "test-web-test": _Canned(
        "test-availabilityTest-test-applicationInsights",
        "Metric",
        "Platform",
        _COMPONENT,
        "test-applicationInsights",
        _web_test,
    ),
    "test-log-v1-results": _Canned(
        "test-logAlertRule-v1-numResults",
        "Log",
        "Log Analytics",
        _WORKSPACE,
        "test-computer",
        lambda at: _log_version_1(at, "Number of results"),
    ),
    "test-log-v1-measurement": _Canned(
        "test-logAlertRule-v1-metricMeasurement",
        "Log",
        "Log Analytics",
        _WORKSPACE,
        None,
        lambda at: _log_version_1(at, "Metric measurement"),
    ),
    "test-log-v2": _Canned("test-logAlertRule-v2", "Log", "Log Alerts V2", _WORKSPACE, "test-computer", _log_version_2),
    "test-activity-log": _Canned(
        "test-activityLogAlertRule",
        "Activity Log",
        "Activity Log - Administrative",
        _MACHINE,
        "test-VM",
        _administrative,
        _ACTIVITY_ALERT,
    ),
    "test-service-health": _Canned(
        "test-ServiceHealthAlertRule", "ActivityLog", "ServiceHealth", "", None, _service_health, _SERVICE_ALERT
    ),
    "test-resource-health": _Canned(
        "test-ResourceHealthAlertRule", "Activity Log", "Resource Health", _MACHINE, "test-VM", _resource_health
    ),
    "test-budget": _cost(
        _budget("Test_forcasted_budget", "Forecasted", SpentAmount="$999.99", ForecastedTotalForPeriod="$1111.11")
    ),
    "test-budget-actual": _cost(_budget("Test_actual_cost_budget", "Actual", SpentAmount="$11,111.00")),
    "test-budget-forecast": _cost(
        _budget("Test_forecast_budget", "Forecasted", SpentAmount="$20.00", ForecastedTotalForPeriod="$31.00")
    ),
    "test-smart-detector": _Canned(
        "test-SmartAlertRule", "Log", "SmartDetector", _COMPONENT, "test-applicationInsights", _smart_detector
    ),
}
