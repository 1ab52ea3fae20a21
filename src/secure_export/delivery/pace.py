"""How fast a connection may be called."""

from collections.abc import Callable
from time import monotonic


class Pace:
    """Hands out the times of steps so that there are never more than ``rate_per_second`` of them.

    Args:
        rate_per_second: Steps a second; None: no limit.
        seconds: A clock that never goes back.
    """

    def __init__(self, rate_per_second: float | None, *, seconds: Callable[[], float] = monotonic) -> None:
        self._gap = 1 / rate_per_second if rate_per_second else 0.0
        self._seconds = seconds
        self._next = seconds()

    def wait_seconds(self) -> float:
        """Say how long the next step would have to wait."""
        return max(0.0, self._next - self._seconds())

    def reserve(self) -> float:
        """Take the next step's place; how long to wait for it, in seconds."""
        start = max(self._next, self._seconds())
        self._next = start + self._gap
        return max(0.0, start - self._seconds())
