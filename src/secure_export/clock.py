"""The clock, so that those who need the time take it as an argument."""

import time
from collections.abc import Callable
from datetime import UTC, datetime

Clock = Callable[[], datetime]

_COUNTS_SLEEP: int | None = getattr(time, "CLOCK_BOOTTIME", None)


def utc_now() -> datetime:
    """Give the time now, in UTC."""
    return datetime.now(UTC)


def steady_seconds() -> float:
    """Give seconds of a clock that nobody sets, and that goes on while the machine sleeps where the system has one.

    What was promised to others until a time must be over when a machine that slept wakes up (``clock_gettime(2)``,
    CLOCK_BOOTTIME).
    """
    return time.monotonic() if _COUNTS_SLEEP is None else time.clock_gettime(_COUNTS_SLEEP)
