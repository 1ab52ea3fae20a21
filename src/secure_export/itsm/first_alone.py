"""One at a time until it is known to work."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager


@asynccontextmanager
async def first_alone(lock: asyncio.Lock, is_proven: Callable[[], bool]) -> AsyncIterator[None]:
    """Let records be made one at a time until one is found again by its key.

    Where the tool drops the key, or hides what we make, one record is made in vain rather than one for each alert of a
    storm.

    Args:
        lock: Held by who makes one before it is proven.
        is_proven: Whether one was found by its key.
    """
    if not is_proven():
        async with lock:
            if not is_proven():
                yield
                return
    yield
