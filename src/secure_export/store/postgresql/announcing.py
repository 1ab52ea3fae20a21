"""Tells the tasks of this process, and other processes, that lanes may have become ready."""

import asyncio
from collections.abc import Callable
from time import monotonic
from uuid import uuid4

import asyncpg
import structlog

from secure_export.errors import StoreUnavailable
from secure_export.store.postgresql.database import Database
from secure_export.store.postgresql.outages import text_of
from secure_export.store.signals import Signals

CHANNEL = "secure_export_ready"

log = structlog.get_logger(__name__)

_BETWEEN_SECONDS = 0.02
_AGAIN_SECONDS = 60.0


class Announcing:
    """Sends one notice for many occasions.

    A notice is sent after the commit and not within it: PostgreSQL lets only one transaction with a notice commit at a
    time (docs, "NOTIFY"), which would end the sharing of flushes. If it gets lost, polling finds the lanes; so it does
    on a server that speaks PostgreSQL's protocol and has no notices, which is asked again once a minute.

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
        self._refused_until = 0.0
        self._complained = False
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
            await self._send()
            await asyncio.sleep(_BETWEEN_SECONDS)

    async def _send(self) -> None:
        if monotonic() < self._refused_until:
            return
        try:
            await self._database.tell("SELECT pg_notify($1, $2)", CHANNEL, self.name)
        except StoreUnavailable:
            return  # whoever reads or writes hears of that, too
        except asyncpg.PostgresError as error:
            self._refused_until = monotonic() + _AGAIN_SECONDS
            self._complain(text_of(error))
            return
        self._complained = False

    def _complain(self, reason: str) -> None:
        """Say once that nothing is told, until something is again."""
        if not self._complained:
            self._complained = True
            log.warning("not telling others through the database; lanes are found by looking", reason=reason)


Ready = Callable[[], None]
