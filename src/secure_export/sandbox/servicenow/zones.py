"""Dates as a user sees and writes them: in their zone and format, against UTC and one format in the tables."""

from datetime import UTC, datetime, timedelta, timezone, tzinfo
from functools import lru_cache
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from secure_export.sandbox.servicenow.clock import as_stamp, from_stamp
from secure_export.sandbox.servicenow.users import User

# For machines without a zone database: their offset in winter.
_WITHOUT_DATABASE = {"US/Pacific": -8, "US/Eastern": -5, "Europe/Berlin": 1, "Europe/London": 0}
# Java's letters for dates, longest first, and Python's.
_LETTERS = (
    ("yyyy", "%Y"),
    ("MM", "%m"),
    ("dd", "%d"),
    ("HH", "%H"),
    ("hh", "%I"),
    ("mm", "%M"),
    ("ss", "%S"),
    ("a", "%p"),
)


@lru_cache(maxsize=64)
def zone(name: str) -> tzinfo:
    """Find a time zone; one that nobody knows is UTC, as in the real system."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return timezone(timedelta(hours=_WITHOUT_DATABASE.get(name, 0)), name)


@lru_cache(maxsize=64)
def python_format(java: str) -> str:
    """Give a date format of Java's as one of Python's."""
    for letters, directive in _LETTERS:
        java = java.replace(letters, directive) if directive != "%p" else java.replace(" a", " %p")
    return java


def date_time_format(user: User) -> str:
    """Give the format in which a user sees moments."""
    return python_format(f"{user.date_format} {user.time_format}")


def shown_moment(stamp: str, user: User) -> str:
    """Show a stored moment to a user; what is none is shown as it is."""
    if (moment := from_stamp(stamp)) is None:
        return stamp
    try:
        return moment.astimezone(zone(user.time_zone)).strftime(date_time_format(user))
    except OverflowError:
        return stamp


def shown_date(stamp: str, user: User) -> str:
    """Show a stored date; dates have no zone."""
    moment = from_stamp(stamp)
    return stamp if moment is None else moment.strftime(python_format(user.date_format))


def moment_from_user(text: str, user: User) -> str:
    """Read a moment as a user writes it, in their zone; empty: it is none."""
    for pattern in (date_time_format(user), python_format(user.date_format), "%Y-%m-%d %H:%M:%S"):
        try:
            local = datetime.strptime(text.strip(), pattern)  # noqa: DTZ007 - the user's zone follows
            return as_stamp(local.replace(tzinfo=zone(user.time_zone)).astimezone(UTC))
        except (ValueError, OverflowError):
            continue
    return ""
