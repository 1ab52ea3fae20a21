"""Alerts in their table: written for lanes, and read for folding."""

import sqlite3
from collections.abc import Mapping, Sequence
from datetime import datetime

from secure_export.delivery.contract import AlertRecord, Known
from secure_export.delivery.facts import merged
from secure_export.store.instants import micros, micros_or_none
from secure_export.store.keys import alert_key
from secure_export.store.rows import ALERT_STATE_COLUMNS, alert_state, alert_state_row, decoded
from secure_export.workitems.arrival import AlertState

_ENDED_OF_PROBLEM = 200

_BY_ID = f"SELECT {ALERT_STATE_COLUMNS} FROM alerts WHERE key = ? AND connection = ?"  # noqa: S608 - a constant
_FIRING_OF_PROBLEM = (
    f"SELECT {ALERT_STATE_COLUMNS} FROM alerts WHERE connection = ? AND problem = ? AND ended_at IS NULL"  # noqa: S608 - as above
)
_LAST_ENDED_OF_PROBLEM = (
    f"SELECT {ALERT_STATE_COLUMNS} FROM alerts WHERE connection = ? AND problem = ? AND ended_at IS NOT NULL "  # noqa: S608 - as above
    "ORDER BY ended_at DESC LIMIT ?"
)
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
    facts = merged(before[0].encode(), record.facts) or b"{}"
    told_id = str(decoded(facts).get("id") or record.state.alert_id)
    row = connection.execute(
        _PUT,
        (
            key,
            name,
            *alert_state_row(record.state),
            None if told_id.lower() == record.state.alert_id.lower() else told_id,
            facts.decode(),
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

    Of a problem's alerts all that fire are read, and of those that ended the latest: what ended long before decides
    nothing.
    """
    found = [row for one in alert_ids for row in connection.execute(_BY_ID, (alert_key(one), name))]
    for problem in problems:
        found += connection.execute(_FIRING_OF_PROBLEM, (name, problem)).fetchall()
        found += connection.execute(_LAST_ENDED_OF_PROBLEM, (name, problem, _ENDED_OF_PROBLEM)).fetchall()
        found += [row for row in connection.execute(_BY_ID, (alert_key(problem), name)) if row[1] is None]
    alerts = {state.alert_id: state for state in map(alert_state, found)}
    return Known(alerts, _others_firing(connection, item_id, alerts))


def _others_firing(connection: sqlite3.Connection, item_id: str | None, alerts: Mapping[str, AlertState]) -> int:
    if item_id is None:
        return 0
    row = connection.execute(
        "SELECT count(*) FROM alerts WHERE work_item = ? AND ended_at IS NULL AND fired_at IS NOT NULL", (item_id,)
    ).fetchone()
    count: int = row[0]
    return count - sum(state.firing and state.work_item == item_id for state in alerts.values())
