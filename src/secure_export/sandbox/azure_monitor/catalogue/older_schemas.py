"""What exists in an older schema only: classic metric alerts and autoscale notifications, both without a schemaId."""

from typing import Any

from secure_export.sandbox.azure_monitor.catalogue.story import Body, Ending, Notification, Story
from secure_export.sandbox.azure_monitor.catalogue.workshop import Workshop, stamp
from secure_export.sandbox.azure_monitor.estate import Resource


def classic_metric(shop: Workshop) -> Story:
    """A classic metric alert: every number is a text."""
    site = shop.it("app-shop-checkout")
    rule = shop.named("requests-classic")

    def body(*, is_over: bool) -> Body:
        context = {
            "timestamp": stamp(shop.over_at if is_over else shop.at),
            **_named(site, "alertrules", rule),
            "description": "Too many requests wait.",
            "conditionType": "Metric",
            "condition": {
                "metricName": "Requests",
                "metricUnit": "Count",
                "metricValue": "3" if is_over else "214",
                "threshold": "100",
                "windowSize": "15",
                "timeAggregation": "Average",
                "operator": "GreaterThanOrEqual",
            },
            "resourceRegion": site.location,
        }
        status = "Resolved" if is_over else "Activated"
        return {"status": status, "context": context, "properties": {"team": "team-shop"}}

    fired = Notification("Fired", None, None, body(is_over=False))
    ended = Notification("Resolved", None, None, body(is_over=True))
    return Story("classic-metric", rule, Ending.CONTENT, fired, ended, site)


def autoscale_notification(shop: Workshop) -> Story:
    """What an autoscale setting sends by itself."""
    scale_set = shop.it("vmss-pick-workers")
    rule = shop.named("workers-autoscale")
    body = {
        "version": "1.0",
        "status": "Activated",
        "operation": "Scale In",
        "context": {
            "timestamp": stamp(shop.at),
            **_named(scale_set, "autoscalesettings", rule),
            "details": f"Autoscale successfully started scale operation for resource '{scale_set.name}' "
            "from capacity '6' to capacity '4'",
            "oldCapacity": "6",
            "newCapacity": "4",
        },
        "properties": {},
    }
    return Story(
        "autoscale-notification", rule, Ending.NEVER, Notification("Fired", None, None, body), resource=scale_set
    )


def _named(resource: Resource, kind: str, rule: str) -> dict[str, Any]:
    group = f"/subscriptions/{resource.subscription}/resourceGroups/{resource.group}"
    return {
        "id": f"{group}/providers/microsoft.insights/{kind}/{rule}",
        "name": rule,
        "subscriptionId": resource.subscription,
        "resourceGroupName": resource.group,
        "resourceName": resource.name,
        "resourceType": resource.type.lower(),
        "resourceId": resource.id,
        "portalLink": f"https://portal.azure.com/#resource{resource.id}",
    }
