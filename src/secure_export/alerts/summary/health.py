"""Service health and resource health."""

from secure_export.alerts.alert import Kind
from secure_export.alerts.members import Members
from secure_export.alerts.summary.activity import event_details, event_facts
from secure_export.alerts.summary.html_text import from_html
from secure_export.alerts.summary.telling import Telling, Told

_TYPES = {
    "incident": "Azure service issue",
    "maintenance": "Azure planned maintenance",
    "security": "Azure security advisory",
    "informational": "Azure health advisory",
    "information": "Azure health advisory",
    "actionrequired": "Azure health advisory (action required)",
    "billing": "Azure billing notice",
}
_NAMES_SHOWN = 3


def tell_service_health(told: Told) -> Telling:
    """Tell of trouble or maintenance of an Azure service."""
    properties = told.context.object("properties")
    kind = _TYPES.get(properties.text("incidentType").lower(), "Azure service health")
    tracking, stage = properties.text("trackingId"), properties.text("stage") or told.context.text("status")
    service, region = _affected(properties)
    title = from_html(properties.text("title", "defaultLanguageTitle"))
    where = " in ".join(filter(None, (service, region))) or title or told.rule
    closing = f" ({stage.lower()})" if told.alert.ended and stage else ""
    details = (
        ("Title", title),
        ("Kind", kind),
        ("Service", service),
        ("Region", region),
        ("Tracking id", tracking),
        ("Stage", stage),
        ("Impact began", properties.text("impactStartTime")),
        ("Impact ended", properties.text("impactMitigationTime")),
        *event_details(told.context),
    )
    facts = {
        **event_facts(told.context),
        "service": service,
        "region": region,
        "tracking_id": tracking,
        "stage": stage,
        "incident_type": properties.text("incidentType"),
        "impact_start": properties.text("impactStartTime"),
        "health_title": title,
    }
    text = from_html(properties.text("communication", "defaultLanguageContent"))
    return Telling(f"{kind}{f' {tracking}' if tracking else ''}: {where}{closing}", details, text, facts)


def tell_resource_health(told: Told) -> Telling:
    """Tell of the health of one resource."""
    properties = told.context.object("properties")
    now, before = properties.text("currentHealthStatus"), properties.text("previousHealthStatus")
    title, cause = properties.text("title"), properties.text("cause")
    state = f"is {now}" if now else "changed its health"
    was = f" (was {before})" if before and before != now else ""
    details = (
        ("Health", now),
        ("Health before", before),
        ("Cause", cause),
        ("Type", properties.text("type")),
        ("Title", title),
        ("Details", properties.text("details")),
        *event_details(told.context),
    )
    facts = {**event_facts(told.context), "health": now, "health_before": before, "cause": cause, "health_title": title}
    headline = f"{told.subject or told.rule} {state}{was}{f': {title}' if title else ''}"
    return Telling(headline, details, facts=facts)


def _affected(properties: Members) -> tuple[str, str]:
    """Service and region: the event's own, or the first of those that are listed."""
    listed = properties.objects("impactedServices")
    services = [name for one in listed if (name := one.text("ServiceName"))]
    regions = [name for one in listed for r in one.objects("ImpactedRegions") if (name := r.text("RegionName"))]
    return (
        properties.text("service") or _some(list(dict.fromkeys(services))),
        properties.text("region") or _some(list(dict.fromkeys(regions))),
    )


def _some(names: list[str]) -> str:
    more = f" and {len(names) - _NAMES_SHOWN} more" if len(names) > _NAMES_SHOWN else ""
    return ", ".join(names[:_NAMES_SHOWN]) + more


BY_KIND = {Kind.SERVICE_HEALTH: tell_service_health, Kind.RESOURCE_HEALTH: tell_resource_health}
