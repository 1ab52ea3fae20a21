"""``azure missed`` on the command line."""

import asyncio
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from tests.azure_sandbox import Azure
from tests.unit.azure.missed.test_catching_up import fire, link
from typer.testing import CliRunner, Result

from secure_export.cli.azure import app
from secure_export.cli.azure.missed import moment
from secure_export.errors import SettingsError
from secure_export.sandbox.azure_monitor.estate import PRODUCTION
from secure_export.sandbox.entra.identities import NOBODY, READER, Identity

NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)
GROUP = f"""
[azure.action_groups.ag-itsm]
connection = "desk"
subscription = "{PRODUCTION}"
resource_group = "rg-shop-prod"
"""


def configured(
    azure: Azure, folder: Path, monkeypatch: pytest.MonkeyPatch, *, who: Identity = READER, group: str = GROUP
) -> Path:
    monkeypatch.setenv("AZURE_SECRET", who.client_secret)
    file = folder / "secure-export.toml"
    file.write_text(
        f'[store]\nurl = "sqlite:///{folder}/store.db"\n[identity]\nauthority = "{azure.authority}"\n'
        f'tenant_id = "{azure.tenant}"\naudience = ["api://x"]\n'
        f'[connections.desk]\ntype = "desk"\nsubscriptions = ["{PRODUCTION}"]\n'
        f'[azure]\nresource_manager_url = "{azure.arm_url}"\n'
        f'credential = {{ kind = "secret", client_id = "{who.client_id}", secret = {{ env = "AZURE_SECRET" }} }}\n'
        f"{group}",
        encoding="utf-8",
    )
    return file


async def run(file: Path, *arguments: str) -> Result:
    """Run the command in a thread: it has a loop of its own, and the sandbox runs on this one."""
    return await asyncio.to_thread(CliRunner().invoke, app, ["missed", "--config", str(file), *arguments])


async def test_it_says_what_is_missing_takes_it_in_and_knows_it_then(
    azure: Azure, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A dry run makes no store and takes nothing in; JSON is an array with one object for each notification."""
    link(azure, "cpu-shop-web")
    await fire(azure, "cpu-shop-web", resolved=True)
    file = configured(azure, tmp_path, monkeypatch)
    dry = await run(file, "--dry-run", "--since", "1h")
    assert dry.exit_code == 0, dry.output
    assert "cpu-shop-web" in dry.output
    assert "2 missing." in dry.output
    assert not (tmp_path / "store.db").exists()
    taken = await run(file, "--json")
    rows = json.loads(taken.stdout)
    assert [(one["condition"], one["outcome"], one["connection"]) for one in rows] == [
        ("fired", "taken in", "desk"),
        ("resolved", "taken in", "desk"),
    ]
    assert rows[0]["at"].endswith("Z")
    again = await run(file, "--all", "--since", "1h")
    assert "2 known." in again.output


async def test_a_subscription_that_may_not_be_read_is_an_error(
    azure: Azure, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is named, and the exit code is 1: an empty list would say that nothing was missed."""
    result = await run(configured(azure, tmp_path, monkeypatch, who=NOBODY))
    assert result.exit_code == 1
    assert PRODUCTION in result.output
    assert "403" in result.output


async def test_without_an_action_group_nobody_can_tell_whose_alerts_they_are(
    azure: Azure, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The message says what to configure."""
    result = await run(configured(azure, tmp_path, monkeypatch, group=""))
    assert isinstance(result.exception, SettingsError)
    assert "azure.action_groups" in str(result.exception)


@pytest.mark.parametrize(
    ("text", "at"),
    [
        ("6h", NOW - timedelta(hours=6)),
        ("30d", NOW - timedelta(days=30)),
        ("45m", NOW - timedelta(minutes=45)),
        ("2026-03-02T09:00Z", NOW - timedelta(hours=3)),
        ("2026-03-02T09:00", NOW - timedelta(hours=3)),
        ("2026-03-01", NOW - timedelta(hours=36)),
    ],
)
def test_since_is_a_span_or_a_time(text: str, at: datetime) -> None:
    """Without a zone UTC is meant."""
    assert moment(text, NOW) == at


@pytest.mark.parametrize("text", ["", "yesterday", "31d", "9999d", "2026-03-03", "2020-01-01", "6 weeks", "-1h"])
def test_what_is_no_such_time_is_refused(text: str) -> None:
    """Neither what cannot be read, nor the future, nor what Azure no longer keeps."""
    with pytest.raises(SettingsError, match="--since"):
        moment(text, NOW)
