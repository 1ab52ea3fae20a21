"""Every point at which the program can die: before and after each thing it does that lasts, in one whole scenario.

``test_kill`` ends the real program at random moments; here every moment that can make a difference has its turn. The
tool makes a second record when it is asked twice, so that whatever is doubled shows.
"""

import asyncio
import random
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from datetime import datetime, timedelta
from itertools import count
from pathlib import Path
from typing import TypeVar

import pytest
from tests.unit.delivery.scene import LEASE, START, ManualClock, Scene, WatchedLanes, alert
from tests.unit.delivery.tool import Act, Tool, later, lost_reply

from secure_export.delivery.contract import Change, ClaimedLane
from secure_export.store.sqlite.store import SqliteStore
from secure_export.workitems.outcome import Outcome
from secure_export.workitems.work_item import StepKind, ToolState, WorkItem

pytestmark = pytest.mark.fault

T = TypeVar("T")


def at(seconds: float) -> datetime:
    return START + timedelta(seconds=seconds)


# Two alerts of one machine, one of them told twice, both ended; one that fires on, told twice, whose create is done but
# not heard of; one that ends, whose resolve the tool puts off; and one that ends before another of its machine fires:
# its record is opened again, of which the answer is lost.
FIRST = [
    alert("a", vm="vm1", fired_at=at(0)),
    alert("a", vm="vm1", fired_at=at(0.5)),
    alert("c", vm="vm2", fired_at=at(0)),
    alert("d", vm="vm3", fired_at=at(0)),
    alert("e", vm="vm4", fired_at=at(0)),
]
THEN = [
    alert("b", vm="vm1", fired_at=at(1)),
    alert("c", vm="vm2", fired_at=at(1)),
    alert("d", vm="vm3", fired_at=at(0), resolved_at=at(2)),
    alert("e", vm="vm4", fired_at=at(0), resolved_at=at(2)),
]
LAST = [
    alert("a", vm="vm1", fired_at=at(0), resolved_at=at(3)),
    alert("b", vm="vm1", fired_at=at(1), resolved_at=at(4)),
    alert("f", vm="vm4", fired_at=at(5)),
]
ROUTE = {"group_by": "ci", "reopen_within_hours": 4}
EXPECTED = {
    "vm1": ToolState.RESOLVED,
    "vm2": ToolState.OPEN,
    "vm3": ToolState.RESOLVED,
    "vm4": ToolState.OPEN,
}


class Died(BaseException):
    """The process is no more: nothing in it may catch this."""


class Life:
    """Ends a process before or after the n-th thing that lasts; a dead one does nothing any more.

    Args:
        number: Which; None: it lives on.
        after: Whether the thing is still done.
    """

    def __init__(self, number: int | None = None, *, after: bool = False) -> None:
        self._number = number
        self._after = after
        self._done = 0
        self.over = asyncio.Event()

    async def does(self, act: Callable[[], Awaitable[T]]) -> T:
        """Do something that lasts, or die."""
        if self.over.is_set():
            raise Died
        self._done += 1
        last = self._done == self._number
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


class OneTool(Tool):
    """The tool that outlives every process, with the faults of the scenario; a process that dies leaves it alone."""

    def __init__(self, clock: ManualClock) -> None:
        super().__init__(clock)
        self.life = Life()
        self._lost, self._put_off, self._lost_again = False, False, False

    async def _take(self, step: StepKind, item: WorkItem, act: Act) -> Outcome:
        if step is StepKind.CREATE and "vm2" in item.correlation_key and not self._lost:
            self._lost = True
            self.script(step, lost_reply)
        if step is StepKind.RESOLVE and "vm3" in item.correlation_key and not self._put_off:
            self._put_off = True
            self.script(step, later("503"))
        if step is StepKind.REOPEN and not self._lost_again:
            self._lost_again = True
            self.script(step, lost_reply)
        take = super()._take
        return await self.life.does(lambda: take(step, item, act))


