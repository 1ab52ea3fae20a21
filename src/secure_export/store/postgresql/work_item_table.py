"""Work items in their table."""

from collections.abc import Iterable

from secure_export.store.postgresql.connect import Connection
from secure_export.store.postgresql.texts import all_kept
from secure_export.store.rows import WORK_ITEM_COLUMNS, missing_names, work_item, work_item_row
from secure_export.workitems.work_item import WorkItem

# A B-tree of PostgreSQL takes no longer texts (docs, "B-Tree Indexes"), and no CI is called so.
_LONGEST_NAME_BYTES = 2500

_PUT = f"""
INSERT INTO work_items ({WORK_ITEM_COLUMNS})
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15)
ON CONFLICT (id) DO UPDATE SET
    generation = excluded.generation, tool_key = excluded.tool_key, state = excluded.state, owed = excluded.owed,
    open_in_tool = excluded.open_in_tool, unbound = excluded.unbound, expires_at = excluded.expires_at,
    ended_at = excluded.ended_at, number = excluded.number, act = excluded.act,
    document = excluded.document
RETURNING seq
"""  # noqa: S608 - a constant
_LATEST = "SELECT document FROM work_items WHERE lane = $1 ORDER BY generation DESC LIMIT 1"
_LATEST_OF_ALL = """
SELECT lane, document FROM unnest($1::bytea[]) AS given (key)
CROSS JOIN LATERAL (SELECT lane, document FROM work_items WHERE lane = key ORDER BY generation DESC LIMIT 1) AS latest
"""
_PUT_MISSING = """
WITH gone AS (DELETE FROM missing_cis WHERE work_item = $1 AND name <> ALL($3::text[]))
INSERT INTO missing_cis (connection, name, work_item) SELECT $2, name, $1 FROM unnest($3::text[]) AS given (name)
ON CONFLICT DO NOTHING
"""


async def put_work_item(connection: Connection, item: WorkItem) -> int:
    """Insert a work item, or bring it up to date; its row's number."""
    seq: int = await connection.fetchval(_PUT, *work_item_row(item))
    await _put_missing_names(connection, seq, item)
    return seq


async def latest_of(connection: Connection, lane: bytes) -> WorkItem | None:
    """Give the latest work item of a lane, or None."""
    document = await connection.fetchval(_LATEST, lane)
    return None if document is None else work_item(document)


async def latest_of_all(connection: Connection, lanes: Iterable[bytes]) -> dict[bytes, WorkItem]:
    """Give the latest work items of lanes, by lane."""
    rows = await connection.fetch(_LATEST_OF_ALL, list(lanes))
    return {bytes(lane): work_item(document) for lane, document in rows}


async def _put_missing_names(connection: Connection, seq: int, item: WorkItem) -> None:
    """Keep what the work item lacks; a name that stays keeps the time when its lane was last woken for it."""
    wanted = [name for name in missing_names(item) if len(name.encode()) <= _LONGEST_NAME_BYTES]
    await connection.execute(_PUT_MISSING, seq, item.connection, all_kept(sorted(wanted)))
