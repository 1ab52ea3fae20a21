"""Lanes and quarantine as JSON objects, and their counts."""

import sqlite3
from datetime import datetime
from typing import Any

from secure_export.console.contract import Page
from secure_export.errors import NotFound
from secure_export.store.bodies import unpacked
from secure_export.store.instants import micros, text_or_none
from secure_export.store.paging import one_of, page, rows_before, rows_on_page
from secure_export.store.rows import decoded
from secure_export.store.sqlite.filters import Filters

_STATES = ("ready", "claimed", "waiting", "parked")


def list_lanes(
    connection: sqlite3.Connection, *, name: str | None, state: str | None, cursor: str | None, limit: int
) -> Page:
    """List the lanes that are not idle, the latest made first."""
    limit = rows_on_page(limit)
    filters = Filters("id < ?", rows_before(cursor))
    filters.equal("connection", name)
    filters.equal("state", one_of("state", state, _STATES))
    rows = connection.execute(
        "SELECT id, correlation_key, connection, state, reason, due_at, "  # noqa: S608 - constants
        "(SELECT count(*) FROM pending WHERE lane = lanes.id), "
        "(SELECT id FROM work_items WHERE lane = lanes.key ORDER BY generation DESC LIMIT 1) "
        f"FROM lanes WHERE {filters.where} ORDER BY id DESC LIMIT ?",
        (*filters.values, limit + 1),
    ).fetchall()
    return page([(row[0], _lane(row)) for row in rows], limit)


def list_quarantine(connection: sqlite3.Connection, *, name: str | None, cursor: str | None, limit: int) -> Page:
    """List quarantined notifications, newest first."""
    limit = rows_on_page(limit)
    filters = Filters("notification < ?", rows_before(cursor))
    filters.equal("connection", name)
    rows = connection.execute(
        "SELECT notification, connection, received_at, reason FROM quarantine "  # noqa: S608 - constants
        "JOIN notifications ON notifications.id = notification JOIN senders ON senders.id = sender "
        f"WHERE {filters.where} ORDER BY notification DESC LIMIT ?",
        (*filters.values, limit + 1),
    ).fetchall()
    return page([(row[0], _quarantined(row)) for row in rows], limit)


def one_quarantined(connection: sqlite3.Connection, notification: int) -> dict[str, Any]:
    """Give a quarantined notification with its body as text.

    Raises:
        NotFound: It is not in quarantine.
    """
    row = connection.execute(
        "SELECT notification, connection, received_at, reason, caller, packed, body FROM quarantine "
        "JOIN notifications ON notifications.id = notification JOIN senders ON senders.id = sender "
        "WHERE notification = ?",
        (notification,),
    ).fetchone()
    if row is None:
        raise NotFound(f"notification {notification} is not in quarantine; list the quarantine to see what is")
    *told, caller, is_frame, kept = row
    body = unpacked(kept, is_frame=is_frame).decode(errors="replace")
    return {**_quarantined(told), "caller": decoded(caller or b"{}"), "body": body}


def count(connection: sqlite3.Connection, *, now: datetime) -> dict[str, int]:
    """Count what operators watch; ``oldest_due_seconds`` is for how long the longest due lane has been due."""
    states = dict(connection.execute("SELECT state, count(*) FROM lanes WHERE due_at IS NOT NULL GROUP BY state"))
    (parked,) = connection.execute("SELECT count(*) FROM lanes WHERE state = 'parked'").fetchone()
    (due,) = connection.execute("SELECT min(due_at) FROM lanes WHERE due_at IS NOT NULL").fetchone()
    (quarantine,) = connection.execute("SELECT count(*) FROM quarantine").fetchone()
    return {
        "ready": states.get("ready", 0),
        "claimed": states.get("claimed", 0),
        "waiting": states.get("waiting", 0),
        "parked": parked,
        "oldest_due_seconds": 0 if due is None else max(0, micros(now) - due) // 1_000_000,
        "quarantine": quarantine,
    }


def _lane(row: tuple[Any, ...]) -> dict[str, Any]:
    _, key, connection, state, reason, due_at, pending, work_item = row
    return {
        "key": key,
        "connection": connection,
        "state": state,
        "reason": reason or None,
        "due_at": text_or_none(due_at),
        "pending": pending,
        "work_item": work_item,
    }


def _quarantined(row: Any) -> dict[str, Any]:
    notification, connection, received_at, reason = row
    return {
        "id": notification,
        "connection": connection,
        "received_at": text_or_none(received_at),
        "reason": reason,
    }
