"""The way out of ITSMC with the real commands: from actions in Azure to tickets as before, and the old actions gone."""

import asyncio
import copy
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from tests.azure_sandbox import Azure, azure_running
from typer.testing import CliRunner

from secure_export.cli.main import app
from secure_export.errors import SecureExportError
from secure_export.sandbox.azure_monitor.estate import PRODUCTION, SHARED
from secure_export.sandbox.entra.identities import ADMIN
from secure_export.sandbox.entra.keys import SigningKey, make_key
from secure_export.sandbox.servicenow.demo_access import INTEGRATION_USER
from secure_export.sandbox.servicenow.run import serving as servicenow_serving

_INSIGHTS = "providers/Microsoft.Insights"
LOG_RULE = f"/subscriptions/{SHARED}/resourceGroups/rg-monitoring/{_INSIGHTS}/scheduledQueryRules/agents-silent"
METRIC_RULE = f"/subscriptions/{PRODUCTION}/resourceGroups/rg-shop-prod/{_INSIGHTS}/metricAlerts/dtu-orders"
MACHINE = "resourcegroups/rg/providers/microsoft.compute/virtualmachines/vm-1"


@dataclass
class Place:
    """A folder with a configuration, and an Azure.

    Attributes:
        azure: The Azure.
        config: The configuration file.
    """

    azure: Azure
    config: Path

    async def run(self, *arguments: str, fails: bool = False) -> str:
        """Run a command as its users do."""
        return await asyncio.to_thread(self._ran, arguments, fails)

    def _ran(self, arguments: tuple[str, ...], fails: bool) -> str:  # noqa: FBT001 - as above
        ran = CliRunner().invoke(app, [*arguments, "--config", str(self.config)])
        told = ran.stdout + (str(ran.exception) if isinstance(ran.exception, SecureExportError) else "")
        assert (ran.exit_code != 0) is fails, ran.output + repr(ran.exception)
        return told

    def itsm_actions(self) -> list[list[str]]:
        """Name the ITSM actions that Azure holds."""
        return [[one["name"] for one in row["properties"]["itsmReceivers"]] for row in self._groups()]

    @property
    def backup(self) -> Path:
        """Where the configuration as it was is kept."""
        return self.config.with_name("secure-export.toml.before-itsmc")

    def empty(self) -> None:
        """Take all ITSM actions out of Azure."""
        for row in self._groups():
            row["properties"]["itsmReceivers"] = []

    def mislead(self, url: str) -> None:
        """Let every webhook lead elsewhere."""
        for row in self._groups():
            for one in row["properties"]["webhookReceivers"]:
                one["serviceUri"] = url

    def groups(self) -> list[dict[str, Any]]:
        """Give the action groups that ITSMC was in."""
        return copy.deepcopy(self._groups())

    def _groups(self) -> list[dict[str, Any]]:
        rows = (row for row in self.azure.arm.all_rows() if row["name"].startswith("ag-itsmc"))
        return sorted(rows, key=lambda row: str(row["name"]))


@cache
def one_key() -> SigningKey:
    return make_key(datetime.now(UTC))


@pytest.fixture
async def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Place]:
    monkeypatch.setenv("AZURE_SECRET", ADMIN.client_secret)
    config = tmp_path / "secure-export.toml"
    async with azure_running(make_key=one_key) as azure:
        config.write_text(
            f'# ours\n[identity]\nauthority = "{azure.authority}"\ntenant_id = "{azure.tenant}"  # the one\n'
            'audience = ["api://x"]\n\n[connections.desk]\ntype = "desk"\nsubscriptions = ["*"]\n\n'
            f'[azure]\ngraph_url = "{azure.graph_url}"\nresource_manager_url = "{azure.arm_url}"\n'
            f'[azure.credential]\nkind = "secret"\nclient_id = "{ADMIN.client_id}"\n'
            'secret = { env = "AZURE_SECRET" }\n',
            encoding="utf-8",
        )
        yield Place(azure, config)


def alert_of(rule: str, *, log: bool) -> dict[str, Any]:
    """Give an alert of a rule, as Azure sends it."""
    subscription = rule.split("/")[2]
    computer = {"dimensions": [{"name": "Computer", "value": "vm-wms-app-01"}]}
    condition = computer if log else {"metricName": "dtu_consumption_percent", "dimensions": []}
    essentials = {
        "alertId": f"/subscriptions/{subscription}/providers/Microsoft.AlertsManagement/alerts/77",
        "alertRule": rule.rpartition("/")[2],
        "alertRuleID": rule.lower(),
        "severity": "Sev1",
        "signalType": "Log" if log else "Metric",
        "monitorCondition": "Fired",
        "monitoringService": "Log Alerts V2" if log else "Platform",
        "alertTargetIDs": [f"/subscriptions/{subscription}/{MACHINE}"],
        "configurationItems": ["vm-1"],
        "originAlertId": "1",
        "firedDateTime": "2026-01-01T00:00:00Z",
        "essentialsVersion": "1.0",
        "alertContextVersion": "1.0",
    }  # fmt: skip
    kind = "LogQueryCriteria" if log else "SingleResourceMultipleMetricCriteria"
    context = {"conditionType": kind, "condition": {"windowSize": "PT5M", "allOf": [condition]}}
    return {
        "schemaId": "azureMonitorCommonAlertSchema",
        "data": {"essentials": essentials, "alertContext": context},
    }


