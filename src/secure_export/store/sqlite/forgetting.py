"""Deletes what retention no longer keeps, oldest first, a bounded number of rows at a time.

An alert's row is kept as long as its work item, which by default is much longer than its notifications and their
dedupe keys are kept: a duplicate that comes after those are gone is recorded anew, and folding finds it told already.
"""

import sqlite3
from datetime import datetime, timedelta

from secure_export.delivery.contract import Retention
from secure_export.store.instants import micros

# What is linked to an alert was folded, which is cheaper to see than that it does not wait.
# A notification stays while it is not folded, in quarantine, or told of by a work item whose lane is at work.
_OLD_NOTIFICATIONS = """
SELECT id, received_at FROM notifications AS old
WHERE NOT EXISTS (SELECT 1 FROM quarantine WHERE notification = old.id)
    AND (EXISTS (SELECT 1 FROM alert_notifications WHERE notification = old.id)
        OR id NOT IN (SELECT notification FROM pending))
    AND NOT EXISTS (
        SELECT 1 FROM alert_notifications AS link
        JOIN alerts ON alerts.seq = link.alert
        JOIN work_items ON work_items.id = alerts.work_item
        JOIN lanes ON lanes.key = work_items.lane
        WHERE link.notification = old.id)
ORDER BY id
"""
_OLD_QUARANTINE = "SELECT notification, since FROM quarantine ORDER BY notification"

# The latest work item of a correlation key that may come again stays: its generation says which keys the tool has seen.
# A key that is made of an alert's own id does not come again.
_OLD_WORK_ITEMS = """
SELECT seq, id FROM work_items AS old
WHERE ended_at < ?
    AND NOT EXISTS (SELECT 1 FROM lanes WHERE key = old.lane)
    AND (generation < (SELECT max(generation) FROM work_items WHERE lane = old.lane)
        OR EXISTS (
            SELECT 1 FROM alerts
            WHERE work_item = old.id AND problem IS NULL
                AND (instr(old.correlation_key, lower(alert_id)) OR instr(alert_id, old.correlation_key))))
ORDER BY ended_at LIMIT ?
"""
_OLD_ALERTS_OF_NOBODY = "SELECT seq FROM alerts WHERE work_item IS NULL AND seen_at < ? ORDER BY seen_at LIMIT ?"


def forget(connection: sqlite3.Connection, retention: Retention, *, now: datetime, limit: int) -> int:
    """Delete up to ``limit`` notifications, quarantined ones, work items and alerts; how many were deleted."""
    return (
        _forget_quarantine(connection, _before(now, retention.quarantine), limit)
        + _forget_notifications(connection, _before(now, retention.notifications), limit)
        + _forget_work_items(connection, _before(now, retention.work_items), limit)
        + _forget_alerts_of_nobody(connection, _before(now, retention.work_items), limit)
    )


def _before(now: datetime, kept: timedelta) -> int:
    return micros(now) - kept // timedelta(microseconds=1)


def _forget_notifications(connection: sqlite3.Connection, before: int, limit: int) -> int:
    return _delete_notifications(connection, _oldest(connection, _OLD_NOTIFICATIONS, before, limit))


def _forget_quarantine(connection: sqlite3.Connection, before: int, limit: int) -> int:
    numbers = _oldest(connection, _OLD_QUARANTINE, before, limit)
    connection.executemany("DELETE FROM quarantine WHERE notification = ?", [(n,) for n in numbers])
    return _delete_notifications(connection, numbers)


def _oldest(connection: sqlite3.Connection, query: str, before: int, limit: int) -> list[int]:
    """Walk from the oldest row on, past some that are still kept: the clock may have been ahead when they came."""
    numbers: list[int] = []
    kept = 0
    for number, at in connection.execute(query):
        if at < before:
            numbers.append(number)
        else:
            kept += 1
        if max(len(numbers), kept) >= limit:
            break
    return numbers


def _delete_notifications(connection: sqlite3.Connection, numbers: list[int]) -> int:
    rows = [(number,) for number in numbers]
    connection.executemany("DELETE FROM alert_notifications WHERE notification = ?", rows)
    connection.executemany("DELETE FROM notifications WHERE id = ?", rows)
    return len(numbers)


def _forget_work_items(connection: sqlite3.Connection, before: int, limit: int) -> int:
    """Delete work items with their alerts and steps."""
    deleted = 0
    for seq, item_id in connection.execute(_OLD_WORK_ITEMS, (before, limit)).fetchall():
        if deleted >= limit:
            break
        deleted += _forget_work_item(connection, seq, item_id, limit)
    return deleted


def _forget_work_item(connection: sqlite3.Connection, seq: int, item_id: str, limit: int) -> int:
    """Delete a work item; of one with very many alerts or steps only some of those, and the rest the next time.

    One alert is left to the end, because it can say that the correlation key does not come again.
    """
    alerts = connection.execute("SELECT seq FROM alerts WHERE work_item = ? LIMIT ?", (item_id, limit + 1)).fetchall()
    steps = connection.execute("SELECT id FROM steps WHERE work_item = ? LIMIT ?", (seq, limit + 1)).fetchall()
    is_all = len(alerts) <= limit and len(steps) <= limit
    connection.executemany("DELETE FROM steps WHERE id = ?", steps)
    deleted = len(steps) + _delete_alerts(connection, alerts if is_all else alerts[1:])
    if is_all:
        connection.execute("DELETE FROM missing_cis WHERE work_item = ?", (seq,))
        connection.execute("DELETE FROM work_items WHERE seq = ?", (seq,))
    return deleted + is_all


def _forget_alerts_of_nobody(connection: sqlite3.Connection, before: int, limit: int) -> int:
    return _delete_alerts(connection, connection.execute(_OLD_ALERTS_OF_NOBODY, (before, limit)).fetchall())


def _delete_alerts(connection: sqlite3.Connection, rows: list[tuple[int]]) -> int:
    connection.executemany("DELETE FROM alert_notifications WHERE alert = ?", rows)
    connection.executemany("DELETE FROM alerts WHERE seq = ?", rows)
    return len(rows)
