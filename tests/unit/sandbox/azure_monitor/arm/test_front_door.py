"""ARM's front door over real HTTP: tokens, roles, versions, limits, and where things are (entra-facts section 6)."""

from datetime import timedelta
from typing import Any

import aiohttp
import pytest
from tests.azure_sandbox import GRAPH_SCOPE, Azure, Client
from tests.unit.sandbox.azure_monitor.arm.arm_requests import ALERTS, GROUP, SHOP, SUBSCRIPTION, group, webhook

from secure_export.sandbox.azure_monitor.arm.rbac import Grant
from secure_export.sandbox.azure_monitor.estate import PRODUCTION, SHARED
from secure_export.sandbox.entra.identities import (
    ADMIN,
    AZURE_OWNER,
    BEN,
    ENTRA_ADMIN,
    NOBODY,
    OWNED_BY,
    READER,
    SERVICE,
    Identity,
    User,
)
from secure_export.sandbox.rest_faults import Fault, FaultKind

VERSION = "api-version=2022-12-01"


async def test_without_a_token_for_arm_nobody_gets_in(azure: Azure) -> None:
    """401 with a challenge; a token for Graph, or one that was tampered with, is none."""
    async with aiohttp.ClientSession() as session, session.get(f"{azure.arm_url}/subscriptions?{VERSION}") as answer:
        assert (answer.status, (await answer.json())["error"]["code"]) == (401, "AuthenticationFailed")
        assert answer.headers["WWW-Authenticate"].startswith("Bearer ")
    for token in (await azure.token(ADMIN, GRAPH_SCOPE), (await azure.token(ADMIN))[:-4] + "AAAA", "nonsense"):
        async with aiohttp.ClientSession() as session:
            refused = await Client(session, azure.arm_url, token).get(f"/subscriptions?{VERSION}")
            assert (refused.status, refused.code) == (401, "InvalidAuthenticationToken")


async def test_a_token_of_another_tenant_opens_no_subscription(azure: Azure) -> None:
    """401 that names both issuers."""
    other = "0d9f3b4a-2a67-4c11-9d41-6f0f6a1b2c3d"
    async with azure.client(ADMIN, tenant=other) as stranger:
        assert (await stranger.get(f"/subscriptions?{VERSION}")).values == []
        refused = await stranger.get(f"{SUBSCRIPTION}?{VERSION}")
        assert (refused.status, refused.code) == (401, "InvalidAuthenticationTokenTenant")


@pytest.mark.parametrize(
    ("who", "reads", "writes", "changes_alerts"),
    [
        (ADMIN, True, True, True),
        (AZURE_OWNER, True, True, True),
        (OWNED_BY, True, True, True),
        (SERVICE, True, True, True),
        (READER, True, False, False),
        (BEN, True, False, False),
        (ENTRA_ADMIN, False, False, False),
        (NOBODY, False, False, False),
    ],
    ids=str,
)
async def test_roles_decide(
    azure: Azure, who: Identity | User, *, reads: bool, writes: bool, changes_alerts: bool
) -> None:
    """Owner and Monitoring Contributor write, readers read, all others get 403."""
    async with azure.client(who) as client:
        read = await client.get(GROUP.replace("ag-itsm", "ag-shop-mail"))
        assert read.status == (200 if reads else 403)
        written = await client.put(GROUP, group(webhook()))
        assert written.status == (201 if writes else 403)
        changed = await client.post(f"{ALERTS}/none/changestate?api-version=2019-03-01&newState=Closed")
        assert changed.status == (404 if changes_alerts else 403)
        listed = (await client.get(f"/subscriptions?{VERSION}")).values
        assert {one["subscriptionId"] for one in listed} == ({PRODUCTION, SHARED} if reads else set())
    if not writes:
        assert written.code == "AuthorizationFailed"
        assert (
            "does not have authorization to perform action 'Microsoft.Insights/actionGroups/write'" in written.message
        )


