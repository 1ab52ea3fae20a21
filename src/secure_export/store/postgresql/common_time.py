"""The time that all processes on one database share, whatever the clocks of their machines say."""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime, timedelta

from secure_export.clock import steady_seconds
from secure_export.errors import StoreUnavailable
from secure_export.store.postgresql.database import Database

_BETWEEN_SECONDS = 10.0
_LONGEST_ANSWER_SECONDS = 1.0
_NOW = "SELECT clock_timestamp()"


class CommonTime:
    """Tells the time by the database's clock, asked now and then and carried on by one that only goes forward.

    Leases and due times are compared by processes of different machines. By clocks of their own, one whose clock is an
    hour slow would have each of its lanes taken away while it works on it, and one that is fast would let them wait.

    Args:
        database: The database.
        seconds: A clock that never goes back, and goes on while the machine sleeps.
    """

    def __init__(self, database: Database, *, seconds: Callable[[], float] = steady_seconds) -> None:
        self._database = database
        self._seconds = seconds
        self._told: datetime | None = None
        self._told_at = 0.0
        self._task: asyncio.Task[None] | None = None

    def __call__(self) -> datetime:
        """Give the time now, in UTC (``secure_export.clock.Clock``)."""
        if self._told is None:
            return datetime.now(UTC)
        return self._told + timedelta(seconds=self._seconds() - self._told_at)

    async def begin(self) -> None:
        """Ask the database, and do so from time to time from now on.

        Raises:
            StoreUnavailable: It cannot be asked.
        """
        await self.ask()
        self._task = asyncio.create_task(self._keep())

    async def close(self) -> None:
        """Ask no more."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait((self._task,))

    async def ask(self) -> None:
        """Ask the database; an answer that took long says too little, unless it is the only one.

        Raises:
            StoreUnavailable: It cannot be asked.
        """
        before = self._seconds()
        told: datetime = await self._database.read(lambda db: db.fetchval(_NOW))
        took = self._seconds() - before
        if self._told is None or took <= _LONGEST_ANSWER_SECONDS:
            self._told, self._told_at = told, before + took / 2

    async def _keep(self) -> None:
        while True:
            await asyncio.sleep(_BETWEEN_SECONDS)
            with suppress(StoreUnavailable):
                await self.ask()
