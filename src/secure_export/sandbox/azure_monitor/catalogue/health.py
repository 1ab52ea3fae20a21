"""Service health and resource health: they only ever fire, and a later event of the same matter ends it."""

import json
from dataclasses import replace
from datetime import datetime
from typing import Any

from secure_export.sandbox.azure_monitor.catalogue.activity_log import activity_essentials, legacy_activity
from secure_export.sandbox.azure_monitor.catalogue.story import Ending, Notification, Story, common_body
from secure_export.sandbox.azure_monitor.catalogue.workshop import Workshop, stamp
from secure_export.sandbox.azure_monitor.estate import PRODUCTION


def service_incident(shop: Workshop) -> Story:
    """A service of Azure is in trouble: numbers where other senders write words, no CI, times without a zone."""
    about = {
        "title": "Storage - West Europe - errors when writing",
        "service": "Storage",
        "region": "West Europe",
        "incidentType": "Incident",
        "trackingId": _tracking_id(shop),
        "impactStartTime": stamp(shop.at),
        "isHIR": "false",
    }
    numbers = {"channels": 1, "eventSource": 2, "level": 3}
    return _service_story(
        "service-health-incident", shop, shop.named("azure incidents"), about, ("Active", "Resolved"), numbers
    )


def service_maintenance(shop: Workshop) -> Story:
    """Azure plans to work on a service: words where the other one has numbers."""
    about = {
        "title": "Azure SQL Database planned maintenance",
        "service": "SQL Database",
        "region": "West Europe",
        "incidentType": "Maintenance",
        "trackingId": _tracking_id(shop),
        "impactStartTime": stamp(shop.at, 0),
        "impactMitigationTime": stamp(shop.over_at, 0),
        "maintenanceId": shop.guid(),
        "isHIR": "false",
    }
    words = {"channels": "Admin", "eventSource": "ServiceHealth", "level": "Informational"}
    return _service_story(
        "service-health-maintenance", shop, shop.named("azure maintenance"), about, ("Planned", "Resolved"), words
    )


def resource_health(shop: Workshop) -> Story:
    """A machine is unavailable, then available again, in another alert."""
    return _resource_story("resource-health", shop, "vm-wms-db-01", "Resource Health")


def resource_health_other_spelling(shop: Workshop) -> Story:
    """The same under another spelling of the service."""
    return _resource_story("resource-health-other-spelling", shop, "vm-dc-01", "ResourceHealth")


def _service_story(  # noqa: PLR0913, PLR0917 - what one event differs in
    kind: str, shop: Workshop, rule: str, about: dict[str, Any], stages: tuple[str, str], odd: dict[str, Any]
) -> Story:
    first, last = stages
    fired = _service_event(shop, rule, about, first, odd)
    ended = _service_event(replace(shop, at=shop.over_at), rule, about, last, odd)
    return Story(kind, rule, Ending.CONTENT, fired, ended)


def _service_event(shop: Workshop, rule: str, about: dict[str, Any], stage: str, odd: dict[str, Any]) -> Notification:
    operation = f"Microsoft.ServiceHealth/{about['incidentType'].lower()}/action"
    impacted = [{"ImpactedRegions": [{"RegionName": about["region"]}], "ServiceName": about["service"]}]
    is_over = stage == "Resolved"
    properties = {
        **about,
        "communication": f"<p>Stage <strong>{stage}</strong> of {about['trackingId']}.</p>",
        "impactedServices": impacted if is_over else json.dumps(impacted),
        "impactedServicesTableRows": f"<tr>\r\n<td align='center'>{about['service']}</td>\r\n</tr>\r\n",
        "defaultLanguageTitle": about["title"],
        "defaultLanguageContent": f"<p>Stage <strong>{stage}</strong> of {about['trackingId']}.</p>",
        "stage": stage,
        "communicationId": str(shop.chance.randrange(10**13, 10**14)),
        "version": "0.1.1",
    }
    context = {
        "authorization": None,
        "claims": None,
        "caller": None,
        **_event(shop, operation),
        **odd,
        "httpRequest": None,
        "properties": properties,
        "status": "Resolved" if is_over else "Active",
        "subStatus": None,
        "ResourceType": None,
    }
    alert_id = f"/subscriptions/{PRODUCTION}/providers/Microsoft.AlertsManagement/alerts/{shop.hexadecimal(64)}"
    head = activity_essentials(shop, "ServiceHealth", rule, alert_id, context, [f"/subscriptions/{PRODUCTION}"])
    head |= {"signalType": "ActivityLog", "firedDateTime": _zoneless(shop.at)}
    worded = {**context, "eventSource": "ServiceHealth", "channels": "Admin", "level": "Warning"}
    return Notification("Fired", alert_id, common_body(head, context), legacy_activity(worded, None, PRODUCTION))


def _resource_story(kind: str, shop: Workshop, machine: str, service: str) -> Story:
    vm = shop.it(machine)
    rule = shop.named("machines unavailable" if service == "Resource Health" else "domain controllers unavailable")

    def event(of: Workshop, operation: str, now: str, before: str, title: str) -> Notification:
        context = {
            "channels": "Admin, Operation",
            **_event(of, f"Microsoft.Resourcehealth/healthevent/{operation}/action"),
            "properties": {
                "title": title,
                "details": None,
                "currentHealthStatus": now,
                "previousHealthStatus": before,
                "type": "Downtime",
                "cause": "PlatformInitiated",
            },
            "status": "Resolved" if operation == "Resolved" else "Active",
        }
        alert_id = of.alert_id(vm.subscription)
        head = activity_essentials(of, service, rule, alert_id, context, [vm.id.lower()])
        head["configurationItems"] = [vm.name]
        return Notification(
            "Fired", alert_id, common_body(head, context), legacy_activity(context, vm, vm.subscription)
        )

    fired = event(shop, "Activated", "Unavailable", "Available", "The host of this machine failed")
    later = replace(shop, at=shop.over_at)
    ended = event(later, "Resolved", "Available", "Unavailable", "This machine runs again on another host")
    return Story(kind, rule, Ending.CONTENT, fired, ended, vm)


def _event(shop: Workshop, operation: str) -> dict[str, Any]:
    source = "ResourceHealth" if "Resourcehealth" in operation else "ServiceHealth"
    return {
        "correlationId": shop.guid(),
        "eventSource": source,
        "eventTimestamp": stamp(shop.at, 7, "+00:00"),
        "eventDataId": shop.guid(),
        "level": "Informational",
        "operationName": operation,
        "operationId": shop.guid(),
        "submissionTimestamp": stamp(shop.at, 7, "+00:00"),
    }


def _tracking_id(shop: Workshop) -> str:
    letters = "ABCDEFGHJKLMNPQRSTUVWXYZ0123456789"
    return "".join(shop.chance.choices(letters, k=4)) + "-" + "".join(shop.chance.choices(letters, k=3))


def _zoneless(at: datetime) -> str:
    return stamp(at, 7, "")
