"""Alerts as JSON objects."""

import sqlite3
from typing import Any

from secure_export.console.contract import Page
from secure_export.errors import NotFound
from secure_export.store.instants import text_or_none
from secure_export.store.keys import alert_key
from secure_export.store.paging import cursor_after, one_of, page, rows_before, rows_on_page
from secure_export.store.rows import decoded, texts, work_item
from secure_export.store.sqlite.filters import Filters
from secure_export.store.sqlite.work_item_lists import bound_items

_SEARCHED_AT_ONCE = 50_000
_NOTIFICATIONS_LISTED = 1000

_COLUMNS = (
    "alerts.seq, alerts.connection, alerts.alert_id, told_id, fired_at, alerts.ended_at, work_item, seen_at, reasons, "
    "facts, (SELECT document FROM work_items WHERE id = alerts.work_item)"
)
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
    last = None
    if search:
        last = _last_searched(connection, before)
        filters.add("seq >= ?", last or 0)
        filters.add(f"{_SEARCHED} LIKE ? ESCAPE '\\'", f"%{_literal(search)}%")
    rows = connection.execute(
        f"SELECT {_COLUMNS} FROM alerts WHERE {filters.where} ORDER BY seq DESC LIMIT ?",  # noqa: S608 - constants
        (*filters.values, limit + 1),
    ).fetchall()
    found = page([(row[0], _object(row)) for row in rows], limit)
    if found.next_cursor is None and last is not None:
        return Page(found.rows, cursor_after(last))
    return found


def one_alert(connection: sqlite3.Connection, alert_id: str, name: str | None) -> dict[str, Any]:
    """Give the newest alert of this id, ours or as Azure wrote it, with its notifications.

    Raises:
        NotFound: There is none.
    """
    row = connection.execute(
        f"SELECT {_COLUMNS} FROM alerts WHERE seq = (SELECT max(seq) FROM ("  # noqa: S608 - constants
        "SELECT seq, connection FROM alerts WHERE key = ? "
        "UNION ALL SELECT seq, connection FROM alerts WHERE told_id = ?"
        ") WHERE ? IS NULL OR connection = ?)",
        (alert_key(alert_id), alert_id, name, name),
    ).fetchone()
    if row is None:
        raise NotFound(f"there is no alert {alert_id}; list alerts to see which there are")
    return {**_object(row), "notifications": _notifications(connection, row[0])}


def _last_searched(connection: sqlite3.Connection, before: int) -> int | None:
    """Say at which alert a search stops; None: at the oldest."""
    row = connection.execute(
        "SELECT seq FROM alerts WHERE seq < ? ORDER BY seq DESC LIMIT 1 OFFSET ?", (before, _SEARCHED_AT_ONCE)
    ).fetchone()
    return None if row is None else row[0]


def _literal(text: str) -> str:
    """Take the wild cards of LIKE as they are written."""
    return text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")


def _object(row: tuple[Any, ...]) -> dict[str, Any]:
    _, connection, alert_id, told_id, fired_at, ended_at, item_id, seen_at, reasons, facts, document = row
    told: dict[str, Any] = decoded(facts)
    return {
        **told,
        "id": told_id or alert_id,
        "key": alert_id,
        "connection": connection,
        "condition": "fired" if ended_at is None else "resolved",
        "monitoring_service": told.get("monitoring_service") or "",
        "rule": told.get("rule"),
        "severity": told.get("severity"),
        "targets": told.get("targets") or [],
        "configuration_items": _configuration_items(told, document),
        "fired_at": told.get("fired_at") or text_or_none(fired_at),
        "resolved_at": None if ended_at is None else told.get("resolved_at") or text_or_none(ended_at),
        "is_test": bool(told.get("is_test")),
        "is_legacy_schema": bool(told.get("is_legacy_schema")),
        "work_item": item_id,
        "seen_at": text_or_none(seen_at),
        "reasons": list(texts(reasons)),
    }


def _configuration_items(told: dict[str, Any], document: bytes | None) -> list[dict[str, Any]]:
    """Give the CIs of the alert's work item; an alert without one names things that nobody looked up."""
    if document is not None:
        return bound_items(work_item(document))
    reason = "no work item was made for this alert, so that it was not looked up"
    return [{"id": None, "name": name, "rule": "", "reason": reason} for name in told.get("targets") or []]


def _notifications(connection: sqlite3.Connection, seq: int) -> list[dict[str, Any]]:
    rows = connection.execute(
        "SELECT notifications.id, received_at, caller FROM alert_notifications "
        "JOIN notifications ON notifications.id = notification JOIN senders ON senders.id = sender "
        "WHERE alert = ? ORDER BY notifications.id LIMIT ?",
        (seq, _NOTIFICATIONS_LISTED),
    )
    return [
        {"id": str(number), "received_at": text_or_none(at), "caller": decoded(caller or b"{}"), "status": "accepted"}
        for number, at, caller in rows
    ]
