"""Connects to that one of several hosts which takes writes, also while others neither answer nor refuse."""

import asyncio
from collections.abc import Sequence
from typing import Any, TypeAlias

import asyncpg

Session: TypeAlias = "asyncpg.Connection[asyncpg.Record]"

# A primary that answers at all does so in less; the next host need not wait for one that does not.
_AHEAD_SECONDS = 0.3


class Hosts:
    """Tries every host of a database, beginning with the one that took writes the last time.

    asyncpg tries one after the other within one time limit, so that the first of them, when its machine is gone and
    nobody refuses, uses up the time of all.

    Args:
        hosts: Names, addresses or folders of sockets.
        ports: The port of each.
    """

    def __init__(self, hosts: Sequence[str], ports: Sequence[int]) -> None:
        self._places = list(zip(hosts, ports, strict=True))

    async def connect(self, *args: Any, **arguments: Any) -> Session:
        """Connect as ``asyncpg.connect`` does with these arguments; hosts and ports among them are not looked at.

        Raises:
            Exception: What the most telling host said; none takes writes.
        """
        places = list(self._places)
        pending: dict[asyncio.Task[Session], tuple[str, int]] = {}
        errors: list[BaseException] = []
        try:
            while places or pending:
                if places:
                    host, port = places.pop(0)
                    trying = asyncpg.connect(*args, **(arguments | {"host": host, "port": port}))
                    pending[asyncio.ensure_future(trying)] = (host, port)
                done, _ = await asyncio.wait(
                    pending, timeout=_AHEAD_SECONDS if places else None, return_when=asyncio.FIRST_COMPLETED
                )
                for task in sorted(done, key=lambda one: one.exception() is not None):
                    place = pending.pop(task)
                    if (error := task.exception()) is None:
                        self._remember(place)
                        return task.result()
                    errors.append(error)
            raise _most_telling(errors)
        finally:
            for task in pending:
                task.cancel()
                task.add_done_callback(_end)

    def _remember(self, place: tuple[str, int]) -> None:
        self._places.sort(key=lambda one: one != place)


def _most_telling(errors: Sequence[BaseException]) -> BaseException:
    """Of what hosts said tell rather what is wrong with one than that another is only a standby."""
    return min(errors, key=lambda one: isinstance(one, asyncpg.TargetServerAttributeNotMatched))


def _end(task: asyncio.Task[Session]) -> None:
    """End the session with a host that was not waited for."""
    if not task.cancelled() and task.exception() is None:
        task.result().terminate()
