"""Whose a lane is: leases, owners that stalled, and a store that cannot be used for a while."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta
from functools import partial
from math import inf
from random import Random

import pytest
from tests.unit.delivery.conftest import MakeScene
from tests.unit.delivery.scene import LEASE, Scene, WatchedLanes, until
from tests.unit.delivery.tool import Act

from secure_export.delivery.contract import Change, ClaimedLane, Release
from secure_export.delivery.lane_run import LaneRunner
from secure_export.delivery.lease import lease_for, step_needs
from secure_export.delivery.pace import Pace
from secure_export.errors import LostLane, StoreUnavailable
from secure_export.workitems.outcome import Outcome
from secure_export.workitems.work_item import StepKind, ToolState

LOOK, CREATE, RESOLVE = StepKind.LOOK, StepKind.CREATE, StepKind.RESOLVE
Hook = Callable[[str, ClaimedLane | None], Awaitable[None]]


def at_call(number: int, act: Callable[[], Awaitable[None]]) -> Hook:
    """Do something before the n-th call of the store that a lane's owner makes."""
    calls = 0

    async def before(call: str, lane: ClaimedLane | None) -> None:
        nonlocal calls
        calls += lane is not None
        if lane is not None and calls == number:
            await act()

    return before


async def fired_and_ended(scene: Scene) -> None:
    """Two notifications, which take a create, a resolve and three writes."""
    await scene.fire()
    scene.clock.forward(1)
    await scene.end()


@pytest.mark.parametrize("number", [1, 2, 3])
async def test_an_owner_that_stalled_writes_nothing(scene: Scene, number: int) -> None:
    """Whenever its lease ends and another takes the lane: it hears of it, and the other looks before it acts."""
    await fired_and_ended(scene)
    stalled = await scene.claim_one()

    async def stall() -> None:
        scene.clock.forward(LEASE.total_seconds() + 1)
        await scene.deliver()

    with pytest.raises(LostLane):
        await scene.runner(WatchedLanes(scene.store, at_call(number, stall))).run(stalled)
    by_the_stalled = {1: [], 2: [CREATE, LOOK], 3: [CREATE, RESOLVE, LOOK]}[number]
    assert scene.tool.steps[: len(by_the_stalled)] == by_the_stalled
    assert scene.tool.record.state is ToolState.RESOLVED
    assert await scene.is_idle()
    assert (await scene.item())["owed"] is False


async def test_a_lane_is_kept_while_its_step_runs(make_scene: MakeScene) -> None:
    """However long lanes were read before: no step begins that could outlast its lease."""
    scene = await make_scene(step_timeout_seconds=60)
    await scene.fire()
    lane = await scene.claim_one()
    scene.clock.forward(LEASE.total_seconds() - 20)  # less than a step may take is left
    others: list[ClaimedLane] = []

    async def slow(act: Act) -> Outcome:
        scene.clock.forward(59)
        others.extend(await scene.claim())
        return act()

    scene.tool.script(CREATE, slow)
    await scene.runner().run(lane)
    assert others == []
    assert await scene.is_idle()


async def test_no_step_is_taken_when_the_lease_cannot_be_prolonged(make_scene: MakeScene) -> None:
    """The step was written down already, so the next owner looks first."""
    scene = await make_scene(step_timeout_seconds=60)
    await scene.fire()
    lane = await scene.claim_one()
    scene.clock.forward(LEASE.total_seconds() - 20)

    async def before(call: str, _: ClaimedLane | None) -> None:
        if call == "renew":
            raise StoreUnavailable("the disk is gone")

    with pytest.raises(StoreUnavailable):
        await scene.runner(WatchedLanes(scene.store, before)).run(lane)
    assert scene.tool.steps == []
    scene.clock.forward(300)
    await scene.deliver()
    assert scene.tool.steps == [LOOK, CREATE]


@pytest.mark.parametrize("number", [1, 2, 3])
async def test_a_store_that_is_away_for_a_moment_costs_nothing(scene: Scene, number: int) -> None:
    """Whatever call it fails: the owner, who alone knows what its step brought, calls again within its lease."""
    await fired_and_ended(scene)
    lane = await scene.claim_one()
    back_at = scene.clock.seconds() + 30

    async def before(call: str, _: ClaimedLane | None) -> None:
        nonlocal number
        number -= 1
        if number <= 0 and scene.clock.seconds() < back_at:
            raise StoreUnavailable("too many changes wait for the disk")

    await scene.runner(WatchedLanes(scene.store, before)).run(lane)
    assert scene.tool.steps == [CREATE, RESOLVE]
    assert scene.tool.record.state is ToolState.RESOLVED
    assert len(scene.clock.slept) > 20, "it is asked again every half second or so"
    assert await scene.is_idle()


@pytest.mark.parametrize("number", [1, 2, 3])
async def test_a_store_that_is_away_for_long_is_given_up(scene: Scene, number: int) -> None:
    """When the lease is over the owner lets go; later the lane is taken over with a look, and nothing is doubled."""
    await fired_and_ended(scene)
    lane = await scene.claim_one()

    async def before(call: str, _: ClaimedLane | None) -> None:
        nonlocal number
        number -= 1
        if number <= 0:
            raise StoreUnavailable("the disk is gone")

    with pytest.raises(StoreUnavailable):
        await scene.runner(WatchedLanes(scene.store, before)).run(lane)
    assert scene.clock.now < lane.lease_until, "it does not go on beyond its lease"
    scene.clock.forward(LEASE.total_seconds())
    await scene.deliver()
    assert scene.tool.record.state is ToolState.RESOLVED
    assert (await scene.item())["owed"] is False


