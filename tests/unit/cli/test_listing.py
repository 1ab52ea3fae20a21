"""The commands that list what is kept."""

import asyncio
import json
from pathlib import Path

import pytest
from tests.conformance.store_suite.samples import LEASE, NOW, claim_one, entry, folded, item, open_in_tool
from typer.testing import CliRunner

from secure_export.cli.main import app
from secure_export.delivery.contract import Release
from secure_export.errors import NotFound
from secure_export.store.sqlite.store import SqliteStore
from secure_export.workitems.work_item import Confirmed, ToolState

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


def test_a_work_item_is_shown_by_its_number(config: Path, tmp_path: Path) -> None:
    """People type the number that the tool shows them; one that nothing has is told."""

    async def number() -> None:
        store = await SqliteStore.open(tmp_path / "store.db", clock=lambda: NOW)
        await store.journal.append(entry("alert:b"))
        lane = await claim_one(store.lanes)
        await store.lanes.save(lane, folded(lane, item=open_in_tool(item("alert:b"), "INC0010001")), now=NOW)
        await store.close()

    asyncio.run(number())
    shown = CliRunner().invoke(app, ["work-items", "show", "INC0010001", "--json", "--config", str(config)])
    assert json.loads(shown.output)["correlation_key"] == "alert:b"
    none = CliRunner().invoke(app, ["work-items", "show", "INC1", "--config", str(config)])
    assert isinstance(none.exception, NotFound)
    assert "there is no work item INC1;" in str(none.exception)


RETRIES = [
    (["--all"], 0, "1 lane is ready"),
    (["--all", "--connection", "desk"], 0, "1 lane is ready"),
    (["alert:/subscriptions/1/alerts/a"], 0, "1 lane is ready"),
    (["--all", "--connection", "prod"], 1, "there is no connection prod; the configuration has desk"),
    ([], 2, "name one lane by its KEY, or all of them by --all"),
    (["alert:a", "--all"], 2, "name one lane by its KEY, or all of them by --all"),
    (["alert:a", "--connection", "desk"], 2, "--connection goes with --all"),
]


@pytest.mark.parametrize(("arguments", "code", "says"), RETRIES, ids=[" ".join(row[0]) or "nothing" for row in RETRIES])
def test_lanes_are_retried_one_by_one_or_all_at_once(config: Path, arguments: list[str], code: int, says: str) -> None:
    """After a cause was mended nobody has to name a thousand lanes."""
    printed = CliRunner().invoke(
        app, ["lanes", "retry", *arguments, "--config", str(config)], env={"COLUMNS": "200", "TERM": "dumb"}
    )
    told = " ".join(printed.output.replace("│", " ").split()) or str(printed.exception)
    assert says in told, printed
    assert printed.exit_code == code


def test_retrying_all_where_nothing_is_parked(config: Path) -> None:
    """It is no error when there is nothing to do."""
    for says in ("1 lane is ready", "No lane is parked or waiting."):
        printed = CliRunner().invoke(app, ["lanes", "retry", "--all", "--config", str(config)])
        assert says in printed.output
        assert printed.exit_code == 0


async def _keep_told(folder: Path) -> str:
    store = await SqliteStore.open(folder / "store.db", clock=lambda: NOW)
    await store.journal.append(entry("alert:told"))
    lanes = await store.lanes.claim("desk", limit=9, pending_limit=9, now=NOW, lease=LEASE)
    told = Confirmed(
        ref="1",
        number="INC7",
        url="",
        state=ToolState.OPEN,
        revision=1,
        at=NOW,
        assignment="Ada of Linux",
        remarks=("there is no category Cloud: left out",),
        tool_state="On Hold",
        resolution="Restarted by hand",
    )
    one = item("alert:told", confirmed=told)
    await store.lanes.save(lanes[0], folded(lanes[0], item=one), now=NOW)
    await store.close()
    return one.id


def test_what_the_tool_said_is_shown(config: Path) -> None:
    """State in the tool's own word, who has it, how it was resolved there, and what the tool did not take."""
    item_id = asyncio.run(_keep_told(config.parent))
    printed = CliRunner().invoke(app, ["work-items", "show", item_id, "--config", str(config)], env={"COLUMNS": "200"})
    lines = [" ".join(line.split()) for line in printed.output.splitlines()]
    for line in (
        "tool state On Hold",
        "assignment Ada of Linux",
        "resolution in tool Restarted by hand",
        "remarks · there is no category Cloud: left out",
    ):
        assert line in lines
