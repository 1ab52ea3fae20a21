"""What was there before: nothing of others changes, whatever is applied and taken back."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from tests.azure_sandbox import GRAPH_SCOPE, Azure
from tests.unit.azure.conftest import GROUP, Opener, applied
from tests.unit.azure.test_walk import RULE
from tests.unit.azure.world import state_of, webhooks

from secure_export.azure.setup.change import Action, Side
from secure_export.azure.setup.context import Context
from secure_export.azure.setup.record import Record
from secure_export.azure.setup.walk import ChangedMeanwhile, plan, take_back
from secure_export.sandbox.azure_monitor.estate import PRODUCTION, SHARED
from secure_export.sandbox.entra.directory import AZNS_APP_ID
from secure_export.sandbox.entra.identities import ADMIN

SCOPE = f"/subscriptions/{PRODUCTION}/resourceGroups/rg-shop-prod/providers"
RULES = [
    RULE,
    f"{SCOPE}/Microsoft.Insights/scheduledQueryRules/errors-checkout",
    f"{SCOPE}/Microsoft.Insights/activityLogAlerts/vault-changed",
    f"{SCOPE}/Microsoft.AlertsManagement/smartDetectorAlertRules/failure anomalies - appi-shop",
]
EVERY_RECEIVER: dict[str, list[dict[str, Any]]] = {
    "emailReceivers": [{"name": "mail", "emailAddress": "a@example.test", "useCommonAlertSchema": True}],
    "smsReceivers": [{"name": "sms", "countryCode": "49", "phoneNumber": "1"}],
    "voiceReceivers": [{"name": "voice", "countryCode": "1", "phoneNumber": "2"}],
    "webhookReceivers": [{"name": "other hook", "serviceUri": "https://example.test/?code=7"}],
    "itsmReceivers": [{"name": "itsm", "workspaceId": f"{SHARED}|w", "connectionId": "c", "region": "westeurope",
                       "ticketConfiguration": '{"PayloadRevision":0,"WorkItemType":"Incident"}'}],
    "azureAppPushReceivers": [{"name": "push", "emailAddress": "a@example.test"}],
    "armRoleReceivers": [{"name": "role", "roleId": "749f88d5-cbae-40b8-bcfc-e573ddc772fa"}],
    "logicAppReceivers": [{"name": "logic", "resourceId": "/x", "callbackUrl": "https://example.test/l"}],
    "azureFunctionReceivers": [{"name": "function", "functionAppResourceId": "/f", "functionName": "f",
                                "httpTriggerUrl": "https://example.test/f"}],
    "eventHubReceivers": [{"name": "hub", "eventHubNameSpace": "n", "eventHubName": "e", "subscriptionId": SHARED}],
    "automationRunbookReceivers": [{"name": "book", "automationAccountId": "/a", "runbookName": "r",
                                    "webhookResourceId": "/w", "isGlobalRunbook": False}],
}  # fmt: skip
THEIR_ROLE = {
    "id": "0d9f3b4a-2a67-5c11-9d41-6f0f6a1b2c3d",
    "allowedMemberTypes": ["User"],
    "description": "d",
    "displayName": "n",
    "value": "Their.Role",
    "isEnabled": True,
}


async def taken(context: Context, record: Record) -> None:
    async for _ in take_back(context, record):
        pass


async def there(azure: Azure, **properties: Any) -> None:
    """An action group of others."""
    body = {"location": "Global", "tags": {"team": "shop"}, "properties": {"groupShortName": "theirs", "enabled": True,
            **EVERY_RECEIVER, **properties}}  # fmt: skip
    async with azure.client(ADMIN) as arm:
        assert (await arm.put(f"{GROUP}?api-version=2023-01-01", body)).status in {200, 201}


async def test_an_action_group_of_others_keeps_every_receiver(azure: Azure, opened: Opener, record: Record) -> None:
    """Ours comes beside theirs, whatever the kind; taking back leaves exactly what was there."""
    await there(azure)
    before = state_of(azure)
    was = json.loads(json.dumps(azure.arm.resources[GROUP.lower()]))
    async with opened() as context:
        await applied(context, record)
        now = azure.arm.resources[GROUP.lower()]
        ours = webhooks(azure, GROUP)[-1]
        assert ours["name"] == "secure-export"
        now_without = {**now["properties"], "webhookReceivers": webhooks(azure, GROUP)[:-1]}
        assert (now_without, now["tags"]) == (was["properties"], was["tags"])
        await taken(context, record)
    assert state_of(azure) == before


async def test_a_webhook_that_had_our_name_comes_back(azure: Azure, opened: Opener, record: Record) -> None:
    """What is changed is remembered: taking back restores it at its place."""
    theirs = {"name": "Secure-Export", "serviceUri": "https://old.example.test/"}
    await there(azure, webhookReceivers=[theirs, {"name": "z", "serviceUri": "https://z.example.test/"}])
    before = state_of(azure)
    async with opened() as context:
        await applied(context, record)
        assert webhooks(azure, GROUP)[0]["useAadAuth"] is True
        await taken(context, record)
    assert state_of(azure) == before


@pytest.mark.parametrize(
    ("properties", "why"),
    [
        ({"enabled": False}, "disabled"),
        ({"emailReceivers": [{"name": "secure-export", "emailAddress": "a@example.test"}]}, "emailReceivers"),
    ],
)
async def test_what_cannot_be_put_in_is_said(
    azure: Azure, opened: Opener, record: Record, properties: dict[str, Any], why: str
) -> None:
    """A disabled group would call all its people if we enabled it, and names are unique in a group: nothing is done."""
    await there(azure, **properties)
    async with opened(link={"rules": [RULE]}) as context:
        await applied(context, record)
        changes = [c for c in (await plan(context)).changes if c.side is Side.AZURE]
    assert [change.action for change in changes] == [Action.BLOCKED, Action.BLOCKED]
    assert why in changes[0].reason
    assert all(one["name"] != "secure-export" for one in webhooks(azure, GROUP))
    assert {made.kind for made in record.of(azure.tenant)} & {"action group", "alert rule"} == set()


async def test_rules_of_every_kind_are_linked_and_keep_the_rest(azure: Azure, opened: Opener, record: Record) -> None:
    """The action group comes beside those that a rule names; nothing else of the rule changes, and all comes back."""
    before = state_of(azure)
    was = {rule: json.loads(json.dumps(azure.arm.resources[rule.lower()])) for rule in RULES}
    async with opened(link={"rules": RULES}) as context:
        await applied(context, record)
        for rule in RULES:
            now = json.loads(json.dumps(azure.arm.resources[rule.lower()]))
            assert GROUP.lower() in json.dumps(now).lower(), rule
            for one in (now, was[rule]):
                one["properties"].pop("actions", None)
                one["properties"].pop("actionGroups", None)
            assert now == was[rule]
        await taken(context, record)
    assert state_of(azure) == before


async def test_a_rule_with_five_action_groups_is_left_and_the_others_are_linked(
    azure: Azure, opened: Opener, record: Record
) -> None:
    """Azure takes five; the plan says so, and the rest is done."""
    ids = [{"actionGroupId": f"{SCOPE}/Microsoft.Insights/actionGroups/ag-{n}"} for n in range(5)]
    azure.arm.resources[RULE.lower()]["properties"]["actions"] = ids
    async with opened(link={"rules": RULES[:2]}) as context:
        done = await applied(context, record)
        left = [change for change in (await plan(context)).changes if change.action is not Action.KEEP]
    assert [one.name.rpartition("/")[2] for one in left] == ["cpu-shop-web → ag-itsm"]
    assert "five" in left[0].reason or "5 action groups" in left[0].reason
    assert any("errors-checkout" in one for one in done)


async def test_an_app_registration_of_others_keeps_what_it_has(azure: Azure, opened: Opener, record: Record) -> None:
    """Roles, claims, URIs and owners of the same registration survive; taking back undoes our changes alone."""
    async with azure.client(ADMIN, GRAPH_SCOPE) as graph:
        body = {"displayName": "theirs", "signInAudience": "AzureADMyOrg", "appRoles": [THEIR_ROLE],
                "optionalClaims": {"accessToken": [{"name": "ipaddr", "essential": False}], "idToken": []}}  # fmt: skip
        made = await graph.patch("/applications(uniqueName='secure-export')", body, Prefer="create-if-missing")
        uris = [f"api://{made.body['appId']}/theirs"]
        await graph.patch(f"/applications/{made.body['id']}", {"identifierUris": uris})
        await graph.post("/servicePrincipals", {"appId": made.body["appId"]})
        await graph.post("/servicePrincipals", {"appId": AZNS_APP_ID})
    before = json.loads(state_of(azure))
    async with opened() as context:
        await applied(context, record)
        (now,) = azure.entra.graph.tenant(azure.tenant).as_json()["applications"]
        assert now["displayName"] == "theirs"
        assert [role["value"] for role in now["appRoles"]] == ["Their.Role", "ActionGroupsSecureWebhook"]
        assert [one["name"] for one in now["optionalClaims"]["accessToken"]] == ["ipaddr", "idtyp"]
        assert now["identifierUris"] == [*uris, f"api://{now['appId']}"]
        await taken(context, record)
    assert json.loads(state_of(azure)) == before


async def test_the_action_groups_principal_stays_while_others_use_it(
    azure: Azure, opened: Opener, record: Record
) -> None:
    """It was let in by us, but others have given it a role since: it is theirs as much."""
    async with opened() as context:
        await applied(context, record)
    async with azure.client(ADMIN, GRAPH_SCOPE) as graph:
        role = {**THEIR_ROLE, "allowedMemberTypes": ["Application"]}
        app = (await graph.post("/applications", {"displayName": "other", "appRoles": [role]})).body
        own = (await graph.post("/servicePrincipals", {"appId": app["appId"]})).body
        azns = (await graph.get(f"/servicePrincipals(appId='{AZNS_APP_ID}')")).body
        given = {"principalId": azns["id"], "resourceId": own["id"], "appRoleId": role["id"]}
        assert (await graph.post(f"/servicePrincipals/{own['id']}/appRoleAssignedTo", given)).status == 201
    async with opened() as context:
        told = [p.change async for p in take_back(context, record) if p.done and p.change.reason]
    assert [change.kind for change in told] == ["action groups' service principal"]
    assert azure.entra.graph.tenant(azure.tenant).principal_of(AZNS_APP_ID) is not None
    assert record.tenants == ()


async def test_what_others_changed_after_the_plan_is_not_written_over(
    azure: Azure, opened: Opener, record: Record
) -> None:
    """A person has agreed to a plan; when the action group is another by then, they are asked to look again."""
    await there(azure)
    async with opened() as context:
        planned = await plan(context)
        await there(azure, emailReceivers=[])
        before = json.dumps(azure.arm.resources[GROUP.lower()], default=str)
        with pytest.raises(ChangedMeanwhile, match="concurrent change detected"):
            await applied(context, record, planned=planned)
        assert json.dumps(azure.arm.resources[GROUP.lower()], default=str) == before
        await applied(context, record, planned=await plan(context))
    assert azure.arm.resources[GROUP.lower()]["properties"]["emailReceivers"] == []
    assert webhooks(azure, GROUP)[-1]["name"] == "secure-export"


async def test_a_write_over_ours_at_the_same_moment_is_noticed(azure: Azure, opened: Opener, record: Record) -> None:
    """Somebody who read before our write and wrote after it drops our webhook: it is put onto what they wrote."""
    await there(azure)
    async with opened() as context:
        call = context.manager.call
        dropped: list[str] = []

        async def racing(method: str, path: str, **more: Any) -> Any:
            answer = await call(method, path, **more)
            if method == "PUT" and path == GROUP and not dropped:
                dropped.append(path)
                await there(azure, smsReceivers=[])
            return answer

        setattr(context.manager, "call", racing)  # noqa: B010 - a method of one object alone
        await applied(context, record)
    assert dropped
    assert azure.arm.resources[GROUP.lower()]["properties"]["smsReceivers"] == []
    assert webhooks(azure, GROUP)[-1]["name"] == "secure-export"


async def test_the_record_does_not_forget_what_an_older_configuration_made(
    azure: Azure, opened: Opener, record: Record
) -> None:
    """Destroy takes back what was made, whatever the configuration wants by then."""
    before = state_of(azure)
    async with opened(application={"unique_name": "first"}, link={"rules": [RULE]}) as context:
        await applied(context, record)
    async with opened(application={"unique_name": "second"}, receiver="other", name="ag-other") as context:
        await applied(context, record)
    async with opened(application={"unique_name": "third"}) as context:
        await taken(context, record)
    assert (state_of(azure), record.tenants) == (before, ())


async def test_what_only_newer_versions_know_is_written_with_those(opened: Opener, record: Record) -> None:
    """A write with a version that hides members would delete them; so the oldest that hides nothing is taken."""
    async with newer_manager() as (url, written), opened() as context:
        context.manager.url = url
        context.found.application_id, context.found.identifier_uri = "00000000-0000-4000-8000-000000000009", "api://x"
        from secure_export.azure.setup.steps.action_group import ActionGroup  # noqa: PLC0415 - this one step alone

        step = ActionGroup(context.wanted.groups[0])
        await step.make(context, await step.compare(context))
    ((version, body),) = written
    assert version == "2024-10-01-preview"
    assert body["identity"] == {"type": "SystemAssigned"}
    assert body["properties"]["incidentReceivers"] == [{"name": "icm"}]
    assert body["properties"]["eventHubReceivers"] == [{"name": "hub", "managedIdentity": "SystemAssigned"}]
    assert [one["name"] for one in body["properties"]["webhookReceivers"]] == ["secure-export"]


@asynccontextmanager
async def newer_manager() -> AsyncIterator[tuple[str, list[tuple[str, Any]]]]:
    """An Azure Resource Manager that hides from older versions what they do not know."""
    kept: dict[str, Any] = {"location": "Global", "identity": {"type": "SystemAssigned"}, "properties": {
        "groupShortName": "x", "enabled": True, "webhookReceivers": [], "incidentReceivers": [{"name": "icm"}],
        "eventHubReceivers": [{"name": "hub", "managedIdentity": "SystemAssigned"}]}}  # fmt: skip
    written: list[tuple[str, Any]] = []

    async def answer(request: web.Request) -> web.Response:
        version = request.query["api-version"]
        if version == "2026-09-01":
            return web.json_response({"error": {"code": "NoRegisteredProviderFound", "message": "no"}}, status=400)
        if request.method == "PUT":
            written.append((version, await request.json()))
            kept.update(written[-1][1])
        shown = json.loads(json.dumps(kept))
        if version == "2023-01-01":
            del shown["identity"], shown["properties"]["incidentReceivers"]
            del shown["properties"]["eventHubReceivers"][0]["managedIdentity"]
        return web.json_response(shown)

    app = web.Application()
    app.router.add_route("*", "/{any:.*}", answer)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    try:
        yield f"http://127.0.0.1:{runner.addresses[0][1]}", written
    finally:
        await runner.cleanup()


def test_a_record_of_another_kind_is_refused(tmp_path: Path) -> None:
    """A damaged file is never taken for an empty one: what was made would be forgotten."""
    from secure_export.errors import SettingsError  # noqa: PLC0415 - only here

    file = tmp_path / "record.json"
    for text in ("", "[]", "{}", '{"version": 2, "made": []}', '{"version": 1, "made": [{"kind": 1}]}', "\0"):
        file.write_text(text, encoding="utf-8")
        with pytest.raises(SettingsError, match=r"azure\.record"):
            Record(file)
