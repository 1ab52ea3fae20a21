"""Version 1 log alerts: ``Log Analytics`` and ``Application Insights``, and the flat bodies they had before."""

from datetime import timedelta
from typing import Any

from secure_export.sandbox.azure_monitor.catalogue.story import Body, Ending, Notification, Story, common_body
from secure_export.sandbox.azure_monitor.catalogue.workshop import (
    Workshop,
    american_stamp,
    essentials,
    stamp,
    versions,
)
from secure_export.sandbox.azure_monitor.estate import Resource

_INTERVAL = timedelta(minutes=15)
_OLD_NAMES = {"SearchResults": "SearchResult"}


def workspace_results(shop: Workshop) -> Story:
    """``Log Analytics``, "Number of results": machines stand in ``AffectedConfigurationItems``."""
    vm = shop.it("vm-dc-02")
    workspace = shop.estate.named("log-central")
    context = {
        **_context(shop, workspace, "Heartbeat | where Category == 'Direct Agent'", "Number of results"),
        "SeverityDescription": "Warning",
        "WorkspaceId": shop.guid(),
        "AffectedConfigurationItems": [vm.name],
        "SearchResults": _results(
            [["Computer", "string"], ["TimeGenerated", "datetime"]], [[vm.name, stamp(shop.at, 2)]], workspace
        ),
        "IncludedSearchResults": "True",
        "IncludeSearchResults": True,
    }
    return _story("log-v1-results", shop, vm, workspace, shop.named("agents silent"), context)


def workspace_measurement(shop: Workshop) -> Story:
    """``Log Analytics``, "Metric measurement": an empty list of configuration items, the machine in a dimension."""
    vm = shop.it("vm-wms-db-01")
    workspace = shop.estate.named("log-central")
    context = {
        **_context(
            shop,
            workspace,
            "Perf | summarize AggregatedValue = avg(CounterValue) by bin(TimeGenerated, 5m), Computer",
            "Metric measurement",
        ),
        "SeverityDescription": "Critical",
        "WorkspaceId": shop.guid(),
        "AffectedConfigurationItems": None,
        "Dimensions": [{"name": "Computer", "value": vm.name}],
        "SearchResult": _results([["Computer", "string"], ["AggregatedValue", "real"]], [[vm.name, 97.25]], workspace),
        "IncludeSearchResults": "True",
    }
    return _story("log-v1-measurement", shop, vm, workspace, shop.named("processor time"), context)


def application_results(shop: Workshop) -> Story:
    """``Application Insights``: an ``ApplicationId`` in place of the workspace's."""
    component = shop.it("appi-shop")
    context = {
        **_context(shop, component, "requests | where resultCode == '500'", "Number of results"),
        "ApplicationId": shop.guid(),
        "SearchResults": _results(
            [["$table", "string"], ["Id", "string"]], [["requests", "a1"], ["requests", "b2"]], component
        ),
        "IncludedSearchResults": "True",
    }
    return _story("application-insights-v1-results", shop, component, component, shop.named("server errors"), context)


def application_measurement(shop: Workshop) -> Story:
    """``Application Insights``, "Metric measurement", results left out as above 256 KB."""
    component = shop.it("appi-shop")
    context = {
        **_context(
            shop,
            component,
            "requests | summarize AggregatedValue = count() by bin(timestamp, 5m), client_City",
            "Metric measurement",
        ),
        "ApplicationId": shop.guid(),
        "Dimensions": [{"name": "client_City", "value": "Basel"}],
        "IncludedSearchResults": "False",
    }
    return _story(
        "application-insights-v1-measurement", shop, component, component, shop.named("requests per city"), context
    )


def _context(shop: Workshop, target: Resource, query: str, alert_type: str) -> dict[str, Any]:
    link = f"https://portal.azure.com#blade/Microsoft_Azure_Monitoring_Logs/LogsBlade/scope{target.id}"
    api = f"https://api.loganalytics.io/v1{target.id}/query?query=all"
    return {
        "SearchQuery": query,
        "SearchIntervalStartTimeUtc": american_stamp(shop.at - _INTERVAL),
        "SearchIntervalEndtimeUtc": american_stamp(shop.at),
        "ResultCount": 2,
        "LinkToSearchResults": link,
        "LinkToFilteredSearchResultsUI": link,
        "LinkToSearchResultsAPI": api,
        "LinkToFilteredSearchResultsAPI": api,
        "SearchIntervalDurationMin": "15",
        "SearchIntervalInMinutes": "15",
        "Threshold": 0,
        "Operator": "Greater Than",
        "AlertType": alert_type,
    }


def _results(columns: list[list[str]], rows: list[list[Any]], source: Resource) -> dict[str, Any]:
    table = {
        "name": "PrimaryResult",
        "columns": [{"name": name, "type": kind} for name, kind in columns],
        "rows": rows,
    }
    sources = [{"resourceId": source.id.lower(), "region": source.location, "tables": ["Heartbeat"]}]
    return {"tables": [table], "dataSources": sources}


def _story(  # noqa: PLR0913, PLR0917 - what one version 1 rule differs in
    kind: str, shop: Workshop, resource: Resource, target: Resource, rule: str, context: dict[str, Any]
) -> Story:
    alert_id = shop.alert_id(target.subscription)
    is_workspace = "WorkspaceId" in context
    head = essentials(
        alert_id=alert_id,
        rule=rule,
        severity="Sev2",
        signal="Log",
        service="Log Analytics" if is_workspace else "Application Insights",
        targets=[target.id.lower()],
        fired_at=stamp(shop.at),
        configurationItems=context.get("AffectedConfigurationItems") or ([] if is_workspace else [target.name]),
        originAlertId=shop.guid(),
        description=f"Version 1 log rule {rule}.",
        **versions("1.1" if is_workspace else "1.0"),
    )
    legacy = _legacy(shop, target, rule, context)
    fired = Notification("Fired", alert_id, common_body(head, context), legacy)
    return Story(kind, rule, Ending.NEVER, fired, resource=resource)


def _legacy(shop: Workshop, target: Resource, rule: str, context: dict[str, Any]) -> Body:
    """Give the flat body; only Application Insights puts it into an envelope."""
    dropped = {"Threshold", "Operator", "SearchIntervalDurationMin", "SearchIntervalInMinutes", "SeverityDescription"}
    flat = {
        "SubscriptionId": target.subscription,
        "AlertRuleName": rule,
        **{_OLD_NAMES.get(name, name): value for name, value in context.items() if name not in dropped},
        "SearchIntervalStartTimeUtc": stamp(shop.at - _INTERVAL, 0),
        "SearchIntervalEndtimeUtc": stamp(shop.at, 0),
        "AlertThresholdOperator": context["Operator"],
        "AlertThresholdValue": context["Threshold"],
        "SearchIntervalInSeconds": int(_INTERVAL.total_seconds()),
        "Description": f"Version 1 log rule {rule}.",
        "Severity": "2",
    }
    if "ApplicationId" in context:
        return {"schemaId": "Microsoft.Insights/LogAlert", "data": flat}
    return {**flat, "ResourceId": target.id}
