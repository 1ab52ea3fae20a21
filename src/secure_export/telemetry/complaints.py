"""Complaints to the log that nobody can flood: no stranger, nobody with a good token, and no tool that is down."""

from collections.abc import Callable
from time import monotonic
from typing import Any

import structlog

from secure_export.telemetry.shown import shown

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
    """Writes complaints into the log, as the brake allows. What is counted is counted elsewhere, exactly.

    Args:
        seconds: A clock that only goes forward.
        bound: What stands in every line, such as the connection.
    """

    def __init__(self, seconds: Callable[[], float] = monotonic, **bound: Any) -> None:
        self._brake = Brake()
        self._seconds = seconds
        self._bound = bound

    def refused(self, code: str, status: int, detail: str, *, event: str = "request refused", **where: Any) -> None:
        """Tell that a request was not taken, and what an administrator can do about it."""
        detail = _short(detail)
        if (more := self._passes(code, detail)) is not None:
            log.warning(event, code=code, status=status, detail=detail, **self._bound, **where, **more)

    def quarantined(self, notification: int, connection: str, reason: str) -> None:
        """Tell that a notification was kept but not understood."""
        event = "notification quarantined"
        if (more := self._passes(event, f"{connection} {reason}")) is not None:
            log.warning(event, notification=notification, connection=connection, reason=_short(reason), **more)

    def waits(self, event: str, error: Exception, **where: Any) -> None:
        """Tell of trouble that passes by itself; ``event`` is a constant of the program."""
        reason = _short(str(error))
        if (more := self._passes(event, f"{type(error).__name__} {reason}")) is not None:
            log.warning(event, reason=reason, **self._bound, **where, **more)

    def warns(self, event: str, reason: str, **where: Any) -> None:
        """Tell of something that a person has to see to; one reason is told once a minute. ``event`` as above."""
        reason = _short(reason)
        if (more := self._passes(event, reason)) is not None:
            log.warning(event, reason=reason, **self._bound, **where, **more)

    def notes(self, event: str, reason: str, *, of: str, **where: Any) -> None:
        """Tell of a decision with its reason, once a minute of each thing that ``of`` names. ``event`` as above."""
        if (more := self._passes(event, of)) is not None:
            log.info(event, reason=_short(reason), **self._bound, **where, **more)

    def failed(self, event: str, error: BaseException, **where: Any) -> None:
        """Tell of a fault of the program or of a connector, with its traceback; ``event`` as above."""
        if (more := self._passes(event, f"{type(error).__name__} {_short(str(error))}")) is not None:
            log.error(event, exc_info=error, **self._bound, **where, **more)

    def _passes(self, code: str, text: str) -> dict[str, int] | None:
        """Say how many of the kind were held back since the last that was told; None holds this one back."""
        held_back = self._brake.held_back(code, text, self._seconds())
        if held_back is None:
            return None
        return {"further_since_last": held_back} if held_back else {}


def _short(text: str) -> str:
    """Shorten a text and take out what would move the cursor of a terminal."""
    return shown(text[:_SHOWN_CHARACTERS])
