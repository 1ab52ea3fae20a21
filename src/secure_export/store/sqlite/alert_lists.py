"""Alerts as JSON objects."""

import sqlite3
from typing import Any

from secure_export.console.contract import Page
from secure_export.errors import NotFound
from secure_export.store.alert_objects import ALERT_COLUMNS, alert_object, notification_object
from secure_export.store.filters import Filters, literal
from secure_export.store.keys import alert_key
from secure_export.store.paging import cursor_after, one_of, page, rows_before, rows_on_page

_SEARCHED_AT_ONCE = 50_000
_NOTIFICATIONS_LISTED = 1000

# By the distance of numbers, of which there are gaps: counting rows would cost more than most searches do.
_NEXT_TO_SEARCH = "SELECT max(seq) FROM alerts WHERE seq < (SELECT max(seq) FROM alerts WHERE seq < ?) - ?"
_SEARCHED = " || ' ' || ".join(
    ["alert_id", *(f"coalesce(json_extract(facts, '$.{name}'), '')" for name in ("id", "rule", "title", "targets"))]
)


def list_alerts(  # noqa: PLR0913 - filters by name
    connection: sqlite3.Connection,
    *,
    name: str | None,
    condition: str | None,
    work_item_id: str | None,
    search: str | None,
    cursor: str | None,
    limit: int,
) -> Page:
    """List alerts, newest first.

    A search looks through so many alerts at a time, and its page may hold few rows, or none, and still have a next.
    """
    limit = rows_on_page(limit)
    before = rows_before(cursor)
    filters = Filters("seq < ?", before)
    filters.equal("connection", name)
    filters.equal("work_item", work_item_id)
    if one_of("condition", condition, ("fired", "resolved")):
        filters.flag(condition == "fired", "ended_at IS NULL", "ended_at IS NOT NULL")
    beyond = None
    if search:
        (beyond,) = connection.execute(_NEXT_TO_SEARCH, (before, _SEARCHED_AT_ONCE)).fetchone()
        filters.add("seq > ?", beyond or 0)
        filters.add(f"{_SEARCHED} LIKE ? ESCAPE '\\'", f"%{literal(search)}%")
    rows = connection.execute(
        f"SELECT {ALERT_COLUMNS} FROM alerts WHERE {filters.where} ORDER BY seq DESC LIMIT ?",  # noqa: S608 - constants
        (*filters.values, limit + 1),
    ).fetchall()
    found = page([(row[0], alert_object(row)) for row in rows], limit)
    if found.next_cursor is None and beyond is not None:
        return Page(found.rows, cursor_after(beyond + 1))
    return found


def one_alert(connection: sqlite3.Connection, alert_id: str, name: str | None) -> dict[str, Any]:
    """Give the newest alert of this id, ours or as Azure wrote it, with its notifications.

    Raises:
        NotFound: There is none.
    """
    row = connection.execute(
        f"SELECT {ALERT_COLUMNS} FROM alerts WHERE seq = (SELECT max(seq) FROM ("  # noqa: S608 - constants
        "SELECT seq, connection FROM alerts WHERE key = ? "
        "UNION ALL SELECT seq, connection FROM alerts WHERE told_id = ?"
        ") WHERE ? IS NULL OR connection = ?)",
        (alert_key(alert_id), alert_id, name, name),
    ).fetchone()
    if row is None:
        raise NotFound(f"there is no alert {alert_id}; list alerts to see which there are")
    return {**alert_object(row), "notifications": _notifications(connection, row[0])}


def _notifications(connection: sqlite3.Connection, seq: int) -> list[dict[str, Any]]:
    rows = connection.execute(
        "SELECT notifications.id, received_at, caller FROM alert_notifications "
        "JOIN notifications ON notifications.id = notification JOIN senders ON senders.id = sender "
        "WHERE alert = ? ORDER BY notifications.id LIMIT ?",
        (seq, _NOTIFICATIONS_LISTED),
    )
    return [notification_object(row) for row in rows]
