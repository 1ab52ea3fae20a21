"""Asks once for all who want to know at about the same time, so that nobody can keep the store busy by asking."""

import asyncio
from collections.abc import Awaitable, Callable
from time import monotonic
from typing import Generic, TypeVar

T = TypeVar("T")


class Recent(Generic[T]):
    """An answer that is at most a second old; whoever asks while it is looked for waits for the same one.

    Args:
        ask: Finds the answer.
        seconds: How old an answer may be, counted from when it was asked for.
        clock: Seconds of a clock that only goes forward.
    """

    def __init__(
        self, ask: Callable[[], Awaitable[T]], *, seconds: float = 1.0, clock: Callable[[], float] = monotonic
    ) -> None:
        self._ask = ask
        self._seconds = seconds
        self._clock = clock
        self._asked_at = 0.0
        self._asking: asyncio.Future[T] | None = None

    async def __call__(self) -> T:
        """Give the answer, or raise what asking for it raised."""
        asking = self._asking
        if asking is None or (asking.done() and self._clock() - self._asked_at >= self._seconds):
            self._asked_at = self._clock()
            asking = self._asking = asyncio.ensure_future(self._ask())
            asking.add_done_callback(_seen)
        # Waited for, not awaited: who goes away while waiting must not end it for the others.
        await asyncio.wait({asking})
        return asking.result()


def _seen(asking: asyncio.Future[T]) -> None:
    """Look at the outcome even when nobody is left to be told: asyncio complains about errors that nobody saw."""
    if not asking.cancelled():
        asking.exception()
