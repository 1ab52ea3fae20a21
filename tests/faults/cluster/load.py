"""A client that follows Azure's retry rules, and what it was promised."""

import asyncio
import json
import uuid
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from random import Random
from typing import Any

from secure_export.sandbox.azure_monitor.credentials import CachedToken, ClientCredentials
from secure_export.sandbox.azure_monitor.delivery import WebhookSender
from secure_export.sandbox.azure_monitor.rules import Bans, Delivered, Result
from secure_export.sandbox.entra.directory import (
    AZNS_APP_ID,
    AZNS_SANDBOX_SECRET,
    DEFAULT_TENANT_ID,
    RESOURCE_APP_ID,
)

TIME_SCALE = 0.05
"""What Azure's waits of 75 seconds in all are multiplied by (azure-facts 2.2)."""

SENDERS = 10
_SUBSCRIPTION = "6d3a1c52-90b7-4c2e-8f14-7be2a5d9c803"
_ANSWER_SECONDS = 5.0
_ENDS, _EARLY, _TWICE, _LATE = 0.7, 0.15, 0.25, 0.2
_PAUSE_SECONDS = 0.25


class Said(StrEnum):
    """What became of one thing that was told of an alert."""

    NEVER = "never"
    """Nobody sent it."""
    MAYBE = "maybe"
    """It was sent, and no 202 came: it may have been taken."""
    TAKEN = "taken"
    """A 202 came."""


@dataclass
class Told:
    """What one alert's senders know of it.

    Attributes:
        alert_id: Which alert.
        name: The name of its rule, which no other alert has.
        connection: To which connection it was sent.
        fired: Whether it was told that it fires.
        ended: Whether it was told that it is over.
    """

    alert_id: str
    name: str
    connection: str
    fired: Said = Said.NEVER
    ended: Said = Said.NEVER


@dataclass
class Load:
    """Alerts that fire, are told twice, end, end before they fire, and are told of late; until told to stop.

    Attributes:
        senders: Who sends to each connection's webhook.
        chance: What decides.
        told: Every alert that was sent.
        results: How sends ended.
        statuses: What was answered.
        stopping: Whether no further alert is begun.
    """

    senders: dict[str, WebhookSender]
    chance: Random
    told: list[Told] = field(default_factory=list)
    results: Counter[str] = field(default_factory=Counter)
    statuses: Counter[str] = field(default_factory=Counter)
    stopping: bool = False

    async def run(self) -> None:
        """Keep some alerts under way at a time."""
        async with asyncio.TaskGroup() as group:
            for _ in range(SENDERS):
                group.create_task(self._one_after_the_other())

    async def _one_after_the_other(self) -> None:
        while not self.stopping:
            await self._life_of_one()
            await asyncio.sleep(self.chance.random() * _PAUSE_SECONDS)

    async def _life_of_one(self) -> None:
        chance = self.chance
        number = uuid.UUID(int=chance.getrandbits(128))
        alert_id = f"/subscriptions/{_SUBSCRIPTION}/providers/Microsoft.AlertsManagement/alerts/{number}"
        told = Told(alert_id, f"rule-{number.hex[:12]}", chance.choice(sorted(self.senders)))
        self.told.append(told)
        ends, early, twice, late = (chance.random() < share for share in (_ENDS, _EARLY, _TWICE, _LATE))
        at = datetime.now(UTC)
        if ends and early:
            await self._tell(told, at, ended=True)
        await asyncio.gather(*[self._tell(told, at, ended=False) for _ in range(2 if twice else 1)])
        await asyncio.sleep(chance.random() * _PAUSE_SECONDS)
        if ends and not early:
            await self._tell(told, at, ended=True)
        if late:
            await self._tell(told, at, ended=False)

    async def _tell(self, told: Told, at: datetime, *, ended: bool) -> None:
        what = "ended" if ended else "fired"
        if getattr(told, what) is Said.NEVER:
            setattr(told, what, Said.MAYBE)
        result = await self.senders[told.connection].send(body(told, at, ended=ended))
        if isinstance(result, Delivered):
            setattr(told, what, Said.TAKEN)
        self._count(result)

    def _count(self, result: Result) -> None:
        name = type(result).__name__
        if isinstance(result, Delivered):
            name = json.loads(result.body)["status"]
        self.results[name] += 1
        for attempt in result.attempts:
            self.statuses[str(attempt.status or "no answer")] += 1


@asynccontextmanager
async def load_for(webhooks: dict[str, str], entra: str, chance: Random) -> AsyncIterator[Load]:
    """Give a load that has not begun.

    Args:
        webhooks: The URL of each connection's webhook.
        entra: The base URL of a sandbox Entra ID.
        chance: What decides.
    """
    token = CachedToken(
        ClientCredentials(
            f"{entra}/{DEFAULT_TENANT_ID}/oauth2/v2.0/token",
            AZNS_APP_ID,
            AZNS_SANDBOX_SECRET,
            f"api://{RESOURCE_APP_ID}",
        )
    )
    # A ban would only make the load smaller: fifteen minutes of Azure's are most of a run.
    never = Bans(lambda: 0.0, seconds=0)
    senders = {
        name: WebhookSender(url, token, bans=never, time_scale=TIME_SCALE, timeout_seconds=_ANSWER_SECONDS)
        for name, url in webhooks.items()
    }
    try:
        yield Load(senders, chance)
    finally:
        for sender in senders.values():
            await sender.close()


def body(told: Told, at: datetime, *, ended: bool) -> bytes:
    """Write what Azure posts."""
    machine = f"/subscriptions/{_SUBSCRIPTION}/resourcegroups/shop/providers/microsoft.compute/virtualmachines/vm1"
    essentials: dict[str, Any] = {
        "alertId": told.alert_id,
        "alertRule": told.name,
        "severity": "Sev2",
        "signalType": "Metric",
        "monitorCondition": "Resolved" if ended else "Fired",
        "monitoringService": "Platform",
        "alertTargetIDs": [machine],
        "firedDateTime": at.isoformat(),
    }
    if ended:
        essentials["resolvedDateTime"] = (at + timedelta(seconds=1)).isoformat()
    data = {"essentials": essentials, "alertContext": None}
    return json.dumps({"schemaId": "azureMonitorCommonAlertSchema", "data": data}).encode()
