"""The commands that list what is kept."""

import asyncio
import json
from pathlib import Path

import pytest
from tests.conformance.store_suite.samples import NOW, claim_one, entry, folded, item
from typer.testing import CliRunner

from secure_export.cli.main import app
from secure_export.delivery.contract import Release
from secure_export.store.sqlite.store import SqliteStore

SETTINGS = """
[store]
url = "sqlite:///{folder}/store.db"
[identity]
tenant_id = "00000000-0000-0000-0000-000000000001"
audience = ["00000000-0000-0000-0000-000000000002"]
[connections.desk]
type = "desk"
subscriptions = ["*"]
"""


async def _park(folder: Path) -> None:
    store = await SqliteStore.open(folder / "store.db", clock=lambda: NOW)
    await store.journal.append(entry("alert:/subscriptions/1/alerts/a"))
    lane = await claim_one(store.lanes)
    release = Release(seen=99, parked="no such group")
    one = item("alert:/subscriptions/1/alerts/a")
    await store.lanes.save(lane, folded(lane, item=one, release=release), now=NOW)
    await store.close()


@pytest.fixture
def config(tmp_path: Path) -> Path:
    """A store with one parked lane."""
    path = tmp_path / "secure-export.toml"
    path.write_text(SETTINGS.format(folder=tmp_path))
    asyncio.run(_park(tmp_path))
    return path


def test_lanes_are_told_by_what_their_work_item_says(config: Path) -> None:
    """A person sees the title first and the key, which is long and says little, last."""
    printed = CliRunner().invoke(app, ["lanes", "list", "--config", str(config)], env={"COLUMNS": "200"})
    assert printed.exit_code == 0
    heads, row = printed.output.splitlines()
    assert heads.split("  ")[0] == "state"
    order = [heads.index(name) for name in ("state", "connection", "title", "reason", "due at", "pending", "key")]
    assert order == sorted(order)
    assert "CPU is high" in row
    assert row.rstrip().endswith("alert:/subscriptions/1/alerts/a")


def test_lanes_as_json_have_the_title_too(config: Path) -> None:
    """Programs get what people see, by the names of the API."""
    printed = CliRunner().invoke(app, ["lanes", "list", "--json", "--config", str(config)])
    [row] = json.loads(printed.output)
    assert (row["title"], row["state"], row["reason"]) == ("CPU is high", "parked", "no such group")
