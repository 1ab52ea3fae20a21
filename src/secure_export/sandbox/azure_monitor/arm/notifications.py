"""Test notifications of action groups, and their status (entra-facts 6.1, azure-facts 2.4)."""

import asyncio
import random
from collections.abc import Callable
from typing import Any, Final

from secure_export.sandbox.azure_monitor import catalogue
from secure_export.sandbox.azure_monitor.arm.action_groups import RECEIVERS, as_webhook, checked_webhook
from secure_export.sandbox.azure_monitor.arm.errors import flat, refused, resource_not_found
from secure_export.sandbox.azure_monitor.arm.visit import Visit
from secure_export.sandbox.azure_monitor.arm.world import Row, World
from secure_export.sandbox.azure_monitor.catalogue import Workshop
from secure_export.sandbox.azure_monitor.monitor import Delivery, Message
from secure_export.sandbox.azure_monitor.rules import Banned, Delivered, Dropped
from secure_export.sandbox.reply import Reply, json_reply

GROUPS: Final = "Microsoft.Insights/actionGroups"
VERSIONS: Final = (
    "2021-09-01",
    "2022-04-01",
    "2022-06-01",
    "2023-01-01",
    "2023-09-01-preview",
    "2024-10-01-preview",
    "2026-09-01",
)
LONGEST_TYPE: Final = 30
# Each test that Azure offers, by what the sandbox's catalogue calls its canned body.
KINDS: Final = {
    "servicehealth": "test-service-health",
    "metricstaticthreshold": "test-metric-static",
    "metricsdynamicthreshold": "test-metric-dynamic",
    "logalertv2": "test-log-v2",
    "smartalert": "test-smart-detector",
    "webtestalert": "test-web-test",
    "logalertv1numresult": "test-log-v1-results",
    "logalertv1metricmeasurement": "test-log-v1-measurement",
    "resourcehealth": "test-resource-health",
    "activitylog": "test-activity-log",
    "actualcostbudget": "test-budget-actual",
    "forecastedbudget": "test-budget-forecast",
    "budget": "test-budget",
}
_CONTEXTS: Final = {"servicehealth": "ServiceHealth", "resourcehealth": "ResourceHealth", "activitylog": "ActivityLog"}
_NO_TIME: Final = "0001-01-01T00:00:00+00:00"
_TEXTS: Final = {
    400: "The webhook returned HTTP 400 Bad Request. Microsoft Entra auth is enabled but no auth context provided, or "
    "the receiver refused the body.",
    401: "The webhook returned HTTP 401: it returned an Unauthorized error.",
    403: "The webhook returned HTTP 403 Forbidden; make sure Microsoft Entra authentication is set up correctly.",
}


class Notifications:
    """Sends test notifications in the background.

    Args:
        in_background: Runs something to its end after the answer.
    """

    def __init__(self, in_background: Callable[[Any], None]) -> None:
        self._in_background = in_background

    async def created(self, visit: Visit) -> Reply:
        """Start a test: 202, and where its status is told."""
        _enter(visit, f"{GROUPS}/createNotifications/action")
        body = visit.body()
        kind = _kind(body)
        receivers = _receivers(body)
        for one in receivers.get("webhookReceivers", ()):
            one.update(await checked_webhook(visit, one))
        number, world = visit.world.number(), visit.world
        world.notifications[number] = _status(world, body["alertType"].lower(), receivers)
        self._in_background(_send(visit, kind, receivers, world.notifications[number]))
        group = f"{visit.scope}/providers/{GROUPS}/{visit.named['name']}"
        where = f"{visit.call.base}{group}/notificationStatus/{number}?api-version={visit.version}"
        return Reply(202).with_headers({"Location": where, "Retry-After": "1", "Content-Length": "0"})

    async def status(self, visit: Visit) -> Reply:
        """Tell how a test goes."""
        _enter(visit, f"{GROUPS}/notificationStatus/read")
        found = visit.world.notifications.get(visit.named["notification"])
        if found is None:
            raise refused(404, "NotFound", f"The notification '{visit.named['notification']}' was not found.")
        return json_reply(200, found)


