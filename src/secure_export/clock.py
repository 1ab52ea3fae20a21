"""The clock, so that those who need the time take it as an argument."""

from collections.abc import Callable
from datetime import UTC, datetime

Clock = Callable[[], datetime]


def utc_now() -> datetime:
    """Give the time now, in UTC."""
    return datetime.now(UTC)
