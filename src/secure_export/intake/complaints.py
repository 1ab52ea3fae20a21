"""Complaints to the log that nobody can flood: not a stranger without a token, and not somebody with a good one."""

from collections.abc import Callable
from time import monotonic

import structlog

log = structlog.get_logger(__name__)

_WINDOW_SECONDS = 60.0
_SHOWN_CHARACTERS = 600


class Brake:
    """Lets each text of a code pass once a minute, and few different texts of it.

    A flood of one text does not hide another, and a flood of different ones is bounded.

    Args:
        texts: How many different texts of one code pass in a minute. Codes must be constants of the program.
    """

    def __init__(self, *, texts: int = 20) -> None:
        self._texts = texts
        self._windows: dict[str, _Window] = {}

    def held_back(self, code: str, text: str, now: float) -> int | None:
        """Say how many of the code were held back since the last that passed; None when this one is held back.

        Args:
            code: What kind of complaint it is.
            text: What makes it different from others of its kind.
            now: Seconds of a clock that only goes forward.
        """
        window = self._windows.get(code)
        if window is None or now - window.began >= _WINDOW_SECONDS:
            window = self._windows[code] = _Window(now, window.held_back if window else 0)
        if text in window.texts or len(window.texts) >= self._texts:
            window.held_back += 1
            return None
        window.texts.add(text)
        held_back, window.held_back = window.held_back, 0
        return held_back


class _Window:
    """What passed within a minute."""

    __slots__ = ("began", "held_back", "texts")

    def __init__(self, began: float, held_back: int) -> None:
        self.began = began
        self.held_back = held_back
        self.texts: set[str] = set()


class Complaints:
    """Writes complaints into the log, as the brake allows. What is counted is counted elsewhere, exactly."""

    def __init__(self, clock: Callable[[], float] = monotonic) -> None:
        self._brake = Brake()
        self._clock = clock

    def refused(self, code: str, status: int, detail: str, **where: object) -> None:
        """Tell that a request was not taken, and what an administrator can do about it."""
        detail = _shown(detail)
        held_back = self._brake.held_back(code, detail, self._clock())
        if held_back is not None:
            log.warning("request refused", code=code, status=status, detail=detail, **where, **_also(held_back))

    def quarantined(self, notification: int, connection: str, reason: str) -> None:
        """Tell that a notification was kept but not understood."""
        held_back = self._brake.held_back("quarantined", f"{connection} {reason}", self._clock())
        if held_back is not None:
            log.warning(
                "notification quarantined",
                notification=notification,
                connection=connection,
                reason=_shown(reason),
                **_also(held_back),
            )

    def failed(self, event: str, error: Exception, **where: object) -> None:
        """Tell that the program itself failed, with the traceback."""
        held_back = self._brake.held_back(event, f"{type(error).__name__} {error}"[:_SHOWN_CHARACTERS], self._clock())
        if held_back is not None:
            log.error(event, exc_info=error, **where, **_also(held_back))


def _also(held_back: int) -> dict[str, int]:
    return {"further_since_last": held_back} if held_back else {}


def _shown(text: str) -> str:
    """Shorten a text and take out what would move the cursor of a terminal."""
    return "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in text[:_SHOWN_CHARACTERS])
