"""Lanes and quarantine as JSON objects, and their counts."""

import sqlite3
from datetime import datetime
from typing import Any

from secure_export.console.contract import Page
from secure_export.errors import NotFound
from secure_export.store.bodies import unpacked
from secure_export.store.instants import micros, text_or_none
from secure_export.store.paging import one_of, page, rows_before, rows_on_page
from secure_export.store.rows import decoded, work_item
from secure_export.store.sqlite.filters import Filters

HOW_MANY_PARKED = "SELECT count(*) FROM lanes WHERE due_at IS NULL"
_STATES = ("ready", "claimed", "waiting", "parked")


def list_lanes(
    connection: sqlite3.Connection, *, name: str | None, state: str | None, cursor: str | None, limit: int
) -> Page:
    """List the lanes that are not idle, the latest made first."""
    limit = rows_on_page(limit)
    filters = Filters("id < ?", rows_before(cursor))
    filters.equal("connection", name)
    filters.equal("state", one_of("state", state, _STATES))
    if state == "parked":
        filters.add("due_at IS NULL")  # is true of them, and of no others: a small index serves it
    rows = connection.execute(
        "SELECT id, correlation_key, connection, state, reason, due_at, "  # noqa: S608 - constants
        "(SELECT count(*) FROM pending WHERE lane = lanes.id), "
        "(SELECT document FROM work_items WHERE lane = lanes.key ORDER BY generation DESC LIMIT 1) "
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


def quarantined_body(connection: sqlite3.Connection, notification: int) -> bytes:
    """Give the body of a quarantined notification as it came.

    Raises:
        NotFound: It is not in quarantine.
    """
    row = connection.execute(
        "SELECT packed, body FROM quarantine JOIN notifications ON id = notification WHERE notification = ?",
        (notification,),
    ).fetchone()
    if row is None:
        raise _not_in_quarantine(notification)
    return unpacked(row[1], is_frame=row[0])


def one_quarantined(connection: sqlite3.Connection, notification: int) -> dict[str, Any]:
    """Give a quarantined notification with its body as text.

    Raises:
        NotFound: It is not in quarantine.
    """
    row = connection.execute(
        "SELECT notification, connection, received_at, reason, caller FROM quarantine "
        "JOIN notifications ON notifications.id = notification JOIN senders ON senders.id = sender "
        "WHERE notification = ?",
        (notification,),
    ).fetchone()
    if row is None:
        raise _not_in_quarantine(notification)
    *told, caller = row
    body = quarantined_body(connection, notification).decode(errors="replace")
    return {**_quarantined(told), "caller": decoded(caller or b"{}"), "body": body}


def count(connection: sqlite3.Connection, *, now: datetime) -> dict[str, int]:
    """Count what operators watch; ``oldest_due_seconds`` is for how long the longest due lane has been due."""
    rows = connection.execute(
        "SELECT state, count(*), min(due_at) FROM lanes WHERE due_at IS NOT NULL GROUP BY state"
    ).fetchall()
    states = {state: number for state, number, _ in rows}
    due = min((at for _, _, at in rows), default=None)
    (parked,) = connection.execute(HOW_MANY_PARKED).fetchone()
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
    _, key, connection, state, reason, due_at, pending, document = row
    item = work_item(document) if document is not None else None
    return {
        "key": key,
        "connection": connection,
        "state": state,
        "title": item.desired.content.title if item else None,
        "reason": reason or None,
        "due_at": text_or_none(due_at),
        "pending": pending,
        "work_item": item.id if item else None,
    }


def _quarantined(row: Any) -> dict[str, Any]:
    notification, connection, received_at, reason = row
    return {
        "id": str(notification),
        "connection": connection,
        "received_at": text_or_none(received_at),
        "reason": reason,
    }


def _not_in_quarantine(notification: int) -> NotFound:
    return NotFound(f"notification {notification} is not in quarantine; list the quarantine to see what is")