async def away_until(scene: Scene, seconds: float) -> None:
    """Fail as the desk's CMDB does, which is in the store: until a time."""
    if scene.clock.seconds() < seconds:
        raise StoreUnavailable("the database is gone")


async def test_a_cmdb_in_a_store_that_is_away_for_a_moment_costs_no_lease(scene: Scene) -> None:
    """It is asked again until it answers, and the record is made within the same claim."""
    await scene.fire()
    lane = await scene.claim_one()
    scene.tool.cmdb.fault = partial(away_until, scene, scene.clock.seconds() + 30)
    await scene.runner().run(lane)
    assert len(scene.tool.cmdb.asked) > 20, "it is asked again every half second or so"
    assert scene.clock.now < lane.lease_until
    assert scene.tool.steps == [CREATE]
    assert await scene.is_idle()


async def test_a_lane_is_left_whose_cmdb_is_away_for_as_long_as_the_lease(scene: Scene) -> None:
    """Nothing was done with it; whoever claims it next makes the record, and makes it once."""
    await scene.fire()
    lane = await scene.claim_one()
    scene.tool.cmdb.fault = partial(away_until, scene, inf)
    with pytest.raises(StoreUnavailable):
        await scene.runner().run(lane)
    assert timedelta(0) < lane.lease_until - scene.clock.now < timedelta(seconds=1)
    assert scene.tool.steps == []
    scene.tool.cmdb.fault = None
    scene.clock.forward(LEASE.total_seconds())
    await scene.deliver()
    assert scene.tool.steps == [CREATE]


@pytest.mark.parametrize("seconds", [1, 20, 60, 600])
async def test_a_lease_that_is_not_longer_than_a_step_is_refused(make_scene: MakeScene, seconds: int) -> None:
    """It would be renewed without end, for there would never be enough of it left; the usual one is long enough."""
    scene = await make_scene(step_timeout_seconds=seconds)
    with pytest.raises(ValueError, match="too short: a step needs more"):
        runner_with(scene, step_needs(seconds))
    runner_with(scene, lease_for(seconds))


def runner_with(scene: Scene, lease: timedelta) -> LaneRunner:
    return LaneRunner(
        scene.target,
        scene.lanes,
        pace=Pace(None, seconds=scene.clock.seconds),
        clock=scene.clock,
        random=Random(7),  # noqa: S311 - spreads retries
        lease=lease,
        watch=scene.told,
    )


async def test_a_lane_that_is_given_back_is_due_at_once(scene: Scene) -> None:
    """Nothing was done with it, so that nothing about it changes."""
    await scene.fire()
    lane = await scene.claim_one()
    await scene.runner().give_back(lane)
    assert await scene.seconds_until_due() == 0
    again = await scene.claim_one()
    assert (again.pending, again.item) == (lane.pending, None)


async def test_a_lane_given_back_is_still_to_be_read_back(scene: Scene) -> None:
    """Also one that has no notification."""
    await scene.fire()
    await scene.deliver()
    await scene.store.upkeep.wake_for_look("desk", [scene.tool.record.key], now=scene.clock())
    await scene.runner().give_back(await scene.claim_one())
    await scene.deliver()
    assert scene.tool.steps == [CREATE, LOOK]


async def test_what_was_asked_for_while_a_lane_was_at_work_is_done_next(scene: Scene) -> None:
    """A notification, and a wish to look, that come during a step keep the lane ready."""
    await scene.fire()
    lane = await scene.claim_one()

    async def meanwhile(act: Act) -> Outcome:
        outcome = act()
        await scene.end(resolved_at=scene.clock.now)
        return outcome

    scene.tool.script(CREATE, meanwhile)
    await scene.runner().run(lane)
    await scene.deliver()
    assert scene.tool.steps == [CREATE, RESOLVE]


async def test_a_cancelled_run_leaves_doubt(scene: Scene) -> None:
    """A service that ends in the middle of a step: whoever takes the lane over looks first."""
    await scene.fire()
    lane = await scene.claim_one()
    scene.tool.gate = asyncio.Event()
    task = asyncio.create_task(scene.runner().run(lane))
    await until(lambda: bool(scene.tool.at_work))
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    scene.tool.gate = None
    assert await scene.claim() == []
    scene.clock.forward(LEASE.total_seconds())
    await scene.deliver()
    assert scene.tool.steps == [CREATE, LOOK, CREATE]


async def test_a_late_release_takes_nothing_from_the_new_owner(scene: Scene) -> None:
    """A token of the past writes nothing, whatever it wants to write."""
    await scene.fire()
    late = await scene.claim_one()
    scene.clock.forward(LEASE.total_seconds())
    owner = await scene.claim_one()
    with pytest.raises(LostLane):
        await scene.lanes.save(late, Change(release=Release()), now=scene.clock())
    await scene.runner().run(owner)
    assert len(scene.tool.records) == 1
