"""How action groups notify: side by side, once for each receiver and group, one ban for all."""

import asyncio
import json
import random
from collections.abc import AsyncGenerator
from typing import Any

import pytest

from secure_export.sandbox.azure_monitor import (
    ActionGroup,
    AzureMonitor,
    Banned,
    Delivered,
    Dropped,
    GaveUp,
    Message,
    Webhook,
)
from secure_export.sandbox.azure_monitor.catalogue import Workshop, build

TENANT = "c0ffee00-7e57-4a11-9b5d-5a4db0c5ed01"


@pytest.fixture
async def monitor(receiver: Any, clock: Any) -> AsyncGenerator[AzureMonitor]:
    """Give a monitor with two groups that share a receiver, and one with older schemas."""
    plain = Webhook("itsm", receiver.url, use_common_alert_schema=True)
    groups = [
        ActionGroup("one", "one", (plain,)),
        ActionGroup("two", "two", (plain,)),
        ActionGroup("old", "old", (Webhook("itsm", receiver.url),)),
    ]
    chance = random.Random(3)  # noqa: S311 - an order of calls
    async with AzureMonitor(
        "http://127.0.0.1:1", "client", "secret", groups=groups, clock=clock, sleep=clock.sleep, chance=chance
    ) as one:
        yield one


@pytest.fixture
def message(estate: Any, start: Any) -> Message:
    """Give a metric alert that fires."""
    story = build("metric-static", Workshop(estate, start, random.Random(1)))  # noqa: S311 - ids of samples
    return Message.of(story.kind, story.fired)


async def test_a_receiver_in_two_groups_is_called_once_for_each(
    monitor: AzureMonitor, receiver: Any, message: Message
) -> None:
    """That is where duplicates come from: the same bytes twice."""
    deliveries = await monitor.notify(message, ["one", "two"])
    assert receiver.bodies == [message.common, message.common]
    assert {one.group for one in deliveries} == {"one", "two"}
    assert all(isinstance(one.result, Delivered) for one in deliveries)


async def test_a_group_that_is_named_twice_is_called_once(
    monitor: AzureMonitor, receiver: Any, message: Message
) -> None:
    """Whatever the case of its name (azure-facts 1.5)."""
    await monitor.notify(message, ["one", "ONE"])
    assert len(receiver.bodies) == 1


async def test_an_action_without_the_common_schema_gets_the_older_body(
    monitor: AzureMonitor, receiver: Any, message: Message
) -> None:
    """The switch is the action's, not the rule's."""
    await monitor.notify(message, ["one", "old"])
    schemas = {json.loads(body)["schemaId"] for body in receiver.bodies}
    assert schemas == {"azureMonitorCommonAlertSchema", "AzureMonitorMetricAlert"}


async def test_groups_call_at_the_same_time(monitor: AzureMonitor, receiver: Any, message: Message) -> None:
    """One that has to retry does not hold the other up, and the order is not that of the groups."""
    orders = set()
    for _ in range(12):
        deliveries = await monitor.notify(message, ["one", "two"])
        orders.add(tuple(one.group for one in deliveries))
    assert orders == {("one", "two"), ("two", "one")}


async def test_a_ban_holds_for_every_group(monitor: AzureMonitor, receiver: Any, message: Message) -> None:
    """One group's failures stop the calls of all for 15 minutes; what fires meanwhile is lost."""
    receiver.statuses = [503] * 6
    (failed,) = await monitor.notify(message, ["one"])
    assert isinstance(failed.result, GaveUp)
    others = await monitor.notify(message, ["two", "old"])
    assert all(isinstance(one.result, Banned) for one in others)
    assert len(receiver.bodies) == 6


async def test_one_bad_answer_concerns_one_delivery(monitor: AzureMonitor, receiver: Any, message: Message) -> None:
    """A dropped notification bans nobody."""
    receiver.statuses = [401]
    deliveries = await monitor.notify(message, ["one", "two"])
    assert {type(one.result) for one in deliveries} == {Dropped, Delivered}


async def test_a_disabled_group_calls_nobody(monitor: AzureMonitor, receiver: Any, message: Message) -> None:
    """Switched off is off."""
    group = monitor.groups["one"]
    monitor.put_group(ActionGroup("ONE", "one", group.webhooks, enabled=False))
    assert await monitor.notify(message, ["one"]) == []
    assert receiver.bodies == []


async def test_unknown_and_too_many_groups_are_refused(monitor: AzureMonitor, message: Message) -> None:
    """A rule has at most five groups, and they must exist."""
    with pytest.raises(LookupError, match="one, two, old"):
        await monitor.notify(message, ["three"])
    with pytest.raises(ValueError, match="at most 5"):
        await monitor.notify(message, list("abcdef"))


async def test_deliveries_are_kept_and_numbered(monitor: AzureMonitor, message: Message) -> None:
    """What was sent can be looked at afterwards."""
    await monitor.notify(message, ["one", "two"])
    await monitor.notify(Message.raw(b"{"), ["one"])
    assert [one.number for one in monitor.deliveries] == [1, 2, 3]
    assert monitor.deliveries[-1].body == b"{"
    assert monitor.deliveries[0].message.alert_id == message.alert_id


async def test_webhooks_of_one_application_share_a_token(receiver: Any, tokens: Any, message: Message) -> None:
    """However many alerts fire, the token end point is asked once for a receiver."""
    secure = Webhook(
        "itsm",
        receiver.url,
        use_common_alert_schema=True,
        use_aad_auth=True,
        identifier_uri="api://hook",
        tenant_id=TENANT,
    )
    groups = [ActionGroup(name, name, (secure,)) for name in ("one", "two")]
    authority = tokens.url.removesuffix("/token")
    async with AzureMonitor(authority, "client", "secret", groups=groups) as monitor:
        await asyncio.gather(*(monitor.notify(message, ["one", "two"]) for _ in range(10)))
        monitor.ask_tokens_of(authority, client_secret="other")
        await monitor.notify(message, ["one"])
    assert len(tokens.forms) == 2
    assert "client_secret=other" in tokens.forms[1]
    assert receiver.headers[0]["authorization"] == "Bearer token-1"
    assert receiver.headers[-1]["authorization"] == "Bearer token-2"
