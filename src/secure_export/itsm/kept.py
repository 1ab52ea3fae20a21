"""Answers that are kept for a while, asked for once however many want them at the same time."""

import asyncio
from collections.abc import Awaitable, Callable, Hashable
from dataclasses import dataclass
from typing import Generic, TypeVar

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")
_MOST = 2000


@dataclass(frozen=True, slots=True)
class _Entry(Generic[V]):
    value: V
    until: float


class Kept(Generic[K, V]):
    """Fetches what is asked for, and keeps it in bounded memory.

    A fetch that raises is told to all who wait for it and is not kept. One who stops waiting stops nobody else.

    Args:
        fetch: Gives the value of a key.
        seconds: For how long a value is good.
        monotonic: A clock in seconds that never goes back.
    """

    def __init__(
        self,
        fetch: Callable[[K], Awaitable[V]],
        *,
        seconds: Callable[[V], float],
        monotonic: Callable[[], float],
    ) -> None:
        self._fetch = fetch
        self._seconds = seconds
        self._monotonic = monotonic
        self._entries: dict[K, _Entry[V]] = {}
        self._fetches: dict[K, asyncio.Task[V]] = {}

    async def get(self, key: K) -> V:
        """Give the value of a key; raises what its fetch raises."""
        entry = self._entries.get(key)
        if entry is not None and self._monotonic() < entry.until:
            return entry.value
        task = self._fetches.get(key)
        if task is None:
            task = asyncio.create_task(self._fetched(key))
            task.add_done_callback(_retrieved)
            self._fetches[key] = task
        return await asyncio.shield(task)

    def forget(self, key: K) -> None:
        """Have a value fetched anew when it is next asked for."""
        self._entries.pop(key, None)

    async def close(self) -> None:
        """Give up what is being fetched."""
        tasks = list(self._fetches.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _fetched(self, key: K) -> V:
        try:
            value = await self._fetch(key)
        finally:
            self._fetches.pop(key, None)
        if len(self._entries) >= _MOST:
            self._entries.pop(next(iter(self._entries)))
        self._entries[key] = _Entry(value, self._monotonic() + self._seconds(value))
        return value


def _retrieved(task: asyncio.Task[V]) -> None:
    """Look at how a fetch ended, so that one for which nobody waits any more is no error in the log."""
    if not task.cancelled():
        task.exception()
