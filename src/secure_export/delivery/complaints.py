"""What delivery tells the log when something goes wrong: each kind of trouble at most once a minute."""

from collections.abc import Callable
from time import monotonic
from typing import Any

import structlog

log = structlog.get_logger(__name__)

_QUIET_SECONDS = 60.0


class Complaints:
    """Writes trouble into the log so that thousands of lanes with the same trouble do not fill the disk.

    Args:
        seconds: A clock that never goes back.
        bound: What stands in every line, such as the connection.
    """

    def __init__(self, *, seconds: Callable[[], float] = monotonic, **bound: Any) -> None:
        self._seconds = seconds
        self._bound = bound
        self._told_at: dict[tuple[str, str], float] = {}
        self._kept_back: dict[tuple[str, str], int] = {}

    def waits(self, event: str, error: Exception, **where: Any) -> None:
        """Tell of trouble that passes by itself; ``event`` is a constant of the program."""
        if (more := self._passes(event, error)) is not None:
            log.warning(event, reason=str(error), **self._bound, **where, **more)

    def failed(self, event: str, error: BaseException, **where: Any) -> None:
        """Tell of a fault of the program or of a connector, with its traceback; ``event`` as above."""
        if (more := self._passes(event, error)) is not None:
            log.error(event, exc_info=error, **self._bound, **where, **more)

    def _passes(self, event: str, error: BaseException) -> dict[str, int] | None:
        """Say how many of the kind were kept back since the last that was told; None keeps this one back."""
        kind, now = (event, type(error).__name__), self._seconds()
        told_at = self._told_at.get(kind)
        if told_at is not None and now - told_at < _QUIET_SECONDS:
            self._kept_back[kind] = self._kept_back.get(kind, 0) + 1
            return None
        self._told_at[kind] = now
        kept_back = self._kept_back.pop(kind, 0)
        return {"further_since_last": kept_back} if kept_back else {}