async def test_a_role_holds_below_its_scope_only(azure: Azure) -> None:
    """A contributor of one resource group writes there and nowhere else."""
    azure.arm.access.grants.append(Grant(NOBODY.client_id, "Monitoring Contributor", SHOP))
    async with azure.client(NOBODY) as client:
        assert (await client.put(GROUP, group(webhook()))).status == 201
        elsewhere = GROUP.replace("rg-shop-prod", "RG-Warehouse-Prod")
        assert (await client.put(elsewhere, group(webhook()))).status == 403
        groups = (await client.get(f"{SUBSCRIPTION}/resourceGroups?{VERSION}")).values
        assert [one["name"] for one in groups] == ["rg-shop-prod"]


async def test_a_caller_can_ask_what_it_may_do(azure: Azure) -> None:
    """Permissions at a scope, as patterns of actions."""
    async with azure.client(READER) as client:
        where = "providers/Microsoft.Authorization/permissions?api-version=2022-04-01"
        (mine,) = (await client.get(f"{SHOP}/{where}")).values
        assert (mine["actions"], mine["notActions"]) == (["*/read"], [])
    async with azure.client(NOBODY) as client:
        assert (await client.get(f"{SUBSCRIPTION}/{where}")).values == []


@pytest.mark.parametrize(
    ("path", "status", "code"),
    [
        (f"{SHOP}/providers/Microsoft.Insights/actionGroups/none", 400, "MissingApiVersionParameter"),
        (f"{GROUP}x", 400, "NoRegisteredProviderFound"),
        (GROUP, 404, "ResourceNotFound"),
        (GROUP.replace("rg-shop-prod", "rg-none"), 404, "ResourceGroupNotFound"),
        (GROUP.replace(PRODUCTION, "0d9f3b4a-2a67-4c11-9d41-6f0f6a1b2c3d"), 404, "SubscriptionNotFound"),
        (f"{SHOP}/providers/Microsoft.Compute/virtualMachines/x?api-version=2023-01-01", 404, "InvalidResourceType"),
    ],
)
async def test_what_is_not_there_is_told_apart(arm: Client, path: str, status: int, code: str) -> None:
    """Each with the code that ARM has for it."""
    answer = await arm.get(path)
    assert (answer.status, answer.code) == (status, code)


async def test_a_provider_must_be_registered(azure: Azure, arm: Client) -> None:
    """409 until somebody registers it."""
    azure.arm.subscription(PRODUCTION).providers["Microsoft.Insights"] = "NotRegistered"
    where = f"{SUBSCRIPTION}/providers/microsoft.insights"
    assert (await arm.get(f"{where}?{VERSION}")).body["registrationState"] == "NotRegistered"
    refused = await arm.put(GROUP, group(webhook()))
    assert (refused.status, refused.code) == (409, "MissingSubscriptionRegistration")
    assert (await arm.post(f"{where}/register?{VERSION}")).body["registrationState"] == "Registered"
    assert (await arm.put(GROUP, group(webhook()))).status == 201


async def test_resource_groups_come_and_go_with_what_is_in_them(azure: Azure, arm: Client) -> None:
    """201, 200, and after that their resources are gone, and no action group is called."""
    where = f"{SUBSCRIPTION}/resourceGroups/rg-new"
    assert (await arm.put(f"{where}?{VERSION}", {"location": "westeurope"})).status == 201
    assert (await arm.put(f"{where}?{VERSION}", {"location": "westeurope", "tags": {"a": "b"}})).status == 200
    assert (await arm.get(f"{where}?{VERSION}")).body["tags"] == {"a": "b"}
    inside = GROUP.replace("rg-shop-prod", "rg-new")
    assert (await arm.put(inside, group(webhook()))).status == 201
    assert len(azure.station.monitor.groups) == 1
    assert (await arm.delete(f"{where}?{VERSION}")).status == 200
    assert (await arm.get(inside)).code == "ResourceGroupNotFound"
    assert azure.station.monitor.groups == {}
    assert (await arm.put(f"{where}?{VERSION}", {})).code == "LocationRequired"


async def test_too_many_writes_are_told_when_to_come_back(azure: Azure, arm: Client) -> None:
    """429 with Retry-After; what is left stands in a header."""
    azure.arm.behaviour.writes = 2
    azure.arm.clock.freeze()
    first = await arm.put(GROUP, group(webhook()))
    assert first.headers["x-ms-ratelimit-remaining-subscription-writes"] == "1"
    assert (await arm.put(GROUP, group(webhook()))).status == 200
    refused = await arm.put(GROUP, group(webhook()))
    assert (refused.status, refused.code) == (429, "SubscriptionRequestsThrottled")
    azure.arm.clock.move(timedelta(seconds=int(refused.headers["Retry-After"])))
    assert (await arm.put(GROUP, group(webhook()))).status == 200


