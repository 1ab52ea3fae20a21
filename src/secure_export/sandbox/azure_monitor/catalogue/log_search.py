"""Log search alerts: ``Log Alerts V2`` with and without dimensions, and ``Simple Log Alert``."""

from typing import Any
from urllib.parse import quote

from secure_export.sandbox.azure_monitor.catalogue.story import Body, Ending, Notification, Story, common_body
from secure_export.sandbox.azure_monitor.catalogue.workshop import Workshop, essentials, stamp, versions
from secure_export.sandbox.azure_monitor.estate import Resource

_HEARTBEAT = (
    "Heartbeat\n| summarize LastSeen = max(TimeGenerated) by Computer, _ResourceId\n| where LastSeen < ago(10m)"
)


def by_resource(shop: Workshop) -> Story:
    """Split by ``_ResourceId``: the target is the machine, though the workspace was queried."""
    vm = shop.it("vm-wms-app-01")
    return _story(
        "log-search-resource",
        shop,
        vm,
        shop.named("heartbeat missing"),
        vm,
        {"_ResourceId": vm.id.lower(), "Computer": vm.name},
    )


def by_computer(shop: Workshop) -> Story:
    """Split by ``Computer`` only: the target is the workspace, the machine stands in the dimension."""
    vm = shop.it("vm-dc-01")
    workspace = shop.estate.named("log-central")
    return _story("log-search-computer", shop, vm, shop.named("disk space low"), workspace, {"Computer": vm.name})


def of_workspace(shop: Workshop) -> Story:
    """Not split at all: nothing but the workspace is named, and there are no configuration items."""
    workspace = shop.estate.named("log-central")
    return _story("log-search-workspace", shop, None, shop.named("failed sign-ins"), workspace, {})


def by_ambiguous_computer(shop: Workshop) -> Story:
    """Split by ``Computer``, and two machines have that name."""
    workspace = shop.estate.named("log-central")
    return _story(
        "log-search-ambiguous", shop, None, shop.named("batch errors"), workspace, {"Computer": "vm-batch-01"}
    )


def under_platform(shop: Workshop) -> Story:
    """A log query that calls its service ``Platform``: the content tells, not the name."""
    vm = shop.it("vm-shop-web-02")
    return _story(
        "log-search-under-platform", shop, vm, shop.named("syslog errors"), vm, {"Computer": vm.name}, "Platform"
    )


def simple(shop: Workshop) -> Story:
    """One alert for each row; hardly anything but the row is set."""
    component = shop.it("appi-shop")
    rule = shop.named("exceptions at checkout")
    alert_id = shop.alert_id(component.subscription)
    row = {
        "timestamp": stamp(shop.at, 0),
        "operation_Name": "POST /api/checkout",
        "problemId": "PaymentTimeout at CheckoutService.Pay",
        "type": "PaymentTimeout",
        "outerMessage": "The payment provider did not answer within 30 s.",
    }
    criterion = dict.fromkeys(
        (
            "metricMeasureColumn",
            "targetResourceTypes",
            "operator",
            "threshold",
            "timeAggregation",
            "dimensions",
            "failingPeriods",
        )
    )
    condition = {
        "windowSize": None,
        "allOf": [
            {
                "searchQuery": "exceptions | where operation_Name has 'checkout'",
                **criterion,
                "metricValue": 1.0,
                **_links(component, "exceptions"),
                "event": [[{"name": name, "value": value} for name, value in row.items()]],
            }
        ],
        "windowStartTime": None,
        "windowEndTime": None,
    }
    head = essentials(
        alert_id=alert_id,
        rule=rule,
        severity="Sev3",
        signal="Log",
        service="Simple Log Alert",
        targets=[component.id],
        fired_at=stamp(shop.at),
        configurationItems=[component.name],
        originAlertId=shop.guid(),
        description="Each exception at checkout.",
        **versions(),
    )
    body = common_body(head, {"properties": {}, "conditionType": "LogQueryCriteria", "condition": condition})
    return Story("simple-log", rule, Ending.NEVER, Notification("Fired", alert_id, body), resource=component)


def _story(  # noqa: PLR0913, PLR0917 - what one log rule differs in
    kind: str,
    shop: Workshop,
    resource: Resource | None,
    rule: str,
    target: Resource,
    dimensions: dict[str, str],
    service: str = "Log Alerts V2",
) -> Story:
    alert_id, origin = shop.alert_id(target.subscription), shop.guid()

    def body(*, is_over: bool) -> Body:
        head = _essentials(shop, rule, target, alert_id, origin, dimensions, is_over=is_over)
        context = {
            "properties": {"owner": "team-platform"},
            "conditionType": "LogQueryCriteria",
            "condition": _condition(shop, target, dimensions, is_over=is_over),
        }
        return common_body({**head, "monitoringService": service}, context, customProperties=None)

    fired = Notification("Fired", alert_id, body(is_over=False))
    ended = Notification("Resolved", alert_id, body(is_over=True))
    return Story(kind, rule, Ending.RESOLVED, fired, ended, resource)


def _essentials(  # noqa: PLR0913, PLR0917 - what one log rule differs in
    shop: Workshop,
    rule: str,
    target: Resource,
    alert_id: str,
    origin: str,
    dimensions: dict[str, str],
    *,
    is_over: bool,
) -> dict[str, Any]:
    head = essentials(
        alert_id=alert_id,
        rule=rule,
        severity="Sev1",
        signal="Log",
        service="Log Alerts V2",
        targets=[target.id.replace("/resourceGroups/", "/resourcegroups/")],
        fired_at=stamp(shop.at, 6),
        condition="Resolved" if is_over else "Fired",
        originAlertId=origin,
        description=f"Log search rule {rule}.",
        **versions(),
    )
    if "Computer" in dimensions:
        head["configurationItems"] = [dimensions["Computer"]]
    if is_over:
        head["resolvedDateTime"] = stamp(shop.over_at)
    return head


def _condition(shop: Workshop, target: Resource, dimensions: dict[str, str], *, is_over: bool) -> dict[str, Any]:
    window = {} if is_over else {"windowStartTime": stamp(shop.at, 0), "windowEndTime": stamp(shop.at, 0)}
    return {
        "windowSize": "PT10M",
        "allOf": [
            {
                "searchQuery": _HEARTBEAT,
                "metricMeasureColumn": None,
                "targetResourceTypes": f"['{target.type}']",
                "operator": "GreaterThan",
                "threshold": "0",
                "timeAggregation": "Count",
                "dimensions": [{"name": name, "value": value} for name, value in dimensions.items()],
                "metricValue": 0.0 if is_over else 1.0,
                "failingPeriods": {"numberOfEvaluationPeriods": 1, "minFailingPeriodsToAlert": 1},
                **_links(target, _HEARTBEAT),
            }
        ],
        **window,
    }


def _links(target: Resource, query: str) -> dict[str, str]:
    portal = (
        f"https://portal.azure.com#blade/Microsoft_Azure_Monitoring_Logs/LogsBlade/scope/{quote(target.id, safe='')}"
    )
    api = f"https://api.loganalytics.io/v1{target.id}/query?query={quote(query)}"
    return {
        "linkToSearchResultsUI": f"{portal}/q/all",
        "linkToFilteredSearchResultsUI": f"{portal}/q/filtered",
        "linkToSearchResultsAPI": api,
        "linkToFilteredSearchResultsAPI": f"{api}%7C%20take%201",
    }
