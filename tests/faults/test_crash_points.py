"""Every point at which the program can die: before and after each thing it does that lasts, in one whole scenario.

``tests/faults/cluster`` ends the real program at random moments; here every moment that can make a difference has its
turn. The tool makes a second record when it is asked twice, so that whatever is doubled shows.
"""

import asyncio
import random
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager, suppress
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import count
from pathlib import Path
from typing import cast

import pytest
from tests.conformance.store_suite.samples import entry
from tests.faults.seeds import seeds
from tests.faults.tool_faults.mortal import Died, Life, MortalConnector, mortal
from tests.postgres import Server
from tests.sqlite import with_tables
from tests.unit.delivery.scene import LEASE, START, ManualClock, PatientLanes, Scene, alert
from tests.unit.delivery.tool import Act, Tool, later, lost_reply

from secure_export.delivery.upkeep import Upkeep
from secure_export.delivery.worker import Worker
from secure_export.itsm.desk.incident import IncidentDraft
from secure_export.store.postgresql.place import place_of
from secure_export.store.postgresql.store import PostgresStore
from secure_export.store.sqlite.store import SqliteStore
from secure_export.workitems.outcome import Outcome
from secure_export.workitems.work_item import StepKind, ToolState, WorkItem

pytestmark = pytest.mark.fault


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
SIDE_BY_SIDE = 8
LANES_AT_ONCE = 4
STILL = 20
ROUTE = {"group_by": "ci", "reopen_within_hours": 4}
EXPECTED = {
    "vm1": ToolState.RESOLVED,
    "vm2": ToolState.OPEN,
    "vm3": ToolState.RESOLVED,
    "vm4": ToolState.OPEN,
}


class Faulty(Tool):
    """The tool that outlives every process, with the faults of the scenario."""

    def __init__(self, clock: ManualClock) -> None:
        super().__init__(clock)
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
        return await super()._take(step, item, act)


AnyStore = SqliteStore | PostgresStore
Open = Callable[[ManualClock], Awaitable[AnyStore]]


class World:
    """What outlives a process: the database, the tool, time, and which alerts were acknowledged.

    Args:
        open_store: Opens the database.
        concurrency: How many lanes are worked on side by side.

    Attributes:
        clock: The time.
        tool: The tool.
        waits: For how long nothing could be done, each time.
    """

    def __init__(self, open_store: Open, *, concurrency: int) -> None:
        self._open = open_store
        self._concurrency = concurrency
        self._acknowledged: set[bytes] = set()
        self.clock = ManualClock()
        self.tool = Faulty(self.clock)
        self.waits: list[timedelta] = []

    async def live(self, life: Life) -> None:
        """Let a process take in what comes and deliver it, until nothing is left to do or it dies."""
        async with self._scene(life) as scene:
            worker = scene.worker(PatientLanes(scene.store))
            tasks = [
                asyncio.create_task(worker.run()),
                asyncio.create_task(self._days(scene, worker)),
                asyncio.create_task(life.over.wait()),
            ]
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            for task in tasks:
                task.cancel()
            await worker.stop(grace_seconds=0 if life.over.is_set() else 5)
            for task in tasks:
                with suppress(asyncio.CancelledError, Died):
                    await task

    @asynccontextmanager
    async def _scene(self, life: Life) -> AsyncIterator[Scene]:
        store = mortal(await self._open(self.clock), life)
        try:
            scene = Scene(cast("SqliteStore", store), self.clock, route=ROUTE, concurrency=self._concurrency)
            scene.target = replace(scene.target, connector=MortalConnector(self.tool, life))
            yield scene
        finally:
            await store.close()

    async def _days(self, scene: Scene, worker: Worker) -> None:
        """Azure sends what was not acknowledged, and everything is delivered."""
        upkeep = Upkeep(scene.store.upkeep, [scene.target], clock=self.clock, sleep=self.clock.sleep)
        for bodies in (FIRST, THEN, LAST):
            for body in bodies:
                if body not in self._acknowledged:
                    await scene.post(body)
                    self._acknowledged.add(body)
            await self._rest(scene, worker)
            await upkeep.take_in_changes(scene.target)
            await self._rest(scene, worker)

    async def _rest(self, scene: Scene, worker: Worker) -> None:
        """Let time pass until nothing is to be done."""
        before, same = None, 0
        async with asyncio.timeout(20):
            while True:
                while worker._running:  # noqa: ASYNC110 - no event is told of
                    await asyncio.sleep(0.002)
                counts = await scene.store.records.counts()
                due = await scene.store.lanes.next_due("desk")
                if due is None:
                    return
                same = same + 1 if due == before else 0
                before = due
                # What is claimed and stays so for a while was left by a process that died: its lease must end.
                if due > self.clock.now and (counts["claimed"] == 0 or same > STILL):
                    self.waits.append(due - self.clock.now)
                    self.clock.now = due
                await asyncio.sleep(0.015)

    async def judge(self, story: str) -> None:
        """Look at everything there is, as it is after the last process has come to rest."""
        async with self._scene(Life()) as scene:
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


@asynccontextmanager
async def sqlite_file(folder: Path) -> AsyncIterator[Open]:
    """Give a new file."""
    yield lambda clock: SqliteStore.open(with_tables(folder / "store.db"), clock=clock)


