"""Tells tasks of this process that a lane may have become ready."""

import asyncio
from weakref import WeakKeyDictionary


class Signals:
    """Counts occasions, so that one between a task's last search and its wait is not missed.

    A task says ``searching`` before it searches for ready lanes; ``wait`` then returns at once if anything happened
    since. Everything runs on the loop.
    """

    def __init__(self) -> None:
        self._occasions = 0
        self._heard: WeakKeyDictionary[asyncio.Task[object], int] = WeakKeyDictionary()
        self._sleepers: set[asyncio.Future[None]] = set()

    def ready(self) -> None:
        """Tell all that a lane may have become ready."""
        self._occasions += 1
        sleepers, self._sleepers = self._sleepers, set()
        for sleeper in sleepers:
            if not sleeper.done():
                sleeper.set_result(None)

    def searching(self) -> None:
        """Remember that the current task knows of everything up to now."""
        if (task := asyncio.current_task()) is not None:
            self._heard[task] = self._occasions

    async def wait(self, *, timeout_seconds: float) -> None:
        """Return when something happened since the current task searched, or after the time-out."""
        task = asyncio.current_task()
        if task is not None and self._heard.get(task, self._occasions) != self._occasions:
            return
        sleeper: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._sleepers.add(sleeper)
        try:
            await asyncio.wait((sleeper,), timeout=timeout_seconds)
        finally:
            self._sleepers.discard(sleeper)
