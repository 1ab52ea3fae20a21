"""Records entries, many at a time: the hot path's part of the store."""

import sqlite3
from collections.abc import Sequence

from secure_export.intake.contract import Entry, Receipt
from secure_export.store.bodies import packed
from secure_export.store.instants import micros
from secure_export.store.keys import lane_key
from secure_export.store.signals import Signals
from secure_export.store.sqlite.statements import ManyRows, take_numbers

_SENDERS_REMEMBERED = 4096

_NOTIFICATIONS = ManyRows(
    "INSERT INTO notifications (id, received_at, sender, dedupe_key, packed, body) VALUES",
    "(?, ?, ?, ?, ?, ?)",
    "ON CONFLICT DO NOTHING",
)
_LANES = ManyRows(
    "INSERT INTO lanes (id, key, connection, correlation_key, state, due_at) VALUES",
    "(?, ?, ?, ?, 'ready', ?)",
    "ON CONFLICT (key) DO UPDATE SET state = 'ready', due_at = excluded.due_at, reason = '' "
    "WHERE state IN ('waiting', 'parked')",
)
_PENDING = ManyRows(
    "INSERT INTO pending (lane, notification, alert) SELECT lanes.id, column2, column3 FROM (VALUES",
    "(?, ?, ?)",
    ") CROSS JOIN lanes ON lanes.key = column1",
)
_QUARANTINE = ManyRows("INSERT INTO quarantine (notification, reason, since) VALUES", "(?, ?, ?)")


class Appender:
    """Writes entries for the writer.

    Args:
        signals: Told when entries made lanes ready.
    """

    def __init__(self, signals: Signals) -> None:
        self._signals = signals
        self._senders: dict[tuple[str, bytes], int] = {}

    def write(self, connection: sqlite3.Connection, things: Sequence[Entry]) -> list[Receipt]:
        """Record entries: each as a notification with its lane, or in quarantine, unless it is there already."""
        first = take_numbers(connection, len(things))
        written = _NOTIFICATIONS.run(connection, self._notifications(connection, first, things))
        known = {} if written == len(things) else _numbers_by_key(connection, things)
        receipts: list[Receipt] = []
        accepted: list[tuple[int, Entry]] = []
        quarantined: list[tuple[int, Entry]] = []
        for number, entry in enumerate(things, first):
            if known and (there := known.get(entry.dedupe_key, number)) != number:
                receipts.append(Receipt(there, "duplicate"))
            elif entry.correlation_key is not None:
                receipts.append(Receipt(number, "accepted"))
                accepted.append((number, entry))
            else:
                receipts.append(Receipt(number, "quarantined"))
                quarantined.append((number, entry))
        _mark_lanes(connection, accepted)
        _keep_quarantined(connection, quarantined)
        return receipts

    def undone(self) -> None:
        """Forget the numbers of senders that were not kept after all."""
        self._senders.clear()

    def committed(self, results: Sequence[Receipt]) -> None:
        """Tell that lanes became ready."""
        if any(receipt.status == "accepted" for receipt in results):
            self._signals.ready()

    def _notifications(self, connection: sqlite3.Connection, first: int, entries: Sequence[Entry]) -> list[object]:
        """Give the parameters of the entries' rows."""
        parameters: list[object] = []
        for number, entry in enumerate(entries, first):
            is_frame, body = packed(entry.body)
            sender = self._senders.get((entry.connection, entry.caller)) or self._sender(connection, entry)
            parameters += (number, micros(entry.received_at), sender, entry.dedupe_key, is_frame, body)
        return parameters

    def _sender(self, connection: sqlite3.Connection, entry: Entry) -> int:
        """Find or write down who sends to which connection."""
        pair = (entry.connection, entry.caller)
        connection.execute("INSERT INTO senders (connection, caller) VALUES (?, ?) ON CONFLICT DO NOTHING", pair)
        row = connection.execute("SELECT id FROM senders WHERE connection = ? AND caller = ?", pair).fetchone()
        if len(self._senders) >= _SENDERS_REMEMBERED:
            self._senders.clear()
        number: int = row[0]
        self._senders[pair] = number
        return number


def _numbers_by_key(connection: sqlite3.Connection, entries: Sequence[Entry]) -> dict[bytes | None, int]:
    """Give the numbers under which these dedupe keys are recorded."""
    keys = [entry.dedupe_key for entry in entries if entry.dedupe_key is not None]
    marks = ", ".join("?" * len(keys))
    rows = connection.execute(f"SELECT dedupe_key, id FROM notifications WHERE dedupe_key IN ({marks})", keys)  # noqa: S608 - only question marks
    return dict(rows.fetchall())


def _mark_lanes(connection: sqlite3.Connection, accepted: Sequence[tuple[int, Entry]]) -> None:
    """Make the lanes ready, except those that an owner works on: it finds what is newer when it gives them back."""
    lanes: list[object] = []
    pending: list[object] = []
    for number, entry in accepted:
        correlation_key = entry.correlation_key or ""
        key = lane_key(entry.connection, correlation_key)
        lanes += (number, key, entry.connection, correlation_key, micros(entry.received_at))
        pending += (key, number, entry.alert_id)
    _LANES.run(connection, lanes)
    _PENDING.run(connection, pending)


def _keep_quarantined(connection: sqlite3.Connection, entries: Sequence[tuple[int, Entry]]) -> None:
    parameters: list[object] = []
    for number, entry in entries:
        reason = entry.quarantine_reason or "no reason was given"
        parameters += (number, reason, micros(entry.received_at))
    _QUARANTINE.run(connection, parameters)
