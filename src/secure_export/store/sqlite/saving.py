"""Writes a lane's change."""

import sqlite3
from collections.abc import Sequence
from datetime import datetime

from secure_export.delivery.contract import Change, ClaimedLane, Release, StepResult
from secure_export.store.instants import micros, micros_or_none
from secure_export.store.keys import lane_key
from secure_export.store.refusals import lost, nothing_to_step_for, outdated
from secure_export.store.rows import NOTHING_NEW, is_as_it_was, outcome_row
from secure_export.store.sqlite.alert_table import end_unread, is_still_so, link_notifications, put_alert
from secure_export.store.sqlite.waking import wake
from secure_export.store.sqlite.work_item_table import put_work_item
from secure_export.workitems.outcome import Done
from secure_export.workitems.work_item import StepKind


def save(connection: sqlite3.Connection, lane: ClaimedLane, change: Change, *, now: datetime) -> bool:
    """Write a change; whether the lane is ready for another owner then.

    Raises:
        LostLane: The lane has another owner; nothing was written.
        Outdated: What was folded by is not so any more; nothing was written.
    """
    key = lane_key(lane.connection, lane.correlation_key)
    number = _own(connection, lane, key)
    if change.basis is not None and not is_still_so(connection, lane.connection, change.basis):
        raise outdated(lane)
    folded = _unfold(connection, number, lane, change.folded)
    _quarantine(connection, number, change.quarantined, now)
    for notification, correlation_key in change.moved:
        _move(connection, number, lane, notification, correlation_key, now)
    rows = [put_alert(connection, lane.connection, record, now=now) for record in change.alerts]
    end_unread(connection, lane.connection, change.alerts)
    if folded and rows:
        alerts = {told_id.lower(): seq for seq, told_id in rows}
        alerts |= {record.state.alert_id.lower(): row[0] for record, row in zip(change.alerts, rows, strict=True)}
        link_notifications(connection, folded, alerts, rows[0][0] if len(rows) == 1 else None)
    seq = put_work_item(connection, change.item) if change.item is not None else None
    if change.finish is not None:
        looks = _finish(connection, key, change.finish)
        if looks and is_as_it_was(lane.item, change.item):
            _keep_last_look(connection, *looks[0])
    if change.begin is not None:
        _begin(connection, lane, key, seq, change.begin, now)
    if change.look_done:
        connection.execute("UPDATE lanes SET look = 0 WHERE id = ? AND woken = 0", (number,))
    return change.release is not None and _release(connection, number, change.release, now)


def renew(connection: sqlite3.Connection, lane: ClaimedLane, *, until: datetime) -> None:
    """Keep a lane longer.

    Raises:
        LostLane: The lane has another owner; nothing was written.
    """
    number = _own(connection, lane, lane_key(lane.connection, lane.correlation_key))
    connection.execute("UPDATE lanes SET due_at = ? WHERE id = ?", (micros(until), number))


def _own(connection: sqlite3.Connection, lane: ClaimedLane, key: bytes) -> int:
    """Find the lane's row if it still is the claimer's; the write lock is held, so that this stays true."""
    row = connection.execute(
        "SELECT id FROM lanes WHERE key = ? AND token = ? AND state = 'claimed'", (key, lane.token)
    ).fetchone()
    if row is None:
        raise lost(lane)
    number: int = row[0]
    return number


def _unfold(connection: sqlite3.Connection, number: int, lane: ClaimedLane, folded: Sequence[int]) -> dict[int, str]:
    """Strike notifications off the list of what is to be folded; each with the id of its alert."""
    struck: dict[int, str] = {}
    for notification in folded:
        row = connection.execute(
            "DELETE FROM pending WHERE lane = ? AND notification = ? RETURNING alert", (number, notification)
        ).fetchall()
        if row:
            struck[notification] = row[0][0] or lane.correlation_key
    return struck


