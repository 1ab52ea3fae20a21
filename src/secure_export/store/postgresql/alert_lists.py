"""Alerts as JSON objects."""

from typing import Any

from secure_export.console.contract import Page
from secure_export.errors import NotFound
from secure_export.store.alert_objects import ALERT_COLUMNS, alert_object, notification_object
from secure_export.store.filters import Filters, literal
from secure_export.store.keys import alert_key
from secure_export.store.paging import cursor_after, one_of, page, rows_before, rows_on_page
from secure_export.store.postgresql.connect import Connection
from secure_export.store.postgresql.numbered import numbered
from secure_export.store.postgresql.partitions import between_days, of_days

_SEARCHED_AT_ONCE = 50_000
_NOTIFICATIONS_LISTED = 1000

# By the distance of numbers, of which there are gaps: counting rows would cost more than most searches do.
_NEXT_TO_SEARCH = "SELECT max(seq) FROM alerts WHERE seq < (SELECT max(seq) FROM alerts WHERE seq < $1) - $2::bigint"
# Found first and compared then, or the newest alerts of all would be walked through for the id.
_ONE = f"""
WITH of_id AS MATERIALIZED (
    SELECT seq, connection FROM alerts WHERE key = $1 UNION ALL SELECT seq, connection FROM alerts WHERE told_id = $2
)
SELECT {ALERT_COLUMNS} FROM alerts
WHERE seq = (SELECT max(seq) FROM of_id WHERE $3::text IS NULL OR connection = $3)
"""  # noqa: S608 - constants
# Sorted by an expression, or a plan for any limit walks through all notifications in order, looking for the alert's.
# Only the days on which it may have been spoken of: each has a partition, with an index of its own to look into.
_NUMBERS = """
SELECT notification FROM alert_notifications WHERE alert = $1 AND notification >= {first} AND notification < {end}
ORDER BY notification + 0 LIMIT $2
"""
_FIRED_AT, _SEEN_AT = 4, 7  # where they are in ALERT_COLUMNS
_NOTIFICATIONS = """
SELECT notifications.id, received_at, caller FROM notifications JOIN senders ON senders.id = sender
WHERE notifications.id = ANY($1::bigint[])"""


async def list_alerts(  # noqa: PLR0913 - filters by name
    connection: Connection,
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
        beyond = await connection.fetchval(_NEXT_TO_SEARCH, before, _SEARCHED_AT_ONCE)
        filters.add("seq > ?", beyond or 0)
        filters.add(r"searched LIKE ? ESCAPE '\'", f"%{literal(search.lower())}%")
    sql = f"SELECT {ALERT_COLUMNS} FROM alerts WHERE {filters.where} ORDER BY seq DESC LIMIT ?"  # noqa: S608 - constants
    rows = await connection.fetch(numbered(sql), *filters.values, limit + 1)
    found = page([(row[0], alert_object(row)) for row in rows], limit)
    if found.next_cursor is None and beyond is not None:
        return Page(found.rows, cursor_after(beyond + 1))
    return found


async def one_alert(connection: Connection, alert_id: str, name: str | None) -> dict[str, Any]:
    """Give the newest alert of this id, ours or as Azure wrote it, with its notifications.

    Raises:
        NotFound: There is none.
    """
    row = await connection.fetchrow(_ONE, alert_key(alert_id), alert_id, name)
    if row is None:
        raise NotFound(f"there is no alert {alert_id}; list alerts to see which there are")
    first, end = between_days(*_days_of(row))
    query = _NUMBERS.format(first=first, end=end)
    numbers = [one[0] for one in await connection.fetch(query, row[0], _NOTIFICATIONS_LISTED)]
    notifications = sorted(await of_days(connection, _NOTIFICATIONS, numbers), key=lambda one: int(one[0]))
    return {**alert_object(row), "notifications": [notification_object(one) for one in notifications]}


def _days_of(row: Any) -> tuple[int, int]:
    """Say from when to when an alert's notifications may have come: not before it fired, save for wrong clocks."""
    fired_at, seen_at = row[_FIRED_AT], row[_SEEN_AT]
    return (fired_at if fired_at is not None and fired_at <= seen_at else 0), seen_at