@asynccontextmanager
async def postgres_database(server: Server) -> AsyncIterator[Open]:
    """Give a new database."""
    async with server.database() as name:
        place = place_of(server.url(name, pool_size=str(LANES_AT_ONCE)))
        yield lambda clock: PostgresStore.open(place, clock=clock)


New = Callable[[Path], AbstractAsyncContextManager[Open]]
APPENDS = 3
DRAFT = IncidentDraft(
    connection="desk", key="0f" * 16, title="a machine", description="", impact=2, urgency=2, priority=3, revision=1
)


async def writes(open_store: Open, life: Life) -> tuple[int, int]:
    """Let a process record notifications one by one and open an incident, or die of it.

    Returns:
        How many things that last it heard of, and how many are there.
    """
    store = mortal(await open_store(ManualClock()), life)
    heard = 0
    try:
        with suppress(Died):
            async with asyncio.timeout(10):
                for number in range(APPENDS):
                    await store.journal.append(entry(f"alert:{number}", key=b"%d" % number))
                    heard += 1
                await store.desk.open_incident(DRAFT, now=START)
                heard += 1
    finally:
        await store.close()
    return heard, await there(open_store)


async def there(open_store: Open) -> int:
    """Count what another process finds: notifications, each in a lane of its own, and incidents."""
    store = await open_store(ManualClock())
    try:
        lanes = (await store.records.counts())["ready"]
        return lanes + (await store.desk.incident_by_key("desk", DRAFT.key) is not None)
    finally:
        await store.close()


async def each_is_a_point(new: New, folder: Path, *, first: int) -> None:
    """Die after each of them, and before the last; the first notification costs so many things more."""
    last = APPENDS + 1 + first
    for number, after in (*((number, True) for number in range(1, last + 1)), (last, False)):
        (place := folder / f"{number}{after}").mkdir()
        async with new(place) as open_store:
            life = Life(number, after=after)
            heard, found = await writes(open_store, life)
            assert life.over.is_set(), f"nothing died of {number}"
            assert heard == max(0, number - 1 - first)
            assert found == (max(0, number - first) if after else heard)
    (place := folder / "whole").mkdir()
    async with new(place) as open_store:
        life = Life()
        assert await writes(open_store, life) == (APPENDS + 1, APPENDS + 1)
        assert life.done == APPENDS + 1 + first


async def test_each_notification_and_each_new_incident_is_a_point_in_sqlite(tmp_path: Path) -> None:
    """A process that is dead before the 202 it owes dies before or after the commit, as a desk's new incident does."""
    await each_is_a_point(sqlite_file, tmp_path, first=0)


async def test_each_notification_and_each_new_incident_is_a_point_in_postgresql(
    tmp_path: Path, postgres: Server
) -> None:
    """The same; who sends is written down before the first notification."""
    await each_is_a_point(lambda _: postgres_database(postgres), tmp_path, first=1)


async def walk(new: New, folder: Path) -> None:
    """Count what lasts in a life without a crash, then die of each, and have another process put it right.

    Chance in the order of tasks may give a life a few things more or less: the walk ends with lives that nothing ended.
    """
    done, died = await die_at(None, new, folder / "whole")
    assert not died
    assert done > 40, "the scenario is too short to prove anything"
    for first in count(1, SIDE_BY_SIDE):
        lives = [die_at(number, new, folder / str(number)) for number in range(first, first + SIDE_BY_SIDE)]
        if not any(died for _, died in await asyncio.gather(*lives)):
            return


async def die_at(number: int | None, new: New, folder: Path) -> tuple[int, bool]:
    """Let a process die of the n-th thing that lasts, and judge what the next makes of it.

    Returns:
        How many things that last it did, and whether it died.
    """
    folder.mkdir()  # noqa: ASYNC240 - nothing else waits
    async with new(folder) as open_store:
        world, life = World(open_store, concurrency=LANES_AT_ONCE), Life(number, after=True)
        await world.live(life)
        if life.over.is_set():
            await world.after_a_crash()
            await world.live(Life())
        await world.judge(f"died after {number}" if life.over.is_set() else "nobody died")
        return life.done, life.over.is_set()


async def test_a_process_may_die_between_any_two_things_that_last_in_sqlite(tmp_path: Path) -> None:
    """Whatever intake or delivery wrote or did last, the next process makes everything right, and nothing twice."""
    await walk(sqlite_file, tmp_path)


async def test_a_process_may_die_between_any_two_things_that_last_in_postgresql(
    tmp_path: Path, postgres: Server
) -> None:
    """Whatever intake or delivery wrote or did last, the next process makes everything right, and nothing twice."""
    await walk(lambda _: postgres_database(postgres), tmp_path)


async def test_processes_may_die_one_after_the_other(tmp_path: Path) -> None:
    """The one that puts things right may die as well, and the next, too."""
    for seed in seeds():
        chance = random.Random(seed)  # noqa: S311 - chance, no secret
        (folder := tmp_path / str(seed)).mkdir()
        async with sqlite_file(folder) as open_store:
            world = World(open_store, concurrency=3)
            points = [(chance.randint(1, 20), chance.random() < 0.5) for _ in range(4)]
            for point, after in points:
                await world.live(Life(point, after=after))
                await world.after_a_crash()
            await world.live(Life())
            await world.judge(f"seed {seed}: died at {points}")
