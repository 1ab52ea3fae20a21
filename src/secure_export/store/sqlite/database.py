"""A SQLite file that many tasks read and write at the same time."""

import asyncio
import sqlite3
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, TypeVar

from secure_export.errors import StoreUnavailable
from secure_export.store.sqlite.checkpoints import Checkpoints
from secure_export.store.sqlite.connect import connect_to_read, connect_to_write, store_errors
from secure_export.store.sqlite.migrate import known_migrations, migrate
from secure_export.store.sqlite.writer import Done, Job, Writer

T = TypeVar("T")

_READERS = 3
_WAITING_LIMIT = 4096


class Database:
    """One writer thread with group commit, a few reader threads, and checkpoints on the side.

    Several processes may open the same file: SQLite's own locks order their writes.

    Args:
        path: The database file, already migrated.
        loop: The loop that its users run on.
    """

    def __init__(self, path: Path, loop: asyncio.AbstractEventLoop) -> None:
        self.path = path
        self._loop = loop
        self._writer = Writer(path, loop, waiting_limit=_WAITING_LIMIT)
        self._checkpoints = Checkpoints(path)
        self._readers = ThreadPoolExecutor(_READERS, thread_name_prefix="store reader")
        self._connections = threading.local()
        self._opened: list[sqlite3.Connection] = []
        self._reading = 0

    @classmethod
    async def open(cls, path: Path) -> "Database":
        """Open a database file, made and brought up to date where needed.

        Raises:
            StoreUnavailable: The file cannot be opened.
            SettingsError: The file does not fit this program.
        """
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(None, _open, path, loop)

    def submit(self, job: Job, done: Done) -> None:
        """Have a job run by the writer; see ``Writer.submit``."""
        self._writer.submit(job, done)

    async def write(self, job: Callable[[sqlite3.Connection], T]) -> T:
        """Run a job in a transaction that is on disk when this returns; whatever the job raises, nothing of it stays.

        The job runs in the writer's thread, together with others and possibly twice: it must only use its
        connection, and neither begin nor commit.

        Raises:
            StoreUnavailable: It could not be written; nothing of it was kept.
        """
        future: asyncio.Future[T] = self._loop.create_future()

        def done(result: Any, error: BaseException | None) -> None:
            if future.cancelled():
                return
            if error is not None:
                future.set_exception(error)
            else:
                future.set_result(result)

        self.submit(job, done)
        return await future

    async def read(self, query: Callable[[sqlite3.Connection], T]) -> T:
        """Run a query in a transaction of its own on a connection that can only read.

        Raises:
            StoreUnavailable: It could not be read, or too many others wait.
        """
        if self._reading >= _WAITING_LIMIT:
            raise StoreUnavailable("too many queries wait; try again shortly")
        self._reading += 1
        try:
            return await self._loop.run_in_executor(self._readers, self._query, query)
        finally:
            self._reading -= 1

    async def close(self) -> None:
        """Finish what was begun, and let go of the file."""
        await self._loop.run_in_executor(None, self._close)

    def _query(self, query: Callable[[sqlite3.Connection], T]) -> T:
        with store_errors():
            connection = self._reader()
            connection.execute("BEGIN")
            try:
                return query(connection)
            finally:
                connection.execute("COMMIT")

    def _reader(self) -> sqlite3.Connection:
        connection: sqlite3.Connection | None = getattr(self._connections, "connection", None)
        if connection is None:
            connection = self._connections.connection = connect_to_read(self.path)
            self._opened.append(connection)
        return connection

    def _close(self) -> None:
        self._readers.shutdown()
        for connection in self._opened:
            connection.close()
        self._checkpoints.close()
        self._writer.close()


def _open(path: Path, loop: asyncio.AbstractEventLoop) -> Database:
    with store_errors():
        connection = connect_to_write(path)
        try:
            migrate(connection, known_migrations())
        finally:
            connection.close()
        return Database(path, loop)
