"""Addresses and bodies that the tests of ARM use again and again."""

from typing import Any

from tests.azure_sandbox import GRAPH_SCOPE, Azure
from tests.unit.sandbox.entra.graph_set_up import application, assigned

from secure_export.sandbox.azure_monitor.estate import PRODUCTION
from secure_export.sandbox.entra.identities import ADMIN

SUBSCRIPTION = f"/subscriptions/{PRODUCTION}"
SHOP = f"{SUBSCRIPTION}/resourceGroups/rg-shop-prod"
GROUPS = f"{SHOP}/providers/Microsoft.Insights/actionGroups"
GROUP = f"{GROUPS}/ag-itsm?api-version=2023-01-01"
TEST = f"{GROUPS}/ag-itsm/createNotifications?api-version=2023-01-01"
ALERTS = f"{SUBSCRIPTION}/providers/Microsoft.AlertsManagement/alerts"
QUERY = "/providers/Microsoft.ResourceGraph/resources?api-version=2022-10-01"
RULES = f"{SHOP}/providers/Microsoft.AlertsManagement/actionRules"


def group(*webhooks: dict[str, Any], **more: Any) -> dict[str, Any]:
    """Give the body of an action group."""
    properties = {"groupShortName": "itsm", "enabled": True, "webhookReceivers": list(webhooks), **more}
    return {"location": "Global", "properties": properties}


def webhook(uri: str = "http://127.0.0.1:9/hook", name: str = "bridge", **more: Any) -> dict[str, Any]:
    """Give a webhook receiver."""
    return {"name": name, "serviceUri": uri, "useCommonAlertSchema": True, **more}


async def secure_webhook(azure: Azure, uri: str = "http://127.0.0.1:9/hook", *, owned: bool = True) -> dict[str, Any]:
    """Set the Entra side up, and give the receiver that uses it."""
    async with azure.client(ADMIN, GRAPH_SCOPE) as graph:
        app = await application(graph)
        await assigned(graph, app)
        if owned:
            caller = (await graph.get(f"/servicePrincipals(appId='{ADMIN.client_id}')")).body["id"]
            reference = {"@odata.id": f"{azure.graph_url}/v1.0/directoryObjects/{caller}"}
            assert (await graph.post(f"/applications/{app['id']}/owners/$ref", reference)).status == 204
    return webhook(
        uri, useAadAuth=True, objectId=app["id"], identifierUri=app["identifierUris"][0], tenantId=azure.tenant
    )


def processing_rule(*groups: str, scope: str = SUBSCRIPTION, **more: Any) -> dict[str, Any]:
    """Give a processing rule that adds action groups."""
    action = {"actionType": "AddActionGroups", "actionGroupIds": list(groups)}
    return {"location": "Global", "properties": {"scopes": [scope], "actions": [action], "enabled": True, **more}}
