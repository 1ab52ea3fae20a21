"""Takes due lanes, and reads what their owner needs."""

import json
import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from secure_export.delivery.contract import ClaimedLane, Pending
from secure_export.store.claims import LONGEST, pending_of
from secure_export.store.instants import micros
from secure_export.store.restored import RESTORED_AT, may_be_there
from secure_export.store.rows import OWNER_GONE, UNCLEAR, work_item
from secure_export.store.sqlite.alert_table import read_known
from secure_export.store.sqlite.statements import take_numbers
from secure_export.store.sqlite.work_item_table import latest_of, put_work_item
from secure_export.workitems.work_item import StepKind

_FOREVER = 2**63 - 1
_DUE_IN_STATE = """SELECT * FROM (
SELECT id, key, correlation_key, look, due_at FROM lanes
WHERE connection = ? AND state = ? AND due_at <= ? ORDER BY due_at LIMIT ?)"""
_DUE = " UNION ALL ".join([_DUE_IN_STATE] * 3) + " ORDER BY due_at LIMIT ?"

_SHORTENED_AT_ONCE = 200
_SHORTEN = """
UPDATE lanes SET due_at = ? WHERE id IN
    (SELECT id FROM lanes WHERE connection = ? AND state = ? AND due_at > ? LIMIT ?)
RETURNING key
"""


@dataclass(frozen=True, slots=True)
class Taken:
    """A lane as it was taken.

    Attributes:
        number: Its row.
        key: Its key.
        correlation_key: Which lane.
        look: Whether somebody asked to read the work item back.
        token: The fencing token.
    """

    number: int
    key: bytes
    correlation_key: str
    look: bool
    token: int


def take(connection: sqlite3.Connection, name: str, *, limit: int, now: datetime, lease_until: datetime) -> list[Taken]:
    """Take up to ``limit`` due lanes of the connection ``name``, longest due first; a ready one is always due."""
    _shorten(connection, name, now)
    latest = {"ready": _FOREVER, "claimed": micros(now), "waiting": micros(now)}
    asked = [value for state, until in latest.items() for value in (name, state, until, limit)]
    due = connection.execute(_DUE, (*asked, limit)).fetchall()
    if not due:
        return []
    token = take_numbers(connection, 1)
    numbers = json.dumps([row[0] for row in due])
    connection.execute(
        "UPDATE lanes SET state = 'claimed', token = ?, due_at = ?, woken = 0, reason = '' "
        "WHERE id IN (SELECT value FROM json_each(?))",
        (token, micros(lease_until), numbers),
    )
    _close_left_steps(connection, numbers, now)
    return [Taken(number, key, text, bool(look), token) for number, key, text, look, _ in due]


def give_up(connection: sqlite3.Connection, taken: Sequence[Taken], *, now: datetime) -> None:
    """Give lanes back as they were taken: nothing was done with them."""
    connection.executemany(
        "UPDATE lanes SET state = 'ready', due_at = ? WHERE id = ? AND token = ? AND state = 'claimed'",
        [(micros(now), one.number, one.token) for one in taken],
    )


def read_taken(
    connection: sqlite3.Connection, name: str, taken: Sequence[Taken], *, pending_limit: int, lease_until: datetime
) -> list[ClaimedLane]:
    """Read what the owner of taken lanes needs."""
    restored = connection.execute("SELECT value FROM cursors WHERE name = ?", (RESTORED_AT,)).fetchone()
    wary = may_be_there(restored[0] if restored else None, lease_until)
    return [_read(connection, name, one, pending_limit, lease_until, wary=wary) for one in taken]


def _read(  # noqa: PLR0913 - what a claim says
    connection: sqlite3.Connection,
    name: str,
    one: Taken,
    pending_limit: int,
    lease_until: datetime,
    *,
    wary: bool,
) -> ClaimedLane:
    pending, alert_ids = _pending(connection, one.number, pending_limit)
    item = latest_of(connection, one.key)
    item_id = item.id if item is not None else None
    return ClaimedLane(
        connection=name,
        correlation_key=one.correlation_key,
        token=one.token,
        lease_until=lease_until,
        look=one.look,
        pending=pending,
        item=item,
        known=read_known(connection, name, item_id, sorted(alert_ids), ()) if alert_ids else None,
        known_of=alert_ids,
        wary=wary,
    )


def _pending(connection: sqlite3.Connection, lane: int, limit: int) -> tuple[tuple[Pending, ...], frozenset[str]]:
    """Read what is not folded yet, oldest first, and whose it is; few at a time where bodies are huge."""
    rows = connection.execute(
        "SELECT id, received_at, packed, body, alert FROM pending JOIN notifications ON id = notification "
        "WHERE lane = ? ORDER BY notification LIMIT ?",
        (lane, limit),
    )
    return pending_of(rows)


def _shorten(connection: sqlite3.Connection, name: str, now: datetime) -> None:
    """Let no lane wait for a time that a clock told before it was set back."""
    for state, longest in LONGEST.items():
        until = now + longest
        lanes = connection.execute(_SHORTEN, (micros(until), name, state, micros(until), _SHORTENED_AT_ONCE)).fetchall()
        for (key,) in lanes:
            item = latest_of(connection, key)
            if item is not None and item.not_before is not None and item.not_before > until:
                put_work_item(connection, replace(item, not_before=until))


def _close_left_steps(connection: sqlite3.Connection, numbers: str, now: datetime) -> None:
    """Close the steps that earlier owners of these lanes left unfinished: nobody knows what came of them."""
    left = connection.execute(
        "UPDATE steps SET finished_at = ?, outcome = ?, reason = ? WHERE finished_at IS NULL AND lane IN "
        "(SELECT key FROM lanes WHERE id IN (SELECT value FROM json_each(?))) RETURNING work_item, kind",
        (micros(now), UNCLEAR, OWNER_GONE, numbers),
    ).fetchall()
    for seq, kind in left:
        if kind != StepKind.LOOK:
            _leave_doubt(connection, seq)


def _leave_doubt(connection: sqlite3.Connection, seq: int) -> None:
    """See to it that the work item of a step without an answer is looked at first."""
    row = connection.execute("SELECT document FROM work_items WHERE seq = ?", (seq,)).fetchone()
    item = work_item(row[0])
    if not item.doubt:
        put_work_item(connection, replace(item, doubt=True))


_TAKE_OVER = """
UPDATE lanes SET due_at = max(:now, coalesce(
    (SELECT started_at FROM steps WHERE steps.lane = lanes.key AND finished_at IS NULL AND kind <> 'look'), 0
) + :patience)
WHERE connection = :name AND state = 'claimed' AND due_at > :now
"""


def take_over(connection: sqlite3.Connection, name: str, *, now: datetime, patience: timedelta) -> int:
    """Make the lanes of a connection due that somebody claimed; how many there were.

    One with a begun step becomes due when what it asked for can no longer go on in the tool.
    """
    asked = {"now": micros(now), "name": name, "patience": patience // timedelta(microseconds=1)}
    return connection.execute(_TAKE_OVER, asked).rowcount
