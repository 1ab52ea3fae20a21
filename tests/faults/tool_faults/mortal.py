"""A process that dies at a point of its life: before or after the n-th thing it does that lasts."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime, timedelta
from typing import TypeVar

from tests.unit.delivery.scene import WatchedLanes

from secure_export.cmdb.contract import Cmdb
from secure_export.delivery.contract import Change, ClaimedLane
from secure_export.itsm.contract import Changes, CheckResult, Connector
from secure_export.store.sqlite.store import SqliteStore
from secure_export.workitems.outcome import Outcome
from secure_export.workitems.work_item import StepKind, WorkItem

T = TypeVar("T")


class Died(BaseException):
    """The process is no more: nothing in it may catch this."""


class Life:
    """Ends a process before or after the n-th thing that lasts; a dead one does nothing any more.

    A process can also be stopped for a while, as by a machine that is paused: it notices nothing and then goes on.

    Args:
        number: Which; None: it lives on.
        after: Whether the thing is still done.
    """

    def __init__(self, number: int | None = None, *, after: bool = False) -> None:
        self._number = number
        self._after = after
        self.done = 0
        self.over = asyncio.Event()
        self.goes = asyncio.Event()
        self.goes.set()

    async def does(self, act: Callable[[], Awaitable[T]]) -> T:
        """Do something that lasts, or die."""
        await self.goes.wait()
        if self.over.is_set():
            raise Died
        self.done += 1
        last = self.done == self._number
        if last and not self._after:
            self.over.set()
            raise Died
        result = await act()
        if last:
            self.over.set()
        if self.over.is_set():
            raise Died
        return result


class MortalLanes(WatchedLanes):
    """The store's lanes, as a process that may die sees them."""

    def __init__(self, store: SqliteStore, life: Life) -> None:
        super().__init__(store)
        self._life = life

    async def claim(
        self, connection: str, *, limit: int, pending_limit: int, now: datetime, lease: timedelta
    ) -> Sequence[ClaimedLane]:
        claim = super().claim
        return await self._life.does(
            lambda: claim(connection, limit=limit, pending_limit=pending_limit, now=now, lease=lease)
        )

    async def save(self, lane: ClaimedLane, change: Change, *, now: datetime) -> None:
        save = super().save
        await self._life.does(lambda: save(lane, change, now=now))

    async def renew(self, lane: ClaimedLane, *, until: datetime) -> None:
        renew = super().renew
        await self._life.does(lambda: renew(lane, until=until))


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
