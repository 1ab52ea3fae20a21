"""Test notifications over real HTTP, from ARM through Entra ID to the webhook (entra-facts 6.1)."""

import asyncio
import base64
import json
from typing import Any

import pytest
from tests.azure_sandbox import GRAPH_SCOPE, Answer, Azure, Client
from tests.unit.sandbox.azure_monitor.arm.arm_requests import GROUP, TEST, group, secure_webhook, webhook
from tests.unit.sandbox.azure_monitor.conftest import Receiver

from secure_export.sandbox.azure_monitor.arm.notifications import KINDS
from secure_export.sandbox.entra.identities import ADMIN, AZURE_OWNER, READER


async def _ended(arm: Client, started: Answer) -> dict[str, Any]:
    """Poll as the answer says, until the test has ended."""
    assert started.status == 202, started.body
    while True:
        status = await arm.get(started.headers["Location"])
        assert status.status == 200
        if status.body["state"] == "Completed":
            return dict(status.body)
        await asyncio.sleep(0)


def _claims(receiver: Receiver) -> dict[str, Any]:
    token = receiver.headers[-1]["authorization"].split()[1]
    claims: dict[str, Any] = json.loads(base64.urlsafe_b64decode(token.split(".")[1] + "=="))
    return claims


async def test_a_test_sends_a_canned_alert_with_a_token(azure: Azure, arm: Client, receiver: Receiver) -> None:
    """202 with a place to poll; the token carries the role that was assigned."""
    hook = await secure_webhook(azure, receiver.url)
    await arm.put(GROUP, group(hook))
    body = await _ended(arm, await arm.post(TEST, {"alertType": "logalertv2", "webhookReceivers": [hook]}))
    (detail,) = body["actionDetails"]
    assert (detail["MechanismType"], detail["Name"], detail["Status"], detail["Detail"]) == (
        "SecureWebhook",
        "bridge",
        "Completed",
        None,
    )
    assert body["context"]["notificationSource"] == "Microsoft.Insights/TestNotification"
    assert _claims(receiver)["roles"] == ["ActionGroupsSecureWebhook"]
    said = json.loads(receiver.bodies[0])["data"]["essentials"]
    assert (said["monitoringService"], said["alertRule"]) == ("Log Alerts V2", "test-logAlertRule-v2")


@pytest.mark.parametrize("kind", KINDS)
async def test_every_kind_of_test_can_be_sent(arm: Client, receiver: Receiver, kind: str) -> None:
    """Tests are no alerts: Alerts Management knows nothing of them."""
    await arm.put(GROUP, group(webhook(receiver.url)))
    await _ended(arm, await arm.post(TEST, {"alertType": kind, "webhookReceivers": [webhook(receiver.url)]}))
    assert b"azureMonitorCommonAlertSchema" in receiver.bodies[0]
    assert "authorization" not in receiver.headers[0]


@pytest.mark.parametrize(
    ("status", "text"),
    [
        (401, "returned an Unauthorized error"),
        (403, "make sure Microsoft Entra authentication is set up correctly"),
        (400, "400"),
        (404, "HTTP 404"),
    ],
)
async def test_what_the_receiver_answers_is_told(arm: Client, receiver: Receiver, status: int, text: str) -> None:
    """Failed, with a sentence for people."""
    receiver.statuses = [status]
    await arm.put(GROUP, group(webhook(receiver.url)))
    body = await _ended(
        arm, await arm.post(TEST, {"alertType": "activitylog", "webhookReceivers": [webhook(receiver.url)]})
    )
    (detail,) = body["actionDetails"]
    assert detail["Status"] == "Failed"
    assert text in detail["Detail"]


async def test_a_receiver_that_is_down_is_retried_and_then_blocked(
    azure: Azure, arm: Client, unused_port: int, receiver: Receiver
) -> None:
    """Five retries, then nobody calls it for a while; the next test says so at once."""
    down = webhook(f"http://127.0.0.1:{unused_port}/hook")
    await arm.put(GROUP, group(down))
    order = {
        "alertType": "servicehealth",
        "webhookReceivers": [down],
        "emailReceivers": [{"name": "m", "emailAddress": "a@b"}],
    }
    first = await _ended(arm, await arm.post(TEST, order))
    details = {one["Name"]: one for one in first["actionDetails"]}
    assert "didn't succeed after 5 retries" in details["bridge"]["Detail"]
    assert (details["m"]["MechanismType"], details["m"]["Status"]) == ("Email", "Completed")
    azure.station.monitor.bans.ban(down["serviceUri"])
    second = await _ended(arm, await arm.post(TEST, {"alertType": "servicehealth", "webhookReceivers": [down]}))
    assert "blocked for up to" in second["actionDetails"][0]["Detail"]
    assert receiver.bodies == []


