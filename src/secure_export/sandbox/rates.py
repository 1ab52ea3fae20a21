"""How often something may be done: a sliding window, by the stand-in's clock."""

import math
from collections import deque
from datetime import datetime, timedelta


class Window:
    """So many in so many seconds.

    Attributes:
        most: How many; 0: none are refused.
        seconds: In how many seconds.
    """

    def __init__(self, most: int, seconds: float) -> None:
        self.most = most
        self.seconds = seconds
        self._taken: deque[datetime] = deque()

    def take(self, now: datetime) -> int:
        """Take one.

        Returns:
            0: it was taken; else in how many whole seconds one will be free.
        """
        self._forget(now)
        if self.most and len(self._taken) >= self.most:
            left = self._taken[0] + timedelta(seconds=self.seconds) - now
            return max(1, math.ceil(left.total_seconds()))
        self._taken.append(now)
        return 0

    def left(self, now: datetime) -> int:
        """Say how many are free now."""
        self._forget(now)
        return max(0, self.most - len(self._taken))

    def _forget(self, now: datetime) -> None:
        oldest = now - timedelta(seconds=self.seconds)
        while self._taken and self._taken[0] <= oldest:
            self._taken.popleft()


class Windows:
    """Windows by whatever tells them apart, such as the user; made when they are first asked for."""

    def __init__(self) -> None:
        self._kept: dict[tuple[str, ...], Window] = {}

    def find(self, most: int, seconds: float, *key: str) -> Window:
        """Give a window; how many it takes is what is said now."""
        window = self._kept.setdefault(key, Window(most, seconds))
        window.most = most
        return window
