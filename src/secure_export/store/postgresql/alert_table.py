"""Alerts in their table: written for lanes, and read for folding."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from hashlib import blake2b
from typing import Any

from secure_export.delivery.contract import AlertRecord, Basis, Known
from secure_export.store.alert_rows import (
    ENDED_UNREAD,
    MOST_OF_PROBLEM,
    counted_twice,
    ends_of_problems,
    facts_after,
    other_id,
)
from secure_export.store.instants import micros, micros_or_none
from secure_export.store.keys import alert_key
from secure_export.store.postgresql.connect import Connection
from secure_export.store.rows import ALERT_STATE_COLUMNS, alert_state, alert_state_row, decoded
from secure_export.workitems.arrival import AlertState

_SEARCHED = ("id", "rule", "title", "targets")

_BY_ID = f"SELECT {ALERT_STATE_COLUMNS} FROM alerts WHERE key = ANY($1::bytea[]) AND connection = $2"  # noqa: S608 - a constant
_FIRING_OF_PROBLEM = (
    f"SELECT {ALERT_STATE_COLUMNS} FROM alerts WHERE connection = $1 AND problem_key = $2 AND ended_at IS NULL "  # noqa: S608 - as above
    "{of_item}ORDER BY fired_at DESC NULLS LAST LIMIT $3"
)
_OF_ALL = _FIRING_OF_PROBLEM.format(of_item="")
_OF_ITEM = _FIRING_OF_PROBLEM.format(of_item="AND work_item = $4 ")
_LAST_ENDED_OF_PROBLEM = (
    f"SELECT {ALERT_STATE_COLUMNS} FROM alerts WHERE connection = $1 AND problem_key = $2 AND ended_at IS NOT NULL "  # noqa: S608 - as above
    "ORDER BY ended_at DESC LIMIT $3"
)
# Of the asked problems what was read counts for all: what fired before it ends with it, if it does.
_FIRING_ELSEWISE = """
SELECT count(*) FROM alerts WHERE work_item = $1 AND ended_at IS NULL AND fired_at IS NOT NULL
    AND (problem_key IS NULL OR problem_key <> ALL($2::bytea[]))
"""
_END_UNREAD = """
UPDATE alerts SET ended_at = $1, reasons = CASE reasons
    WHEN '[]' THEN '["' || $5 || '"]' ELSE left(reasons, -1) || ',"' || $5 || '"]' END
WHERE connection = $2 AND problem_key = $3 AND work_item = $4 AND ended_at IS NULL AND fired_at <= $1
"""
_LANES_OF = "SELECT id, correlation_key FROM work_items WHERE id = ANY($1::text[])"
_BEFORE = (
    f"SELECT key, facts, seen_at, {ALERT_STATE_COLUMNS} FROM alerts "  # noqa: S608 - a constant
    "WHERE key = ANY($1::bytea[]) AND connection = $2"
)
_PUT = """
INSERT INTO alerts (key, connection, alert_id, problem, fired_at, ended_at, work_item, reasons, told_id, facts, seen_at,
    problem_key, searched)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)
ON CONFLICT (key, connection) DO UPDATE SET
    problem = excluded.problem, fired_at = excluded.fired_at, ended_at = excluded.ended_at,
    work_item = excluded.work_item, reasons = excluded.reasons, told_id = excluded.told_id, facts = excluded.facts,
    seen_at = excluded.seen_at, problem_key = excluded.problem_key, searched = excluded.searched
