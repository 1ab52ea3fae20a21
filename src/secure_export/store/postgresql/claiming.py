"""Takes due lanes, and reads what their owner needs."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import accumulate
from typing import Any

from secure_export.delivery.contract import ClaimedLane, Pending
from secure_export.store.claims import LONGEST, PENDING_BYTES_AT_ONCE, pending_of
from secure_export.store.instants import micros
from secure_export.store.postgresql.alert_table import read_known_of_all
from secure_export.store.postgresql.connect import Connection
from secure_export.store.postgresql.partitions import of_days
from secure_export.store.postgresql.work_item_table import latest_of, latest_of_all, put_work_item
from secure_export.store.restored import RESTORED_AT, may_be_there
from secure_export.store.rows import OWNER_GONE, UNCLEAR, work_item
from secure_export.workitems.work_item import StepKind

_FOREVER = 2**63 - 1
_SHORTENED_AT_ONCE = 200

# Lanes that another claims at this moment are passed over. Each state is looked for by itself, so that each has the
# index of lanes_by_state to walk along; what is locked and not taken is let go with the transaction.
_DUE = """SELECT * FROM (
    SELECT id, due_at FROM lanes WHERE connection = $1 AND state = '{state}' AND due_at <= {until}
    ORDER BY due_at LIMIT $2 FOR UPDATE SKIP LOCKED) AS {state}"""
_TAKE = f"""
WITH due AS MATERIALIZED (
    SELECT id FROM (
        {_DUE.format(state="ready", until=_FOREVER)}
        UNION ALL {_DUE.format(state="claimed", until="$3")}
        UNION ALL {_DUE.format(state="waiting", until="$3")}
    ) AS every ORDER BY due_at LIMIT $2
), token AS MATERIALIZED (
    SELECT nextval('fencing_tokens') AS number WHERE EXISTS (SELECT 1 FROM due)
), before AS MATERIALIZED (
    SELECT lanes.id, lanes.due_at FROM lanes JOIN due ON due.id = lanes.id
)
UPDATE lanes SET state = 'claimed', token = token.number, owner = $4, due_at = $5, saved = $6,
    woken = false, reason = ''
FROM before, token WHERE lanes.id = before.id
RETURNING lanes.key, correlation_key, look, token, before.due_at
"""  # noqa: S608 - constants
# A lane that notifications come for all the time is locked nearly all the time. Once it has been due for a while it is
# waited for, in the order in which the database gives locks, rather than passed over again and again.
_OVERDUE = timedelta(seconds=1)
_PATIENCE = "SET LOCAL lock_timeout = '1s'"
_WAIT_FOR_LONGEST_DUE = """
SELECT 1 FROM lanes WHERE connection = $1 AND state = 'ready' AND due_at <= $2 ORDER BY due_at LIMIT 1 FOR UPDATE
"""
_GIVE_BACK = """
UPDATE lanes SET state = 'ready', due_at = $4, owner = NULL
WHERE connection = $1 AND state = 'claimed' AND due_at = $2 AND saved = $3
"""
_CLOSE_LEFT_STEPS = """
UPDATE steps SET finished_at = $2, outcome = $3, reason = $4 WHERE finished_at IS NULL AND lane = ANY($1::bytea[])
RETURNING work_item, kind
"""
_SHORTEN = """
UPDATE lanes SET due_at = CASE state WHEN 'claimed' THEN $2::bigint ELSE $3::bigint END WHERE id IN (
    SELECT id FROM (SELECT id FROM lanes WHERE connection = $1 AND state = 'claimed' AND due_at > $2
        LIMIT $4 FOR UPDATE SKIP LOCKED) AS claimed
    UNION ALL
    SELECT id FROM (SELECT id FROM lanes WHERE connection = $1 AND state = 'waiting' AND due_at > $3
        LIMIT $4 FOR UPDATE SKIP LOCKED) AS waiting)
RETURNING key, due_at
"""
# Bodies are read afterwards, when it is known how many bytes they are.
_PENDING = """
SELECT lane, notification, alert FROM unnest($1::bytea[]) AS given (key) CROSS JOIN LATERAL (
    SELECT lane, notification, alert FROM pending WHERE lane = key ORDER BY notification LIMIT $2) AS found
