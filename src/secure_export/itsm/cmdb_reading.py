"""Reading a tool's CMDB: no answer now, none at all, and an end to waiting for what goes on failing."""

from collections.abc import Awaitable, Callable, Hashable
from typing import Generic, TypeVar

from secure_export.errors import SecureExportError

K = TypeVar("K", bound=Hashable)
_PATIENCE_SECONDS = 300.0


class CmdbUnavailable(SecureExportError):  # noqa: N818 - reads as what it says
    """The CMDB gave no answer that can be used now; the same question may be answered later."""


class NotReadable(SecureExportError):  # noqa: N818 - reads as what it says
    """The CMDB does not let us read a table or class, or does not have it; asking again will not help.

    Attributes:
        lacking_rights: Whether it is there, or may be, and we may not read it.
        denied: What the integration user has no right to read any of; empty for any other reason.
    """

    def __init__(self, reason: str, *, lacking_rights: bool = True, denied: str = "") -> None:
        super().__init__(reason)
        self.lacking_rights = lacking_rights
        self.denied = denied


class Patience(Generic[K]):
    """Counts for how long something goes on failing.

    What fails for minutes while the tool answers other questions counts as what may not be read: neither an interface
    that is not installed nor a query that runs into the tool's time limit every time may hold work items back for ever.

    Args:
        answers_otherwise: Asks the tool something else, and says whether it answers.
        monotonic: A clock in seconds that never goes back.
    """

    def __init__(self, answers_otherwise: Callable[[], Awaitable[bool]], *, monotonic: Callable[[], float]) -> None:
        self._answers_otherwise = answers_otherwise
        self._monotonic = monotonic
        self._failing_since: dict[K, float] = {}

    def answered(self, *keys: K) -> None:
        """Take note that some things were answered."""
        for key in keys:
            self._failing_since.pop(key, None)

    async def is_lost(self, *keys: K) -> bool:
        """Take note that some things failed, and say whether one has for too long, while the tool itself answers."""
        now = self._monotonic()
        longest = max(now - self._failing_since.setdefault(key, now) for key in keys)
        return longest >= _PATIENCE_SECONDS and await self._answers_otherwise()