RETURNING seq
"""
_FACTS, _SEEN_AT = 9, 10  # where they are in _PUT
_LINK = """
INSERT INTO alert_notifications (notification, alert) SELECT * FROM unnest($1::bigint[], $2::bigint[])
ON CONFLICT (notification) DO UPDATE SET alert = excluded.alert
"""
# One alert, as is usual: whatever was folded spoke of it.
_PUT_AND_LINK = f"""
WITH put AS ({_PUT}), gone AS (
    DELETE FROM pending WHERE lane = $14::bytea AND notification = ANY($15::bigint[]) RETURNING notification
), linked AS (
    INSERT INTO alert_notifications (notification, alert) SELECT notification, seq FROM gone, put
    ON CONFLICT (notification) DO UPDATE SET alert = excluded.alert
)
SELECT seq FROM put
"""  # noqa: S608 - constants
# Taken in order, so that nobody waits in a circle, and held until the end of the transaction.
_LOCK = "SELECT pg_advisory_xact_lock(number) FROM unnest($1::bigint[]) AS given (number)"


def locks_for(name: str, basis: Basis | None, records: Sequence[AlertRecord]) -> list[int]:
    """Give the numbers of the locks on alerts and on problems, in the order in which they are to be taken.

    Who holds them until his transaction ends lets nobody else write alerts that were read, or tell of problems that
    were. What another has written before can then be seen, and what is not there yet cannot appear.
    """
    texts = {f"{record.state.alert_id.lower()}" for record in records} | {f"{r.state.problem.lower()}" for r in records}
    if basis is not None:
        texts |= {one.lower() for one in (*basis.alert_ids, *basis.problems)}
    return sorted({_lock_number(name, text) for text in texts})


async def lock_alerts(connection: Connection, numbers: Sequence[int]) -> None:
    """Take locks (``locks_for``) until the transaction ends."""
    if numbers:
        await connection.execute(_LOCK, numbers)


async def rows_before(
    connection: Connection, name: str, basis: Basis | None, records: Sequence[AlertRecord]
) -> dict[bytes, Sequence[Any]]:
    """Read the rows of alerts that a change goes by, or writes, by their keys."""
    ids = {record.state.alert_id for record in records} | set(basis.alert_ids if basis is not None else ())
    rows = await connection.fetch(_BEFORE, _keys(ids), name) if ids else []
    return {bytes(row[0]): tuple(row) for row in rows}


async def put_alerts(
    connection: Connection,
    name: str,
    records: Sequence[AlertRecord],
    *,
    before: Mapping[bytes, Sequence[Any]],
    now: datetime,
) -> list[tuple[int, str]]:
    """Insert alerts, or bring them up to date.

    Args:
        connection: The database.
        name: The alerts' connection.
        records: The alerts as they now are.
        before: Their rows (``rows_before``).
        now: The time now.

    Returns:
        The row's number of each, and its id as Azure wrote it.
    """
    there = dict(before)
    rows: list[tuple[int, str]] = []
    for record in records:
        told_id, values = _values(name, record, there, now)
        rows.append((int(await connection.fetchval(_PUT, *values)), told_id))
        there[values[0]] = (values[0], values[_FACTS], values[_SEEN_AT])
    return rows


async def put_alert_and_fold(  # noqa: PLR0913 - as put_alerts
    connection: Connection,
    name: str,
    record: AlertRecord,
    *,
    before: Mapping[bytes, Sequence[Any]],
    lane: bytes,
    folded: Sequence[int],
    now: datetime,
) -> None:
    """Put an alert as ``put_alerts`` does, and strike a lane's notifications off, all of which spoke of it."""
    _, values = _values(name, record, before, now)
    await connection.fetchval(_PUT_AND_LINK, *values, lane, list(folded))


async def link_notifications(connection: Connection, folded: Mapping[int, str], alerts: Mapping[str, int]) -> None:
    """Write down which notification spoke of which alert.

    Args:
        connection: The database.
        folded: Notifications, each with the alert id that intake read.
        alerts: Rows of alerts by id in lower case.
    """
    rows = {number: alerts.get(alert_id.lower()) for number, alert_id in folded.items()}
    linked = {number: alert for number, alert in rows.items() if alert is not None}
    if linked:
        await connection.execute(_LINK, list(linked), list(linked.values()))


async def read_known(
    connection: Connection, name: str, item_id: str | None, alert_ids: Sequence[str], problems: Sequence[str]
) -> Known:
    """Read what is known of alerts and problems of the connection ``name``.

    Of a problem's alerts those are read that fired last, among all and in the work item, and those that ended last.
    What ended long before decides nothing; what fired before all that were read ends with them (``end_unread``).
    """
    alerts = await _read_alerts(connection, name, item_id, alert_ids, problems)
    lanes = await _lanes_of(connection, alerts.values())
    return await _known(connection, item_id, alerts, problems, lanes)


async def read_known_of_all(
    connection: Connection, name: str, asked: Sequence[tuple[str | None, Iterable[str]]]
) -> list[Known]:
    """Read what is known of the alerts of several lanes, each asked with its work item; without problems."""
    keys = [set(_keys(alert_ids)) for _, alert_ids in asked]
    alerts = await _read_alerts(connection, name, None, [one for _, alert_ids in asked for one in alert_ids], ())
    lanes = await _lanes_of(connection, alerts.values())
    by_key = {alert_key(alert_id): state for alert_id, state in alerts.items()}
    own = [{state.alert_id: state for key in some if (state := by_key.get(key))} for some in keys]
    return [await _known(connection, item_id, some, (), lanes) for (item_id, _), some in zip(asked, own, strict=True)]


async def is_still_so(connection: Connection, name: str, basis: Basis, before: Mapping[bytes, Sequence[Any]]) -> bool:
    """Whether alerts and problems of the connection ``name`` are as they were read; see ``rows_before``."""
    found = [row[3:] for key in _keys(basis.alert_ids) if (row := before.get(key)) is not None]
    found += await _rows_of_problems(connection, name, basis.item_id, basis.problems)
    return _states(found) == basis.alerts


