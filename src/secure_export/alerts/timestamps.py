"""Reading the times that Azure writes, in all their forms.

Seen (Azure Monitor docs, "Common alert schema" and "Sample alert payloads"): ISO 8601 with 3, 6 or 7 digits, with
``Z``, with an offset, without any zone (UTC is meant), and ``3/22/2019 1:36:31 PM`` in version 1 log searches.
"""

import re
from datetime import UTC, datetime, timedelta

_FIRST_YEAR, _LAST_YEAR = 1990, 2199
_AMERICAN = re.compile(r"(\d{1,2})/(\d{1,2})/(\d{4}) (\d{1,2}):(\d{2}):(\d{2}) ([AP])M", re.ASCII | re.IGNORECASE)
_NOON = 12


def read_time(value: object) -> datetime | None:
    """Read a time.

    Args:
        value: What stands where a time should.

    Returns:
        The time in UTC; None when it is not one, or no sensible one (.NET writes the year 1 for "not set").
    """
    if not isinstance(value, str):
        return None
    try:
        return _in_utc(datetime.fromisoformat(value))
    except ValueError:
        at = _american(value)
        return _in_utc(at) if at is not None else None


def _in_utc(at: datetime) -> datetime | None:
    if not _FIRST_YEAR <= at.year <= _LAST_YEAR:
        return None
    if at.tzinfo is UTC:
        return at
    return at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)


def _american(value: str) -> datetime | None:
    found = _AMERICAN.fullmatch(value.strip())
    if found is None:
        return None
    month, day, year, hour, minute, second = map(int, found.groups()[:6])
    afternoon = found[7] in "pP"
    try:
        midnight = datetime(year, month, day, tzinfo=UTC)
        return midnight + timedelta(hours=hour % _NOON + _NOON * afternoon, minutes=minute, seconds=second)
    except (ValueError, OverflowError):
        return None
