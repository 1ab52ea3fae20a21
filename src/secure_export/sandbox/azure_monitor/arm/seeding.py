"""What the sandbox's subscriptions hold before anybody sets a secure webhook up: rules, action groups, roles."""

import json
from typing import Any, Final

from secure_export.sandbox.azure_monitor.arm.rbac import Grant
from secure_export.sandbox.azure_monitor.arm.world import Row, World
from secure_export.sandbox.azure_monitor.estate import PRODUCTION, SHARED

# The sandbox's Entra ID has these identities; written out here so that this stand-in can run without it.
GRANTS: Final = (
    ("ad000000-0000-4000-8000-000000000001", "Owner"),
    ("ad000000-0000-4000-8000-000000000003", "Owner"),
    ("ad000000-0000-4000-8000-000000000004", "Monitoring Contributor"),
    ("ad000000-0000-4000-8000-000000000005", "Monitoring Reader"),
    ("ad000000-0000-4000-8000-000000000006", "Monitoring Contributor"),
    ("ad000000-0000-4000-8000-000000000101", "Owner"),
    ("ad000000-0000-4000-8000-000000000102", "Reader"),
)
WORKSPACE: Final = f"{SHARED}|5b0e9c52-6b6f-4f7e-9f0e-2f4b3f1c7a10"
CONNECTION: Final = "1f0c7d3e-55aa-4b11-8f6e-0d9b1c2a3e44"
_SHOP: Final = "rg-shop-prod"
_WAREHOUSE: Final = "RG-Warehouse-Prod"
_MONITORING: Final = "rg-monitoring"


def seed(world: World) -> None:
    """Fill the subscriptions of the sample estate."""
    for subscription in world.estate.subscriptions:
        world.access.grants += [Grant(who, role, f"/subscriptions/{subscription}") for who, role in GRANTS]
    _groups(world)
    _metric_rules(world)
    _other_rules(world)
    _processing_rule(world)


def put(  # noqa: PLR0913, PLR0917 - what a resource is made of
    world: World, subscription: str, group: str, kind: str, name: str, properties: Row, location: str = "global"
) -> str:
    """Put a resource there, past all checks; gives its id."""
    resource_id = f"/subscriptions/{subscription}/resourceGroups/{group}/providers/{kind}/{name}"
    row: Row = {"id": resource_id, "name": name, "type": kind, "location": location, "tags": {}}
    world.put({**row, "properties": properties})
    return resource_id


def action_group_properties(short_name: str, **receivers: list[Row]) -> Row:
    """Give an action group's properties, with every kind of receiver."""
    empty: Row = {
        f"{kind}Receivers": []
        for kind in (
            "email",
            "sms",
            "webhook",
            "itsm",
            "azureAppPush",
            "automationRunbook",
            "voice",
            "logicApp",
            "azureFunction",
            "armRole",
            "eventHub",
        )
    }
    return {"groupShortName": short_name, "enabled": True, **empty, **receivers}


def itsm_receiver(name: str, kind: str, **more: Any) -> Row:
    """Give a receiver of the retired ITSM connector: JSON in a text, with JSON in a text inside (entra-facts 6.5)."""
    said = {"PayloadRevision": 0, "WorkItemType": kind, "UseTemplate": False, "WorkItemData": "{}", **more}
    return {
        "name": name,
        "workspaceId": WORKSPACE,
        "connectionId": CONNECTION,
        "ticketConfiguration": json.dumps(said, separators=(",", ":")),
        "region": "westeurope",
    }


def _groups(world: World) -> None:
    kind = "Microsoft.Insights/actionGroups"
    mail = {"name": "team-shop", "emailAddress": "team-shop@lindenhof-logistics.example", "useCommonAlertSchema": True}
    put(world, PRODUCTION, _SHOP, kind, "ag-shop-mail", action_group_properties("shop-mail", emailReceivers=[mail]))
    itsm = [
        itsm_receiver("snow-incident", "Incident", CreateOneWIPerCI=True),
        itsm_receiver(
            "snow-event",
            "Event",
            UseTemplate=True,
            WorkItemData=json.dumps({"Severity": "2", "AssignmentGroup": "Platform Operations"}),
            CreateOneWIPerCI=False,
        ),
    ]
    put(world, SHARED, _MONITORING, kind, "ag-itsmc", action_group_properties("itsmc", itsmReceivers=itsm))
    shop = [itsm_receiver("snow-shop", "Incident", CreateOneWIPerCI=False)]
    both = action_group_properties("itsmc-shop", itsmReceivers=shop, emailReceivers=[mail])
    put(world, PRODUCTION, _SHOP, kind, "ag-itsmc-shop", both)


def _group_id(subscription: str, group: str, name: str) -> str:
    # The case of ids varies in life, so it does here.
    return (
        f"/subscriptions/{subscription}/resourcegroups/{group.lower()}/providers/microsoft.insights/actiongroups/{name}"
    )


def _resource(world: World, name: str) -> str:
    return world.estate.named(name).id


