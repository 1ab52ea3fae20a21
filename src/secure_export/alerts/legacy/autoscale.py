"""Notifications of autoscale settings, which have no schema id (Azure Monitor docs, "Autoscale webhook")."""

from typing import Any

from secure_export.alerts.alert import Alert, Condition, Ending, Kind
from secure_export.alerts.legacy.made_up import context_of, made_up_id
from secure_export.alerts.members import Members

_WARNING = (
    "This came from the webhook of an autoscale setting and not from an action group; such webhooks know no common "
    "alert schema. An activity log alert on autoscale operations, with the common alert schema on, tells the same."
)


def read_autoscale(body: Members) -> Alert:
    """Read the body of an autoscale notification."""
    context = body.object("context")
    at, operation = context.time("timestamp"), body.text("operation")
    resource = context.text("resourceId", "resourceName")
    told = [context.text(name) for name in ("oldCapacity", "newCapacity", "timestamp")]
    subscription = context.text("subscriptionId")
    alert_id = made_up_id("autoscale", subscription, context.text("id", "name"), resource, operation, *told)
    return Alert(
        id=alert_id,
        condition=Condition.FIRED,
        kind=Kind.AUTOSCALE,
        ending=Ending.NEVER,
        problem=alert_id,
        ended=False,
        event_at=at,
        monitoring_service="Activity Log - Autoscale",
        rule=context.text("name") or None,
        rule_id=context.text("id") or None,
        targets=context.texts("resourceId"),
        configuration_items=context.texts("resourceName"),
        fired_at=at,
        investigation_link=context.text("portalLink") or None,
        custom_properties=dict(body.object("properties").pairs()),
        context=context_of(_common_context(body, context)),
        is_legacy_schema=True,
        warnings=(_WARNING,),
    )


def _common_context(body: Members, context: Members) -> dict[str, Any]:
    return {
        "eventSource": "Autoscale",
        "eventTimestamp": context.text("timestamp"),
        "operationName": body.text("operation"),
        "status": body.text("status"),
        "properties": {
            "description": context.text("details"),
            "resourceName": context.text("resourceId", "resourceName"),
            "oldInstancesCount": context.text("oldCapacity"),
            "newInstancesCount": context.text("newCapacity"),
        },
    }
