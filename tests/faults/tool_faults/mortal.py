"""A process that dies at a point of its life: before or after the n-th thing it does that lasts.

What lasts is found by itself: each transaction that wrote anything, whichever part of the store asked for it, and each
step in the tool. Between two such things nothing lasts, so a process that died anywhere between them left the same.
"""

import asyncio
import sqlite3
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from typing import Any, TypeVar

from secure_export.cmdb.contract import Cmdb
from secure_export.intake.contract import Entry, Receipt
from secure_export.itsm.contract import Changes, CheckResult, Connector
from secure_export.store.postgresql.appender import Appender
from secure_export.store.postgresql.connect import Connection
from secure_export.store.postgresql.journal import PostgresJournal
from secure_export.store.postgresql.store import PostgresStore
from secure_export.store.sqlite.store import SqliteStore
from secure_export.workitems.outcome import Outcome
from secure_export.workitems.work_item import StepKind, WorkItem

T = TypeVar("T")
AnyStore = TypeVar("AnyStore", bound=SqliteStore | PostgresStore)


class Died(BaseException):
    """The process is no more: nothing in it may catch this."""


class Life:
    """Ends a process before or after the n-th thing that lasts; a dead one does nothing any more.

    A process can also be stopped for a while, as by a machine that is paused: it notices nothing and then goes on.

    Args:
        number: Which; None: it lives on.
        after: Whether the thing is still done.

    Attributes:
        done: How many things that last were done.
        over: Set when it is dead.
        goes: Cleared while it is stopped.
    """

    def __init__(self, number: int | None = None, *, after: bool = False) -> None:
        self._last = None if number is None else number - (not after)
        self._dies_at_once = after
        self.done = 0
        self.over = asyncio.Event()
        self.goes = asyncio.Event()
        self.goes.set()

    async def goes_on(self) -> None:
        """Come to something that may last, or die."""
        await self.goes.wait()
        if self._last is not None and self.done >= self._last:
            self.over.set()
        self._is_alive()

    def lasts(self) -> None:
        """Count something that lasts, and perhaps die of it."""
        self.done += 1
        if self._dies_at_once and self._last is not None and self.done >= self._last:
            self.over.set()
        self._is_alive()

    async def does(self, act: Callable[[], Awaitable[T]]) -> T:
        """Do something that lasts, or die."""
        await self.goes_on()
        result = await act()
        self.lasts()
        return result

    def _is_alive(self) -> None:
        if self.over.is_set():
            raise Died


def mortal(store: AnyStore, life: Life) -> AnyStore:
    """Give a store as a process that may die uses it; it is closed by closing either."""
    if isinstance(store, PostgresStore):
        dying = type(store)(MortalPostgres(store._database, life), store.clock)  # type: ignore[arg-type] # a stand-in
        dying._appender = MortalAppender(dying._database, dying._announcing.ready)
        dying.journal = PostgresJournal(dying._appender)
        return dying
    return type(store)(MortalSqlite(store._database, life), store.clock)  # type: ignore[arg-type] # as above


class MortalSqlite:
    """A SQLite file as a process that may die writes it."""

    def __init__(self, database: Any, life: Life) -> None:
        self._database = database
        self._life = life

    def __getattr__(self, name: str) -> Any:
        return getattr(self._database, name)

    async def append(self, entry: Entry) -> Receipt:
        receipt: Receipt = await self._life.does(lambda: self._database.append(entry))
        return receipt

    async def write(self, job: Callable[[sqlite3.Connection], T]) -> T:
        wrote = False

        def watched(db: sqlite3.Connection) -> T:
            nonlocal wrote
            before = db.total_changes
            result = job(db)
            wrote = db.total_changes != before
            return result

        await self._life.goes_on()
        result: T = await self._database.write(watched)
        if wrote:
            self._life.lasts()
        return result


class MortalPostgres:
    """A PostgreSQL database as a process that may die writes it."""

    def __init__(self, database: Any, life: Life) -> None:
        self._database = database
        self._life = life

    def __getattr__(self, name: str) -> Any:
        return getattr(self._database, name)

    async def write(self, job: Callable[[Connection], Awaitable[T]]) -> T:
        wrote = False

        async def watched(db: Connection) -> T:
            nonlocal wrote
            result = await job(db)
            # What only looked has no number (PostgreSQL docs, "System Information Functions").
            wrote = await db.fetchval("SELECT pg_current_xact_id_if_assigned() IS NOT NULL")
            return result

        await self._life.goes_on()
        result: T = await self._database.write(watched)
        if wrote:
            self._life.lasts()
        return result

    async def write_at_once(self, statement: str, *values: object) -> Any:
        await self._life.goes_on()
        rows = await self._database.write_at_once(statement, *values)
        if rows:  # each such statement gives a row for whatever it kept
            self._life.lasts()
        return rows


class MortalAppender(Appender):
    """Records entries in tasks of its own: who waits for one that died with the process dies as well."""

    async def _write_all(self) -> None:
        with suppress(Died):
            await super()._write_all()

    async def _recorded(self, batch: Any) -> Any:
        try:
            return await super()._recorded(batch)
        except Died:
            for _, future in (*batch, *self._waiting):
                if not future.done():
                    future.set_exception(Died())
            self._waiting.clear()
            raise


Hook = Callable[[StepKind, WorkItem], Awaitable[None]]


async def _nothing(_: StepKind, __: WorkItem) -> None:
    pass


class MortalConnector:
    """A connector as a process that may die, or stall, uses it.

    Args:
        connector: The real one.
        life: How long the process lives.
        before: Awaited before each step reaches the connector.
        after: Awaited after each step came back from it.
    """

    def __init__(self, connector: Connector, life: Life, *, before: Hook = _nothing, after: Hook = _nothing) -> None:
        self._connector = connector
        self._life = life
        self._before = before
        self._after = after
        self.steps: list[tuple[StepKind, str]] = []

    @property
    def cmdb(self) -> Cmdb:
        return self._connector.cmdb

    async def look(self, item: WorkItem) -> Outcome:
        return await self._step(StepKind.LOOK, self._connector.look, item)

    async def create(self, item: WorkItem) -> Outcome:
        return await self._step(StepKind.CREATE, self._connector.create, item)

    async def update(self, item: WorkItem) -> Outcome:
        return await self._step(StepKind.UPDATE, self._connector.update, item)

    async def resolve(self, item: WorkItem) -> Outcome:
        return await self._step(StepKind.RESOLVE, self._connector.resolve, item)

    async def reopen(self, item: WorkItem) -> Outcome:
        return await self._step(StepKind.REOPEN, self._connector.reopen, item)

    async def changes(self, cursor: str) -> Changes:
        return await self._connector.changes(cursor)

    async def check(self) -> Sequence[CheckResult]:
        return await self._connector.check()

    async def close(self) -> None:
        await self._connector.close()

    async def _step(self, kind: StepKind, step: Callable[[WorkItem], Awaitable[Outcome]], item: WorkItem) -> Outcome:
        await self._before(kind, item)
        outcome = await self._life.does(lambda: step(item))
        self.steps.append((kind, type(outcome).__name__))
        await self._after(kind, item)
        return outcome
