"""``secure-export explain``: the dry run, with the record that a ServiceNow instance would get."""

import asyncio
import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from secure_export.cli.main import app
from secure_export.sandbox.servicenow.demo_access import INTEGRATION_USER, PASSWORD
from secure_export.sandbox.servicenow.demo_data.azure import PRODUCTION
from secure_export.sandbox.servicenow.run import serving

GROUP = f"/subscriptions/{PRODUCTION}/resourceGroups/rg-shop-prod"
VM = f"{GROUP}/providers/Microsoft.Compute/virtualMachines/vm-shop-web-01"
ALERT = {
    "schemaId": "azureMonitorCommonAlertSchema",
    "data": {
        "essentials": {
            "alertId": f"/subscriptions/{PRODUCTION}/providers/Microsoft.AlertsManagement/alerts/a1b2",
            "alertRule": "cpu-web",
            "severity": "Sev1",
            "signalType": "Metric",
            "monitorCondition": "Fired",
            "monitoringService": "Platform",
            "alertTargetIDs": [VM],
            "firedDateTime": "2026-03-01T09:15:00Z",
        },
        "alertContext": {},
    },
}


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("SNOW_PASSWORD", PASSWORD)
    (tmp_path / "fired.json").write_text(json.dumps(ALERT), encoding="utf-8")
    ended = json.loads(json.dumps(ALERT).replace('"Fired"', '"Resolved"'))
    (tmp_path / "ended.json").write_text(json.dumps(ended), encoding="utf-8")
    return tmp_path


def explain(folder: Path, url: str, alert: str, *more: str) -> str:
    """Run the command with a connection to ServiceNow."""
    config = folder / "secure-export.toml"
    config.write_text(
        f'[store]\nurl = "sqlite:///{folder}/store.db"\n\n[identity]\ntenant_id = "{PRODUCTION}"\n'
        f'audience = ["{PRODUCTION}"]\n\n[connections.snow]\ntype = "servicenow"\nsubscriptions = ["*"]\n'
        f'url = "{url}"\nusername = "{INTEGRATION_USER}"\npassword = {{ env = "SNOW_PASSWORD" }}\n'
        'assignment_group = "Cloud Operations"\n',
        encoding="utf-8",
    )
    ran = CliRunner().invoke(app, ["explain", str(folder / alert), "--config", str(config), *more])
    assert ran.exit_code == 0, ran.output
    return ran.stdout


async def test_the_record_is_shown_field_by_field(folder: Path) -> None:
    """CI, group and keys are those that the record would have, without a store and without a record."""
    async with serving() as (instance, url):
        before = len(list(instance.instance.tables.rows("incident")))
        told = json.loads(await asyncio.to_thread(explain, folder, url, "fired.json", "--json"))
        assert told["configuration_items"][0]["rule"] == "resource-id"
        fields = told["record"]["fields"]
        assert fields["cmdb_ci"] == told["configuration_items"][0]["id"]
        assert fields["correlation_id"].startswith("azmon1:")
        assert len(fields["assignment_group"]) == 32
        printed = await asyncio.to_thread(explain, folder, url, "fired.json")
        assert "record in incident" in printed
        assert "short_description" in printed
        assert len(list(instance.instance.tables.rows("incident"))) == before
    assert not (folder / "store.db").exists()


async def test_the_end_of_an_alert_shows_no_record(folder: Path) -> None:
    """A resolve makes none."""
    async with serving() as (_, url):
        told = json.loads(await asyncio.to_thread(explain, folder, url, "ended.json", "--json"))
    assert told["record"] is None


@pytest.mark.served
def test_a_tool_that_is_down_ends_no_dry_run(folder: Path) -> None:
    """What is known is shown, with what could not be looked up, and why."""
    told = json.loads(explain(folder, "http://127.0.0.1:9", "fired.json", "--json"))
    assert told["title"]
    assert told["configuration_items"][0]["rule"] == "not-looked-up"
    assert "cannot be reached" in told["configuration_items"][0]["reason"]
    assert "cannot be reached" in told["record"]["remarks"][0]
