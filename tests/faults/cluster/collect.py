"""Waits until a world has come to rest, and gathers what is judged by."""

import asyncio
import sqlite3
import time
from collections.abc import Sequence
from contextlib import closing
from typing import Any

import aiohttp
from tests.faults.cluster.evidence import Evidence, Item, Lane, Snapshot, Step
from tests.faults.cluster.load import Told
from tests.faults.cluster.tool import Row
from tests.faults.cluster.world import World

REST_SECONDS = 180.0
_POLL_SECONDS = 0.1
_LANES = "SELECT connection, correlation_key, state, reason FROM lanes"
_COUNTS = "SELECT (SELECT count(*) FROM pending), (SELECT count(*) FROM quarantine)"
_STEPS = "SELECT id, lane, work_item, kind, token, started_at, finished_at FROM steps ORDER BY id"
_ITEMS = "SELECT id, seq, tool_key FROM work_items"
_STATEMENTS = (_LANES, _COUNTS, _STEPS, _ITEMS)
_MICROSECONDS = 1_000_000


async def collect(world: World, told: Sequence[Told]) -> Evidence:
    """Wait until nothing is left to do, for a long time at most, and gather everything."""
    snapshot = await _at_rest(world)
    node = world.nodes[world.layout.intake[0]]
    async with aiohttp.ClientSession(node.url) as session:
        items = [_item(row, snapshot) for row in await _all(session, "/api/v1/work-items")]
        desk = [_desk_row(row) for row in await _all(session, "/api/v1/desk/incidents")]
    rows = [*desk, *[row for tool in world.tools.values() for row in await tool.rows()]]
    return Evidence(
        told=tuple(told),
        items=items,
        rows=rows,
        snapshot=snapshot,
        requests=[request for link in world.links.values() for request in link.requests],
        died=[(name, code) for name, one in world.nodes.items() for code in one.died],
        exit_codes=[code for one in world.nodes.values() for code in one.exit_codes],
    )


async def _at_rest(world: World) -> Snapshot:
    """Take a snapshot with nothing left to do; the last one where that does not come about."""
    end = time.monotonic() + REST_SECONDS
    while True:
        snapshot = await _snapshot(world)
        if snapshot.at_rest or time.monotonic() > end:
            return snapshot
        await asyncio.sleep(_POLL_SECONDS)


async def _snapshot(world: World) -> Snapshot:
    if world.server is None:
        lanes, counts, steps, items = await asyncio.to_thread(_of_file, str(world.nodes["single"].folder / "store.db"))
    else:
        async with (
            world.server.connection(world.database_name) as connection,
            connection.transaction(isolation="repeatable_read", readonly=True),
        ):
            lanes, counts, steps, items = [await connection.fetch(statement) for statement in _STATEMENTS]
    return Snapshot(
        lanes=tuple(Lane(*row) for row in lanes),
        pending=counts[0][0],
        quarantined=counts[0][1],
        steps=tuple(_step(row) for row in steps),
        items={row[0]: (row[1], row[2]) for row in items},
    )


def _of_file(path: str) -> list[list[Any]]:
    with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True, isolation_level=None)) as connection:
        connection.execute("BEGIN")
        return [list(connection.execute(statement)) for statement in _STATEMENTS]


def _step(row: Sequence[Any]) -> Step:
    number, lane, item, kind, token, started, finished = row
    ended = None if finished is None else finished / _MICROSECONDS
    return Step(number, bytes(lane), item, kind, token, started / _MICROSECONDS, ended)


def _item(row: dict[str, Any], snapshot: Snapshot) -> Item:
    seq, key = snapshot.items.get(row["id"], (0, ""))
    return Item(row["id"], seq, row["connection"], key, row["number"], row["state"], row["owed"], tuple(row["alerts"]))


def _desk_row(row: dict[str, Any]) -> Row:
    is_open = row["state"] not in {"resolved", "closed"}
    return Row(row["connection"], row["key"], row["number"], row["title"], is_open)


async def _all(session: aiohttp.ClientSession, path: str) -> list[dict[str, Any]]:
    """Read all pages of a list."""
    rows: list[dict[str, Any]] = []
    cursor: str | None = ""
    while cursor is not None:
        async with session.get(path, params={"limit": "1000", **({"cursor": cursor} if cursor else {})}) as answer:
            assert answer.status == 200, f"{path}: {answer.status} {await answer.text()}"
            page = await answer.json()
        rows += page["items"]
        cursor = page["next_cursor"] or None
    return rows
