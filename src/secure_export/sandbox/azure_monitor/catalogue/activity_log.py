"""Activity log alerts: administrative, policy, autoscale, security, recommendation. They only ever fire."""

import json
from typing import Any

from secure_export.sandbox.azure_monitor.catalogue.story import Body, Ending, Notification, Story, common_body
from secure_export.sandbox.azure_monitor.catalogue.workshop import Workshop, essentials, stamp, versions
from secure_export.sandbox.azure_monitor.estate import TENANT_DOMAIN, Resource

_DESCRIPTION = "Activity Log Event Description"


def administrative(shop: Workshop) -> Story:
    """Somebody did something: a key vault's access was changed."""
    vault = shop.it("kv-shop")
    context = {
        "authorization": {"action": "Microsoft.KeyVault/vaults/accessPolicies/write", "scope": vault.id},
        "channels": "Operation",
        "claims": _claims(shop),
        "caller": f"ines.ritter@{TENANT_DOMAIN}",
        **_event(shop, "Administrative", "Microsoft.KeyVault/vaults/accessPolicies/write"),
        "properties": {"eventCategory": "Administrative", "entity": vault.id, "message": "accessPolicies/write"},
        "status": "Succeeded",
        "subStatus": "",
        _DESCRIPTION: "",
    }
    return _story("activity-administrative", shop, vault, shop.named("key vault access changed"), context)


def policy(shop: Workshop) -> Story:
    """A policy found something; which one stands in JSON inside a text."""
    account = shop.it("stwarehouselabels")
    policies = [
        {
            "policyDefinitionName": "storage-accounts-need-tags",
            "policyDefinitionEffect": "Audit",
            "policyAssignmentName": "tagging",
            "policyAssignmentScope": f"/subscriptions/{account.subscription}",
            "policyAssignmentParameters": {},
        }
    ]
    context = {
        "authorization": {"action": "Microsoft.Resources/checkPolicyCompliance/read", "scope": account.id},
        "channels": "Operation",
        "claims": _claims(shop),
        "caller": shop.guid(),
        **_event(shop, "Policy", "Microsoft.Authorization/policies/audit/action", "Warning"),
        "properties": {
            "isComplianceCheck": "True",
            "resourceLocation": account.location,
            "ancestors": shop.guid(),
            "policies": json.dumps(policies),
        },
        "status": "Succeeded",
        "subStatus": "",
    }
    return _story("activity-policy", shop, account, shop.named("policy audit"), context)


def autoscale(shop: Workshop) -> Story:
    """The autoscale engine changed the number of instances."""
    scale_set = shop.it("vmss-pick-workers")
    context = {
        "channels": "Admin, Operation",
        "claims": json.dumps(
            {"http://schemas.xmlsoap.org/ws/2005/05/identity/claims/spn": "Microsoft.Insights/autoscaleSettings"}
        ),
        "caller": "Microsoft.Insights/autoscaleSettings",
        **_event(shop, "Autoscale", "Microsoft.Insights/AutoscaleSettings/Scaleup/Action"),
        "properties": {
            "description": f"The autoscale engine attempting to scale resource '{scale_set.id}' "
            "from 4 instances count to 6 instances count.",
            "resourceName": scale_set.id,
            "oldInstancesCount": "4",
            "newInstancesCount": "6",
            "activeAutoscaleProfile": json.dumps(
                {"Name": "Weekdays", "Capacity": {"Minimum": "2", "Maximum": "6", "Default": "2"}}, indent=2
            ),
            "lastScaleActionTime": f"{shop.at:%a, %d %b %Y %H:%M:%S} GMT",
        },
        "status": "Succeeded",
    }
    return _story("activity-autoscale", shop, scale_set, shop.named("workers scaled"), context)


