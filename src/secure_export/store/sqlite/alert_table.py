"""Alerts in their table: written for lanes, and read for folding."""

import json
import sqlite3
from collections.abc import Mapping, Sequence
from datetime import datetime

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
from secure_export.store.rows import ALERT_STATE_COLUMNS, alert_state, alert_state_row
from secure_export.workitems.arrival import AlertState

_BY_ID = f"SELECT {ALERT_STATE_COLUMNS} FROM alerts WHERE key = ? AND connection = ?"  # noqa: S608 - a constant
_FIRING_OF_PROBLEM = (
    f"SELECT {ALERT_STATE_COLUMNS} FROM alerts WHERE connection = ? AND problem = ? AND ended_at IS NULL "  # noqa: S608 - as above
    "AND work_item IS coalesce(?, work_item) ORDER BY fired_at DESC LIMIT ?"
)
_LAST_ENDED_OF_PROBLEM = (
    f"SELECT {ALERT_STATE_COLUMNS} FROM alerts WHERE connection = ? AND problem = ? AND ended_at IS NOT NULL "  # noqa: S608 - as above
    "ORDER BY ended_at DESC LIMIT ?"
)
# Of the asked problems what was read counts for all: what fired before it ends with it, if it does.
_FIRING_ELSEWISE = """
SELECT count(*) FROM alerts WHERE work_item = ? AND ended_at IS NULL AND fired_at IS NOT NULL
    AND (problem IS NULL OR problem NOT IN (SELECT value FROM json_each(?)))
"""
_END_UNREAD = f"""
UPDATE alerts SET ended_at = ?, reasons = json_insert(reasons, '$[#]', '{ENDED_UNREAD}')
WHERE connection = ? AND problem = ? AND work_item = ? AND ended_at IS NULL AND fired_at <= ?
"""  # noqa: S608 - a constant
_LANE_OF = "SELECT correlation_key FROM work_items WHERE id = ?"
_PUT = """
INSERT INTO alerts (key, connection, alert_id, problem, fired_at, ended_at, work_item, reasons, told_id, facts, seen_at)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
ON CONFLICT (key, connection) DO UPDATE SET
    problem = excluded.problem, fired_at = excluded.fired_at, ended_at = excluded.ended_at,
    work_item = excluded.work_item, reasons = excluded.reasons, told_id = excluded.told_id, facts = excluded.facts,
    seen_at = excluded.seen_at
RETURNING seq
"""


def put_alert(connection: sqlite3.Connection, name: str, record: AlertRecord, *, now: datetime) -> tuple[int, str]:
    """Insert an alert, or bring it up to date.

    Args:
        connection: The database.
        name: The alert's connection.
        record: The alert as it now is.
        now: The time now.

    Returns:
        Its row's number, and its id as Azure wrote it.
    """
    key = alert_key(record.state.alert_id)
    before = connection.execute(
        "SELECT facts, seen_at FROM alerts WHERE key = ? AND connection = ?", (key, name)
    ).fetchone() or ("", micros(now))
    facts, told_id = facts_after(before[0].encode(), record)
    row = connection.execute(
        _PUT,
        (
            key,
            name,
            *alert_state_row(record.state),
            other_id(record, told_id),
            facts,
            micros_or_none(record.seen_at) or before[1],
        ),
    ).fetchall()[0]
    return row[0], told_id


def link_notifications(
    connection: sqlite3.Connection, folded: Mapping[int, str], alerts: Mapping[str, int], only: int | None
) -> None:
    """Write down which notification spoke of which alert.

    Args:
        connection: The database.
        folded: Notifications, each with the alert id that intake read.
        alerts: Rows of alerts by id in lower case.
        only: The row of the change's alert if it has just one: whatever was folded spoke of it.
    """
    rows = [(number, alerts.get(alert_id.lower(), only)) for number, alert_id in folded.items()]
    connection.executemany(
        "INSERT INTO alert_notifications (notification, alert) VALUES (?, ?) "
        "ON CONFLICT (notification) DO UPDATE SET alert = excluded.alert",
        [row for row in rows if row[1] is not None],
    )


def read_known(
    connection: sqlite3.Connection, name: str, item_id: str | None, alert_ids: Sequence[str], problems: Sequence[str]
) -> Known:
    """Read what is known of alerts and problems of the connection ``name``.

    Of a problem's alerts those are read that fired last, among all and in the work item, and those that ended last.
    What ended long before decides nothing; what fired before all that were read ends with them (``end_unread``).
    """
    alerts = _read_alerts(connection, name, item_id, alert_ids, problems)
    others = {state.work_item for state in alerts.values() if state.work_item not in {None, item_id}}
    lanes = {item: row[0] for item in others if (row := connection.execute(_LANE_OF, (item,)).fetchone())}
    return Known(alerts, _others_firing(connection, item_id, alerts, problems), lanes)


def is_still_so(connection: sqlite3.Connection, name: str, basis: Basis) -> bool:
    """Whether alerts and problems of the connection ``name`` are as they were read."""
    return _read_alerts(connection, name, basis.item_id, basis.alert_ids, basis.problems) == basis.alerts


def end_unread(connection: sqlite3.Connection, name: str, records: Sequence[AlertRecord]) -> None:
    """End what was not read of a problem, where all that was read of it in a work item has ended at one time."""
    for end in ends_of_problems(records):
        at = micros(end.at)
        connection.execute(_END_UNREAD, (at, name, end.problem, end.work_item, at))


def _read_alerts(
    connection: sqlite3.Connection, name: str, item_id: str | None, alert_ids: Sequence[str], problems: Sequence[str]
) -> dict[str, AlertState]:
    found = [row for one in alert_ids for row in connection.execute(_BY_ID, (alert_key(one), name))]
    for problem in problems:
        for work_item in {None, item_id}:
            found += connection.execute(_FIRING_OF_PROBLEM, (name, problem, work_item, MOST_OF_PROBLEM)).fetchall()
        found += connection.execute(_LAST_ENDED_OF_PROBLEM, (name, problem, MOST_OF_PROBLEM)).fetchall()
        found += [row for row in connection.execute(_BY_ID, (alert_key(problem), name)) if row[1] is None]
    return {state.alert_id: state for state in map(alert_state, found)}


def _others_firing(
    connection: sqlite3.Connection, item_id: str | None, alerts: Mapping[str, AlertState], problems: Sequence[str]
) -> int:
    if item_id is None:
        return 0
    row = connection.execute(_FIRING_ELSEWISE, (item_id, json.dumps(problems))).fetchone()
    count: int = row[0]
    return count - counted_twice(item_id, alerts, problems)