async def test_faults_hit_arm_too(azure: Azure, arm: Client) -> None:
    """A write whose answer is lost was done."""
    azure.arm.faults.set(Fault(FaultKind.CUT, methods=frozenset({"PUT"}), path="*/actiongroups/*"))
    with pytest.raises(aiohttp.ClientError):
        await arm.put(GROUP, group(webhook()))
    azure.arm.faults.set(Fault(FaultKind.TOKEN_REFUSED))
    assert (await arm.get(GROUP)).status == 401
    assert (await arm.get(GROUP)).status == 200


async def test_the_clouds_end_points_are_told(azure: Azure) -> None:
    """The sandbox's own first; without a token."""
    where = f"{azure.arm_url}/metadata/endpoints?api-version=2022-09-01"
    async with aiohttp.ClientSession() as session, session.get(where) as answer:
        clouds = await answer.json()
    assert clouds[0]["resourceManager"] == azure.arm_url
    assert clouds[0]["authentication"]["loginEndpoint"] == azure.authority
    assert {one["name"] for one in clouds} > {"AzureCloud", "AzureUSGovernment", "AzureChinaCloud"}


async def _control(azure: Azure, method: str, path: str, body: Any = None, status: int = 200) -> Any:
    where = f"{azure.monitor_url}/control/arm{path}"
    async with aiohttp.ClientSession() as session, session.request(method, where, json=body) as answer:
        assert answer.status == status, await answer.text()
        return await answer.json()


async def test_the_control_doors_set_what_tests_need(azure: Azure, arm: Client) -> None:
    """Behaviour, clock, faults, roles, subscriptions, resources; a misspelt order is refused."""
    assert (await _control(azure, "POST", "/behaviour", {"owner_check": False}))["owner_check"] is False
    assert (await _control(azure, "POST", "/behaviour", {"queries": 3}))["owner_check"] is False
    await _control(azure, "POST", "/behaviour", {"query": 3}, 400)
    fault = await _control(azure, "POST", "/faults", {"kind": "error-before", "status": 503})
    assert (await arm.get(GROUP)).status == 503
    assert (await _control(azure, "GET", "/faults"))[0]["met"] == 1
    assert (await _control(azure, "DELETE", f"/faults/{fault['id']}"))["cleared"] == 1
    grant = {"principal": NOBODY.client_id, "role": "Reader"}
    assert grant.items() <= (await _control(azure, "POST", "/grants", grant))[-1].items()
    await _control(azure, "POST", "/grants", {**grant, "role": "King"}, 400)
    await _control(azure, "DELETE", f"/grants?principal={NOBODY.client_id}")
    other = "0d9f3b4a-2a67-4c11-9d41-6f0f6a1b2c3d"
    assert (await _control(azure, "POST", "/subscriptions", {"id": other}))["tenant"] == azure.tenant
    await _control(azure, "POST", "/groups", {"subscription": other, "name": "rg"})
    await _control(azure, "POST", "/providers", {"subscription": other, "namespace": "Microsoft.Insights"})
    row = {"subscription": other, "group": "rg", "type": "Microsoft.Insights/actionGroups", "name": "ag"}
    body = group(webhook())["properties"]
    await _control(azure, "POST", "/resources", {**row, "properties": body})
    assert len(azure.station.monitor.groups) == 1
    assert (await _control(azure, "POST", "/clock", {"advance_seconds": 5, "frozen": True}))["now"]
    assert len(await _control(azure, "GET", "/resources")) > 10
    assert (await _control(azure, "GET", ""))["requests"] > 0
    assert (await _control(azure, "DELETE", "/counters"))["total"] == 0
    await _control(azure, "DELETE", "/tokens")
    assert list(await _control(azure, "POST", "/bans", {})) == [webhook()["serviceUri"]]
    assert await _control(azure, "DELETE", "/bans") == {}
    await _control(azure, "POST", "/fire", {"rule": "none"}, 400)