def _metric(  # noqa: PLR0913, PLR0917 - what a rule says
    world: World, group: str, name: str, resource: str, metric: str, severity: int, *groups: str
) -> None:
    criterion = {
        "criterionType": "StaticThresholdCriterion",
        "name": "Metric1",
        "metricName": metric,
        "operator": "GreaterThan",
        "threshold": 85,
        "timeAggregation": "Average",
        "dimensions": [],
    }
    criteria = {"odata.type": "Microsoft.Azure.Monitor.SingleResourceMultipleMetricCriteria", "allOf": [criterion]}
    properties = {
        "description": f"{metric} of {resource} above 85.",
        "severity": severity,
        "enabled": True,
        "scopes": [_resource(world, resource)],
        "evaluationFrequency": "PT1M",
        "windowSize": "PT5M",
        "criteria": criteria,
        "autoMitigate": True,
        "actions": [{"actionGroupId": one, "webHookProperties": {}} for one in groups],
    }
    put(world, PRODUCTION, group, "Microsoft.Insights/metricAlerts", name, properties)


def _metric_rules(world: World) -> None:
    mail, itsmc = _group_id(PRODUCTION, _SHOP, "ag-shop-mail"), _group_id(PRODUCTION, _SHOP, "ag-itsmc-shop")
    _metric(world, _SHOP, "cpu-shop-web", "vm-shop-web-01", "Percentage CPU", 2, mail)
    _metric(world, _SHOP, "dtu-orders", "orders", "dtu_consumption_percent", 1, itsmc)
    _metric(world, _WAREHOUSE, "cpu-wms-app", "vm-wms-app-01", "Percentage CPU", 3)


def _log(world: World, subscription: str, group: str, name: str, resource: str, *groups: str) -> None:
    condition = {
        "query": "Heartbeat | summarize last = max(TimeGenerated) by Computer | where last < ago(15m)",
        "timeAggregation": "Count",
        "dimensions": [{"name": "Computer", "operator": "Include", "values": ["*"]}],
        "operator": "GreaterThan",
        "threshold": 0,
        "failingPeriods": {"numberOfEvaluationPeriods": 1, "minFailingPeriodsToAlert": 1},
    }
    properties = {
        "displayName": name,
        "description": f"A search in {resource}.",
        "severity": 2,
        "enabled": True,
        "scopes": [_resource(world, resource)],
        "evaluationFrequency": "PT5M",
        "windowSize": "PT15M",
        "criteria": {"allOf": [condition]},
        "autoMitigate": True,
        "actions": {"actionGroups": list(groups), "customProperties": {}},
    }
    put(world, subscription, group, "Microsoft.Insights/scheduledQueryRules", name, properties, "westeurope")


def _other_rules(world: World) -> None:
    itsmc = _group_id(SHARED, _MONITORING, "ag-itsmc")
    _log(world, PRODUCTION, _SHOP, "errors-checkout", "appi-shop")
    _log(world, SHARED, _MONITORING, "agents-silent", "log-central", itsmc)
    _activity(world, PRODUCTION, _SHOP, "vault-changed", _resource(world, "kv-shop"), "Administrative")
    _activity(world, SHARED, _MONITORING, "service-health", f"/subscriptions/{SHARED}", "ServiceHealth", itsmc)
    smart = {
        "description": "Failure Anomalies notifies you of an unusual rise in the rate of failed requests.",
        "state": "Enabled",
        "severity": "Sev3",
        "frequency": "PT1M",
        "detector": {"id": "FailureAnomaliesDetector"},
        "scope": [_resource(world, "appi-shop")],
        "actionGroups": {"groupIds": [_group_id(PRODUCTION, _SHOP, "ag-shop-mail")]},
    }
    kind = "Microsoft.AlertsManagement/smartDetectorAlertRules"
    put(world, PRODUCTION, _SHOP, kind, "failure anomalies - appi-shop", smart)


def _activity(  # noqa: PLR0913, PLR0917 - what a rule says
    world: World, subscription: str, group: str, name: str, scope: str, category: str, *groups: str
) -> None:
    properties = {
        "description": f"{category} events.",
        "enabled": True,
        "scopes": [scope],
        "condition": {"allOf": [{"field": "category", "equals": category}]},
        "actions": {"actionGroups": [{"actionGroupId": one, "webhookProperties": {}} for one in groups]},
    }
    put(world, subscription, group, "Microsoft.Insights/activityLogAlerts", name, properties)


def _processing_rule(world: World) -> None:
    batch = next(one for one in world.estate.resources if one.name == "vm-batch-01" and one.group == _WAREHOUSE)
    properties = {
        "scopes": [batch.id],
        "actions": [{"actionType": "RemoveAllActionGroups"}],
        "description": "The batch machine of the warehouse is noisy, and nobody minds.",
        "enabled": True,
    }
    put(world, PRODUCTION, _WAREHOUSE, "Microsoft.AlertsManagement/actionRules", "quiet-batch", properties, "Global")
