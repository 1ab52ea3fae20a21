"""How things are written for people: pure."""

from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote, urlsplit

_MINUTE, _HOUR, _DAY = 60, 3600, 86400
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")

PRIORITIES = {1: "critical", 2: "high", 3: "moderate", 4: "low", 5: "planning"}
LEVELS = {1: "high", 2: "medium", 3: "low"}
SEVERITIES = {"Sev0": "critical", "Sev1": "error", "Sev2": "warning", "Sev3": "informational", "Sev4": "verbose"}


def instant(value: Any) -> datetime | None:
    """Read a time out of what the store gives; None for what is no time."""
    if isinstance(value, str):
        try:
            value = datetime.fromisoformat(value)
        except ValueError:
            return None
    if not isinstance(value, datetime):
        return None
    return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


def utc_text(value: Any) -> str:
    """Write a time in full, in UTC."""
    at = instant(value)
    return f"{at:%Y-%m-%d %H:%M:%S}.{at.microsecond // 1000:03d} UTC" if at else ""


def machine_text(value: Any) -> str:
    """Write a time as ``<time datetime>`` and scripts read it."""
    at = instant(value)
    return at.isoformat(timespec="milliseconds").replace("+00:00", "Z") if at else ""


def short_time(value: Any) -> str:
    """Write a time to the second, in UTC; the page's script puts the reader's own time in its place."""
    at = instant(value)
    return f"{at.day} {_MONTHS[at.month - 1]} {at.year}, {at:%H:%M:%S} UTC" if at else ""


def duration(seconds: float) -> str:
    """Write how long something took, with its two largest units."""
    if seconds < 1:
        return f"{max(0, round(seconds * 1000))} ms"
    if seconds < _MINUTE:
        return f"{seconds:.1f} s"
    whole = round(seconds)
    for large, small, large_name, small_name in (
        (_DAY, _HOUR, "d", "h"),
        (_HOUR, _MINUTE, "h", "min"),
        (_MINUTE, 1, "min", "s"),
    ):
        if whole >= large:
            count, rest = divmod(whole, large)
            return f"{count} {large_name} {rest // small} {small_name}" if rest // small else f"{count} {large_name}"
    return f"{whole} s"


def age(value: Any, now: datetime) -> str:
    """Write how far a time lies from now, coarsely."""
    at = instant(value)
    if at is None:
        return ""
    seconds = (now - at).total_seconds()
    size = abs(seconds)
    if size < 5:  # noqa: PLR2004 - clocks differ by that much
        return "just now"
    for unit, name in ((_DAY, "d"), (_HOUR, "h"), (_MINUTE, "min"), (1, "s")):
        if size >= unit:
            text = f"{int(size // unit)} {name}"
            return f"{text} ago" if seconds > 0 else f"in {text}"
    return "just now"


def segment(value: Any) -> str:
    """Write a text so that it is one part of a path, slashes and all."""
    return quote(str(value), safe="")


def web_link(value: Any) -> str:
    """Give an address if a browser may follow it: absolute, http or https; anything else is empty."""
    text = value if isinstance(value, str) else ""
    try:
        parts = urlsplit(text)
    except ValueError:
        return ""
    plain = text.isprintable() and not any(c.isspace() or c == "\\" for c in text)
    return text if plain and parts.scheme in {"http", "https"} and parts.netloc else ""


def short_name(value: Any) -> str:
    """Give the last part of a resource id; any other text stays as it is."""
    text = str(value).rstrip("/")
    return text.rpartition("/")[2] if text.startswith("/") else text
