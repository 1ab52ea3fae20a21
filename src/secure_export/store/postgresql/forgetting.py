"""Deletes what retention no longer keeps, oldest first, a bounded number of rows at a time.

Notifications go with the partition of their day. One that holds something that is still worked on stays, and what is
not is deleted from it. An alert's row is kept as long as its work item, which by default is much longer than its
notifications and their keys are kept: a duplicate that comes after those are gone is recorded anew, and folding finds
it told already.
"""

from datetime import UTC, datetime, timedelta

from secure_export.delivery.contract import Retention
from secure_export.store.instants import micros
from secure_export.store.postgresql.connect import Connection
from secure_export.store.postgresql.partitions import first_number_at

# What stays: what is not folded, and what a work item tells of whose lane is at work. What was folded is linked to an
# alert, which is cheaper to see than that it does not wait.
_OLD_NOTIFICATIONS = """
WITH old AS (
    SELECT id FROM notifications WHERE id < $1
        AND (EXISTS (SELECT 1 FROM alert_notifications WHERE notification = id AND notification < $1)
            OR id NOT IN (SELECT notification FROM pending))
        AND NOT EXISTS (
            SELECT 1 FROM alert_notifications AS link
            JOIN alerts ON alerts.seq = link.alert
            JOIN work_items ON work_items.id = alerts.work_item
            JOIN lanes ON lanes.key = work_items.lane
            WHERE link.notification = notifications.id AND link.notification < $1)
    ORDER BY id LIMIT $2
), links AS (
    DELETE FROM alert_notifications WHERE notification < $1 AND notification IN (SELECT id FROM old)
)
DELETE FROM notifications WHERE id < $1 AND id IN (SELECT id FROM old)
"""
# The event time is the head of the key. Where it is not known, the number of the notification says how old it is.
_OLD_KEYS = """
DELETE FROM notification_keys WHERE key IN (
    (SELECT key FROM notification_keys WHERE key >= $1 AND key < $2 ORDER BY key LIMIT $4)
    UNION ALL (SELECT key FROM notification_keys WHERE key < $1 AND notification < $3 LIMIT $4))
"""
_KNOWN_TIME = (1).to_bytes(8, "big")
_OLD_QUARANTINE = """
DELETE FROM quarantine WHERE notification IN (
    SELECT notification FROM quarantine WHERE since < $1 ORDER BY since LIMIT $2)
"""

# The latest work item of a correlation key that may come again stays: its generation says which keys the tool has seen.
# A key that is made of an alert's own id does not come again.
_OLD_WORK_ITEMS = """
SELECT seq, id FROM work_items AS old
WHERE ended_at < $1
    AND NOT EXISTS (SELECT 1 FROM lanes WHERE key = old.lane)
    AND (generation < (SELECT max(generation) FROM work_items WHERE lane = old.lane)
        OR EXISTS (
            SELECT 1 FROM alerts
            WHERE work_item = old.id AND problem IS NULL
                AND (strpos(old.correlation_key, lower(alert_id)) > 0 OR strpos(alert_id, old.correlation_key) > 0)))
ORDER BY ended_at LIMIT $2
"""
_OLD_ALERTS_OF_NOBODY = "SELECT seq FROM alerts WHERE work_item IS NULL AND seen_at < $1 ORDER BY seen_at LIMIT $2"
_ALERTS_OF = "SELECT seq FROM alerts WHERE work_item = $1 LIMIT $2"
_STEPS_OF = "SELECT id FROM steps WHERE work_item = $1 LIMIT $2"


async def forget_notifications(connection: Connection, retention: Retention, *, now: datetime, limit: int) -> int:
    """Delete notifications of days that are over for retention, and keys; how many were deleted."""
    kept = now - retention.notifications
    midnight = kept.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    deleted = await connection.execute(_OLD_NOTIFICATIONS, first_number_at(midnight), limit)
    event_time = max(0, micros(kept)).to_bytes(8, "big")
    keys = await connection.execute(_OLD_KEYS, _KNOWN_TIME, event_time, first_number_at(kept), limit)
    return _count(deleted) + _count(keys)


async def forget_rest(connection: Connection, retention: Retention, *, now: datetime, limit: int) -> int:
    """Delete quarantined notifications, work items and alerts that are old; how many were deleted."""
    quarantine = await connection.execute(_OLD_QUARANTINE, _before(now, retention.quarantine), limit)
    line = _before(now, retention.work_items)
    return (
        _count(quarantine)
        + await _forget_work_items(connection, line, limit)
        + await _forget_alerts_of_nobody(connection, line, limit)
    )


def _before(now: datetime, kept: timedelta) -> int:
    return micros(now) - kept // timedelta(microseconds=1)


async def _forget_work_items(connection: Connection, before: int, limit: int) -> int:
    """Delete work items with their alerts and steps."""
    deleted = 0
    for seq, item_id in await connection.fetch(_OLD_WORK_ITEMS, before, limit):
        if deleted >= limit:
            break
        deleted += await _forget_work_item(connection, seq, item_id, limit)
    return deleted


async def _forget_work_item(connection: Connection, seq: int, item_id: str, limit: int) -> int:
    """Delete a work item; of one with very many alerts or steps only some of those, and the rest the next time.

    One alert is left to the end, because it can say that the correlation key does not come again.
    """
    alerts = [row[0] for row in await connection.fetch(_ALERTS_OF, item_id, limit + 1)]
    steps = [row[0] for row in await connection.fetch(_STEPS_OF, seq, limit + 1)]
    is_all = len(alerts) <= limit and len(steps) <= limit
    await connection.execute("DELETE FROM steps WHERE id = ANY($1::bigint[])", steps)
    deleted = len(steps) + await _delete_alerts(connection, alerts if is_all else alerts[1:])
    if is_all:
        await connection.execute("DELETE FROM missing_cis WHERE work_item = $1", seq)
        await connection.execute("DELETE FROM work_items WHERE seq = $1", seq)
    return deleted + is_all


async def _forget_alerts_of_nobody(connection: Connection, before: int, limit: int) -> int:
    rows = await connection.fetch(_OLD_ALERTS_OF_NOBODY, before, limit)
    return await _delete_alerts(connection, [row[0] for row in rows])


async def _delete_alerts(connection: Connection, numbers: list[int]) -> int:
    if numbers:
        await connection.execute("DELETE FROM alert_notifications WHERE alert = ANY($1::bigint[])", numbers)
        await connection.execute("DELETE FROM alerts WHERE seq = ANY($1::bigint[])", numbers)
    return len(numbers)


def _count(status: str) -> int:
    """Give how many rows a statement changed, by the status that it ended with."""
    return int(status.rpartition(" ")[2])
