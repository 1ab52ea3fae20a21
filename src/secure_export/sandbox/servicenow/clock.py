"""The instance's clock: injectable, and movable while it runs, so that nobody waits for days to pass."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta


def _utc_now() -> datetime:
    return datetime.now(UTC)


class Clock:
    """Tells the instance's time.

    Args:
        source: What the time is taken from; the machine's clock if not told otherwise.
    """

    def __init__(self, source: Callable[[], datetime] = _utc_now) -> None:
        self._source = source
        self._shift = timedelta()
        self._frozen_at: datetime | None = None

    @property
    def shift(self) -> timedelta:
        """How far the instance is ahead of its source."""
        return self._shift

    def now(self) -> datetime:
        """Give the instance's time, in UTC."""
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

    def stamp(self) -> str:
        """Give the time as the tables hold it: UTC, whole seconds."""
        return as_stamp(self.now())


def as_stamp(moment: datetime) -> str:
    """Write a moment as the tables hold it."""
    return moment.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S")


def from_stamp(text: str) -> datetime | None:
    """Read a moment that a table holds; None: it is not one. A date alone is its midnight, no zone means UTC."""
    try:
        moment = datetime.fromisoformat(text.strip())
        return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except (ValueError, OverflowError):
        return None
