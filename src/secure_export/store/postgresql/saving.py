"""Writes a lane's change."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, TypeAlias

from secure_export.delivery.contract import Change, ClaimedLane, Release, StepResult
from secure_export.store.instants import micros, micros_or_none
from secure_export.store.keys import lane_key
from secure_export.store.postgresql.alert_table import (
    end_unread,
    is_still_so,
    link_notifications,
    lock_alerts,
    locks_for,
    put_alert_and_fold,
    put_alerts,
    rows_before,
)
from secure_export.store.postgresql.connect import Connection
from secure_export.store.postgresql.texts import all_kept
from secure_export.store.postgresql.waking import wake
from secure_export.store.postgresql.work_item_table import put_and_begin, put_and_finish, put_work_item
from secure_export.store.refusals import lost, nothing_to_step_for, outdated
from secure_export.store.rows import NOTHING_NEW, is_as_it_was, outcome_row
from secure_export.workitems.outcome import Done
from secure_export.workitems.work_item import StepKind, WorkItem

Before: TypeAlias = Mapping[bytes, Sequence[Any]]

_OWN = "SELECT saved FROM lanes WHERE key = $1 AND token = $2 AND state = 'claimed' FOR UPDATE"
# Locks on alerts are taken after the lane's, and only by its owner: each row of "own" is there before its locks are.
_OWN_AND_LOCK = f"""
WITH own AS MATERIALIZED ({_OWN})
SELECT saved, taken FROM own CROSS JOIN LATERAL (
    SELECT count(pg_advisory_xact_lock(number + 0 * own.saved)) AS taken FROM unnest($3::bigint[]) AS given (number)
) AS locks
"""  # noqa: S608 - a constant
_UNFOLD = "DELETE FROM pending WHERE lane = $1 AND notification = ANY($2::bigint[]) RETURNING notification, alert"
_MOVE = """
UPDATE pending SET lane = $3, alert = coalesce(alert, $4) WHERE lane = $1 AND notification = $2
"""
_QUARANTINE = """
WITH gone AS (
    DELETE FROM notifications WHERE id = ANY($1::bigint[]) RETURNING id, received_at, sender, packed, body
), reasons AS (
    SELECT * FROM unnest($1::bigint[], $2::text[]) AS given (id, reason)
)
INSERT INTO quarantine (notification, received_at, sender, packed, body, reason, since)
SELECT gone.id, received_at, sender, packed, body, reason, $3 FROM gone JOIN reasons ON reasons.id = gone.id
ON CONFLICT DO NOTHING
"""
_FINISH = """
UPDATE steps SET finished_at = $2, outcome = $3, reason = $4 WHERE lane = $1 AND finished_at IS NULL
RETURNING id, work_item, kind
"""
_SAY_NOTHING_NEW = "UPDATE steps SET reason = $2 WHERE id = $1"
_FORGET_EARLIER_LOOKS = "DELETE FROM steps WHERE work_item = $1 AND kind = $2 AND reason = $3 AND id < $4"
_LATEST_SEQ = "SELECT seq FROM work_items WHERE lane = $1 ORDER BY generation DESC LIMIT 1"
_BEGIN = "INSERT INTO steps (lane, work_item, kind, token, started_at) VALUES ($1, $2, $3, $4, $5)"
_WHAT_CAME = "SELECT woken, (SELECT max(notification) FROM pending WHERE lane = lanes.key) FROM lanes WHERE key = $1"
# The greatest, because that is looked up in the index; whether any exists may be a scan of what vacuum has not cleared.
_LEAVE_IDLE = """
DELETE FROM lanes WHERE key = $1 AND NOT woken AND (SELECT max(notification) FROM pending WHERE lane = $1) IS NULL
"""
_SET = "UPDATE lanes SET state = $2, due_at = $3, reason = $4, owner = NULL WHERE key = $1"


async def save(connection: Connection, lane: ClaimedLane, change: Change, *, now: datetime, number: int) -> bool:
    """Write a change; whether the lane is ready for another owner then.

    Args:
        connection: The database.
        lane: The lane.
        change: What is to be written.
        now: The time now.
        number: What tells this change from others: one that was written before, though nobody heard of it, is not
            written again.

    Raises:
        LostLane: The lane has another owner; nothing was written.
        Outdated: What was folded by is not so any more; nothing was written.
    """
    key = lane_key(lane.connection, lane.correlation_key)
    if await _lock(connection, lane, key, change, now) == number:
        return False
    before = await rows_before(connection, lane.connection, change.basis, change.alerts)
    if change.basis is not None and not await is_still_so(connection, lane.connection, change.basis, before):
        raise outdated(lane)
    await _write_arrived(connection, key, lane, change, before, now)
    if change.item is not None and change.begin is not None and change.finish is None and change.release is None:
        await put_and_begin(connection, change.item, change.begin.value, lane.token, micros(now), number)
    else:
        await _write_steps(connection, key, lane, change, now)
    if change.look_done:
        await connection.execute("UPDATE lanes SET look = false WHERE key = $1 AND NOT woken", key)
    if change.release is not None:
        return await _release(connection, key, change.release, now)
    if change.begin is None or change.item is None or change.finish is not None:
        await connection.execute("UPDATE lanes SET saved = $2 WHERE key = $1", key, number)
    return False


async def renew(connection: Connection, lane: ClaimedLane, *, until: datetime) -> None:
    """Keep a lane longer.

    Raises:
        LostLane: The lane has another owner; nothing was written.
    """
    key = lane_key(lane.connection, lane.correlation_key)
    await _own(connection, lane, key)
    await connection.execute("UPDATE lanes SET due_at = $2 WHERE key = $1", key, micros(until))


async def _own(connection: Connection, lane: ClaimedLane, key: bytes) -> int:
    """Lock the lane's row if it still is the claimer's, so that this stays true; the number of what was last saved."""
    saved: int | None = await connection.fetchval(_OWN, key, lane.token)
    if saved is None:
        raise lost(lane)
    return saved


async def _lock(connection: Connection, lane: ClaimedLane, key: bytes, change: Change, now: datetime) -> int:
    """Lock the lane, make those ready that get notifications of it, and lock alerts; gives and raises as ``_own``.

    Everybody locks lanes in the order of their keys, and alerts after that. Otherwise two who give each other something
    wait in a circle, until the database finds out after a second and takes one of them back.
    """
    numbers = locks_for(lane.connection, change.basis, change.alerts)
    if numbers and not change.moved:
        row = await connection.fetchrow(_OWN_AND_LOCK, key, lane.token, numbers)
        if row is None:
            raise lost(lane)
        return int(row[0])
    saved = await _own_and_wake_others(connection, lane, key, change, now)
    await lock_alerts(connection, numbers)
    return saved


async def _own_and_wake_others(
    connection: Connection, lane: ClaimedLane, key: bytes, change: Change, now: datetime
) -> int:
    others = {lane_key(lane.connection, one): one for _, one in change.moved}
    before, after = ([one for at, one in others.items() if (at < key) is side] for side in (True, False))
    await wake(connection, lane.connection, before, now=now)
    saved = await _own(connection, lane, key)
    await wake(connection, lane.connection, after, now=now)
    return saved


async def _write_arrived(  # noqa: PLR0913, PLR0917 - what is written, and by what
    connection: Connection, key: bytes, lane: ClaimedLane, change: Change, before: Before, now: datetime
) -> None:
    """Write what became of notifications, and of the alerts that they spoke of."""
    await _quarantine(connection, key, change.quarantined, now)
    await _move(connection, key, lane, change.moved)
    name, alerts = lane.connection, change.alerts
    if len(alerts) == 1:
        await put_alert_and_fold(connection, name, alerts[0], before=before, lane=key, folded=change.folded, now=now)
    else:
        folded = await _unfold(connection, key, lane, change.folded)
        rows = await put_alerts(connection, name, alerts, before=before, now=now)
        seqs = {told_id.lower(): seq for seq, told_id in rows}
        seqs |= {record.state.alert_id.lower(): row[0] for record, row in zip(alerts, rows, strict=True)}
        await link_notifications(connection, folded, seqs)
    await end_unread(connection, name, alerts)


async def _write_steps(connection: Connection, key: bytes, lane: ClaimedLane, change: Change, now: datetime) -> None:
    """Write the work item, how the begun step ended, and which one begins."""
    if change.finish is not None:
        looks = await _finish(connection, key, change.item, change.finish)
        if looks and is_as_it_was(lane.item, change.item):
            await _keep_last_look(connection, *looks[0])
    elif change.item is not None:
        await put_work_item(connection, change.item)
    if change.begin is not None:
        await _begin(connection, lane, key, change.begin, now)


async def _unfold(connection: Connection, key: bytes, lane: ClaimedLane, folded: Sequence[int]) -> dict[int, str]:
    """Strike notifications off the list of what is to be folded; each with the id of its alert."""
    if not folded:
        return {}
    rows = await connection.fetch(_UNFOLD, key, list(folded))
    return {number: alert or lane.correlation_key for number, alert in rows}


async def _move(connection: Connection, key: bytes, lane: ClaimedLane, moved: Sequence[tuple[int, str]]) -> None:
    """Have other lanes fold notifications; they are awake already."""
    for number, correlation_key in moved:
        other = lane_key(lane.connection, correlation_key)
        await connection.execute(_MOVE, key, number, other, lane.correlation_key)


async def _quarantine(
    connection: Connection, key: bytes, quarantined: Sequence[tuple[int, str]], now: datetime
) -> None:
    if not quarantined:
        return
    reasons = dict(quarantined)
    await connection.fetch(_UNFOLD, key, list(reasons))
    await connection.execute(_QUARANTINE, list(reasons), all_kept(reasons.values()), micros(now))


async def _finish(
    connection: Connection, key: bytes, item: WorkItem | None, result: StepResult
) -> list[tuple[int, int]]:
    """Write down how the begun step ended, and the work item; gives the number of both if it was an answered look."""
    told = (micros(result.finished_at), *outcome_row(result.outcome))
    if item is not None:
        rows = await put_and_finish(connection, item, *told)
    else:
        rows = await connection.fetch(_FINISH, key, *told)
    is_answered = isinstance(result.outcome, Done)
    return [(number, seq) for number, seq, kind in rows if kind == StepKind.LOOK and is_answered]


async def _keep_last_look(connection: Connection, number: int, seq: int) -> None:
    """Keep one of the looks that found nothing new: there is one every hour, for as long as a work item is open."""
    await connection.execute(_SAY_NOTHING_NEW, number, NOTHING_NEW)
    await connection.execute(_FORGET_EARLIER_LOOKS, seq, StepKind.LOOK.value, NOTHING_NEW, number)


async def _begin(connection: Connection, lane: ClaimedLane, key: bytes, kind: StepKind, now: datetime) -> None:
    """Write down a step; a second one in flight for its lane breaks a unique index."""
    seq = await connection.fetchval(_LATEST_SEQ, key)
    if seq is None:
        raise nothing_to_step_for(lane)
    await connection.execute(_BEGIN, key, seq, kind.value, lane.token, micros(now))


async def _release(connection: Connection, key: bytes, release: Release, now: datetime) -> bool:
    """Give the lane back; whether it is ready then."""
    idle = release.wake_at is None and release.parked is None
    if idle and await connection.execute(_LEAVE_IDLE, key) == "DELETE 1":
        return False
    row = await connection.fetchrow(_WHAT_CAME, key)
    woken, newest = row if row is not None else (False, None)
    # An idle lane has no row, so one that is to be idle with something left to fold stays ready instead.
    if woken or (newest is not None and (newest > release.seen or idle)):
        await connection.execute(_SET, key, "ready", micros(now), "")
        return True
    if release.parked is not None:
        await connection.execute(_SET, key, "parked", None, release.parked)
    else:
        await connection.execute(_SET, key, "waiting", micros_or_none(release.wake_at), release.waiting)
    return False
