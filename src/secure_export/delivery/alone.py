"""What one process does at a time, of all that deliver from one store."""

from collections.abc import Callable
from types import TracebackType

from secure_export.itsm.share import Share


class Alone:
    """Lets work in while this process has the one place there is for it: ``async with alone:``.

    Who has the place keeps it while it is at work. Whoever is stopped for long, or cut off from the store, may go on
    for a moment with what it had begun while another begins: what is done so must bear that, and is only spared it.

    Args:
        share: What this process has of that place.
        stand_back: Leaves the place to others for so many seconds.
    """

    def __init__(self, share: Share, *, stand_back: Callable[[float], None] = lambda _: None) -> None:
        self._share = share
        self._stand_back = stand_back
        self._at_work = 0
        share.works(lambda: min(self._at_work, 1), 1)

    async def __aenter__(self) -> None:
        """Wait until this process has the place."""
        await self._share.opened()
        self._at_work += 1

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """The place may go to another."""
        self._at_work -= 1

    def stand_back(self, seconds: float) -> None:
        """Leave the place to others for so many seconds: who cannot do the work must not keep them from it."""
        self._stand_back(seconds)
