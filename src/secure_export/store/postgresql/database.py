"""A PostgreSQL database that many tasks of many processes read and write at the same time."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from contextlib import asynccontextmanager, suppress
from time import perf_counter
from typing import Any, TypeVar

import asyncpg

from secure_export.errors import SettingsError, StoreUnavailable
from secure_export.itsm.desk.contract import WriteInDoubt
from secure_export.store.postgresql.connect import ANSWER_SECONDS, BEGIN, BEGIN_THROUGH_POOLER, Connection, open_pool
from secure_export.store.postgresql.outages import (
    leaves_connection_unusable,
    leaves_in_doubt,
    may_work_at_once,
    store_errors,
    text_of,
)
from secure_export.store.postgresql.place import Place

T = TypeVar("T")

_WAITING_LIMIT = 4096
_WAIT_FOR_CONNECTION_SECONDS = 5.0
_CLOSE_SECONDS = 10.0
_TIDY_SECONDS = 3.0
_NO_LIMIT_SECONDS = 86_400.0
_TRIES = 5
_SHARE_OF_LISTS = 4


class Database:
    """A bounded pool of connections, and transactions on them.

    Args:
        place: Where the database is.
        pool: Connections to it.

    Attributes:
        place: Where the database is.
    """

    def __init__(self, place: Place, pool: "asyncpg.Pool[asyncpg.Record]") -> None:
        self.place = place
        self._pool = pool
        self._begin = BEGIN_THROUGH_POOLER if place.through_pooler else BEGIN
        self._told: Callable[[float], None] = lambda _: None
        self._waiting = 0
        self._closed = False
        self._timeline = place.timelines.highest
        self._lists = asyncio.Semaphore(max(1, place.pool_size // _SHARE_OF_LISTS))

    @classmethod
    async def open(cls, place: Place) -> "Database":
        """Open the pool; no connection is made yet."""
        return cls(place, await open_pool(place))

    async def write(self, job: Callable[[Connection], Awaitable[T]]) -> T:
        """Run a job in a transaction that is on disk when this returns; whatever the job raises, nothing of it stays.

        The job may run several times, where others were in its way: it must leave nothing behind but what it wrote
        through its connection, and neither begin nor commit.

        Raises:
            StoreUnavailable: It could not be written; nothing of it was kept.
            WriteInDoubt: The connection broke while it was being kept, so that it may have been.
        """
        with store_errors():
            for _ in range(_TRIES - 1):
                try:
                    return await self._transaction(job)
                except asyncpg.PostgresError as error:
                    if not may_work_at_once(error):
                        raise
            return await self._transaction(job)

    async def write_at_once(self, statement: str, *values: object) -> "list[asyncpg.Record]":
        """Run one statement that is on disk when this returns, without the two further answers of a transaction.

        Raises:
            StoreUnavailable: It could not be written; nothing of it was kept.
            WriteInDoubt: The connection broke meanwhile, so that it may have been kept.
        """
        if self.place.through_pooler:
            return await self.write(lambda db: db.fetch(statement, *values))
        with store_errors():
            for _ in range(_TRIES - 1):
                try:
                    return await self._at_once(statement, *values)
                except asyncpg.PostgresError as error:
                    if not may_work_at_once(error):
                        raise
            return await self._at_once(statement, *values)

    async def read(self, query: Callable[[Connection], Awaitable[T]]) -> T:
        """Run a short query; it sees everything written before.

        Raises:
            StoreUnavailable: It could not be read, or too many others wait.
        """
        with store_errors():
            async with self._connection() as connection:
                if not self.place.through_pooler:
                    return await query(connection)
                # Settings of a session do not survive in a pooler, and without them a query has no time limit.
                try:
                    await connection.execute(self._begin)
                    result = await query(connection)
                except BaseException as error:
                    if not leaves_connection_unusable(error):
                        await _roll_back(connection)
                    raise
                await _roll_back(connection)
                return result

    async def read_list(self, query: Callable[[Connection], Awaitable[T]]) -> T:
        """Run a query that may take long, few at a time; otherwise as ``read``."""
        async with self._lists:
            return await self.read(query)

    async def tell(self, statement: str, *values: object) -> None:
        """Run one statement that keeps nothing, outside any transaction.

        Raises:
            StoreUnavailable: It could not be run.
        """
        with store_errors():
            async with self._connection() as connection:
                await connection.execute(statement, *values)

    def watch_commits(self, told: Callable[[float], None]) -> None:
        """Have somebody told how many seconds each transaction takes."""
        self._told = told

    async def close(self) -> None:
        """Finish what was begun, and let go of all connections."""
        self._closed = True
        try:
            await asyncio.wait_for(self._pool.close(), _CLOSE_SECONDS)
        except (TimeoutError, OSError, asyncpg.InterfaceError):
            self._pool.terminate()

    async def _transaction(self, job: Callable[[Connection], Awaitable[T]]) -> T:
        async with self._connection() as connection:
            began = perf_counter()
            try:
                await connection.execute(self._begin)
                result = await job(connection)
            except BaseException as error:
                if not leaves_connection_unusable(error):
                    await _roll_back(connection)
                raise
            await _commit(connection)
            self._told(perf_counter() - began)
            return result

    async def _at_once(self, statement: str, *values: object) -> "list[asyncpg.Record]":
        async with self._connection() as connection:
            began = perf_counter()
            rows = await _kept(connection, connection.fetch(statement, *values, timeout=_NO_LIMIT_SECONDS))
            self._told(perf_counter() - began)
            return rows

    @asynccontextmanager
    async def _connection(self) -> AsyncIterator[Connection]:
        """Take a connection from the pool; one that is not to be trusted any more does not go back to it."""
        if self._closed:
            raise StoreUnavailable("the store is closed")
        if self._waiting >= _WAITING_LIMIT:
            raise StoreUnavailable("too many wait for the database; try again shortly")
        self._waiting += 1
        try:
            await self._leave_older_primary()
            connection = await self._pool.acquire(timeout=_WAIT_FOR_CONNECTION_SECONDS)
        except TimeoutError as error:
            raise StoreUnavailable(
                f"no connection to the database for {_WAIT_FOR_CONNECTION_SECONDS:.0f} s: all are busy, or it does not "
                "answer; try again shortly"
            ) from error
        except SettingsError as error:  # a file with the password is being replaced, for one
            raise StoreUnavailable(f"no connection to the database: {error}") from error
        finally:
            self._waiting -= 1
        try:
            yield connection
        except BaseException as error:
            if leaves_connection_unusable(error) or isinstance(error, WriteInDoubt):
                _abandon(connection)
                # The others lead to the same server by the same network: each would fail once more, by itself.
                await self._pool.expire_connections()
            raise
        finally:
            # What became of the transaction is known by now: how a connection ends, which the server may cut off at
            # this very moment, says nothing of it, and must not take the place of an error that does.
            with suppress(Exception):
                await self._pool.release(connection, timeout=_TIDY_SECONDS)

    async def _leave_older_primary(self) -> None:
        """Use no connection of before any more when one was opened to a standby that took the primary's place."""
        if self._timeline != self.place.timelines.highest:
            self._timeline = self.place.timelines.highest
            await self._pool.expire_connections()


