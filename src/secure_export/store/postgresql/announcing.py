"""Tells the tasks of this process, and other processes, that lanes may have become ready."""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from uuid import uuid4

from secure_export.errors import StoreUnavailable
from secure_export.store.postgresql.database import Database
from secure_export.store.signals import Signals

CHANNEL = "secure_export_ready"

_BETWEEN_SECONDS = 0.02


class Announcing:
    """Sends one notice for many occasions.

    A notice is sent after the commit and not within it: PostgreSQL lets only one transaction with a notice commit at a
    time (docs, "NOTIFY"), which would end the sharing of flushes. If it gets lost, polling finds the lanes.

    Args:
        database: The database.

    Attributes:
        signals: What tasks of this process wait for.
        name: What tells this process's notices from those of others.
    """

    def __init__(self, database: Database) -> None:
        self.signals = Signals()
        self.name = uuid4().hex
        self._database = database
        self._wanted = False
        self._task: asyncio.Task[None] | None = None

    def ready(self) -> None:
        """Tell all that lanes may have become ready."""
        self.signals.ready()
        self._wanted = True
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._send_all())

    def hear(self, sender: str) -> None:
        """Take a notice that came from some process."""
        if sender != self.name:
            self.signals.ready()

    async def close(self) -> None:
        """Send what is still to be sent."""
        if self._task is not None:
            await self._task

    async def _send_all(self) -> None:
        while self._wanted:
            self._wanted = False
            with suppress(StoreUnavailable):
                await self._database.tell("SELECT pg_notify($1, $2)", CHANNEL, self.name)
            await asyncio.sleep(_BETWEEN_SECONDS)


Ready = Callable[[], None]
