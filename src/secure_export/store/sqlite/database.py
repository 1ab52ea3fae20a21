"""A SQLite file that many tasks read and write at the same time."""

import asyncio
import sqlite3
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import TypeVar

from secure_export.intake.contract import Entry, Receipt
from secure_export.store.copy.tables import UNFINISHED
from secure_export.store.copy.unfinished import check_finished
from secure_export.store.signals import Signals
from secure_export.store.sqlite.appender import Appender
from secure_export.store.sqlite.checkpoints import Checkpoints
from secure_export.store.sqlite.connect import connect_to_write, store_errors
from secure_export.store.sqlite.migrate import known_migrations, migrate
from secure_export.store.sqlite.readers import Readers
from secure_export.store.sqlite.writer import Writer

T = TypeVar("T")

_READERS = 3
_LIST_READERS = 2
_WAITING_LIMIT = 4096


class Database:
    """One writer thread with group commit, a few reader threads, and checkpoints on the side.

    Several processes may open the same file: SQLite's own locks order their writes.

    Args:
        path: The database file, already migrated.
        loop: The loop that its users run on.

    Attributes:
        path: The database file.
        signals: Tells when lanes may have become ready.
    """

    def __init__(self, path: Path, loop: asyncio.AbstractEventLoop) -> None:
        self.path = path
        self.signals = Signals()
        self._loop = loop
        with ExitStack() as opened:
            self._writer = Writer(path, loop, bulk=Appender(self.signals), waiting_limit=_WAITING_LIMIT)
            opened.callback(self._writer.close)
            self._checkpoints = Checkpoints(path, self._writer.ask_wal_restart)
            opened.pop_all()
        self._readers = Readers(path, "store reader", threads=_READERS, waiting_limit=_WAITING_LIMIT)
        self._list_readers = Readers(path, "store list reader", threads=_LIST_READERS, waiting_limit=_WAITING_LIMIT)

    @classmethod
    async def open(cls, path: Path) -> "Database":
        """Open a database file, made and brought up to date where needed.

        Raises:
            StoreUnavailable: The file cannot be opened.
            SettingsError: The file does not fit this program.
        """
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(None, _open, path, loop)

    def append(self, entry: Entry) -> asyncio.Future[Receipt]:
        """Have an entry recorded together with all others that wait; the future is told once it is on disk.

        Raises:
            StoreUnavailable: Too many changes wait, or the store is closed.
        """
        return self._writer.submit(None, entry)

    async def write(self, job: Callable[[sqlite3.Connection], T]) -> T:
        """Run a job in a transaction that is on disk when this returns; whatever the job raises, nothing of it stays.

        The job runs in the writer's thread, together with others and possibly several times: it must only use its
        connection, and neither begin nor commit.

        Raises:
            StoreUnavailable: It could not be written; nothing of it was kept.
        """
        result: T = await self._writer.submit(job)
        return result

    async def read(self, query: Callable[[sqlite3.Connection], T]) -> T:
        """Run a short query on a connection that can only read; it sees everything written before.

        Raises:
            StoreUnavailable: It could not be read, or too many others wait.
        """
        return await self._readers.run(query)

    async def read_list(self, query: Callable[[sqlite3.Connection], T]) -> T:
        """Run a query that may take long, out of the way of short ones; otherwise as ``read``."""
        return await self._list_readers.run(query)

    def watch_commits(self, told: Callable[[float], None]) -> None:
        """Have somebody told how many seconds each transaction takes; called in the writer's thread."""
        self._writer.on_commit = told

    async def close(self) -> None:
        """Finish what was begun, and let go of the file."""
        await self._loop.run_in_executor(None, self._close)

    def _close(self) -> None:
        self._readers.close()
        self._list_readers.close()
        self._checkpoints.close()
        self._writer.close()


def _open(path: Path, loop: asyncio.AbstractEventLoop) -> Database:
    with store_errors():
        connection = connect_to_write(path)
        try:
            migrate(connection, known_migrations())
            unfinished = connection.execute("SELECT value FROM cursors WHERE name = ?", (UNFINISHED,)).fetchone()
            check_finished(unfinished[0] if unfinished else None)
        finally:
            connection.close()
        return Database(path, loop)
