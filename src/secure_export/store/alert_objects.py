"""Alerts as JSON objects: pure."""

from typing import Any

from secure_export.store.instants import text_or_none
from secure_export.store.row import Row
from secure_export.store.rows import decoded, texts, work_item
from secure_export.store.work_item_objects import bound_items

ALERT_COLUMNS = (
    "alerts.seq, alerts.connection, alerts.alert_id, told_id, fired_at, alerts.ended_at, work_item, seen_at, reasons, "
    "facts, (SELECT document FROM work_items WHERE id = alerts.work_item)"
)


def alert_object(row: Row) -> dict[str, Any]:
    """Read the columns ``ALERT_COLUMNS``."""
    _, connection, alert_id, told_id, fired_at, ended_at, item_id, seen_at, reasons, facts, document = row
    told: dict[str, Any] = decoded(facts)
    return {
        **told,
        "id": told_id or alert_id,
        "key": alert_id,
        "connection": connection,
        "condition": "fired" if ended_at is None else "resolved",
        "monitoring_service": told.get("monitoring_service") or "",
        "rule": told.get("rule"),
        "severity": told.get("severity"),
        "targets": told.get("targets") or [],
        "configuration_items": _configuration_items(told, document),
        "fired_at": told.get("fired_at") or text_or_none(fired_at),
        "resolved_at": None if ended_at is None else told.get("resolved_at") or text_or_none(ended_at),
        "is_test": bool(told.get("is_test")),
        "is_legacy_schema": bool(told.get("is_legacy_schema")),
        "work_item": item_id,
        "seen_at": text_or_none(seen_at),
        "reasons": list(texts(reasons)),
    }


def notification_object(row: Row) -> dict[str, Any]:
    """Read ``id, received_at, caller``."""
    number, at, caller = row
    return {
        "id": str(number),
        "received_at": text_or_none(at),
        "caller": decoded(caller or b"{}"),
        "status": "accepted",
    }


def _configuration_items(told: dict[str, Any], document: bytes | None) -> list[dict[str, Any]]:
    """Give the CIs of the alert's work item; an alert without one names things that nobody looked up."""
    if document is not None:
        return bound_items(work_item(document))
    reason = "no work item was made for this alert, so that it was not looked up"
    return [{"id": None, "name": name, "rule": "", "reason": reason} for name in told.get("targets") or []]
