"""Action groups over real HTTP: what Azure takes, and from whom (entra-facts section 6)."""

import json
from typing import Any

import pytest
from tests.azure_sandbox import GRAPH_SCOPE, Azure, Client
from tests.unit.sandbox.azure_monitor.arm.arm_requests import (
    GROUP,
    GROUPS,
    SHOP,
    SUBSCRIPTION,
    group,
    secure_webhook,
    webhook,
)

from secure_export.sandbox.entra.identities import ADMIN, AZURE_OWNER, GRAPH_APP_ID

ITSM = {
    "name": "snow",
    "workspaceId": "a|b",
    "connectionId": "c",
    "ticketConfiguration": json.dumps({"PayloadRevision": 0, "WorkItemType": "Incident"}),
    "region": "westeurope",
}


async def test_a_group_is_made_read_changed_and_deleted(arm: Client) -> None:
    """201, 200, 200, 200, 204; lists are not paged."""
    made = await arm.put(GROUP, {**group(webhook()), "tags": {"made-by": "test"}})
    assert (made.status, made.body["type"]) == (201, "Microsoft.Insights/ActionGroups")
    assert made.body["properties"]["webhookReceivers"][0]["useAadAuth"] is False
    assert (await arm.put(GROUP, group(webhook()))).status == 200
    assert "tags" not in (await arm.get(GROUP)).body
    assert (await arm.patch(GROUP, {"tags": {"a": "b"}, "properties": {"enabled": False}})).status == 200
    found = (await arm.get(GROUP.upper().replace("API-VERSION", "api-version"))).body
    assert (found["tags"], found["properties"]["enabled"]) == ({"a": "b"}, False)
    for scope, count in ((SHOP, 3), (SUBSCRIPTION, 3)):
        listed = await arm.get(f"{scope}/providers/microsoft.insights/actiongroups?api-version=2023-01-01")
        assert (len(listed.values), listed.body.keys()) == (count, {"value"})
    assert (await arm.delete(GROUP)).status == 200
    assert (await arm.delete(GROUP)).status == 204
    assert (await arm.get(GROUP)).status == 404


async def test_a_patch_changes_no_receivers(arm: Client) -> None:
    """Only tags and whether the group is enabled."""
    await arm.put(GROUP, group(webhook()))
    await arm.patch(GROUP, {"properties": {"webhookReceivers": [], "groupShortName": "other"}})
    properties = (await arm.get(GROUP)).body["properties"]
    assert (len(properties["webhookReceivers"]), properties["groupShortName"]) == (1, "itsm")


async def test_what_azure_does_not_know_is_dropped(arm: Client) -> None:
    """The misspelt receivers of the official sample are taken, and are nowhere afterwards."""
    wrong = group(webhook(objectid="x"), SecurewebhookReceivers=[webhook(name="secure")])
    made = await arm.put(GROUP, wrong)
    assert made.status == 201
    assert "SecurewebhookReceivers" not in made.body["properties"]
    assert "objectid" not in made.body["properties"]["webhookReceivers"][0]


@pytest.mark.parametrize(
    ("body", "text"),
    [
        ({"properties": {}}, "location"),
        ({"location": "Global"}, "properties"),
        (group(groupShortName="much too long"), "12 characters"),
        (group(groupShortName=""), "groupShortName"),
        (group(enabled="yes"), "enabled"),
        (group({"name": "x"}), "serviceUri"),
        (group({"serviceUri": "http://x"}), "name"),
        (group(webhook("ftp://x")), "serviceUri"),
        (group(webhook(), webhook(name="BRIDGE")), "unique"),
        (group(webhook(), emailReceivers=[{"name": "Bridge", "emailAddress": "a@b"}]), "unique"),
        (group(webhook(useCommonAlertSchema="yes")), "wrong type"),
        (group(*(webhook(name=f"w{number}") for number in range(11))), "more than 10"),
        (group(webhookReceivers={"name": "x"}), "list"),
        (group(webhook(useAadAuth=True)), "auth context"),
        (group(itsmReceivers=[{**ITSM, "region": None}]), "region"),
        (group(itsmReceivers=[{**ITSM, "ticketConfiguration": '{"WorkItemType":"Incident"}'}]), "PayloadRevision"),
        (group(itsmReceivers=[{**ITSM, "workspaceId": "no bar"}]), "workspaceId"),
        (group(itsmReceivers=[{**ITSM, "name": f"i{number}"} for number in range(11)]), "more than 10"),
    ],
)
async def test_a_group_that_azure_does_not_take_is_refused(arm: Client, body: dict[str, Any], text: str) -> None:
    """400, and nothing is kept."""
    refused = await arm.put(GROUP, body)
    assert refused.status == 400
    assert text in refused.message
    assert (await arm.get(GROUP)).status == 404


async def test_microsoft_insights_answers_flat(arm: Client) -> None:
    """Its own errors have no envelope."""
    assert set((await arm.put(GROUP, group(enabled=3))).body) == {"code", "message"}


