"""Version 1 log searches: schema ``Microsoft.Insights/LogAlert``, and those of Log Analytics without any schema id.

Azure Monitor docs, "Webhook actions for log search alert rules".
"""

from typing import Any

from secure_export.alerts.alert import Alert, Condition, Ending, Kind
from secure_export.alerts.legacy.made_up import context_of, made_up_id, warning
from secure_export.alerts.members import Members
from secure_export.alerts.severity import severity_of

_OTHER_NAMES = {
    "alertthresholdoperator": "Operator",
    "alertthresholdvalue": "Threshold",
    "searchresult": "SearchResults",
    "severity": "SeverityDescription",
}
_TELLING = ("SearchIntervalStartTimeUtc", "SearchIntervalEndtimeUtc", "ResultCount", "LinkToFilteredSearchResultsUI")


def read_log_search(data: Members) -> Alert:
    """Read the members of a version 1 log search. One interval of a rule makes one alert for each dimension value."""
    rule, source = data.text("AlertRuleName"), data.text("ResourceId", "WorkspaceId", "ApplicationId")
    dimensions = [f"{one.text('name')}={one.text('value')}" for one in data.objects("Dimensions")]
    told = [data.text(name) for name in _TELLING]
    subscription, at = data.text("SubscriptionId"), data.time("SearchIntervalEndtimeUtc", "SearchIntervalStartTimeUtc")
    alert_id = made_up_id("log-search", subscription, rule, source, *told, *dimensions, *_items(data))
    application = data.has("ApplicationId")
    return Alert(
        id=alert_id,
        condition=Condition.FIRED,
        kind=Kind.LOG_SEARCH_V1,
        ending=Ending.NEVER,
        problem=alert_id,
        ended=False,
        event_at=at,
        monitoring_service="Application Insights" if application else "Log Analytics",
        rule=rule or None,
        severity=severity_of(data.text("Severity")),
        signal_type="Log",
        targets=data.texts("ResourceId"),
        configuration_items=_items(data),
        fired_at=at,
        description=data.text("Description") or None,
        context=context_of(_common_context(data)),
        is_legacy_schema=True,
        warnings=(warning("Microsoft.Insights/LogAlert" if application else "of version 1 log searches"),),
    )


def _items(data: Members) -> tuple[str, ...]:
    return data.texts("AffectedConfigurationItems")


def _common_context(data: Members) -> dict[str, Any]:
    context = {_OTHER_NAMES.get(name.lower(), name): value for name, value in data}
    seconds = data.number("SearchIntervalInSeconds")
    if seconds is not None:
        context["SearchIntervalInMinutes"] = f"{seconds / 60:g}"
    return context
