"""Many lanes side by side: limits, stopping, trouble, and two workers on one store."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import datetime, timedelta

import pytest
from structlog.testing import capture_logs
from tests.unit.delivery.conftest import MakeScene
from tests.unit.delivery.scene import Scene, WatchedLanes, until, until_idle
from tests.unit.delivery.tool import Act, later

from secure_export.delivery.contract import ClaimedLane
from secure_export.delivery.lease import lease_for, step_needs
from secure_export.delivery.worker import Worker
from secure_export.errors import StoreUnavailable
from secure_export.workitems.outcome import Outcome
from secure_export.workitems.work_item import StepKind, ToolState


@asynccontextmanager
async def running(*workers: Worker, grace_seconds: float = 5.0) -> AsyncIterator[None]:
    """Let workers run until the block ends."""
    tasks = [asyncio.create_task(worker.run()) for worker in workers]
    try:
        yield
    finally:
        for worker in workers:
            await worker.stop(grace_seconds=grace_seconds)
        await asyncio.gather(*tasks)


async def fire_many(scene: Scene, count: int) -> None:
    for number in range(count):
        await scene.fire(f"a{number}")


async def test_every_lane_is_worked_on(scene: Scene) -> None:
    """One record each."""
    await fire_many(scene, 50)
    async with running(scene.worker()):
        await until_idle(scene)
    assert len({record.key for record in scene.tool.records}) == len(scene.tool.records) == 50


async def test_lanes_run_side_by_side_up_to_the_limit(make_scene: MakeScene) -> None:
    """As many at a time as the connection allows, and never more."""
    scene = await make_scene(concurrency=7)
    await fire_many(scene, 30)
    scene.tool.gate = asyncio.Event()
    async with running(scene.worker()):
        await until(lambda: len(scene.tool.at_work) == 7)
        await asyncio.sleep(0.05)
        assert len(scene.tool.at_work) == 7
        scene.tool.gate.set()
        await until_idle(scene)
    assert scene.tool.most_at_once == 7
    assert len(scene.tool.records) == 30


async def test_no_more_lanes_are_claimed_than_can_be_worked_on(make_scene: MakeScene) -> None:
    """However many are due, they stay in the store."""
    scene = await make_scene(concurrency=4)
    await fire_many(scene, 40)
    scene.tool.gate = asyncio.Event()
    async with running(scene.worker()):
        await until(lambda: len(scene.tool.at_work) == 4)
        assert (await scene.store.records.counts())["claimed"] == 4
        scene.tool.gate.set()
        await until_idle(scene)
    assert max(scene.lanes.claims) == 4


async def test_slow_lanes_do_not_keep_the_others_waiting(make_scene: MakeScene) -> None:
    """A tool that hangs for some work items is called for others, as long as a single place is left."""
    scene = await make_scene(concurrency=8)
    release = asyncio.Event()

    async def slow(act: Act) -> Outcome:
        await release.wait()
        return act()

    scene.tool.script(StepKind.CREATE, *[slow] * 7)
    await fire_many(scene, 20)
    async with running(scene.worker()):
        await until(lambda: len(scene.tool.records) == 13)
        release.set()
        await until_idle(scene)
    assert len(scene.tool.records) == 20


async def test_the_rate_is_kept(make_scene: MakeScene) -> None:
    """Steps are spread, and nobody holds lanes while the rate is used up."""
    scene = await make_scene(concurrency=16, rate_per_second=2.0)
    await fire_many(scene, 40)
    async with running(scene.worker()):
        await until(lambda: len(scene.tool.records) == 40)
        await until_idle(scene)
    assert 19.5 <= scene.clock.seconds() < 80
    assert max(scene.lanes.claims) == 2
    assert len(scene.lanes.saved) == 80, "no lane was claimed only to be put off"


async def test_calm_that_a_tool_asks_for_is_no_busy_loop(make_scene: MakeScene) -> None:
    """While the tool wants a few seconds of calm, nothing is claimed and put off again and again."""
    scene = await make_scene(concurrency=4)
    scene.tool.script(StepKind.CREATE, later("429", scene.clock() + timedelta(seconds=20)))
    await fire_many(scene, 30)
    async with running(scene.worker()):
        await until_idle(scene)
    assert len(scene.tool.records) == 30
    assert len(scene.lanes.saved) <= 2 * 30 + 2 + 2 * 3, "only those under way at that time were put off"
    assert scene.clock.seconds() >= 20


async def test_stopping_lets_lanes_finish(scene: Scene) -> None:
    """What is begun is ended, and nothing is claimed any more."""
    await fire_many(scene, 40)
    scene.tool.gate = asyncio.Event()
    worker = scene.worker()
    task = asyncio.create_task(worker.run())
    await until(lambda: len(scene.tool.at_work) == 16)
    claims = len(scene.lanes.claims)
    stopping = asyncio.create_task(worker.stop(grace_seconds=5))
    await asyncio.sleep(0.01)
    scene.tool.gate.set()
    await stopping
    await task
    assert len(scene.lanes.claims) == claims
    assert len(scene.tool.records) == 16
    counts = await scene.store.records.counts()
    assert (counts["claimed"], counts["ready"]) == (0, 24)


async def test_stopping_does_not_wait_for_ever(scene: Scene) -> None:
    """A tool that hangs is left after the grace; the lane is taken over, with a look, when its lease ends."""
    await scene.fire()
    scene.tool.gate = asyncio.Event()
    worker = scene.worker()
    task = asyncio.create_task(worker.run())
    await until(lambda: bool(scene.tool.at_work))
    await worker.stop(grace_seconds=0.01)
    await task
    assert scene.tool.at_work == []
    scene.tool.gate = None
    scene.clock.forward(600)
    await scene.deliver()
    assert scene.tool.steps == [StepKind.CREATE, StepKind.LOOK, StepKind.CREATE]


class IdleLanes(WatchedLanes):
    """Lanes that nothing ever happens to; remembers who searched and who waits."""

    def __init__(self, scene: Scene) -> None:
        super().__init__(scene.store)
        self.searched_by: asyncio.Task[object] | None = None
        self.waited_by: asyncio.Task[object] | None = None

    async def claim(
        self, connection: str, *, limit: int, pending_limit: int, now: datetime, lease: timedelta
    ) -> Sequence[ClaimedLane]:
        self.searched_by = asyncio.current_task()
        return []

    async def wait(self, *, timeout_seconds: float) -> None:
        self.waited_by = asyncio.current_task()
        await asyncio.Event().wait()


async def test_stopping_does_not_wait_for_something_to_do(scene: Scene) -> None:
    """Nobody waits a second for a service with nothing to do to end."""
    lanes = IdleLanes(scene)
    async with asyncio.timeout(10), running(scene.worker(lanes)):
        await until(lambda: lanes.waited_by is not None)


async def test_who_searched_is_who_waits(scene: Scene) -> None:
    """A store knows by the task whether something happened since it searched, and ends the wait at once."""
    lanes = IdleLanes(scene)
    async with running(scene.worker(lanes)):
        await until(lambda: lanes.waited_by is not None)
        assert lanes.waited_by is lanes.searched_by


async def test_lanes_claimed_while_stopping_are_given_back(scene: Scene) -> None:
    """The next to come need not wait for the end of a lease."""
    await fire_many(scene, 3)
    worker: Worker

    class StopsMeanwhile(WatchedLanes):
        async def claim(
            self, connection: str, *, limit: int, pending_limit: int, now: datetime, lease: timedelta
        ) -> Sequence[ClaimedLane]:
            claimed = await super().claim(connection, limit=limit, pending_limit=pending_limit, now=now, lease=lease)
            await worker.stop()
            return claimed

    worker = scene.worker(StopsMeanwhile(scene.store))
    await worker.run()
    assert scene.tool.steps == []
    assert (await scene.store.records.counts())["ready"] == 3


async def test_lanes_that_are_being_claimed_need_their_places(make_scene: MakeScene) -> None:
    """A process that is to give places back while it claims would else work on more lanes than it has places for."""
    scene = await make_scene(concurrency=8)
    await fire_many(scene, 8)
    share, needed = scene.target.share, 0
    share.change(held=4, goal=4, of=4, until=float("inf"))

    async def shrinks(call: str, _: ClaimedLane | None) -> None:
        nonlocal needed
        if call == "claim" and not needed:
            needed = share.needed()
            share.change(held=needed, goal=1, of=4, until=float("inf"))

    scene.tool.gate = asyncio.Event()
    async with running(scene.worker(WatchedLanes(scene.store, shrinks))):
        await until(lambda: len(scene.tool.at_work) == 8)
        assert needed == share.needed() == 4
        scene.tool.gate.set()
        await until_idle(scene)
        await until(lambda: share.needed() == 0)


async def test_an_outage_of_the_store_is_sat_out(scene: Scene) -> None:
    """Minutes without a store: one line in the log a minute, and then everything is delivered, once."""
    away = True

    async def before(call: str, lane: ClaimedLane | None) -> None:
        if away:
            raise StoreUnavailable("the disk is full")

    await fire_many(scene, 30)
    with capture_logs() as logs:
        worker = scene.worker(WatchedLanes(scene.store, before))
        async with running(worker):
            await until(lambda: scene.clock.seconds() > 100)
            assert await worker.ready() == "the disk is full"
            away = False
            await until_idle(scene)
            assert await worker.ready() is None
    assert len(scene.tool.records) == 30
    assert [line["event"] for line in logs if line["log_level"] != "debug"] == ["store unavailable"]


async def test_an_outage_in_the_middle_of_work_doubles_nothing(scene: Scene) -> None:
    """The store goes while steps run and stays away beyond every lease: looks find what was made."""
    away = False

    async def before(call: str, lane: ClaimedLane | None) -> None:
        if away:
            raise StoreUnavailable("the disk is full")

    await fire_many(scene, 30)
    scene.tool.gate = asyncio.Event()
    async with running(scene.worker(WatchedLanes(scene.store, before))):
        await until(lambda: len(scene.tool.at_work) == 16)
        away = True
        scene.tool.gate.set()
        await until(lambda: scene.clock.seconds() > 300)
        scene.clock.forward(600)
        away = False
        await until_idle(scene)
    assert len({record.key for record in scene.tool.records}) == len(scene.tool.records) == 30
    assert not [item for item in await scene.items() if item["owed"]]


async def test_claiming_goes_on_after_a_fault(scene: Scene) -> None:
    """An error that nobody thought of must not end delivery without a word."""
    faults = 3

    async def before(call: str, lane: ClaimedLane | None) -> None:
        nonlocal faults
        if call == "claim" and faults:
            faults -= 1
            raise ValueError("a row that no program of ours wrote")

    await scene.fire()
    with capture_logs() as logs:
        async with running(scene.worker(WatchedLanes(scene.store, before))):
            await until(lambda: bool(scene.tool.records))
    assert [line["event"] for line in logs if line["log_level"] != "debug"] == ["claiming failed"]


@pytest.mark.parametrize("round_", range(3))
async def test_two_workers_never_run_one_lane_at_a_time(make_scene: MakeScene, round_: int) -> None:
    """Two processes on one store: the tool, which is the same, sees each work item in one pair of hands."""
    scene, other = await make_scene(concurrency=5), await make_scene(concurrency=5)
    other.tool, other.clock = scene.tool, scene.clock
    other.target = scene.target
    for number in range(60):
        await scene.fire(f"a{number}")
        if number % 2:
            await scene.end(f"a{number}", resolved_at=scene.clock() + timedelta(seconds=1))
    scene.tool.gate = asyncio.Event()
    async with running(scene.worker(), other.worker()):
        await until(lambda: len(scene.tool.at_work) == 10)
        scene.tool.gate.set()
        await until_idle(scene)
    assert len({record.key for record in scene.tool.records}) == len(scene.tool.records) == 60
    assert sum(record.state is ToolState.RESOLVED for record in scene.tool.records) == 30
    assert scene.tool.most_at_once == 10
    assert min(len(scene.told.steps), len(other.told.steps)) >= 5, "both worked"
    assert await scene.is_idle()


class _TakenOver(WatchedLanes):
    """Lanes that remember when they were asked whose owner died, and with what patience."""

    def __init__(self, scene: Scene) -> None:
        super().__init__(scene.store)
        self.asked: list[timedelta] = []

    async def take_over(self, connection: str, *, now: datetime, patience: timedelta = timedelta(0)) -> int:
        self.asked.append(patience)
        return await super().take_over(connection, now=now, patience=patience)


async def test_it_asks_now_and_then_whose_owner_died(make_scene: MakeScene) -> None:
    """At first, and every few seconds from then on: a peer may die at any time."""
    scene = await make_scene()
    scene.lanes = lanes = _TakenOver(scene)
    async with running(scene.worker()):
        await until(lambda: len(lanes.claims) > 5)
        assert len(lanes.asked) == 1
        scene.clock.forward(5)
        await until(lambda: len(lanes.asked) == 2)
        claims = len(lanes.claims)
        await until(lambda: len(lanes.claims) > claims + 5)
        assert len(lanes.asked) == 2


async def test_what_a_dead_peer_may_just_have_begun_is_given_the_time_to_end(make_scene: MakeScene) -> None:
    """A step may begin as late as the lease has enough left for it, and then take as long as a step may."""
    scene = await make_scene(step_timeout_seconds=40)
    scene.lanes = lanes = _TakenOver(scene)
    async with running(scene.worker()):
        await until(lambda: bool(lanes.asked))
    latest_begin = lease_for(40) - step_needs(40)
    assert lanes.asked[0] >= latest_begin + timedelta(seconds=40)
