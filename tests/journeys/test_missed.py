"""What Azure could not deliver is fetched: the real program, an outage, and a ban."""

import asyncio
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from tests.azure_sandbox import Azure, azure_running
from tests.program import Program

from secure_export.sandbox.azure_monitor.arm.action_groups import as_group
from secure_export.sandbox.azure_monitor.arm.firing import Firing
from secure_export.sandbox.azure_monitor.arm.seeding import action_group_properties, put
from secure_export.sandbox.azure_monitor.estate import PRODUCTION
from secure_export.sandbox.entra.directory import RESOURCE_APP_ID
from secure_export.sandbox.entra.identities import READER
from secure_export.sandbox.entra.keys import make_key

EARLIER = timedelta(minutes=10)
RULES = ("cpu-shop-web", "dtu-orders", "cpu-wms-app")
CONFIGURATION = """
[azure]
resource_manager_url = "{arm}"
credential = {{ kind = "secret", client_id = "{client}", secret = {{ env = "AZURE_SECRET" }} }}

[azure.action_groups.ag-itsm]
connection = "desk"
subscription = "{subscription}"
resource_group = "rg-shop-prod"

[azure.missed]
enabled = true
"""


def set_up(azure: Azure, webhook: str) -> None:
    """Let rules call the program's webhook."""
    receiver = {
        "name": "secure-export",
        "serviceUri": webhook,
        "useCommonAlertSchema": True,
        "useAadAuth": True,
        "objectId": "0b0e0000-0000-4000-8000-000000000001",
        "identifierUri": f"api://{RESOURCE_APP_ID}",
        "tenantId": azure.tenant,
    }
    properties = action_group_properties("itsm", webhookReceivers=[receiver])
    key = put(azure.arm, PRODUCTION, "rg-shop-prod", "Microsoft.Insights/actionGroups", "ag-itsm", properties)
    azure.arm.monitor.put_group(as_group(azure.arm.resources[key.lower()]))
    for one in azure.arm.resources.values():
        if one["name"] in RULES:
            one["properties"]["actions"] = [{"actionGroupId": key.lower()}]


async def fire(azure: Azure, rule: str, *, resolved: bool = False) -> None:
    fired = Firing(azure.arm, azure.station).fire(rule)
    await azure.station.settled()
    if resolved:
        azure.station.resolve(fired.number)
        await azure.station.settled()


def are(*states: str) -> Any:
    """Say whether the work items are in these states, and the tool has them so."""

    def holds(answer: dict[str, Any]) -> bool:
        rows = answer["items"]
        return sorted(row["state"] for row in rows) == sorted(states) and not any(row["owed"] for row in rows)

    return holds


async def test_alerts_of_an_outage_and_of_a_ban_become_work_items(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Promise 7: nobody was there, then Azure called nobody for fifteen minutes, and nothing is missing afterwards."""
    monkeypatch.setenv("AZURE_SECRET", READER.client_secret)
    async with azure_running(make_key=lambda: make_key(datetime.now(UTC))) as azure:
        more = CONFIGURATION.format(arm=azure.arm_url, client=READER.client_id, subscription=PRODUCTION)
        program = Program(tmp_path, azure.authority, subscriptions=(PRODUCTION,), more=more)
        set_up(azure, program.webhook)

        azure.arm.clock.move(-EARLIER)
        await fire(azure, "cpu-shop-web", resolved=True)
        await fire(azure, "dtu-orders")
        azure.arm.clock.move(EARLIER)
        assert program.webhook in azure.station.monitor.bans.listed()

        await asyncio.to_thread(program.start)
        try:
            path = "/api/v1/work-items"
            await asyncio.to_thread(program.wait_until, path, are("resolved", "open"))
            metrics = (await asyncio.to_thread(program.get, "/metrics"))[1].decode()
            assert 'secure_export_missed_total{connection="desk"} 3.0' in metrics

            azure.station.monitor.bans.ban(program.webhook)
            await fire(azure, "cpu-wms-app")
            ran = await asyncio.to_thread(program.run, "azure", "missed", "--json")
            assert (ran.code, ran.err) == (0, "")
            found = [(one["rule"], one["condition"]) for one in json.loads(ran.out) if one["outcome"] == "taken in"]
            assert found == [("cpu-wms-app", "fired")]
            await asyncio.to_thread(program.wait_until, path, are("resolved", "open", "open"))
        finally:
            await asyncio.to_thread(program.stop)
