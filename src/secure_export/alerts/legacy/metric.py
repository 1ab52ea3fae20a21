"""Metric alerts: schema ``AzureMonitorMetricAlert``, and the classic metric alerts without any schema id.

Azure Monitor docs, "Non-common alert schema definitions", metric alerts.
"""

from typing import Any

from secure_export.alerts.alert import Alert, Condition, Ending, Kind
from secure_export.alerts.kinds import kind_by_condition_type
from secure_export.alerts.legacy.made_up import context_of, made_up_id, warning
from secure_export.alerts.members import Members
from secure_export.alerts.severity import severity_of
from secure_export.errors import NotUnderstood

_CONDITIONS = {
    "activated": Condition.FIRED,
    "deactivated": Condition.RESOLVED,
    "fired": Condition.FIRED,
    "resolved": Condition.RESOLVED,
}
_CRITERION = ("metricName", "metricNamespace", "operator", "threshold", "timeAggregation", "metricValue", "dimensions")


def read_metric(data: Members) -> Alert:
    """Read ``data`` of schema ``AzureMonitorMetricAlert``."""
    return _read(data, "AzureMonitorMetricAlert")


def read_classic_metric(body: Members) -> Alert:
    """Read the body of a classic metric alert."""
    return _read(body, "of classic metric alerts")


def _read(data: Members, schema: str) -> Alert:
    """Activated and Deactivated have no id in common, so that rule, resource and dimensions make the problem.

    Each event gets an id of its own, because Azure's later event decides (``Ending.BY_TIME``).
    """
    context = data.object("context")
    condition = _CONDITIONS.get(data.text("status").lower())
    if condition is None or not context:
        raise NotUnderstood(
            f"The body looks like a metric alert in a legacy schema, but its status is {data.text('status')[:40]!r} "
            f"and its context {'is there' if context else 'is missing'}; Activated or Deactivated was expected."
        )
    series = (context.text("id", "name"), context.text("resourceId", "resourceName"), *_series(context))
    subscription, at = context.text("subscriptionId"), context.time("timestamp")
    return Alert(
        id=made_up_id("metric", subscription, *series, at.isoformat() if at else ""),
        condition=condition,
        kind=kind_by_condition_type(context.text("conditionType")) or Kind.METRIC,
        ending=Ending.BY_TIME,
        problem=made_up_id("metric", subscription, *series),
        ended=condition is Condition.RESOLVED,
        event_at=at,
        monitoring_service="Platform",
        rule=context.text("name") or None,
        rule_id=context.text("id") or None,
        severity=severity_of(context.text("severity")),
        signal_type="Metric",
        targets=context.texts("resourceId"),
        configuration_items=context.texts("resourceName"),
        fired_at=at if condition is Condition.FIRED else None,
        resolved_at=at if condition is Condition.RESOLVED else None,
        description=context.text("description") or None,
        investigation_link=context.text("portalLink") or None,
        custom_properties=dict(data.object("properties").pairs()),
        context=context_of(_common_context(context)),
        is_legacy_schema=True,
        warnings=(warning(schema),),
    )


def _series(context: Members) -> list[str]:
    """The dimensions of a rule with one condition: each combination is a time series that fires for itself."""
    criteria = context.object("condition").objects("allOf")
    if len(criteria) != 1:
        return []
    return sorted(f"{one.text('name')}={one.text('value')}" for one in criteria[0].objects("dimensions"))


def _common_context(context: Members) -> dict[str, Any]:
    condition = context.object("condition")
    criteria = [dict(criterion) for criterion in condition.objects("allOf")]
    window = condition.text("windowSize")
    return {
        "conditionType": context.text("conditionType"),
        "condition": {
            "windowSize": f"PT{window}M" if window.isdecimal() else window,
            "allOf": criteria or [{name: condition.value(name) for name in _CRITERION}],
        },
    }
