"""Which lane an alert belongs to: pure, and known before anything is looked up."""

from dataclasses import dataclass

from secure_export.alerts.alert import Alert
from secure_export.alerts.references import references
from secure_export.policy.settings import GroupBy


@dataclass(frozen=True, slots=True)
class Correlation:
    """A correlation key, and why."""

    key: str
    reason: str


def correlate(alert: Alert, group_by: GroupBy) -> Correlation:
    """Say which correlation key an alert has.

    Alerts that share a key share a work item. What an alert lacks for the grouping asked for (no CI, no rule) is
    grouped by the alert itself, so that unrelated alerts never meet in one work item.
    """
    if group_by is GroupBy.CI and (ci := _configuration_item(alert)):
        return Correlation(f"ci:{ci}", f"the route groups by configuration item: {ci}")
    if group_by is GroupBy.RULE and (rule := _rule(alert)):
        return Correlation(f"rule:{rule}", f"the route groups by alert rule: {rule}")
    if group_by is GroupBy.ALERT:
        return Correlation(_alert(alert), "the route makes a work item for each alert")
    lacking = "configuration item" if group_by is GroupBy.CI else "alert rule"
    return Correlation(_alert(alert), f"the route groups by {lacking}, and the alert names none: by the alert itself")


def _alert(alert: Alert) -> str:
    return f"alert:{alert.problem.lower()}"


def _configuration_item(alert: Alert) -> str:
    found = references(alert)
    if found.resources:
        return found.resources[0].resource_id
    return found.names[0].lower() if found.names else ""


def _rule(alert: Alert) -> str:
    return (alert.rule_id or alert.rule or "").strip().lower()