async def test_without_the_role_the_token_is_refused_to_the_action_group(
    azure: Azure, arm: Client, receiver: Receiver
) -> None:
    """With an assignment required there is no token at all, and no call is made."""
    hook = await secure_webhook(azure, receiver.url)
    await arm.put(GROUP, group(hook))
    async with azure.client(ADMIN, GRAPH_SCOPE) as graph:
        app = (await graph.get(f"/applications/{hook['objectId']}")).body
        own = f"/servicePrincipals(appId='{app['appId']}')"
        (row,) = (await graph.get(f"{own}/appRoleAssignedTo")).values
        assert (await graph.delete(f"{own}/appRoleAssignedTo/{row['id']}")).status == 204
    body = await _ended(arm, await arm.post(TEST, {"alertType": "activitylog", "webhookReceivers": [hook]}))
    assert "AADSTS501051" in body["actionDetails"][0]["Detail"]
    assert receiver.bodies == []


async def test_a_kept_token_keeps_its_roles(azure: Azure, arm: Client, receiver: Receiver) -> None:
    """Action groups use a token until it ends, so what changed in Entra ID shows later."""
    hook = await secure_webhook(azure, receiver.url)
    await arm.put(GROUP, group(hook))
    order = {"alertType": "activitylog", "webhookReceivers": [hook]}
    await _ended(arm, await arm.post(TEST, order))
    tenant = azure.entra.graph.tenant(azure.tenant)
    for one in [one for one in tenant.assignments.all() if one["principalDisplayName"] == "AzNS AAD Webhook"]:
        tenant.assignments.remove(one["id"])
    await _ended(arm, await arm.post(TEST, order))
    assert _claims(receiver)["roles"] == ["ActionGroupsSecureWebhook"]
    azure.station.monitor.forget_tokens()
    last = await _ended(arm, await arm.post(TEST, order))
    assert (len(receiver.bodies), last["actionDetails"][0]["Status"]) == (2, "Failed")


async def test_only_an_owner_of_the_application_may_test(azure: Azure, arm: Client) -> None:
    """As for writing the group; a reader may not test at all, but may read how a test went."""
    hook = await secure_webhook(azure)
    await arm.put(GROUP, group(hook))
    order = {"alertType": "activitylog", "webhookReceivers": [hook]}
    async with azure.client(AZURE_OWNER) as other:
        assert (await other.post(TEST, order)).code == "AadWebhookResourceNotOwnedByCaller"
    async with azure.client(READER) as reader:
        assert (await reader.post(TEST, order)).status == 403
        started = await arm.post(TEST, order)
        assert (await reader.get(started.headers["Location"])).status == 200
    await azure.station.settled()


@pytest.mark.parametrize(
    "order",
    [
        {"webhookReceivers": [webhook()]},
        {"alertType": "nonsense", "webhookReceivers": [webhook()]},
        {"alertType": "x" * 31, "webhookReceivers": [webhook()]},
        {"alertType": "activitylog"},
        {"alertType": "activitylog", "webhookReceivers": [{"name": "x"}]},
    ],
)
async def test_a_test_that_makes_no_sense_is_refused(arm: Client, order: dict[str, Any]) -> None:
    """400, flat."""
    await arm.put(GROUP, group(webhook()))
    refused = await arm.post(TEST, order)
    assert (refused.status, set(refused.body)) == (400, {"code", "message"})


async def test_a_group_must_be_saved_before_it_is_tested(arm: Client) -> None:
    """404; and for a test that nobody started."""
    assert (await arm.post(TEST, {"alertType": "activitylog", "webhookReceivers": [webhook()]})).status == 404
    await arm.put(GROUP, group(webhook()))
    where = TEST.replace("createNotifications", "notificationStatus/11000222191287")
    assert (await arm.get(where)).status == 404
