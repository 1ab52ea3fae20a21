"""When to try again."""

from dataclasses import dataclass
from datetime import datetime, timedelta


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """Waits that double with each failed attempt, spread so that lanes do not come back all at once.

    Attributes:
        first_seconds: The wait after the first failed attempt, before spreading.
        longest_seconds: No wait is longer than this, unless the tool asks for it.
    """

    first_seconds: float = 2.0
    longest_seconds: float = 300.0

    def next_attempt(self, attempts: int, *, now: datetime, jitter: float) -> datetime:
        """Say when to try again.

        Args:
            attempts: Failed attempts so far, at least 1.
            now: The time now.
            jitter: A random number from 0 to 1; the wait is spread over its upper half.
        """
        doubled = self.first_seconds * 2.0 ** min(attempts - 1, 32)
        return now + timedelta(seconds=min(doubled, self.longest_seconds) * (0.5 + jitter / 2))
