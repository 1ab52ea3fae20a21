"""The Azure side with the real program: an empty tenant is set up, proved, used, and taken back."""

import asyncio
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tests.azure_sandbox import Azure, azure_running
from tests.program import Program
from tests.unit.azure.world import state_of

from secure_export.sandbox.azure_monitor.arm.firing import Firing
from secure_export.sandbox.azure_monitor.estate import PRODUCTION
from secure_export.sandbox.entra.identities import ADMIN

pytestmark = pytest.mark.journey


async def test_from_an_empty_tenant_to_a_work_item_and_back(tmp_path: Path) -> None:
    """plan, apply, serve, verify, an alert to its work item, an outage, missed, destroy: the tenant is as it was."""
    async with azure_running() as azure:
        (tmp_path / "admin.secret").write_text(ADMIN.client_secret, encoding="utf-8")
        program = Program(tmp_path, azure.authority, subscriptions=(PRODUCTION,))
        with program.config.open("a", encoding="utf-8") as config:
            config.write(_azure(azure, program.url))
        before, text = state_of(azure), program.config.read_text(encoding="utf-8")

        plan = json.loads(await ran(program, "plan", "--json"))
        assert {change["action"] for change in plan[0]["changes"]} == {"create", "change"}
        assert state_of(azure) == before
        assert "made action group ag-secure-export" in await ran(program, "apply", "--yes", "--write-config")
        assert "0 to create, 0 to change" in await ran(program, "plan", "--exit-code")
        assert ADMIN.client_secret not in (tmp_path / "secure-export.azure.json").read_text(encoding="utf-8")

        failing = json.loads(await ran(program, "verify", "--json", "--no-test", code=1))
        wrong = [one for one in failing if not one["holds"]]
        assert [one["link"] for one in wrong] == [f"webhook {program.webhook}"]
        assert "cannot be reached" in wrong[0]["detail"]

        await asyncio.to_thread(program.start)
        try:
            for _ in range(2):  # Azure's test is the same alert each time, and a new work item all the same
                proved = json.loads(await ran(program, "verify", "--json"))
                assert [one for one in proved if one["holds"] is not True] == []
            fired = Firing(azure.arm, azure.station).fire("cpu-shop-web")
            await azure.station.settled()
            items = await asyncio.to_thread(program.wait_until, "/api/v1/work-items", _has(fired.story.fired.alert_id))
            assert items
        finally:
            await asyncio.to_thread(program.stop)

        unheard = Firing(azure.arm, azure.station).fire("dtu-orders")  # nobody is there
        await azure.station.settled()
        await asyncio.to_thread(program.start)
        try:
            found = json.loads(await ran(program, "missed", "--json"))
            assert [one["rule"] for one in found if one["outcome"] == "taken in"] == ["dtu-orders"]
            await asyncio.to_thread(program.wait_until, "/api/v1/work-items", _has(unheard.story.fired.alert_id))
        finally:
            await asyncio.to_thread(program.stop)

        assert "taken back app registration" in await ran(program, "destroy", "--yes")
        assert not (tmp_path / "secure-export.azure.json").exists()
        changed = program.config.read_text(encoding="utf-8").splitlines()
        assert [line for line in changed if line not in text.splitlines()] == [
            line for line in changed if line.startswith("audience")
        ]
        assert state_of(azure) == before


def _has(alert_id: str | None) -> Callable[[Any], bool]:
    """Tell whether a list of work items has one for an alert that the desk has confirmed."""
    return lambda answer: any(alert_id in one["alerts"] and not one["owed"] for one in answer["items"])


async def ran(program: Program, command: str, *options: str, code: int = 0) -> str:
    """Run a command of ``secure-export azure`` in the program's folder."""
    done = await asyncio.to_thread(program.run, "azure", command, *options, "--config", str(program.config))
    assert done.code == code, done.out + done.err
    assert ADMIN.client_secret not in done.out + done.err
    return done.out


def _azure(azure: Azure, url: str) -> str:
    return f"""
[azure]
graph_url = "{azure.graph_url}"
resource_manager_url = "{azure.arm_url}"
credential = {{ kind = "secret", client_id = "{ADMIN.client_id}", secret = {{ file = "admin.secret" }} }}
[azure.action_groups.ag-secure-export]
connection = "desk"
subscription = "{PRODUCTION}"
resource_group = "rg-shop-prod"
url = "{url}"
link = {{ resource_groups = ["rg-shop-prod"] }}
"""
