"""What the tests of Graph build: an application as a set-up would make it."""

from typing import Any

from tests.azure_sandbox import Client

from secure_export.sandbox.entra import AZNS_APP_ID

ROLE_ID = "0d9f3b4a-2a67-5c11-9d41-6f0f6a1b2c3d"
ROLE = {
    "id": ROLE_ID,
    "allowedMemberTypes": ["Application"],
    "description": "Azure Monitor's action groups.",
    "displayName": "Action groups",
    "value": "ActionGroupsSecureWebhook",
    "isEnabled": True,
}
BODY = {
    "displayName": "alert bridge",
    "signInAudience": "AzureADMyOrg",
    "api": {"requestedAccessTokenVersion": 2},
    "appRoles": [ROLE],
    "optionalClaims": {"accessToken": [{"name": "idtyp", "essential": False}]},
}
UPSERT = {"Prefer": "create-if-missing"}
NAMED = "/applications(uniqueName='alert-bridge')"


async def application(graph: Client, **more: Any) -> dict[str, Any]:
    """Make the application with its identifier URI."""
    made = await graph.patch(NAMED, {**BODY, **more}, **UPSERT)
    assert made.status == 201, made.body
    found = dict(made.body)
    uris = [f"api://{found['appId']}"]
    assert (await graph.patch(f"/applications/{found['id']}", {"identifierUris": uris})).status == 204
    return {**found, "identifierUris": uris}


async def principal(graph: Client, app_id: str, **properties: Any) -> dict[str, Any]:
    """Make a service principal."""
    made = await graph.patch(f"/servicePrincipals(appId='{app_id}')", properties, **UPSERT)
    assert made.status == 201, made.body
    return dict(made.body)


async def assigned(
    graph: Client, app: dict[str, Any], *, required: bool = True
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Make both principals and the assignment; gives the resource's and the caller's principal."""
    own = await principal(graph, app["appId"], appRoleAssignmentRequired=required)
    caller = await principal(graph, AZNS_APP_ID)
    body = {"principalId": caller["id"], "resourceId": own["id"], "appRoleId": ROLE_ID}
    made = await graph.post(f"/servicePrincipals/{own['id']}/appRoleAssignedTo", body)
    assert made.status == 201, made.body
    return own, caller
