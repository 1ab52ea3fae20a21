"""Every kind of notification that Azure Monitor sends (azure-facts 1.4 and 1.8), with texts of the sandbox's own."""

from collections.abc import Callable
from typing import Final

from secure_export.sandbox.azure_monitor.catalogue import (
    activity_log,
    health,
    log_search,
    log_version_1,
    metric,
    older_schemas,
    other_services,
)
from secure_export.sandbox.azure_monitor.catalogue.canned import CANNED_SUBSCRIPTION, canned_kinds, canned_story
from secure_export.sandbox.azure_monitor.catalogue.story import Ending, Notification, Story
from secure_export.sandbox.azure_monitor.catalogue.workshop import Workshop

KINDS: Final[dict[str, Callable[[Workshop], Story]]] = {
    "metric-static": metric.static,
    "metric-two-conditions": metric.several_conditions,
    "metric-several-resources": metric.several_resources,
    "metric-dynamic": metric.dynamic,
    "metric-web-test": metric.web_test,
    "metric-stateless": metric.stateless,
    "log-search-resource": log_search.by_resource,
    "log-search-computer": log_search.by_computer,
    "log-search-workspace": log_search.of_workspace,
    "log-search-ambiguous": log_search.by_ambiguous_computer,
    "log-search-under-platform": log_search.under_platform,
    "simple-log": log_search.simple,
    "log-v1-results": log_version_1.workspace_results,
    "log-v1-measurement": log_version_1.workspace_measurement,
    "application-insights-v1-results": log_version_1.application_results,
    "application-insights-v1-measurement": log_version_1.application_measurement,
    "activity-administrative": activity_log.administrative,
    "activity-policy": activity_log.policy,
    "activity-autoscale": activity_log.autoscale,
    "activity-security": activity_log.security,
    "activity-recommendation": activity_log.recommendation,
    "service-health-incident": health.service_incident,
    "service-health-maintenance": health.service_maintenance,
    "resource-health": health.resource_health,
    "resource-health-other-spelling": health.resource_health_other_spelling,
    "prometheus": other_services.prometheus,
    "smart-detector-value": other_services.smart_detector_value,
    "smart-detector-failures": other_services.smart_detector_failures,
    "budget-spent": other_services.budget_spent,
    "budget-forecast": other_services.budget_forecast,
    "backup": other_services.backup,
    "unknown-service": other_services.unknown_service,
    "classic-metric": older_schemas.classic_metric,
    "autoscale-notification": older_schemas.autoscale_notification,
}


def kinds() -> list[str]:
    """Name every kind, the portal's tests last."""
    return [*KINDS, *canned_kinds()]


def build(kind: str, shop: Workshop, *, test_subscription: str = CANNED_SUBSCRIPTION) -> Story:
    """Build the story of a kind.

    Args:
        kind: One of ``kinds``.
        shop: What it is built from.
        test_subscription: The subscription that the portal's test notifications name.

    Raises:
        LookupError: There is no such kind.
    """
    if kind in KINDS:
        return KINDS[kind](shop)
    if kind in canned_kinds():
        return canned_story(kind, shop, subscription=test_subscription)
    raise LookupError(f"There is no kind {kind!r}; choose one of: {', '.join(kinds())}.")


__all__ = ["CANNED_SUBSCRIPTION", "KINDS", "Ending", "Notification", "Story", "Workshop", "build", "kinds"]