async def test_an_itsm_receiver_without_any_configuration_is_an_error_of_the_servers(arm: Client) -> None:
    """500, as people found out."""
    assert (await arm.put(GROUP, group(itsmReceivers=[{**ITSM, "ticketConfiguration": "{}"}]))).status == 500
    assert (await arm.put(GROUP, group(itsmReceivers=[ITSM]))).status == 201


async def test_a_secure_webhook_is_taken_from_an_owner_of_its_application(azure: Azure, arm: Client) -> None:
    """By the application's object id; the identifier URI and the tenant may be left out."""
    hook = await secure_webhook(azure)
    assert (await arm.put(GROUP, group(hook))).status == 201
    less = {name: value for name, value in hook.items() if name not in {"identifierUri", "tenantId"}}
    made = await arm.put(GROUP, group(less))
    (kept,) = made.body["properties"]["webhookReceivers"]
    assert (kept["identifierUri"], kept["tenantId"]) == (hook["identifierUri"], azure.tenant)


async def test_nobody_else_may_point_a_secure_webhook_at_an_application(azure: Azure, arm: Client) -> None:
    """Not even an Owner of the subscription; the code stands flat, its status can be set."""
    hook = await secure_webhook(azure, owned=False)
    refused = await arm.put(GROUP, group(hook))
    assert (refused.status, refused.body["code"]) == (400, "AadWebhookResourceNotOwnedByCaller")
    azure.arm.behaviour.webhook_refusal_status = 403
    async with azure.client(AZURE_OWNER) as other:
        assert (await other.put(GROUP, group(hook))).status == 403
    assert (await arm.put(GROUP, group({**hook, "objectId": GRAPH_APP_ID}))).status == 403
    azure.arm.behaviour.owner_check = False
    assert (await arm.put(GROUP, group(hook))).status == 201


async def test_who_owns_nothing_may_still_tag_a_group(azure: Azure, arm: Client) -> None:
    """A patch touches no receiver, so nobody asks for the owner; the switch must be one."""
    await arm.put(GROUP, group(await secure_webhook(azure)))
    async with azure.client(AZURE_OWNER) as other:
        assert (await other.patch(GROUP, {"tags": {"team": "x"}})).status == 200
        assert (await other.patch(GROUP, {"properties": {"enabled": 3}})).status == 400
        assert (await other.get(GROUP)).body["tags"] == {"team": "x"}


async def test_ten_webhooks_of_each_kind_are_taken(azure: Azure, arm: Client) -> None:
    """With a token and without."""
    secure = await secure_webhook(azure)
    plain = [webhook(name=f"plain {number}") for number in range(10)]
    many = [{**secure, "name": f"secure {number}"} for number in range(10)]
    assert (await arm.put(GROUP, group(*plain, *many))).status == 201
    assert (await arm.put(GROUP, group(*plain, *many, {**secure, "name": "one more"}))).status == 400


async def test_ownership_takes_its_time_too(azure: Azure, arm: Client) -> None:
    """ARM asks a replica that may not have heard of the owner."""
    azure.entra.graph.lag.seconds = 60
    hook = await secure_webhook(azure)
    azure.entra.graph.lag.reads = 1
    answers = [await arm.put(GROUP, group(hook)) for _ in range(2)]
    assert [one.status for one in answers] == [400, 201]
    assert answers[0].code == "AadWebhookResourceNotOwnedByCaller"


async def test_the_application_needs_the_identifier_uri(azure: Azure, arm: Client) -> None:
    """AadWebhookApplicationUriNotFound, for none at all and for another."""
    hook = await secure_webhook(azure)
    assert (await arm.put(GROUP, group({**hook, "identifierUri": "api://other"}))).code == (
        "AadWebhookApplicationUriNotFound"
    )
    async with azure.client(ADMIN, GRAPH_SCOPE) as graph:
        await graph.patch(f"/applications/{hook['objectId']}", {"identifierUris": []})
    assert (await arm.put(GROUP, group(hook))).code == "AadWebhookApplicationUriNotFound"


async def test_old_versions_know_no_secure_webhooks(azure: Azure, arm: Client) -> None:
    """They drop it without a word: the webhook is called without a token."""
    made = await arm.put(GROUP.replace("2023-01-01", "2019-03-01"), group(await secure_webhook(azure)))
    assert made.status == 201
    assert made.body["properties"]["webhookReceivers"][0].keys() == {"name", "serviceUri", "useCommonAlertSchema"}


async def test_names_and_locations_are_checked(arm: Client) -> None:
    """A name with signs, and another location for the same group."""
    assert (await arm.put(f"{GROUPS}/a&b?api-version=2023-01-01", group())).code == "InvalidResourceName"
    await arm.put(GROUP, group())
    moved = await arm.put(GROUP, {**group(), "location": "swedencentral"})
    assert (moved.status, moved.code) == (409, "InvalidResourceLocation")
