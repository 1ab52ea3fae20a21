"""Threads that read, each with a connection of its own."""

import asyncio
import sqlite3
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TypeVar

from secure_export.errors import StoreUnavailable
from secure_export.store.sqlite.connect import connect_to_read, store_errors

T = TypeVar("T")


class Readers:
    """A few threads that run queries.

    Args:
        path: The database file.
        name: What they are called.
        threads: How many queries run at a time.
        waiting_limit: How many queries may be under way before further ones are refused.
    """

    def __init__(self, path: Path, name: str, *, threads: int, waiting_limit: int) -> None:
        self._path = path
        self._threads = ThreadPoolExecutor(threads, thread_name_prefix=name)
        self._waiting_limit = waiting_limit
        self._waiting = 0
        self._closed = False
        self._local = threading.local()
        self._opened: list[sqlite3.Connection] = []

    async def run(self, query: Callable[[sqlite3.Connection], T]) -> T:
        """Run a query in a transaction of its own on a connection that can only read.

        Raises:
            StoreUnavailable: It could not be read, or too many others wait, or the store is closed.
        """
        if self._closed:
            raise StoreUnavailable("the store is closed")
        if self._waiting >= self._waiting_limit:
            raise StoreUnavailable("too many queries wait; try again shortly")
        self._waiting += 1
        try:
            return await asyncio.get_running_loop().run_in_executor(self._threads, self._query, query)
        finally:
            self._waiting -= 1

    def close(self) -> None:
        """Finish the queries under way, and let go of the file; blocks until then."""
        self._closed = True
        self._threads.shutdown()
        for connection in self._opened:
            connection.close()

    def _query(self, query: Callable[[sqlite3.Connection], T]) -> T:
        with store_errors():
            connection = self._connection()
            connection.execute("BEGIN")
            try:
                return query(connection)
            finally:
                # Some errors end the transaction; a complaint about that would hide them.
                if connection.in_transaction:
                    connection.execute("COMMIT")

    def _connection(self) -> sqlite3.Connection:
        connection: sqlite3.Connection | None = getattr(self._local, "connection", None)
        if connection is None:
            connection = self._local.connection = connect_to_read(self._path)
            self._opened.append(connection)
        return connection