def _move(  # noqa: PLR0913, PLR0917 - from where, what, to where
    connection: sqlite3.Connection,
    number: int,
    lane: ClaimedLane,
    notification: int,
    correlation_key: str,
    now: datetime,
) -> None:
    """Have another lane fold a notification."""
    wake(connection, lane.connection, correlation_key, now=now)
    connection.execute(
        "UPDATE pending SET lane = (SELECT id FROM lanes WHERE key = ?), alert = coalesce(alert, ?) "
        "WHERE lane = ? AND notification = ?",
        (lane_key(lane.connection, correlation_key), lane.correlation_key, number, notification),
    )


def _quarantine(
    connection: sqlite3.Connection, number: int, quarantined: Sequence[tuple[int, str]], now: datetime
) -> None:
    for notification, reason in quarantined:
        connection.execute("DELETE FROM pending WHERE lane = ? AND notification = ?", (number, notification))
        connection.execute(
            "INSERT INTO quarantine (notification, reason, since) VALUES (?, ?, ?) "
            "ON CONFLICT (notification) DO UPDATE SET reason = excluded.reason",
            (notification, reason, micros(now)),
        )


def _finish(connection: sqlite3.Connection, key: bytes, result: StepResult) -> list[tuple[int, int]]:
    """Write down how the begun step ended; gives its number and its work item's if it was a look with an answer."""
    outcome, reason = outcome_row(result.outcome)
    rows = connection.execute(
        "UPDATE steps SET finished_at = ?, outcome = ?, reason = ? WHERE lane = ? AND finished_at IS NULL "
        "RETURNING id, work_item, kind",
        (micros(result.finished_at), outcome, reason, key),
    ).fetchall()
    is_answered = isinstance(result.outcome, Done)
    return [(number, seq) for number, seq, kind in rows if kind == StepKind.LOOK and is_answered]


def _keep_last_look(connection: sqlite3.Connection, number: int, seq: int) -> None:
    """Keep one of the looks that found nothing new: there is one every hour, for as long as a work item is open."""
    connection.execute("UPDATE steps SET reason = ? WHERE id = ?", (NOTHING_NEW, number))
    connection.execute(
        "DELETE FROM steps WHERE work_item = ? AND kind = ? AND reason = ? AND id < ?",
        (seq, StepKind.LOOK.value, NOTHING_NEW, number),
    )


def _begin(  # noqa: PLR0913, PLR0917 - what is written down of a step
    connection: sqlite3.Connection, lane: ClaimedLane, key: bytes, seq: int | None, kind: StepKind, now: datetime
) -> None:
    """Write down a step; a second one in flight for its lane breaks a unique index."""
    if seq is None:
        row = connection.execute(
            "SELECT seq FROM work_items WHERE lane = ? ORDER BY generation DESC LIMIT 1", (key,)
        ).fetchone()
        if row is None:
            raise nothing_to_step_for(lane)
        seq = row[0]
    connection.execute(
        "INSERT INTO steps (lane, work_item, kind, token, started_at) VALUES (?, ?, ?, ?, ?)",
        (key, seq, kind.value, lane.token, micros(now)),
    )


def _release(connection: sqlite3.Connection, number: int, release: Release, now: datetime) -> bool:
    """Give the lane back; whether it is ready then."""
    woken, newest = connection.execute(
        "SELECT woken, (SELECT max(notification) FROM pending WHERE lane = lanes.id) FROM lanes WHERE id = ?", (number,)
    ).fetchone()
    idle = release.wake_at is None and release.parked is None
    # An idle lane has no row, so one that is to be idle with something left to fold stays ready instead.
    if woken or (newest is not None and (newest > release.seen or idle)):
        _set(connection, number, "ready", micros(now), "")
        return True
    if idle:
        connection.execute("DELETE FROM lanes WHERE id = ?", (number,))
    elif release.parked is not None:
        _set(connection, number, "parked", None, release.parked)
    else:
        _set(connection, number, "waiting", micros_or_none(release.wake_at), release.waiting)
    return False


def _set(connection: sqlite3.Connection, number: int, state: str, due_at: int | None, reason: str) -> None:
    connection.execute(
        "UPDATE lanes SET state = ?, due_at = ?, reason = ? WHERE id = ?", (state, due_at, reason, number)
    )
