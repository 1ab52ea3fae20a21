"""Lanes and quarantine as JSON objects: pure."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from secure_export.errors import NotFound
from secure_export.store.instants import micros, text_or_none
from secure_export.store.row import Row
from secure_export.store.rows import decoded, work_item

LANE_STATES = ("ready", "claimed", "waiting", "parked")


def lane_object(row: Row) -> dict[str, Any]:
    """Read ``id, correlation_key, connection, state, reason, due_at``, how many are pending, and the work item."""
    _, key, connection, state, reason, due_at, pending, document = row
    item = work_item(document) if document is not None else None
    return {
        "key": key,
        "connection": connection,
        "state": state,
        "title": item.desired.content.title if item else None,
        "reason": reason or None,
        "due_at": text_or_none(due_at),
        "pending": pending,
        "work_item": item.id if item else None,
    }


def quarantined_object(row: Row) -> dict[str, Any]:
    """Read ``notification, connection, received_at, reason``."""
    notification, connection, received_at, reason = row
    return {
        "id": str(notification),
        "connection": connection,
        "received_at": text_or_none(received_at),
        "reason": reason,
    }


def quarantined_details(row: Row, body: bytes) -> dict[str, Any]:
    """Read what ``quarantined_object`` reads and the caller, and add the body as text."""
    *told, caller = row
    return {**quarantined_object(told), "caller": decoded(caller or b"{}"), "body": body.decode(errors="replace")}


def counts(of_states: Iterable[Sequence[Any]], *, parked: int, quarantine: int, now: datetime) -> dict[str, int]:
    """Count what operators watch.

    Args:
        of_states: ``state``, how many, and the earliest ``due_at``, of lanes that are due by time.
        parked: How many lanes are parked.
        quarantine: How many notifications are in quarantine.
        now: The time now.
    """
    rows = list(of_states)
    states = {state: number for state, number, _ in rows}
    due = min((at for _, _, at in rows), default=None)
    return {
        "ready": states.get("ready", 0),
        "claimed": states.get("claimed", 0),
        "waiting": states.get("waiting", 0),
        "parked": parked,
        "oldest_due_seconds": 0 if due is None else max(0, micros(now) - due) // 1_000_000,
        "quarantine": quarantine,
    }


def not_in_quarantine(notification: int) -> NotFound:
    """Say that a notification is not in quarantine."""
    return NotFound(f"notification {notification} is not in quarantine; list the quarantine to see what is")
