"""When to try again."""

from dataclasses import dataclass
from datetime import datetime, timedelta


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """Waits that double with each failed attempt, spread so that lanes do not come back all at once.

    Attributes:
        first_seconds: The wait after the first failed attempt, before spreading.
        longest_seconds: No wait is longer than this, unless the tool asks for it.
        longest_asked_seconds: No wait that a tool asks for is longer than this: a wrong answer must not stop a lane.
    """

    first_seconds: float = 2.0
    longest_seconds: float = 300.0
    longest_asked_seconds: float = 3600.0

    def next_attempt(self, attempts: int, *, now: datetime, jitter: float, asked: datetime | None = None) -> datetime:
        """Say when to try again.

        Args:
            attempts: Failed attempts so far, at least 1.
            now: The time now.
            jitter: A random number from 0 to 1; the wait is spread over its upper half.
            asked: When the tool asked us to come back; None: it did not say. It is never asked earlier than that,
                unless that is longer than ``longest_asked_seconds``.
        """
        doubled = self.first_seconds * 2.0 ** min(attempts - 1, 32)
        ours = now + timedelta(seconds=min(doubled, self.longest_seconds) * (0.5 + jitter / 2))
        longest = now + timedelta(seconds=self.longest_asked_seconds)
        return ours if asked is None else max(ours, min(asked, longest))
