"""What the columns of ``em_event`` mean (servicenow-facts section 2)."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Any, Final

import msgspec

KEY_PARTS: Final = ("source", "node", "type", "resource", "metric_name")


class Severity(StrEnum):
    """How bad an event is; ``CLEAR`` ends an alert and never opens one, ``OK`` still opens one."""

    CLEAR = "0"
    CRITICAL = "1"
    MAJOR = "2"
    MINOR = "3"
    WARNING = "4"
    OK = "5"


CLOSING: Final = "Closing"


def message_key(event: Mapping[str, str]) -> str:
    """Give what tells events of one alert: the event's own key, or one made of its other fields."""
    return event.get("message_key", "").strip() or "_".join(event.get(part, "") for part in KEY_PARTS)


def additional_info(event: Mapping[str, str]) -> dict[str, str]:
    """Read ``additional_info``: a JSON object's texts; any other text becomes ``additional_content``.

    Numbers, objects and lists inside are not supported by the product and are left out.
    """
    text = event.get("additional_info", "").strip()
    if not text:
        return {}
    found = _json_object(text)
    if found is None:
        return {"additional_content": text}
    return {name: value for name, value in found.items() if isinstance(value, str)}


def ci_identifier(event: Mapping[str, str]) -> dict[str, str]:
    """Read ``ci_identifier``: columns of a CI and what they hold; what is no JSON object says nothing."""
    found = _json_object(event.get("ci_identifier", "")) or {}
    return {name: value for name, value in found.items() if isinstance(value, str) and value}


def ends_alert(event: Mapping[str, str]) -> bool:
    """Tell whether an event says that the trouble is over."""
    return event.get("severity") == Severity.CLEAR or event.get("resolution_state") == CLOSING


def _json_object(text: str) -> dict[str, Any] | None:
    try:
        found = msgspec.json.decode(text)
    except msgspec.DecodeError:
        return None
    return found if isinstance(found, dict) else None
