"""What an event does to the alert with its message key: pure decisions (servicenow-facts section 2)."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

import msgspec

from secure_export.sandbox.servicenow.clock import as_stamp, from_stamp
from secure_export.sandbox.servicenow.event_fields import Severity, additional_info, ends_alert, message_key

OPEN: Final = "Open"
REOPEN: Final = "Reopen"
FLAPPING: Final = "Flapping"
CLOSED: Final = "Closed"
_COPIED: Final = ("source", "node", "type", "resource", "metric_name", "event_class", "ci_type", "description")


class Effect(StrEnum):
    """What becomes of the alert."""

    NONE = "none"
    ERROR = "error"
    OPENED = "opened"
    UPDATED = "updated"
    REOPENED = "reopened"
    CLOSED = "closed"


@dataclass(frozen=True, slots=True)
class Decision:
    """What an event does.

    Attributes:
        effect: What becomes of the alert.
        fields: What to write into ``em_alert``; empty if nothing is written.
        note: What the event's ``processing_notes`` say about it.
    """

    effect: Effect
    fields: Mapping[str, str] = field(default_factory=dict)
    note: str = ""


def decide(
    event: Mapping[str, str], alert: Mapping[str, str] | None, *, now: datetime, active_interval: timedelta
) -> Decision:
    """Decide what an event does to the newest alert with its message key.

    Args:
        event: The row of ``em_event``.
        alert: The newest row of ``em_alert`` with the key; None: there is none.
        now: The instance's time.
        active_interval: For how long after its last change a closed alert is reopened by a new event.
    """
    if event.get("severity", "") not in set(Severity):
        return Decision(Effect.ERROR, note="The event has no valid severity: no alert is made.")
    is_open = alert is not None and alert.get("state") != CLOSED
    if ends_alert(event):
        return (
            _ended(event, alert, now)
            if alert is not None and is_open
            else Decision(Effect.NONE, note="There is no open alert with this message key to close.")
        )
    if alert is not None and is_open:
        return Decision(Effect.UPDATED, _counted(event, alert, now), "An open alert has this message key: updated.")
    if alert is not None and _is_recent(alert, now, active_interval):
        fields = _counted(event, alert, now) | {
            "state": REOPEN,
            "reopen_count": _one_more(alert.get("reopen_count", "")),
            "acknowledged": "false",
            "close_time": "",
        }
        return Decision(Effect.REOPENED, fields, "A closed alert has this message key: reopened.")
    return _opened(event, now)


def _opened(event: Mapping[str, str], now: datetime) -> Decision:
    if not event.get("node") and not event.get("event_class"):
        return Decision(Effect.NONE, note="Neither node nor source instance (event_class) is given: no alert is made.")
    fields = _told(event) | {
        "message_key": message_key(event),
        "state": OPEN,
        "acknowledged": "false",
        "event_count": "1",
        "overall_event_count": "1",
        "initial_event_time": _time_of(event, now),
        "last_event_time": _time_of(event, now),
        "initial_remote_time": _time_of(event, now),
        "last_remote_time": _time_of(event, now),
    }
    return Decision(Effect.OPENED, fields, "No alert has this message key: made.")


def _ended(event: Mapping[str, str], alert: Mapping[str, str], now: datetime) -> Decision:
    fields = _counted(event, alert, now) | {"state": CLOSED, "close_time": as_stamp(now)}
    if event.get("severity") == Severity.CLEAR:
        # A closed alert keeps how bad it was.
        fields["severity"] = alert.get("severity", "")
    return Decision(Effect.CLOSED, fields, "The alert with this message key is closed.")


def _counted(event: Mapping[str, str], alert: Mapping[str, str], now: datetime) -> dict[str, str]:
    merged = additional_info(alert) | additional_info(event)
    return _told(event) | {
        "additional_info": _as_json(merged),
        "event_count": _one_more(alert.get("event_count", "")),
        "overall_event_count": _one_more(alert.get("overall_event_count", "")),
        "last_event_time": _time_of(event, now),
        "last_remote_time": _time_of(event, now),
    }


def _told(event: Mapping[str, str]) -> dict[str, str]:
    told = {name: event[name] for name in _COPIED if event.get(name)}
    return told | {"severity": event["severity"], "additional_info": _as_json(additional_info(event))}


def _is_recent(alert: Mapping[str, str], now: datetime, active_interval: timedelta) -> bool:
    changed = from_stamp(alert.get("sys_updated_on", ""))
    return changed is not None and now - changed <= active_interval


def _time_of(event: Mapping[str, str], now: datetime) -> str:
    moment = from_stamp(event.get("time_of_event", ""))
    return as_stamp(moment or now)


def _one_more(count: str) -> str:
    return str((int(count) if count.isdecimal() else 0) + 1)


def _as_json(info: Mapping[str, str]) -> str:
    return msgspec.json.encode(info).decode() if info else ""
