"""Activity log alerts: schema ``Microsoft.Insights/activityLogs`` (Azure Monitor docs, "Activity log webhook")."""

from secure_export.alerts.alert import Alert, Condition, Kind
from secure_export.alerts.kinds import ACTIVITY_LOG, kind_of
from secure_export.alerts.legacy.made_up import context_of, made_up_id, warning
from secure_export.alerts.members import Members
from secure_export.alerts.resource_id import last_segment
from secure_export.alerts.standing import Said, standing
from secure_export.errors import NotUnderstood

SCHEMA = "Microsoft.Insights/activityLogs"
_SERVICES = {
    Kind.SERVICE_HEALTH: "ServiceHealth",
    Kind.RESOURCE_HEALTH: "Resource Health",
    Kind.POLICY: "Activity Log - Policy",
    Kind.AUTOSCALE: "Activity Log - Autoscale",
    Kind.SECURITY: "Activity Log - Security",
    Kind.RECOMMENDATION: "Activity Log - Recommendation",
}


def read_activity_log(data: Members) -> Alert:
    """Read ``data``. The event has the form of the context in the common alert schema, and an id of its own."""
    event = data.object("context").object("activityLog")
    if not event:
        raise NotUnderstood(f"The body has the schema {SCHEMA}, but data.context.activityLog is missing or empty.")
    kind = kind_of("", event)
    kind = kind if kind in ACTIVITY_LOG else Kind.ADMINISTRATIVE
    targets = _targets(event)
    submitted = event.time("eventTimestamp", "submissionTimestamp")
    alert_id = made_up_id("activity-log", event.text("subscriptionId"), *_event(event))
    stand = standing(kind, Said(alert_id, Condition.FIRED, targets, None, submitted, None), event)
    return Alert(
        id=alert_id,
        condition=Condition.FIRED,
        kind=kind,
        ending=stand.ending,
        problem=stand.problem,
        ended=stand.ended,
        event_at=stand.event_at,
        monitoring_service=_SERVICES.get(kind, "Activity Log - Administrative"),
        signal_type="Activity Log",
        targets=targets,
        configuration_items=tuple(last_segment(one) for one in event.texts("resourceId")),
        origin_id=event.text("eventDataId") or None,
        fired_at=submitted,
        description=event.text("description") or None,
        custom_properties=dict(data.object("properties").pairs()),
        context=context_of(dict(event)),
        is_legacy_schema=True,
        warnings=(warning(SCHEMA),),
    )


def _targets(event: Members) -> tuple[str, ...]:
    """What the event is about: its resource, or the subscription when it names none."""
    subscription = event.text("subscriptionId")
    return event.texts("resourceId") or ((f"/subscriptions/{subscription}",) if subscription else ())


def _event(event: Members) -> tuple[str, ...]:
    """What tells an event from others: its own id, or all that it says."""
    own = event.text("eventDataId")
    return (own,) if own else tuple(f"{name}={text}" for name, text in sorted(event.pairs()))