class World:
    """What outlives a process: the database file, the tool, and time."""

    def __init__(self, folder: Path, *, concurrency: int) -> None:
        self._folder = folder
        self._concurrency = concurrency
        self.clock = ManualClock()
        self.tool = OneTool(self.clock)

    async def live(self, life: Life) -> None:
        """Let a process take in what comes and deliver it, until nothing is left to do or it dies."""
        self.tool.life = life
        async with self._scene() as scene:
            worker = scene.worker(MortalLanes(scene.store, life))
            running = asyncio.create_task(worker.run())
            living = asyncio.create_task(self._days(scene))
            dying = asyncio.create_task(life.over.wait())
            await asyncio.wait({living, dying, running}, return_when=asyncio.FIRST_COMPLETED)
            for task in (living, dying, running):
                task.cancel()
            await worker.stop(grace_seconds=0 if life.over.is_set() else 5)
            for task in (living, dying, running):
                with suppress(asyncio.CancelledError, Died):
                    await task

    @asynccontextmanager
    async def _scene(self) -> AsyncIterator[Scene]:
        store = await SqliteStore.open(self._folder / "store.db", clock=self.clock)
        try:
            scene = Scene(store, self.clock, route=ROUTE, concurrency=self._concurrency)
            scene.use(self.tool)
            yield scene
        finally:
            await store.close()

    async def _days(self, scene: Scene) -> None:
        """Azure sends what it has, again if need be, and everything is delivered."""
        for bodies in (FIRST, THEN, LAST):
            for body in bodies:
                await scene.post(body)
            await self._rest(scene)

    async def _rest(self, scene: Scene) -> None:
        """Let time pass until nothing is to be done."""
        async with asyncio.timeout(20):
            while True:
                counts = await scene.store.records.counts()
                due = await scene.store.lanes.next_due("desk")
                if due is None:
                    return
                if counts["claimed"] == 0 and due > self.clock.now:
                    self.clock.now = due
                await asyncio.sleep(0.001)

    async def judge(self, story: str) -> None:
        """Look at everything there is, as it is after the last process has come to rest."""
        async with self._scene() as scene:
            items, lanes = await scene.items(), await scene.lane_rows()
            alerts = (await scene.store.records.alerts()).rows
        told = f"{story}: {self.tool.steps}"
        state = {record.title.split()[-1]: record.state for record in self.tool.records}
        assert len(self.tool.records) == len({record.key for record in self.tool.records}) == len(EXPECTED), told
        assert {vm: state_of(self.tool, vm) for vm in EXPECTED} == EXPECTED, (told, state)
        assert len(items) == len(EXPECTED), told
        assert not [item for item in items if item["owed"]], told
        assert {item["number"] for item in items} == {record.number for record in self.tool.records}, told
        assert lanes == [], told
        if story == "nobody died":
            assert StepKind.REOPEN in self.tool.steps, told
        conditions = {row["id"].rpartition("/")[2]: row["condition"] for row in alerts}
        assert conditions == {
            "a": "resolved",
            "b": "resolved",
            "c": "fired",
            "d": "resolved",
            "e": "resolved",
            "f": "fired",
        }, told
        for record in self.tool.records:
            assert len(record.notes) == len(set(record.notes)), told

    async def after_a_crash(self) -> None:
        """Nobody comes back before the leases of the dead have ended."""
        self.tool.at_work.clear()
        self.clock.now += LEASE
        await asyncio.sleep(0)


def state_of(tool: Tool, vm: str) -> ToolState:
    (record,) = (record for record in tool.records if vm in record.title)
    return record.state


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("concurrency", [1, 4])
async def test_a_process_may_die_at_any_point(tmp_path: Path, *, after: bool, concurrency: int) -> None:
    """Whatever was the last thing it did, the next one makes everything right, and nothing twice."""
    for number in count(1):
        folder = tmp_path / str(number)
        folder.mkdir()
        world = World(folder, concurrency=concurrency)
        life = Life(number, after=after)
        await world.live(life)
        if not life.over.is_set():
            await world.judge("nobody died")
            assert number > 30, "the scenario is too short to prove anything"
            return
        await world.after_a_crash()
        await world.live(Life())
        await world.judge(f"died {'after' if after else 'before'} {number}")


async def test_processes_may_die_one_after_the_other(tmp_path: Path) -> None:
    """The one that puts things right may die as well, and the next, too."""
    chance = random.Random(20260302)  # noqa: S311 - chance, no secret
    for number in range(25):
        folder = tmp_path / str(number)
        folder.mkdir()
        world = World(folder, concurrency=3)
        points = [(chance.randint(1, 20), chance.random() < 0.5) for _ in range(4)]
        for point, after in points:
            await world.live(Life(point, after=after))
            await world.after_a_crash()
        await world.live(Life())
        await world.judge(f"died at {points}")
