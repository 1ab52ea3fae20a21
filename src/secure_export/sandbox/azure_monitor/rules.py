"""Azure's own rules for calling a webhook (azure-facts 2.2), as values."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

RETRIED_STATUSES: Final = frozenset({408, 429, 503, 504})
WAITS_SECONDS: Final = (5.0, 20.0, 5.0, 40.0, 5.0)
BAN_SECONDS: Final = 15 * 60.0
# No time-out is stated today; ten seconds was the classic value.
TIMEOUT_SECONDS: Final = 10.0


@dataclass(frozen=True, slots=True)
class Attempt:
    """One call, or one try at it.

    Attributes:
        at: When it began, by the sender's clock, in seconds.
        took: How long it took, in seconds.
        status: The HTTP status; None: no answer came.
        problem: Why no answer came; empty when one did.
    """

    at: float
    took: float
    status: int | None
    problem: str = ""

    @property
    def succeeded(self) -> bool:
        """Whether the receiver took it: any 2xx."""
        return self.status is not None and 200 <= self.status < 300  # noqa: PLR2004 - successes

    @property
    def is_retried(self) -> bool:
        """Whether Azure tries again: only after four statuses, broken connections and time-outs."""
        return self.status is None or self.status in RETRIED_STATUSES


@dataclass(frozen=True, slots=True)
class Delivered:
    """The receiver took the notification."""

    status: int
    body: bytes
    attempts: tuple[Attempt, ...]


@dataclass(frozen=True, slots=True)
class Dropped:
    """Azure gave the notification up at once: the answer was none that it retries, or no token was to be had.

    Attributes:
        status: The answer; None: no call was made.
        reason: In a sentence.
    """

    status: int | None
    reason: str
    attempts: tuple[Attempt, ...]


@dataclass(frozen=True, slots=True)
class GaveUp:
    """Every retry failed; the notification is lost, and the end point is banned where it was at fault.

    Attributes:
        status: The last answer; None: none came.
        reason: In a sentence.
    """

    status: int | None
    reason: str
    attempts: tuple[Attempt, ...]


@dataclass(frozen=True, slots=True)
class Banned:
    """The end point was banned, so the call was not made, or no further one; the notification is lost.

    Attributes:
        seconds_left: How long the ban still lasts.
    """

    seconds_left: float
    attempts: tuple[Attempt, ...] = ()


Result = Delivered | Dropped | GaveUp | Banned


class Bans:
    """Which end points nobody calls just now. One for a whole Azure Monitor: a ban holds for every action group."""

    def __init__(self, clock: Callable[[], float], *, seconds: float = BAN_SECONDS) -> None:
        self._clock = clock
        self._seconds = seconds
        self._until: dict[str, float] = {}

    def ban(self, endpoint: str) -> None:
        """Ban an end point from now on."""
        self._until[endpoint] = self._clock() + self._seconds

    def seconds_left(self, endpoint: str) -> float:
        """Say how long an end point is still banned; 0: it is not."""
        return max(0.0, self._until.get(endpoint, 0.0) - self._clock())

    def lift(self, endpoint: str) -> None:
        """End a ban early, which Azure never does."""
        self._until.pop(endpoint, None)

    def listed(self) -> dict[str, float]:
        """Give the banned end points with the seconds that are left."""
        return {endpoint: left for endpoint in self._until if (left := self.seconds_left(endpoint)) > 0}