async def test_from_itsmc_to_secure_export_and_back(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    """Plan, apply, the ticket that ITSMC made, the old actions out; and destroying gives all of it back."""
    text, groups = place.config.read_text(), place.groups()
    planned = json.loads(await place.run("itsmc", "plan", "--json"))
    assert [one["name"] for one in planned["connections"]] == ["itsmc"]
    assert "snow-event" in await place.run("itsmc", "plan")
    assert (place.config.read_text(), place.groups()) == (text, groups)

    first = json.loads(await place.run("itsmc", "apply", "--yes", "--json", "--public-url", "https://a.example"))
    left = [one.partition(":")[0] for one in first["to_fill_in"]]
    assert left == ["connections.itsmc.url", "connections.itsmc.username"]
    assert (first["azure"], place.groups()) == ([], groups)
    assert place.config.read_text().startswith(text.partition("\n[connections.desk]")[0])
    assert first["configuration"]["backup"] == str(place.backup)
    assert place.backup.read_text() == text

    async with servicenow_serving() as (servicenow, url):
        user = INTEGRATION_USER
        monkeypatch.setenv("ITSMC_PASSWORD", servicenow.instance.people.passwords[user])
        filled = place.config.read_text().replace("https://fill-in.invalid", url).replace('"fill-in"', f'"{user}"')
        place.config.write_text(filled)
        assert "old ITSM actions were left" in await place.run("itsmc", "apply", "--remove-old", "--yes", fails=True)
        second = json.loads(await place.run("itsmc", "apply", "--yes", "--json"))
        assert [one["name"].rpartition("/")[2] for one in second["azure"] if one["kind"] == "action group"] == [
            "ag-itsmc (secure-export)", "ag-itsmc-shop (secure-export)"]  # fmt: skip
        third = json.loads(await place.run("itsmc", "apply", "--yes", "--json"))
        assert (third["azure"], third["configuration"]["added"], place.config.read_text()) == ([], [], filled)
        assert place.itsm_actions() == [["snow-incident", "snow-event"], ["snow-shop"]]
        await _tickets_are_as_before(place)

    await place.run("itsmc", "apply", "--remove-old", "--yes")
    assert place.itsm_actions() == [[], []]
    for now, then in zip(place.groups(), groups, strict=True):
        assert [one["serviceUri"] for one in now["properties"].pop("webhookReceivers")] == [
            "https://a.example/v1/connections/itsmc/alerts"]  # fmt: skip
        assert now["properties"] == {
            name: [] if name == "itsmReceivers" else one
            for name, one in then["properties"].items()
            if name != "webhookReceivers"
        }
    assert "nothing to carry over" in await place.run("itsmc", "plan")

    await place.run("azure", "destroy", "--yes")
    assert place.groups() == groups


async def _tickets_are_as_before(place: Place) -> None:
    """A log alert joins the open incident of its CI; another kind of alert makes one of its own."""
    for rule, log, key in ((LOG_RULE, True, "ci:"), (METRIC_RULE, False, "alert:")):
        path = place.config.with_name("alert.json")
        path.write_text(json.dumps(alert_of(rule, log=log)))
        told = json.loads(await place.run("explain", str(path), "--connection", "itsmc", "--json"))
        assert told["accepted"] == "yes"
        assert told["record"]["table"] == "incident"
        assert told["correlation_key"].startswith(key)


async def test_undo_puts_the_old_actions_back_beside_the_webhooks(place: Place) -> None:
    """One step back, without taking back the rest."""
    await place.run("itsmc", "apply", "--yes", "--type", "desk", "--connection", "desk", "--keep",
                    "--public-url", "https://a.example")  # fmt: skip
    await place.run("itsmc", "apply", "--yes", "--connection", "desk", "--keep")
    await place.run("itsmc", "apply", "--remove-old", "--yes", "--connection", "desk", "--group", "ag-itsmc")
    assert place.itsm_actions() == [[], ["snow-shop"]]
    undone = json.loads(await place.run("itsmc", "undo", "--yes", "--json"))
    assert len(undone) == 2
    assert place.itsm_actions() == [["snow-incident", "snow-event"], ["snow-shop"]]
    assert "Nothing to put back" in await place.run("itsmc", "undo", "--yes")
    assert all(row["properties"]["webhookReceivers"] for row in place.groups())


async def test_a_webhook_that_leads_elsewhere_keeps_the_old_actions(place: Place) -> None:
    """That a webhook of our name is there is not enough: it has to be as it should be."""
    await place.run("itsmc", "apply", "--yes", "--connection", "desk", "--keep", "--public-url", "https://a.example")
    place.mislead("https://elsewhere.example")
    told = await place.run("itsmc", "apply", "--remove-old", "--yes", "--connection", "desk", fails=True)
    assert "old ITSM actions were left" in told
    assert place.itsm_actions() == [["snow-incident", "snow-event"], ["snow-shop"]]


async def test_where_there_is_nothing_the_plan_says_so(place: Place) -> None:
    """It is no failure, for people and for programs."""
    place.empty()
    assert "nothing to carry over" in await place.run("itsmc", "plan")
    told = json.loads(await place.run("itsmc", "plan", "--json"))
    assert (told["action_groups"], told["configuration"]) == ([], "")
    await place.run("itsmc", "apply", "--yes", "--remove-old")
    await place.run("itsmc", "apply", "--yes")
    assert [one.name for one in place.config.parent.iterdir()] == ["secure-export.toml"]


async def test_sections_of_others_are_not_overwritten(place: Place) -> None:
    """It refuses, and shows what ITSMC's would be."""
    own = '\n[connections.itsmc]\ntype = "desk"\nsubscriptions = ["*"]\n'
    place.config.write_text(place.config.read_text() + own)
    before = place.config.read_text()
    told = await place.run("itsmc", "apply", "--yes", fails=True)
    assert "--force" in told
    assert 'type = "servicenow"' in told
    assert place.config.read_text() == before
