"""Lanes and quarantine as JSON objects, and their counts."""

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
from secure_export.store.postgresql.connect import Connection
from secure_export.store.postgresql.numbered import numbered

HOW_MANY_PARKED = "SELECT count(*) FROM lanes WHERE due_at IS NULL"
_COUNT = "SELECT state, count(*), min(due_at) FROM lanes WHERE due_at IS NOT NULL GROUP BY state"
_LANE_COLUMNS = (
    "id, correlation_key, connection, state, reason, due_at, "
    "(SELECT count(*) FROM pending WHERE lane = lanes.key), "
    "(SELECT document FROM work_items WHERE lane = lanes.key ORDER BY generation DESC LIMIT 1)"
)
_QUARANTINED = (
    "SELECT notification, connection, received_at, reason FROM quarantine JOIN senders ON senders.id = sender "
)
_ONE_QUARANTINED = """
SELECT notification, connection, received_at, reason, caller, packed, body
FROM quarantine JOIN senders ON senders.id = sender WHERE notification = $1
"""


async def list_lanes(
    connection: Connection, *, name: str | None, state: str | None, cursor: str | None, limit: int
) -> Page:
    """List the lanes that are not idle, the latest made first."""
    limit = rows_on_page(limit)
    filters = Filters("id < ?", rows_before(cursor))
    filters.equal("connection", name)
    filters.equal("state", one_of("state", state, LANE_STATES))
    if state == "parked":
        filters.add("due_at IS NULL")  # is true of them, and of no others: a small index serves it
    sql = f"SELECT {_LANE_COLUMNS} FROM lanes WHERE {filters.where} ORDER BY id DESC LIMIT ?"  # noqa: S608 - constants
    rows = await connection.fetch(numbered(sql), *filters.values, limit + 1)
    return page([(row[0], lane_object(row)) for row in rows], limit)


async def list_quarantine(connection: Connection, *, name: str | None, cursor: str | None, limit: int) -> Page:
    """List quarantined notifications, newest first."""
    limit = rows_on_page(limit)
    filters = Filters("notification < ?", rows_before(cursor))
    filters.equal("connection", name)
    sql = f"{_QUARANTINED} WHERE {filters.where} ORDER BY notification DESC LIMIT ?"
    rows = await connection.fetch(numbered(sql), *filters.values, limit + 1)
    return page([(row[0], quarantined_object(row)) for row in rows], limit)


async def quarantined_body(connection: Connection, notification: int) -> bytes:
    """Give the body of a quarantined notification as it came.

    Raises:
        NotFound: It is not in quarantine.
    """
    _, body = await _quarantined(connection, notification)
    return body


async def one_quarantined(connection: Connection, notification: int) -> dict[str, Any]:
    """Give a quarantined notification with its body as text.

    Raises:
        NotFound: It is not in quarantine.
    """
    told, body = await _quarantined(connection, notification)
    return quarantined_details(told, body)


async def count(connection: Connection, *, now: datetime) -> dict[str, int]:
    """Count what operators watch; ``oldest_due_seconds`` is for how long the longest due lane has been due."""
    of_states = await connection.fetch(_COUNT)
    parked = await connection.fetchval(HOW_MANY_PARKED)
    quarantine = await connection.fetchval("SELECT count(*) FROM quarantine")
    return counts([tuple(row) for row in of_states], parked=parked, quarantine=quarantine, now=now)


async def _quarantined(connection: Connection, notification: int) -> tuple[tuple[Any, ...], bytes]:
    row = await connection.fetchrow(_ONE_QUARANTINED, notification)
    if row is None:
        raise not_in_quarantine(notification)
    *told, packed, body = row
    return tuple(told), unpacked(body, is_frame=packed)
