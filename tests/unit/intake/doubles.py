"""Stand-ins for the rooms beside intake: the gate and the journal."""

import asyncio
import json
from collections.abc import Sequence
from typing import Any

from secure_export.errors import StoreUnavailable
from secure_export.identity.caller import Caller, Refusal
from secure_export.intake.contract import Entry, Receipt

TENANT = "72f988bf-0000-0000-0000-000000000001"
SUBSCRIPTION = "11111111-1111-1111-1111-111111111111"
OTHER_SUBSCRIPTION = "22222222-2222-2222-2222-222222222222"
CALLER = Caller(
    tenant_id=TENANT,
    application_id="461e8683-5575-4561-ac7f-899cc907d62a",
    object_id="o",
    roles=("ActionGroupsSecureWebhook",),
    token_version="2.0",
    token_id="u-1",
    expires_at=4_000_000_000,
)
GOOD = b"Bearer good"


class StandInGate:
    """Lets ``GOOD`` in; remembers it when told to; can be slow or broken."""

    def __init__(self, *, remembers: bool = False) -> None:
        self.remembers = remembers
        self.open = asyncio.Event()
        self.open.set()
        self.fails: Exception | None = None
        self.checks = 0

    def remembered(self, authorization: bytes) -> Caller | None:
        return CALLER if self.remembers and authorization == GOOD else None

    async def admit(self, authorization: Sequence[bytes], *, roles: Any = None) -> Caller:
        self.checks += 1
        await self.open.wait()
        if self.fails is not None:
            raise self.fails
        if not authorization:
            raise Refusal(401, "no-token", "no token came", authenticate='Bearer realm="secure-export"')
        if list(authorization) != [GOOD]:
            raise Refusal(
                401, "bad-signature", "a wrong one", authenticate='Bearer realm="secure-export", error="invalid_token"'
            )
        return CALLER


class StandInJournal:
    """Keeps entries in memory as a store would on disk; can be slow, broken or full."""

    def __init__(self) -> None:
        self.entries: list[Entry] = []
        self.open = asyncio.Event()
        self.open.set()
        self.unavailable = False
        self.poison: bytes | None = None

    async def append(self, entry: Entry) -> Receipt:
        await self.open.wait()
        if self.unavailable:
            raise StoreUnavailable("the disk is full; make room")
        if self.poison is not None and self.poison in entry.body and entry.quarantine_reason is None:
            raise UnicodeEncodeError("utf-8", "\ud800", 0, 1, "surrogates not allowed")
        for number, known in enumerate(self.entries, 1):
            if entry.dedupe_key is not None and known.dedupe_key == entry.dedupe_key:
                return Receipt(number, "duplicate")
        self.entries.append(entry)
        return Receipt(len(self.entries), "accepted" if entry.quarantine_reason is None else "quarantined")


def alert_body(
    alert_id: str = "a1",
    *,
    condition: str = "Fired",
    subscription: str | None = SUBSCRIPTION,
    target: str | None = None,
    fired_at: str = "2026-03-02T09:14:05.117Z",
    **essentials: Any,
) -> bytes:
    """Make a metric alert in the common schema."""
    scope = f"/subscriptions/{subscription}" if subscription else ""
    machine = f"{scope}/resourceGroups/shop/providers/Microsoft.Compute/virtualMachines/web"
    targets = [target or machine] if subscription or target else []
    return json.dumps(
        {
            "schemaId": "azureMonitorCommonAlertSchema",
            "data": {
                "essentials": {
                    "alertId": f"{scope}/providers/Microsoft.AlertsManagement/alerts/{alert_id}",
                    "alertRule": "cpu",
                    "severity": "Sev2",
                    "signalType": "Metric",
                    "monitorCondition": condition,
                    "monitoringService": "Platform",
                    "alertTargetIDs": targets,
                    "firedDateTime": fired_at,
                    **({"resolvedDateTime": "2026-03-02T10:00:00Z"} if condition == "Resolved" else {}),
                    **essentials,
                },
                "alertContext": {"conditionType": "SingleResourceMultipleMetricCriteria", "condition": {"allOf": []}},
            },
        }
    ).encode()
