"""How many requests a stand-in works on at a time, how many wait, and how long each takes."""

import asyncio
import contextlib
import time
from collections import OrderedDict
from collections.abc import AsyncGenerator


class QueueFullError(Exception):
    """A request found no place to wait."""


class Semaphore:
    """So many requests at a time, so many that wait, each with a fixed time of service.

    Attributes:
        threads: How many at a time.
        queue: How many may wait.
        service_seconds: How long each holds its thread at least, in real time; its answer comes after that.
        most_at_a_time: The most that ever ran at a time since the counters were reset.
    """

    def __init__(self, threads: int = 4, queue: int = 50, service_seconds: float = 0.0) -> None:
        self.threads = threads
        self.queue = queue
        self.service_seconds = service_seconds
        self.most_at_a_time = 0
        self._running = 0
        self._waiting: OrderedDict[asyncio.Future[None], None] = OrderedDict()

    @property
    def running(self) -> int:
        """How many run now."""
        return self._running

    @property
    def waiting(self) -> int:
        """How many wait now."""
        return len(self._waiting)

    @contextlib.asynccontextmanager
    async def turn(self) -> AsyncGenerator[None]:
        """Wait for a thread, first come, first served, and hold it for the block, and at least for the time of service.

        Raises:
            QueueFullError: Too many wait already.
        """
        await self._enter()
        began = time.monotonic()
        try:
            yield
            await asyncio.sleep(max(0.0, began + self.service_seconds - time.monotonic()))
        finally:
            self._running -= 1
            self._wake()

    async def _enter(self) -> None:
        if self._running < self.threads and not self._waiting:
            self._start()
            return
        if len(self._waiting) >= self.queue:
            raise QueueFullError
        mine: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting[mine] = None
        try:
            await mine
        except asyncio.CancelledError:
            self._give_up(mine)
            raise

    def _give_up(self, mine: "asyncio.Future[None]") -> None:
        self._waiting.pop(mine, None)
        if not mine.cancelled():  # it was given its turn in the same moment
            self._running -= 1
        self._wake()

    def _start(self) -> None:
        self._running += 1
        self.most_at_a_time = max(self.most_at_a_time, self._running)

    def _wake(self) -> None:
        while self._waiting and self._running < self.threads:
            first, _ = self._waiting.popitem(last=False)
            if not first.done():
                self._start()
                first.set_result(None)