def security(shop: Workshop) -> Story:
    """Something hostile was found on a machine."""
    vm = shop.it("vm-wms-app-01")
    context = {
        "channels": "Operation",
        **_event(shop, "Security", "Microsoft.Security/locations/alerts/activate/action"),
        "properties": {
            "threatStatus": "Quarantined",
            "category": "Virus",
            "threatID": "2147519003",
            "filePath": "D:\\Uploads\\label-tool.exe",
            "protectionType": "Windows Defender",
            "actionTaken": "Blocked",
            "resourceType": "Virtual Machine",
            "severity": "High",
            "compromisedEntity": vm.name,
            "remediationSteps": '["Check who uploaded the file","Scan the machine"]',
            "attackedResourceType": "Virtual Machine",
        },
        "status": "Active",
    }
    return _story("activity-security", shop, vm, shop.named("defender findings"), context)


def recommendation(shop: Workshop) -> Story:
    """Advisor has an idea."""
    account = shop.it("stshopmedia")
    context = {
        "channels": "Operation",
        "claims": json.dumps(
            {"http://schemas.xmlsoap.org/ws/2005/05/identity/claims/emailaddress": "Microsoft.Advisor"}
        ),
        "caller": "Microsoft.Advisor",
        **_event(shop, "Recommendation", "Microsoft.Advisor/recommendations/available/action"),
        "properties": {
            "recommendationSchemaVersion": "1.0",
            "recommendationCategory": "HighAvailability",
            "recommendationImpact": "Medium",
            "recommendationName": "Keep deleted blobs for some days",
            "recommendationResourceLink": "https://portal.azure.com/#blade/Microsoft_Azure_Expert/RecommendationListBlade",
            "recommendationType": shop.guid(),
        },
        "status": "Active",
        "subStatus": "",
        _DESCRIPTION: "A new recommendation is available.",
    }
    return _story("activity-recommendation", shop, account, shop.named("advisor"), context)


def activity_essentials(  # noqa: PLR0913, PLR0917 - what one event differs in
    shop: Workshop, service: str, rule: str, alert_id: str, event: dict[str, Any], targets: list[str]
) -> dict[str, Any]:
    """Give ``essentials`` of the whole activity log family: always Sev4, always Fired."""
    return essentials(
        alert_id=alert_id,
        rule=rule,
        severity="Sev4",
        signal="Activity Log",
        service=service,
        targets=targets,
        fired_at=stamp(shop.at),
        originAlertId=f"{event['eventDataId']}_{shop.hexadecimal(32)}",
        description="",
        **versions(),
    )


def legacy_activity(context: dict[str, Any], resource: Resource | None, subscription: str) -> Body:
    """Give the older body: the event in an envelope of its own, with the resource named several times."""
    event = {name: value for name, value in context.items() if name != _DESCRIPTION}
    named: dict[str, Any] = {"subscriptionId": subscription}
    if resource is not None:
        named |= {
            "resourceId": resource.id,
            "resourceGroupName": resource.group,
            "resourceProviderName": resource.type.partition("/")[0],
            "resourceType": resource.type,
        }
    description = context.get(_DESCRIPTION) or ""
    return {
        "schemaId": "Microsoft.Insights/activityLogs",
        "data": {
            "status": "Activated",
            "context": {"activityLog": {**event, "description": description, **named}},
            "properties": {},
        },
    }


def _story(kind: str, shop: Workshop, resource: Resource, rule: str, context: dict[str, Any]) -> Story:
    alert_id = shop.alert_id(resource.subscription)
    service = f"Activity Log - {context['eventSource']}"
    head = activity_essentials(shop, service, rule, alert_id, context, [resource.id.lower()])
    head["configurationItems"] = [resource.name]
    fired = Notification(
        "Fired", alert_id, common_body(head, context), legacy_activity(context, resource, resource.subscription)
    )
    return Story(kind, rule, Ending.NEVER, fired, resource=resource)


def _event(shop: Workshop, source: str, operation: str, level: str = "Informational") -> dict[str, Any]:
    return {
        "correlationId": shop.guid(),
        "eventSource": source,
        "eventTimestamp": stamp(shop.at, 7, "+00:00"),
        "eventDataId": shop.guid(),
        "level": level,
        "operationName": operation,
        "operationId": shop.guid(),
        "submissionTimestamp": stamp(shop.at, 6, "+00:00"),
    }


def _claims(shop: Workshop) -> str:
    return json.dumps({"aud": "https://management.azure.com/", "appid": shop.guid(), "appidacr": "2", "ver": "1.0"})
