"""Refreshing the signing keys in the background."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence

import structlog

from secure_export.identity.key_ring import KeyRing

log = structlog.get_logger(__name__)

TICK_SECONDS = 5.0
Sleep = Callable[[float], Awaitable[None]]


class KeyUpkeep:
    """Looks every few seconds which keys are due, and says how old they are."""

    def __init__(
        self, rings: Sequence[KeyRing], *, sleep: Sleep = asyncio.sleep, report: Callable[[], None] | None = None
    ) -> None:
        self._rings = rings
        self._sleep = sleep
        self._report = report
        self._task: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Fetch all keys once, which may fail, and go on in the background."""
        await self.refresh_due()
        if self._task is None:
            self._task = asyncio.create_task(self._run())

    async def stop(self) -> None:
        """Stop, and give up what is under way."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
            self._task = None
        for ring in self._rings:
            await ring.close()

    async def refresh_due(self) -> None:
        """Refresh the keys that are due, side by side."""
        await asyncio.gather(*(ring.refresh() for ring in self._rings if ring.is_due))
        if self._report is not None:
            self._report()

    async def _run(self) -> None:
        while True:
            await self._sleep(TICK_SECONDS)
            try:
                await self.refresh_due()
            except Exception:
                # Without this loop the keys run out a day later.
                log.exception("signing keys upkeep failed")
