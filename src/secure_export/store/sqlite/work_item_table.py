"""Work items in their table."""

import sqlite3

from secure_export.store.rows import WORK_ITEM_COLUMNS, missing_names, work_item, work_item_row
from secure_export.workitems.work_item import WorkItem

_PUT = f"""
INSERT INTO work_items ({WORK_ITEM_COLUMNS})
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
ON CONFLICT (id) DO UPDATE SET
    generation = excluded.generation, tool_key = excluded.tool_key, state = excluded.state, owed = excluded.owed,
    open_in_tool = excluded.open_in_tool, unbound = excluded.unbound, expires_at = excluded.expires_at,
    ended_at = excluded.ended_at, number = excluded.number, act = excluded.act,
    act_told = CASE WHEN excluded.act IS NOT NULL THEN act_told END,
    document = excluded.document
RETURNING seq
"""  # noqa: S608 - a constant


def put_work_item(connection: sqlite3.Connection, item: WorkItem) -> int:
    """Insert a work item, or bring it up to date; its row's number."""
    row = connection.execute(_PUT, work_item_row(item)).fetchall()[0]
    seq: int = row[0]
    _put_missing_names(connection, seq, item)
    return seq


def latest_of(connection: sqlite3.Connection, lane: bytes) -> WorkItem | None:
    """Give the latest work item of a lane, or None."""
    row = connection.execute(
        "SELECT document FROM work_items WHERE lane = ? ORDER BY generation DESC LIMIT 1", (lane,)
    ).fetchone()
    return work_item(row[0]) if row else None


def _put_missing_names(connection: sqlite3.Connection, seq: int, item: WorkItem) -> None:
    """Keep what the work item lacks; a name that stays keeps the time when its lane was last woken for it."""
    wanted = missing_names(item)
    rows = connection.execute("SELECT name FROM missing_cis WHERE work_item = ?", (seq,)).fetchall()
    kept = {row[0] for row in rows}
    connection.executemany(
        "DELETE FROM missing_cis WHERE connection = ? AND name = ? AND work_item = ?",
        [(item.connection, name, seq) for name in kept - wanted],
    )
    connection.executemany(
        "INSERT INTO missing_cis (connection, name, work_item) VALUES (?, ?, ?)",
        [(item.connection, name, seq) for name in sorted(wanted - kept)],
    )
