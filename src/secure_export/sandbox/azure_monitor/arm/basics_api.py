"""Subscriptions, resource groups, resource providers, permissions, and the clouds' end points."""

from typing import Any, Final

from secure_export.sandbox.azure_monitor.arm.errors import bad_request
from secure_export.sandbox.azure_monitor.arm.visit import Visit
from secure_export.sandbox.azure_monitor.arm.world import Row, Subscription
from secure_export.sandbox.reply import Reply, json_reply

VERSIONS: Final = (
    "2016-06-01",
    "2018-05-01",
    "2019-06-01",
    "2020-01-01",
    "2020-06-01",
    "2021-01-01",
    "2021-04-01",
    "2022-09-01",
    "2022-12-01",
    "2024-11-01",
)
PERMISSION_VERSIONS: Final = ("2015-07-01", "2018-07-01", "2022-04-01")


async def subscriptions(visit: Visit) -> Reply:
    """List the subscriptions that trust the caller's tenant and where the caller may do anything."""
    visit.must_be_version("Microsoft.Resources/subscriptions", VERSIONS)
    found = [one for one in visit.world.subscriptions.values() if _is_seen(visit, one)]
    return json_reply(200, {"value": [_subscription(one) for one in found], "count": _count(len(found))})


async def subscription(visit: Visit) -> Reply:
    """Give one subscription."""
    found = visit.subscription()
    visit.must_be_version("Microsoft.Resources/subscriptions", VERSIONS)
    visit.must("Microsoft.Resources/subscriptions/read")
    return json_reply(200, _subscription(found))


async def groups(visit: Visit) -> Reply:
    """List the resource groups of a subscription that the caller may read."""
    visit.subscription()
    visit.must_be_version("Microsoft.Resources/resourceGroups", VERSIONS)
    action, below = "Microsoft.Resources/subscriptions/resourceGroups/read", f"{visit.scope}/".lower()
    if not visit.world.access.touches(visit.caller, visit.scope):
        visit.must(action)
    rows = [row for key, row in visit.world.groups.items() if key.startswith(below)]
    shown = [row for row in rows if visit.world.access.allows(visit.caller, action, row["id"])]
    return json_reply(200, {"value": shown})


async def group(visit: Visit) -> Reply:
    """Give one resource group."""
    visit.subscription()
    visit.must_be_version("Microsoft.Resources/resourceGroups", VERSIONS)
    visit.must("Microsoft.Resources/subscriptions/resourceGroups/read")
    return json_reply(200, visit.world.group(visit.named["subscription"], visit.named["group"]))


async def group_written(visit: Visit) -> Reply:
    """Make a resource group, or set its tags."""
    found = visit.subscription()
    visit.must_be_version("Microsoft.Resources/resourceGroups", VERSIONS)
    visit.must("Microsoft.Resources/subscriptions/resourceGroups/write")
    body = visit.body()
    if not isinstance(body.get("location"), str):
        raise bad_request("The location property is required for this definition.", "LocationRequired")
    existed = f"{visit.scope}".lower() in visit.world.groups
    row = visit.world.add_group(found.id, visit.named["group"], body["location"])
    row["tags"] = body.get("tags") or {}
    return json_reply(200 if existed else 201, row)


async def group_deleted(visit: Visit) -> Reply:
    """Delete a resource group with all that is in it, at once: in life that takes minutes, and a poll."""
    visit.subscription()
    visit.must_be_version("Microsoft.Resources/resourceGroups", VERSIONS)
    visit.must("Microsoft.Resources/subscriptions/resourceGroups/delete")
    row = visit.world.group(visit.named["subscription"], visit.named["group"])
    del visit.world.groups[row["id"].lower()]
    for key in [key for key in visit.world.resources if key.startswith(f"{row['id'].lower()}/")]:
        del visit.world.resources[key]
        visit.world.monitor.groups.pop(key, None)
    return Reply(200)


async def provider(visit: Visit) -> Reply:
    """Tell whether a resource provider is registered."""
    found = visit.subscription()
    visit.must_be_version("Microsoft.Resources/providers", VERSIONS)
    visit.must("Microsoft.Resources/subscriptions/providers/read")
    return json_reply(200, _provider(found, visit.named["namespace"]))


async def provider_registered(visit: Visit) -> Reply:
    """Register a resource provider, at once."""
    found = visit.subscription()
    visit.must_be_version("Microsoft.Resources/providers", VERSIONS)
    visit.must(f"{visit.named['namespace']}/register/action")
    found.providers[_name(found, visit.named["namespace"])] = "Registered"
    return json_reply(200, _provider(found, visit.named["namespace"]))


async def permissions(visit: Visit) -> Reply:
    """Tell what the caller may do at a scope."""
    visit.must_be_version("Microsoft.Authorization/permissions", PERMISSION_VERSIONS)
    scope = visit.named["scope"]
    parts = scope.strip("/").split("/")
    visit.with_names(subscription=parts[1] if len(parts) > 1 else "").subscription()
    roles = visit.world.access.roles(visit.caller, scope)
    shown = [
        {"actions": list(one.actions), "notActions": list(one.not_actions), "dataActions": [], "notDataActions": []}
        for one in roles
    ]
    return json_reply(200, {"value": shown})


def endpoints(base: str, authority: str) -> Reply:
    """Tell the end points of the clouds; this one's own come first, so that a client finds its way in the sandbox."""
    return json_reply(
        200,
        [
            _cloud("Sandbox", base, authority, f"{authority}/graph"),
            _cloud(
                "AzureCloud",
                "https://management.azure.com/",
                "https://login.microsoftonline.com",
                "https://graph.microsoft.com/",
            ),
            _cloud(
                "AzureUSGovernment",
                "https://management.usgovcloudapi.net/",
                "https://login.microsoftonline.us",
                "https://graph.microsoft.us/",
            ),
            _cloud(
                "AzureChinaCloud",
                "https://management.chinacloudapi.cn/",
                "https://login.partner.microsoftonline.cn",
                "https://microsoftgraph.chinacloudapi.cn/",
            ),
        ],
    )


def _cloud(name: str, manager: str, login: str, graph: str) -> Row:
    return {
        "name": name,
        "resourceManager": manager,
        "microsoftGraphResourceId": graph,
        "authentication": {
            "loginEndpoint": login,
            "audiences": [manager],
            "tenant": "common",
            "identityProvider": "AAD",
        },
    }


def _is_seen(visit: Visit, found: Subscription) -> bool:
    same = found.tenant.lower() == visit.caller.tenant.lower()
    return same and visit.world.access.touches(visit.caller, f"/subscriptions/{found.id}")


def _subscription(found: Subscription) -> Row:
    return {
        "id": f"/subscriptions/{found.id}",
        "subscriptionId": found.id,
        "tenantId": found.tenant,
        "displayName": found.name,
        "state": "Enabled",
        "authorizationSource": "RoleBased",
        "managedByTenants": [],
        "subscriptionPolicies": {"spendingLimit": "Off", "quotaId": "Sandbox_2014-09-01"},
    }


def _count(number: int) -> dict[str, Any]:
    return {"type": "Total", "value": number}


def _name(found: Subscription, namespace: str) -> str:
    return next((one for one in found.providers if one.lower() == namespace.lower()), namespace)


def _provider(found: Subscription, namespace: str) -> Row:
    name = _name(found, namespace)
    return {
        "id": f"/subscriptions/{found.id}/providers/{name}",
        "namespace": name,
        "registrationPolicy": "RegistrationRequired",
        "registrationState": found.providers.get(name, "NotRegistered"),
        "resourceTypes": [],
    }