async def end_unread(connection: Connection, name: str, records: Sequence[AlertRecord]) -> None:
    """End what was not read of a problem, where all that was read of it in a work item has ended at one time."""
    for end in ends_of_problems(records):
        key = problem_key(end.problem)
        await connection.execute(_END_UNREAD, micros(end.at), name, key, end.work_item, ENDED_UNREAD)


async def _read_alerts(
    connection: Connection, name: str, item_id: str | None, alert_ids: Sequence[str], problems: Sequence[str]
) -> dict[str, AlertState]:
    found: list[Any] = await connection.fetch(_BY_ID, _keys(alert_ids), name) if alert_ids else []
    return _states([*found, *await _rows_of_problems(connection, name, item_id, problems)])


async def _rows_of_problems(
    connection: Connection, name: str, item_id: str | None, problems: Sequence[str]
) -> list[Sequence[Any]]:
    found: list[Any] = []
    for problem in problems:
        asked = (name, problem_key(problem), MOST_OF_PROBLEM)
        found += await connection.fetch(_OF_ALL, *asked)
        if item_id is not None:
            found += await connection.fetch(_OF_ITEM, *asked, item_id)
        found += await connection.fetch(_LAST_ENDED_OF_PROBLEM, *asked)
    if problems:
        found += [row for row in await connection.fetch(_BY_ID, _keys(problems), name) if row[1] is None]
    return found


def _states(rows: Iterable[Sequence[Any]]) -> dict[str, AlertState]:
    return {state.alert_id: state for state in (alert_state(tuple(row)) for row in rows)}


def _values(
    name: str, record: AlertRecord, before: Mapping[bytes, Sequence[Any]], now: datetime
) -> tuple[str, tuple[Any, ...]]:
    """Give an alert's id as Azure wrote it, and the alert as it is kept, in the order of ``_PUT``."""
    key = alert_key(record.state.alert_id)
    _, old_facts, seen_at, *_ = before.get(key, (key, "", micros(now)))
    facts, told_id = facts_after(old_facts.encode(), record)
    state = alert_state_row(record.state)
    seen = micros_or_none(record.seen_at) or seen_at
    derived = (problem_key(state[1]), searched_text(record.state.alert_id, facts))
    return told_id, (key, name, *state, other_id(record, told_id), facts, seen, *derived)


async def _known(
    connection: Connection,
    item_id: str | None,
    alerts: dict[str, AlertState],
    problems: Sequence[str],
    lanes: Mapping[str, str],
) -> Known:
    others = {state.work_item for state in alerts.values()} - {None, item_id}
    firing = await _others_firing(connection, item_id, alerts, problems)
    return Known(alerts, firing, {item: lane for item, lane in lanes.items() if item in others})


async def _lanes_of(connection: Connection, alerts: Iterable[AlertState]) -> dict[str, str]:
    """Give the correlation keys of the work items that alerts are in."""
    items = sorted({state.work_item for state in alerts if state.work_item is not None})
    rows = await connection.fetch(_LANES_OF, items) if items else []
    return {row[0]: row[1] for row in rows}


async def _others_firing(
    connection: Connection, item_id: str | None, alerts: Mapping[str, AlertState], problems: Sequence[str]
) -> int:
    if item_id is None:
        return 0
    count: int = await connection.fetchval(_FIRING_ELSEWISE, item_id, [problem_key(one) for one in problems])
    return count - counted_twice(item_id, alerts, problems)


def _keys(alert_ids: Iterable[str]) -> list[bytes]:
    return [alert_key(one) for one in alert_ids]


def problem_key(problem: str | None) -> bytes | None:
    """Give what a problem is looked for by; problems differ also in case, unlike alert ids."""
    if problem is None:
        return None
    return blake2b(problem.encode("utf-8", "surrogatepass"), digest_size=16).digest()


def searched_text(alert_id: str, facts: str) -> str:
    """Give the text that a search looks at."""
    said: dict[str, Any] = decoded(facts)
    texts = [alert_id]
    for name in _SEARCHED:
        value = said.get(name)
        texts += [str(one) for one in value] if isinstance(value, list) else [str(value)] if value else []
    return " ".join(texts).lower()


def _lock_number(name: str, text: str) -> int:
    """Give a number between those of PostgreSQL's bigint; two texts that share one only wait for each other."""
    digest = blake2b(f"{name}\0{text}".encode("utf-8", "surrogatepass"), digest_size=8).digest()
    return int.from_bytes(digest, "big", signed=True)
