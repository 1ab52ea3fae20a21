"""Lanes and quarantine as JSON objects, and their counts."""

import sqlite3
from datetime import datetime
from typing import Any

from secure_export.console.contract import Page
from secure_export.store.bodies import unpacked
from secure_export.store.filters import Filters
from secure_export.store.lane_objects import (
    LANE_STATES,
    counts,
    lane_object,
    not_in_quarantine,
    quarantined_details,
    quarantined_object,
)
from secure_export.store.paging import one_of, page, rows_before, rows_on_page

HOW_MANY_PARKED = "SELECT count(*) FROM lanes WHERE due_at IS NULL"


def list_lanes(
    connection: sqlite3.Connection, *, name: str | None, state: str | None, cursor: str | None, limit: int
) -> Page:
    """List the lanes that are not idle, the latest made first."""
    limit = rows_on_page(limit)
    filters = Filters("id < ?", rows_before(cursor))
    filters.equal("connection", name)
    filters.equal("state", one_of("state", state, LANE_STATES))
    if state == "parked":
        filters.add("due_at IS NULL")  # is true of them, and of no others: a small index serves it
    rows = connection.execute(
        "SELECT id, correlation_key, connection, state, reason, due_at, "  # noqa: S608 - constants
        "(SELECT count(*) FROM pending WHERE lane = lanes.id), "
        "(SELECT document FROM work_items WHERE lane = lanes.key ORDER BY generation DESC LIMIT 1) "
        f"FROM lanes WHERE {filters.where} ORDER BY id DESC LIMIT ?",
        (*filters.values, limit + 1),
    ).fetchall()
    return page([(row[0], lane_object(row)) for row in rows], limit)


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
    return page([(row[0], quarantined_object(row)) for row in rows], limit)


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
        raise not_in_quarantine(notification)
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
        raise not_in_quarantine(notification)
    return quarantined_details(row, quarantined_body(connection, notification))


def count(connection: sqlite3.Connection, *, now: datetime) -> dict[str, int]:
    """Count what operators watch; ``oldest_due_seconds`` is for how long the longest due lane has been due."""
    rows = connection.execute(
        "SELECT state, count(*), min(due_at) FROM lanes WHERE due_at IS NOT NULL GROUP BY state"
    ).fetchall()
    (parked,) = connection.execute(HOW_MANY_PARKED).fetchone()
    (quarantine,) = connection.execute("SELECT count(*) FROM quarantine").fetchone()
    return counts(rows, parked=parked, quarantine=quarantine, now=now)