def _enter(visit: Visit, action: str) -> None:
    visit.subscription()
    visit.must_be_version(GROUPS, VERSIONS)
    key = f"{visit.scope}/providers/{GROUPS}/{visit.named['name']}"
    visit.must(action, key)
    visit.world.group(visit.named["subscription"], visit.named["group"])
    if key.lower() not in visit.world.resources:
        raise resource_not_found(GROUPS, visit.named["name"], visit.named["group"])


def _kind(body: Row) -> str:
    kind = body.get("alertType")
    if not isinstance(kind, str) or not kind or len(kind) > LONGEST_TYPE:
        raise flat(400, "BadRequest", f"The alertType is required and has at most {LONGEST_TYPE} characters.")
    if kind.lower() not in KINDS:
        raise flat(400, "BadRequest", f"The alertType '{kind}' is not supported. These are: {', '.join(KINDS)}.")
    return KINDS[kind.lower()]


def _receivers(body: Row) -> dict[str, list[Row]]:
    found = {name: [dict(one) for one in body[name]] for name in RECEIVERS if body.get(name)}
    if not found:
        raise flat(400, "BadRequest", "The request names no receivers.")
    for name, receivers in found.items():
        for one in receivers:
            if missing := [member for member in RECEIVERS[name][1] if not one.get(member)]:
                raise flat(400, "BadRequest", f"The property {missing[0]} of a receiver in {name} is required.")
    return found


def _status(world: World, kind: str, receivers: dict[str, list[Row]]) -> Row:
    details = [
        {
            "MechanismType": _mechanism(name, one),
            "Name": one.get("name"),
            "Status": "InProgress",
            "SubState": "Default",
            "SendTime": world.clock.now().isoformat(),
            "Detail": None,
        }
        for name, many in receivers.items()
        for one in many
    ]
    context = f"Microsoft.Insights/{_CONTEXTS.get(kind, 'AlertNotification')}"
    return {
        "context": {"notificationSource": "Microsoft.Insights/TestNotification", "contextType": context},
        "state": "InProgress",
        "completedTime": _NO_TIME,
        "createdTime": world.clock.now().isoformat(),
        "actionDetails": details,
    }


async def _send(visit: Visit, kind: str, receivers: dict[str, list[Row]], status: Row) -> None:
    world = visit.world
    subscription = visit.subscription().id
    shop = Workshop(world.estate, world.clock.now(), random.Random(0))
    story = catalogue.build(kind, shop, test_subscription=subscription)
    message = Message.of(kind, story.fired)
    by_name = {one["Name"]: one for one in status["actionDetails"]}
    for one in by_name.values():  # what is no webhook reaches nobody here
        one["Status"] = "Completed"
    webhooks = [as_webhook(one) for one in receivers.get("webhookReceivers", ())]
    for one in webhooks:
        by_name[one.name]["Status"] = "InProgress"
    await asyncio.gather(
        *(_deliver(world, message, visit.named["name"], webhook, by_name[webhook.name]) for webhook in webhooks)
    )
    status["state"] = "Completed"


async def _deliver(world: World, message: Message, group: str, webhook: Any, detail: Row) -> None:
    (delivery,) = await world.monitor.send(message, group, [webhook])
    detail["SendTime"] = world.clock.now().isoformat()
    detail["Status"], detail["Detail"] = _result(delivery)


def _result(delivery: Delivery) -> tuple[str, str | None]:
    match delivery.result:
        case Delivered():
            return "Completed", None
        case Dropped(status=status, reason=reason):
            return "Failed", _TEXTS.get(status or 0, f"The webhook returned HTTP {status}." if status else reason)
        case Banned(seconds_left=left):
            return "Failed", f"Calls to the webhook are blocked for up to {max(1, round(left / 60))} minutes."
        case None:
            return "Failed", "It was never sent."
        case gave_up:
            retries = len(gave_up.attempts) - 1
            text = f"The notification didn't succeed after {retries} retries. {gave_up.reason}"
            return "Failed", f"{text} Calls to the webhook will be blocked for up to 15 minutes."


def _mechanism(name: str, receiver: Row) -> str:
    if name == "webhookReceivers":
        return "SecureWebhook" if receiver.get("useAadAuth") else "Webhook"
    kind = name.removesuffix("Receivers")
    return kind[:1].upper() + kind[1:]