"""
_BODIES = "SELECT id, received_at, packed, body FROM notifications WHERE id = ANY($1::bigint[])"
_SIZES = "SELECT id, octet_length(body) FROM notifications WHERE id = ANY($1::bigint[])"


@dataclass(frozen=True, slots=True)
class Taken:
    """A lane as it was taken.

    Attributes:
        key: Its key.
        correlation_key: Which lane.
        look: Whether somebody asked to read the work item back.
        token: The fencing token.
    """

    key: bytes
    correlation_key: str
    look: bool
    token: int


async def take(  # noqa: PLR0913 - what a claim says
    connection: Connection,
    name: str,
    *,
    limit: int,
    owner: int | None,
    number: int,
    now: datetime,
    lease_until: datetime,
    patient: bool = False,
) -> list[Taken]:
    """Take up to ``limit`` due lanes of the connection ``name``, longest due first; a ready one is always due.

    Args:
        connection: The database.
        name: Whose lanes.
        limit: How many at most.
        owner: The number of this process, if it holds a lock on it.
        number: What tells this claim from others; see ``give_back``.
        now: The time now.
        lease_until: When others may take them over.
        patient: Whether to wait for the longest due lane, where others hold it, rather than pass it over.
    """
    await _shorten(connection, name, now)
    if patient:
        await connection.execute(_PATIENCE)
        await connection.fetchval(_WAIT_FOR_LONGEST_DUE, name, micros(now - _OVERDUE))
    rows = await connection.fetch(_TAKE, name, limit, micros(now), owner, micros(lease_until), number)
    if not rows:
        return []
    taken = [
        Taken(bytes(key), text, look, token) for key, text, look, token, _ in sorted(rows, key=lambda row: int(row[4]))
    ]
    await _close_left_steps(connection, [one.key for one in taken], now)
    return taken


async def give_back(connection: Connection, name: str, number: int, *, now: datetime, lease_until: datetime) -> None:
    """Give lanes back that a claim took though nobody heard of it: nothing was done with them."""
    await connection.execute(_GIVE_BACK, name, micros(lease_until), number, micros(now))


async def read_taken(
    connection: Connection, name: str, taken: Sequence[Taken], *, pending_limit: int, lease_until: datetime
) -> list[ClaimedLane]:
    """Read what the owner of taken lanes needs."""
    restored_at = await connection.fetchval("SELECT value FROM cursors WHERE name = $1", RESTORED_AT)
    wary = may_be_there(restored_at, lease_until)
    keys = [one.key for one in taken]
    pending = await _pending(connection, keys, pending_limit)
    items = await latest_of_all(connection, keys)
    nothing: tuple[tuple[Pending, ...], frozenset[str]] = ((), frozenset())
    arrived = [pending.get(one.key, nothing) for one in taken]
    ids = [item.id if (item := items.get(one.key)) is not None else None for one in taken]
    known = await read_known_of_all(
        connection, name, [(item_id, alert_ids) for item_id, (_, alert_ids) in zip(ids, arrived, strict=True)]
    )
    return [
        ClaimedLane(
            connection=name,
            correlation_key=one.correlation_key,
            token=one.token,
            lease_until=lease_until,
            look=one.look,
            pending=notifications,
            item=items.get(one.key),
            known=known_of if alert_ids else None,
            known_of=alert_ids,
            wary=wary,
        )
        for one, (notifications, alert_ids), known_of in zip(taken, arrived, known, strict=True)
    ]


async def _pending(
    connection: Connection, lanes: Sequence[bytes], limit: int
) -> dict[bytes, tuple[tuple[Pending, ...], frozenset[str]]]:
    """Read what is not folded yet, oldest first, and whose it is; few at a time where bodies are huge."""
    alerts: dict[bytes, dict[int, str | None]] = defaultdict(dict)
    for lane, number, alert in await connection.fetch(_PENDING, list(lanes), limit):
        alerts[bytes(lane)][number] = alert
    every = [number for numbers in alerts.values() for number in numbers]
    sizes = {row[0]: row[1] for row in await of_days(connection, _SIZES, every)}
    chosen = {lane: _first_of(sorted(numbers), sizes) for lane, numbers in alerts.items()}
    bodies = await _bodies(connection, [number for numbers in chosen.values() for number in numbers], sizes)
    return {
        lane: pending_of((*bodies[number], alerts[lane][number]) for number in numbers if number in bodies)
        for lane, numbers in chosen.items()
    }


def _first_of(numbers: Sequence[int], sizes: Mapping[int, int]) -> list[int]:
    """Give the first of these notifications: one, and more while they are not too many bytes together."""
    there = [number for number in numbers if number in sizes]
    totals = accumulate(sizes[number] for number in there)
    return [number for number, total in zip(there, totals, strict=True) if total <= PENDING_BYTES_AT_ONCE] or there[:1]


async def _bodies(connection: Connection, numbers: Sequence[int], sizes: Mapping[int, int]) -> dict[int, Sequence[Any]]:
    """Read ``id, received_at, packed, body`` of notifications, not too many bytes at a time."""
    found: dict[int, Sequence[Any]] = {}
    while some := _first_of(numbers, sizes):
        found |= {row[0]: tuple(row) for row in await of_days(connection, _BODIES, some)}
        numbers = numbers[len(some) :]
    return found


async def _shorten(connection: Connection, name: str, now: datetime) -> None:
    """Let no lane wait for a time that a clock told before it was set back."""
    claimed, waiting = (micros(now + LONGEST[state]) for state in ("claimed", "waiting"))
    for key, _ in await connection.fetch(_SHORTEN, name, claimed, waiting, _SHORTENED_AT_ONCE):
        item = await latest_of(connection, key)
        until = now + LONGEST["waiting"]
        if item is not None and item.not_before is not None and item.not_before > until:
            await put_work_item(connection, replace(item, not_before=until))


async def _close_left_steps(connection: Connection, lanes: Sequence[bytes], now: datetime) -> None:
    """Close the steps that earlier owners of these lanes left unfinished: nobody knows what came of them."""
    left = await connection.fetch(_CLOSE_LEFT_STEPS, list(lanes), micros(now), UNCLEAR, OWNER_GONE)
    for seq, kind in left:
        if kind != StepKind.LOOK:
            await _leave_doubt(connection, seq)


async def _leave_doubt(connection: Connection, seq: int) -> None:
    """See to it that the work item of a step without an answer is looked at first."""
    item = work_item(await connection.fetchval("SELECT document FROM work_items WHERE seq = $1", seq))
    if not item.doubt:
        await put_work_item(connection, replace(item, doubt=True))


# A process holds a lock on its number for as long as it lives (``presence``): see pg_locks in PostgreSQL's docs.
# Who else's lanes are claimed is looked at first: the locks of a server are dearer to list.
_TAKE_OVER = """
UPDATE lanes SET due_at = greatest($2::bigint, gone.until) FROM (
    SELECT id, coalesce((
        SELECT started_at FROM steps WHERE steps.lane = lanes.key AND finished_at IS NULL AND kind <> 'look'), 0)
        + $3::bigint AS until
    FROM lanes WHERE connection = $1 AND state = 'claimed' AND due_at > $2 AND owner <> $5 AND owner NOT IN (
        SELECT objid::bigint::integer FROM pg_locks
        WHERE locktype = 'advisory' AND classid = $4 AND objsubid = 2 AND granted
            AND database = (SELECT oid FROM pg_database WHERE datname = current_database()))
    FOR UPDATE SKIP LOCKED
) AS gone
WHERE lanes.id = gone.id AND due_at > gone.until
"""


async def take_over(  # noqa: PLR0913 - who asks, and how
    connection: Connection, name: str, *, now: datetime, patience: timedelta, locks: int, own: int | None
) -> int:
    """Make the lanes of a connection due whose owner is gone; how many there were.

    One with a begun step becomes due when what it asked for can no longer go on in the tool.
    """
    waits = patience // timedelta(microseconds=1)
    status = await connection.execute(_TAKE_OVER, name, micros(now), waits, locks, own if own is not None else 0)
    return int(status.rpartition(" ")[2])
