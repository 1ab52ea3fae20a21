"""Time that passes only when everybody sleeps."""

import asyncio
import heapq
from itertools import count

_ROUNDS = 12


class VirtualTime:
    """A clock that never goes back, with a sleep that takes no time: whoever is to wake up first does.

    Attributes:
        now: Seconds.
    """

    def __init__(self) -> None:
        self.now = 0.0
        self._sleepers: list[tuple[float, int, asyncio.Future[None]]] = []
        self._numbers = count()

    def __call__(self) -> float:
        return self.now

    async def sleep(self, seconds: float) -> None:
        if seconds <= 0:
            await asyncio.sleep(0)
            return
        woken: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        heapq.heappush(self._sleepers, (self.now + seconds, next(self._numbers), woken))
        await woken

    async def run(self, *tasks: "asyncio.Task[None]") -> None:
        """Let time pass until these have ended."""
        while not all(task.done() for task in tasks):
            await self._settle()
            if not self._sleepers or all(task.done() for task in tasks):
                continue
            at, _, woken = heapq.heappop(self._sleepers)
            if not woken.done():
                self.now = max(self.now, at)
                woken.set_result(None)
        await self._settle()

    async def _settle(self) -> None:
        """Let all others come to their next sleep; nothing changes any more when the loop has nothing to run."""
        ready = asyncio.get_running_loop()._ready  # type: ignore[attr-defined] # asyncio has no public way to ask
        for _ in range(_ROUNDS):
            await asyncio.sleep(0)
            if not ready:
                return