async def _commit(connection: Connection) -> None:
    """Commit; where the answer is missing nobody knows what came of it."""
    if await _kept(connection, connection.execute("COMMIT", timeout=_NO_LIMIT_SECONDS)) != "COMMIT":
        raise StoreUnavailable("the database took a change back instead of keeping it")


async def _kept(connection: Connection, committing: Coroutine[Any, Any, T]) -> T:
    """Wait for what commits.

    A commit is never cancelled, only left alone: PostgreSQL would show one that waits for its standby as if it were
    safe (docs, "Synchronous Replication"), and what is sent again then would be taken for a duplicate and acknowledged.
    asyncpg cancels what takes too long, and what its caller gives up. The server's own time limit for a statement ends
    before its commit begins.
    """
    task = asyncio.ensure_future(committing)
    try:
        await asyncio.wait((task,), timeout=ANSWER_SECONDS)
    finally:
        if not task.done():
            task.add_done_callback(_heard)
            _abandon(connection)
    if not task.done():
        raise WriteInDoubt("the database did not say in time whether a change was kept")
    try:
        return task.result()
    except Exception as error:
        if not leaves_in_doubt(error):
            raise
        _abandon(connection)
        raise WriteInDoubt(f"the connection broke while a change was being kept: {text_of(error)}") from error


def _heard(task: "asyncio.Future[Any]") -> None:
    """Take note of an error that nobody waits for any more."""
    if not task.cancelled():
        task.exception()


async def _roll_back(connection: Connection) -> None:
    """Take back what was begun; where that does not work soon the connection's end does it."""
    try:
        async with asyncio.timeout(_TIDY_SECONDS):
            await connection.execute("ROLLBACK")
    except Exception:  # noqa: BLE001 - the error that led here says more
        _abandon(connection)
    except BaseException:
        _abandon(connection)
        raise


def _abandon(connection: Connection) -> None:
    """End a connection; one that the server ended has left the pool already."""
    with suppress(asyncpg.InterfaceError):
        connection.terminate()
