"""SIGKILL at random moments, under load from a client with Azure's retry rules; then every promise is checked."""

import asyncio
import json
import os
import random
import uuid
from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from tests.program import Program

from secure_export.sandbox.azure_monitor.credentials import CachedToken, ClientCredentials
from secure_export.sandbox.azure_monitor.delivery import WebhookSender
from secure_export.sandbox.azure_monitor.rules import Bans, Delivered
from secure_export.sandbox.entra.directory import (
    AZNS_APP_ID,
    AZNS_SANDBOX_SECRET,
    DEFAULT_TENANT_ID,
    RESOURCE_APP_ID,
)

pytestmark = pytest.mark.fault

KILLS = int(os.environ.get("SECURE_EXPORT_KILLS", "50"))
SUBSCRIPTION = "6d3a1c52-90b7-4c2e-8f14-7be2a5d9c803"
SECONDS_TO_DRAIN = 90


@dataclass
class Sent:
    """What one alert's sender knows of it."""

    alert_id: str
    fired: bool = False
    resolved: bool = False
    resolve_sent: bool = False


@dataclass
class Load:
    """Alerts that are fired, told twice, and resolved, until told to stop."""

    sender: WebhookSender
    chance: random.Random
    sent: list[Sent] = field(default_factory=list)
    stopping: bool = False

    async def run(self, senders: int) -> None:
        """Keep so many alerts under way at a time."""
        async with asyncio.TaskGroup() as group:
            for _ in range(senders):
                group.create_task(self._one_after_the_other())

    async def _one_after_the_other(self) -> None:
        while not self.stopping:
            await self._life_of_one()

    async def _life_of_one(self) -> None:
        """Fire, perhaps twice at once; most are resolved, a few of them before they fire."""
        alert = Sent(
            f"/subscriptions/{SUBSCRIPTION}/providers/Microsoft.AlertsManagement/alerts/{uuid.UUID(int=self.chance.getrandbits(128))}"
        )
        self.sent.append(alert)
        ends, early, twice = self.chance.random() < 0.7, self.chance.random() < 0.15, self.chance.random() < 0.2
        at = datetime.now(UTC)
        if ends and early:
            await self._tell(alert, at, resolved=True)
        told = [self._tell(alert, at, resolved=False) for _ in range(2 if twice else 1)]
        await asyncio.gather(*told)
        await asyncio.sleep(self.chance.random() * 0.1)
        if ends and not early:
            await self._tell(alert, at, resolved=True)

    async def _tell(self, alert: Sent, at: datetime, *, resolved: bool) -> None:
        if resolved:
            alert.resolve_sent = True
        result = await self.sender.send(body(alert.alert_id, at, resolved=resolved))
        if isinstance(result, Delivered) and resolved:
            alert.resolved = True
        elif isinstance(result, Delivered):
            alert.fired = True


def body(alert_id: str, at: datetime, *, resolved: bool) -> bytes:
    essentials: dict[str, Any] = {
        "alertId": alert_id,
        "alertRule": "queue-depth",
        "severity": "Sev2",
        "signalType": "Metric",
        "monitorCondition": "Resolved" if resolved else "Fired",
        "monitoringService": "Platform",
        "alertTargetIDs": [
            f"/subscriptions/{SUBSCRIPTION}/resourcegroups/shop/providers/microsoft.compute/virtualmachines/vm1"
        ],
        "firedDateTime": at.isoformat(),
    }
    if resolved:
        essentials["resolvedDateTime"] = (at + timedelta(seconds=1)).isoformat()
    return json.dumps(
        {"schemaId": "azureMonitorCommonAlertSchema", "data": {"essentials": essentials, "alertContext": None}}
    ).encode()


async def kill_again_and_again(program: Program, load: Load, kills: int) -> None:
    """Let the program run for a random while, end it as a power cut would, start it again."""
    for _ in range(kills):
        await asyncio.sleep(0.05 + load.chance.random() * 0.7)
        await asyncio.to_thread(program.kill)
        await asyncio.to_thread(program.start, ready=False)
        await asyncio.to_thread(program.wait_until_ready)
    load.stopping = True


async def test_whatever_got_a_202_is_one_work_item_in_the_right_state_after_many_kills(
    tmp_path: Path, entra: str
) -> None:
    """Nothing accepted is lost, and nothing becomes two work items, at whatever moment the program dies."""
    seed = random.randrange(2**32)  # noqa: S311 - chance, no secret
    print(f"seed {seed}, {KILLS} kills")  # noqa: T201 - a failing run can be looked into with it
    program = Program(tmp_path, entra)
    program.start()
    credentials = ClientCredentials(
        f"{entra}/{DEFAULT_TENANT_ID}/oauth2/v2.0/token", AZNS_APP_ID, AZNS_SANDBOX_SECRET, f"api://{RESOURCE_APP_ID}"
    )
    never = Bans(lambda: 0.0, seconds=0)
    try:
        async with WebhookSender(program.webhook, CachedToken(credentials), bans=never, time_scale=0.05) as sender:
            load = Load(sender, random.Random(seed))  # noqa: S311 - as above
            await asyncio.gather(load.run(senders=12), kill_again_and_again(program, load, KILLS))
        await asyncio.to_thread(
            program.wait_until, "/api/v1/lanes?limit=5", lambda answer: not answer["items"], seconds=SECONDS_TO_DRAIN
        )
    finally:
        program.stop()
    assert sum(alert.fired for alert in load.sent) > KILLS, "the load was too small to prove anything"
    judge(program, load.sent)


def judge(program: Program, sent: list[Sent]) -> None:
    """Compare what senders were promised with what there is."""
    items = program.rows("work-items", "list")
    incidents = program.rows("desk", "incidents")
    of_alert: Counter[str] = Counter(alert for item in items for alert in item["alerts"])
    state = {alert: item for item in items for alert in item["alerts"]}
    wrong = [complaint for alert in sent if (complaint := complaint_about(alert, of_alert, state))]
    assert not wrong, f"{len(wrong)} of {len(sent)}: {wrong[:5]}"
    assert not [item for item in items if item["owed"]], "a promise is still owed"
    keys = Counter(incident["key"] for incident in incidents)
    assert not [key for key, count in keys.items() if count > 1], "two incidents of one work item"
    assert {item["number"] for item in items} == {incident["number"] for incident in incidents}
    open_incidents = {i["number"] for i in incidents if i["state"] not in {"resolved", "closed"}}
    assert open_incidents == {item["number"] for item in items if item["state"] == "open"}


def complaint_about(alert: Sent, of_alert: Counter[str], state: dict[str, dict[str, Any]]) -> str | None:
    count = of_alert[alert.alert_id]
    if count > 1:
        return f"{alert} is in {count} work items"
    if alert.fired and count == 0:
        return f"{alert} was accepted and is in no work item"
    if count and alert.resolved and state[alert.alert_id]["state"] != "resolved":
        return f"{alert} is over, and its work item is open"
    if count and not alert.resolve_sent and state[alert.alert_id]["state"] != "open":
        return f"{alert} still fires, and its work item is resolved"
    return None
