"""How fast a connection may be called."""

import asyncio
from collections.abc import Callable
from math import inf
from time import monotonic

from secure_export.delivery.owned_lane import Sleep

_LONGEST_SLEEP_SECONDS = 1.0
_LONGEST_WAIT_SECONDS = 3600.0


class Pace:
    """Lets steps begin one after the other, so that there are never more than ``rate_per_second`` of them.

    The rate is that of all processes together, and this one has a part of it. A part that grows begins with a wait, so
    that what another process has just used is not used twice: in any time all processes take at most as many steps as
    the rate allows in it, and one more each.

    Args:
        rate_per_second: Steps a second; None: no limit.
        seconds: A clock that never goes back.
    """

    def __init__(self, rate_per_second: float | None, *, seconds: Callable[[], float] = monotonic) -> None:
        self._rate = rate_per_second
        self._seconds = seconds
        self._part = 1.0
        self._last = -inf
        self._waiting = 0
        self._first = asyncio.Lock()

    def have(self, part: float) -> None:
        """Have this part of the rate from now on."""
        if part > self._part:
            self._last = self._seconds()
        self._part = part

    def wait_seconds(self) -> float:
        """Say how long one who comes now would have to wait."""
        return self._seconds_left(self._waiting)

    async def turn(self, sleep: Sleep) -> None:
        """Wait for the turn of a step, and take it.

        Args:
            sleep: Waits for seconds.
        """
        if not self._rate:
            return
        self._waiting += 1
        try:
            async with self._first:
                while (seconds := self._seconds_left(0)) > 0:
                    await sleep(min(seconds, _LONGEST_SLEEP_SECONDS))  # the part may change
                self._last = self._seconds()
        finally:
            self._waiting -= 1

    def _seconds_left(self, ahead: int) -> float:
        if not self._rate:
            return 0.0
        rate = self._rate * self._part
        next_at = self._last + (1 + ahead) / rate if rate else inf
        return min(max(0.0, next_at - self._seconds()), _LONGEST_WAIT_SECONDS)
