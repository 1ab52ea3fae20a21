"""When a connection's tool may be called: as fast as its rate allows, and not while the tool asks for calm."""

import asyncio
from datetime import datetime, timedelta

from secure_export.clock import Clock
from secure_export.delivery.owned_lane import Sleep
from secure_export.delivery.pace import Pace
from secure_export.workitems.outcome import Outcome, TryLater


class Turns:
    """Hands out the turns of one connection's lanes.

    Args:
        pace: How fast the tool may be called.
        clock: The time.
        longest_calm_seconds: No calm that the tool asks for is longer: a wrong answer must not stop a connection.
        sleep: Waits for seconds.
    """

    def __init__(self, pace: Pace, clock: Clock, *, longest_calm_seconds: float, sleep: Sleep = asyncio.sleep) -> None:
        self._pace = pace
        self._clock = clock
        self._sleep = sleep
        self._longest_calm = timedelta(seconds=longest_calm_seconds)
        self._calm_until: datetime | None = None

    def wait(self) -> tuple[float, str]:
        """Say for how many seconds a step would have to wait for its turn, and why."""
        calm, pace = self._calm_seconds(), self._pace.wait_seconds()
        if calm > pace:
            return calm, "the tool asked not to be called for a while"
        return pace, "the connection's rate_per_second is used up"

    async def take(self) -> None:
        """Wait for the next turn, and take it."""
        while (seconds := self._calm_seconds()) > 0:
            await self._sleep(seconds)
        await self._pace.turn(self._sleep)

    def heed(self, outcome: Outcome) -> None:
        """Leave the tool alone, in all lanes, for as long as it asked in one (as by HTTP's ``Retry-After``)."""
        if isinstance(outcome, TryLater) and outcome.not_before is not None:
            self._calm_until = min(outcome.not_before, self._clock() + self._longest_calm)

    def _calm_seconds(self) -> float:
        if self._calm_until is None:
            return 0.0
        seconds = (self._calm_until - self._clock()).total_seconds()
        if seconds <= 0:
            self._calm_until = None
        return max(0.0, seconds)
