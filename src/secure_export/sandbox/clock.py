"""A stand-in's clock: injectable, and movable while it runs, so that nobody waits for days to pass."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta


def _utc_now() -> datetime:
    return datetime.now(UTC)


class Clock:
    """Tells a stand-in's time.

    Args:
        source: What the time is taken from; the machine's clock if not told otherwise.
    """

    def __init__(self, source: Callable[[], datetime] = _utc_now) -> None:
        self._source = source
        self._shift = timedelta()
        self._frozen_at: datetime | None = None

    @property
    def shift(self) -> timedelta:
        """How far the stand-in is ahead of its source."""
        return self._shift

    def now(self) -> datetime:
        """Give the stand-in's time, in UTC."""
        base = self._source() if self._frozen_at is None else self._frozen_at
        return base + self._shift

    def move(self, by: timedelta) -> None:
        """Go forward, or back."""
        self._shift += by

    def freeze(self, at: datetime | None = None) -> None:
        """Stand still, at the given time or at the present one."""
        self._frozen_at, self._shift = at or self.now(), timedelta()

    def run(self) -> None:
        """Go with the source again, keeping the distance moved since it stood still."""
        self._frozen_at = None
