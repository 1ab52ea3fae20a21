"""Work items in their table."""

from collections.abc import Iterable
from typing import Any

import asyncpg

from secure_export.store.postgresql.connect import Connection
from secure_export.store.postgresql.texts import all_kept
from secure_export.store.rows import WORK_ITEM_COLUMNS, missing_names, work_item, work_item_row
from secure_export.workitems.work_item import WorkItem

# A B-tree of PostgreSQL takes no longer texts (docs, "B-Tree Indexes"), and no CI is called so.
_LONGEST_NAME_BYTES = 2500

# Names that a CI is missing under are kept along; one that stays keeps the time when its lane was last woken for it.
_PUT_ITEM = f"""
WITH item AS (
    INSERT INTO work_items ({WORK_ITEM_COLUMNS})
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15)
    ON CONFLICT (id) DO UPDATE SET
        generation = excluded.generation, tool_key = excluded.tool_key, state = excluded.state, owed = excluded.owed,
        open_in_tool = excluded.open_in_tool, unbound = excluded.unbound, expires_at = excluded.expires_at,
        ended_at = excluded.ended_at, number = excluded.number, act = excluded.act,
        act_told = CASE WHEN excluded.act IS NOT NULL THEN work_items.act_told END,
        document = excluded.document
    RETURNING seq
), found AS (
    DELETE FROM missing_cis USING item WHERE work_item = item.seq AND name <> ALL($16::text[])
), missing AS (
    INSERT INTO missing_cis (connection, name, work_item)
    SELECT $5, name, seq FROM item, unnest($16::text[]) AS one (name)
    ON CONFLICT DO NOTHING
)"""  # noqa: S608 - a constant
_PUT = f"{_PUT_ITEM} SELECT seq FROM item"  # noqa: S608 - as above
_PUT_AND_BEGIN = f"""{_PUT_ITEM}, begun AS (
    INSERT INTO steps (lane, work_item, kind, token, started_at)
    SELECT $2, seq, $17::text, $18::bigint, $19::bigint FROM item
)
UPDATE lanes SET saved = $20::bigint WHERE key = $2
"""  # noqa: S608 - as above
_PUT_AND_FINISH = f"""{_PUT_ITEM}, finished AS (
    UPDATE steps SET finished_at = $17::bigint, outcome = $18::text, reason = $19::text
    WHERE lane = $2 AND finished_at IS NULL
    RETURNING id, work_item, kind
)
SELECT id, work_item, kind FROM finished
"""  # noqa: S608 - as above
_LATEST = "SELECT document FROM work_items WHERE lane = $1 ORDER BY generation DESC LIMIT 1"
_LATEST_OF_ALL = """
SELECT lane, document FROM unnest($1::bytea[]) AS given (key)
CROSS JOIN LATERAL (SELECT lane, document FROM work_items WHERE lane = key ORDER BY generation DESC LIMIT 1) AS latest
"""


async def put_work_item(connection: Connection, item: WorkItem) -> int:
    """Insert a work item, or bring it up to date; its row's number."""
    seq: int = await connection.fetchval(_PUT, *_row(item))
    return seq


async def put_and_begin(  # noqa: PLR0913, PLR0917 - what is written down of a step
    connection: Connection, item: WorkItem, kind: str, token: int, started_at: int, saved: int
) -> None:
    """Put a work item, and write down a step that begins for it, and the number of the change that says so."""
    await connection.execute(_PUT_AND_BEGIN, *_row(item), kind, token, started_at, saved)


async def put_and_finish(
    connection: Connection, item: WorkItem, finished_at: int, outcome: str, reason: str
) -> "list[asyncpg.Record]":
    """Put a work item, and write down how its lane's begun step ended; gives its number, work item and kind."""
    return await connection.fetch(_PUT_AND_FINISH, *_row(item), finished_at, outcome, reason)


async def latest_of(connection: Connection, lane: bytes) -> WorkItem | None:
    """Give the latest work item of a lane, or None."""
    document = await connection.fetchval(_LATEST, lane)
    return None if document is None else work_item(document)


async def latest_of_all(connection: Connection, lanes: Iterable[bytes]) -> dict[bytes, WorkItem]:
    """Give the latest work items of lanes, by lane."""
    rows = await connection.fetch(_LATEST_OF_ALL, list(lanes))
    return {bytes(lane): work_item(document) for lane, document in rows}


def _row(item: WorkItem) -> tuple[Any, ...]:
    wanted = [name for name in missing_names(item) if len(name.encode()) <= _LONGEST_NAME_BYTES]
    return (*work_item_row(item), all_kept(sorted(wanted)))
