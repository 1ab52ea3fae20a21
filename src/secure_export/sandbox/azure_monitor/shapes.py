"""How alerts and deliveries are shown, on the page and as JSON."""

from typing import Any

from secure_export.sandbox.azure_monitor.monitor import Delivery
from secure_export.sandbox.azure_monitor.rules import Banned, Delivered
from secure_export.sandbox.azure_monitor.station import FiredAlert

_SHOWN_BYTES = 300


def alert_row(alert: FiredAlert) -> dict[str, Any]:
    """Show an alert that was fired here."""
    story = alert.story
    return {
        "number": alert.number,
        "kind": story.kind,
        "rule": story.rule,
        "alert_id": story.fired.alert_id,
        "resource": None if story.resource is None else story.resource.id,
        "groups": list(alert.groups),
        "is_over": alert.is_over,
        "ends_by": story.ending.value,
    }


def delivery_row(delivery: Delivery) -> dict[str, Any]:
    """Show a delivery with its attempts."""
    result = delivery.result
    return {
        "number": delivery.number,
        "kind": delivery.message.kind,
        "condition": delivery.message.condition,
        "alert_id": delivery.message.alert_id,
        "group": delivery.group,
        "webhook": delivery.webhook.name,
        "url": delivery.webhook.service_uri,
        "schema": "common" if delivery.webhook.use_common_alert_schema else "old",
        "began_at": delivery.began_at,
        "outcome": "under way" if result is None else type(result).__name__,
        "answer": _answer(delivery),
        "attempts": [] if result is None else [_attempt(one) for one in result.attempts],
    }


def _attempt(attempt: Any) -> dict[str, Any]:
    return {"at": attempt.at, "took": attempt.took, "status": attempt.status, "problem": attempt.problem}


def _answer(delivery: Delivery) -> str:
    match delivery.result:
        case None:
            return ""
        case Delivered(body=body):
            return body[:_SHOWN_BYTES].decode("utf-8", "replace")
        case Banned(seconds_left=left):
            return f"The end point is banned for another {left:.0f} s; the call was not made and is lost."
        case other:
            return other.reason
