"""What is done by timer."""

import asyncio
from collections import Counter
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from structlog.testing import capture_logs
from tests.unit.delivery.conftest import MakeScene
from tests.unit.delivery.scene import CONNECTION, ManualClock, Scene, ci, until
from tests.unit.delivery.tool import Tool, later, refused

from secure_export.cmdb.contract import ConfigurationItem
from secure_export.delivery.connection import Target
from secure_export.delivery.contract import Retention
from secure_export.delivery.upkeep import Intervals, Upkeep
from secure_export.errors import StoreUnavailable
from secure_export.itsm.contract import Changes
from secure_export.itsm.share import Share
from secure_export.policy.decide import Policy
from secure_export.policy.settings import RouteSettings
from secure_export.workitems.work_item import StepKind, ToolState


def upkeep(scene: Scene, **options: Any) -> Upkeep:
    return Upkeep(scene.store.upkeep, [scene.target], clock=scene.clock, sleep=scene.clock.sleep, **options)


async def delivered(scene: Scene, alert_id: str = "a", **said: Any) -> None:
    await scene.fire(alert_id, **said)
    await scene.deliver()


async def asked_what_changed(scene: Scene) -> Upkeep:
    """Give an upkeep that knows from where on to ask."""
    timers = upkeep(scene)
    await timers.take_in_changes(scene.target)
    return timers


@pytest.mark.parametrize("state", [ToolState.RESOLVED, ToolState.CLOSED])
async def test_what_a_person_closes_is_left_closed(scene: Scene, state: ToolState) -> None:
    """The alert still fires; the person's word counts, and its end changes nothing in the tool."""
    timers = await asked_what_changed(scene)
    await delivered(scene)
    scene.tool.person_sets(scene.tool.record, state)
    await timers.take_in_changes(scene.target)
    await scene.deliver()
    item = await scene.item()
    assert (item["state"], item["owed"]) == ("resolved", False)
    scene.clock.forward(60)
    await scene.end()
    await scene.deliver()
    assert scene.tool.record.state is state
    assert scene.tool.steps == [StepKind.CREATE, StepKind.LOOK]


async def test_what_a_person_reopens_is_left_open(scene: Scene) -> None:
    """It was resolved by Azure's word; whoever reopened it has a reason."""
    timers = await asked_what_changed(scene)
    await delivered(scene)
    scene.clock.forward(60)
    await scene.end()
    await scene.deliver()
    scene.tool.person_sets(scene.tool.record, ToolState.OPEN)
    await timers.take_in_changes(scene.target)
    await scene.deliver()
    assert scene.tool.record.state is ToolState.OPEN
    assert await scene.is_idle()


async def test_what_a_person_deletes_is_not_made_again(scene: Scene) -> None:
    """Nothing comes back that somebody threw away; a new problem gets a new record."""
    timers = await asked_what_changed(scene)
    await delivered(scene)
    scene.tool.person_deletes(scene.tool.record)
    await timers.take_in_changes(scene.target)
    await scene.deliver()
    assert scene.tool.records == []
    await delivered(scene, "b")
    assert len(scene.tool.records) == 1


async def test_reading_back_finds_what_no_change_told_of(scene: Scene) -> None:
    """The tool forgot to tell that somebody closed it."""
    await delivered(scene)
    scene.tool.record.state = ToolState.CLOSED
    await upkeep(scene).read_back(scene.target)
    await scene.deliver()
    assert (await scene.item())["state"] == "resolved"


async def test_a_record_that_reads_back_open_after_its_resolve_is_left_to_people(scene: Scene) -> None:
    """Records that are over are not read back by timer: only a change that the tool tells of counts."""
    await delivered(scene)
    scene.clock.forward(60)
    await scene.end()
    await scene.deliver()
    steps = len(scene.tool.steps)
    await upkeep(scene).read_back(scene.target)
    await scene.deliver()
    assert len(scene.tool.steps) == steps


CLOSE_CODE = refused("close code is mandatory")


async def test_what_is_parked_heals_when_it_is_read_back(scene: Scene) -> None:
    """Each reading back brings one further attempt: refused, it parks again; taken, it is over."""
    timers = upkeep(scene)
    await delivered(scene)
    scene.tool.script(StepKind.RESOLVE, CLOSE_CODE, CLOSE_CODE)
    scene.clock.forward(60)
    await scene.end()
    await scene.deliver()
    for state in ("parked", ""):
        before = len(scene.tool.steps)
        await timers.read_back(scene.target)
        await scene.deliver()
        assert scene.tool.steps[before:] == [StepKind.LOOK, StepKind.RESOLVE]
        assert [row["state"] for row in await scene.lane_rows()] == [state] * bool(state)
    assert scene.tool.record.state is ToolState.RESOLVED


async def test_a_create_that_is_refused_is_tried_again_by_timer(scene: Scene) -> None:
    """There is no record to read back: the timer tries each such lane once, and no other."""
    timers = upkeep(scene)
    scene.tool.always(refused("no such group"))
    for name in ("a", "b"):
        await scene.fire(name)
    await scene.deliver()
    await timers.retry_parked(scene.target)
    await scene.deliver()
    assert scene.tool.steps == [StepKind.CREATE] * 4
    assert [row["reason"] for row in await scene.lane_rows()] == ["no such group"] * 2
    scene.tool.always(None)
    await timers.retry_parked(scene.target)
    await scene.deliver()
    assert len(scene.tool.records) == 2
    assert await scene.is_idle()


async def test_trying_again_leaves_room_for_new_alerts(make_scene: MakeScene) -> None:
    """What is parked is woken as slowly as what is read back, and in one round however often it parks meanwhile."""
    scene = await make_scene()
    scene.tool.always(refused("no such group"))
    for number in range(60):
        await scene.fire(f"a{number}")
    await scene.deliver()

    async def meanwhile(seconds: float) -> None:
        await scene.deliver()
        scene.clock.forward(seconds)

    before = scene.clock.seconds()
    await Upkeep(scene.store.upkeep, [scene.target], clock=scene.clock, sleep=meanwhile).retry_parked(scene.target)
    assert len(scene.tool.steps) == 120
    assert scene.clock.seconds() - before == pytest.approx(3.0)


async def test_what_a_tool_restored_from_an_old_copy_has_open_again_is_resolved_again(scene: Scene) -> None:
    """The tool tells of no change: what ended lately is read back by timer, slowly."""
    scene.tool.tells_changes = True
    timers = upkeep(scene)
    await delivered(scene)
    record = scene.tool.record
    old = (record.state, record.changed_at, record.revision, record.ended_at)
    scene.clock.forward(3600)
    await scene.end()
    await scene.deliver()
    record.state, record.changed_at, record.revision, record.ended_at = old
    await timers.read_back_ended(scene.target)
    await scene.deliver()
    assert scene.tool.record.state is ToolState.RESOLVED
    assert scene.tool.steps[-2:] == [StepKind.LOOK, StepKind.RESOLVE]


async def test_what_ended_long_ago_is_not_read_back(scene: Scene) -> None:
    """The cost of reading back does not grow with all that is kept."""
    await delivered(scene)
    scene.clock.forward(60)
    await scene.end()
    await scene.deliver()
    scene.clock.forward(timedelta(days=8).total_seconds())
    steps = len(scene.tool.steps)
    await upkeep(scene).read_back_ended(scene.target)
    await scene.deliver()
    assert len(scene.tool.steps) == steps


async def test_reading_back_leaves_room_for_new_alerts(make_scene: MakeScene) -> None:
    """Looks are asked for slowly: twenty a second at most, and half of the connection's rate."""
    for rate, seconds in ((None, 3.0), (10.0, 12.0)):
        scene = await make_scene(rate_per_second=rate)
        if rate is None:
            for number in range(60):
                await scene.fire(f"a{number}")
            await scene.deliver()
        before = scene.clock.seconds()
        await upkeep(scene).read_back(scene.target)
        assert scene.clock.seconds() - before == pytest.approx(seconds)


@pytest.mark.parametrize(
    "appears", [replace(ci("vm1"), name="front end"), replace(ci("vm1"), resource_id=None)], ids=["by id", "by name"]
)
async def test_a_ci_that_appears_is_bound(scene: Scene, appears: ConfigurationItem) -> None:
    """The record gets the CI that the CMDB did not have when the alert fired."""
    timers = upkeep(scene)
    await delivered(scene)
    await timers.bind_late(scene.target)
    assert await scene.is_idle()
    scene.tool.cmdb.cis.append(appears)
    await timers.bind_late(scene.target)
    await scene.deliver()
    assert scene.tool.record.cis == ["ci-vm1"]
    asked = len(scene.tool.cmdb.asked)
    await timers.bind_late(scene.target)
    assert len(scene.tool.cmdb.asked) == asked, "nothing is lacking any more"


async def test_what_time_ends_is_woken(make_scene: MakeScene) -> None:
    """The lane of each work item whose time is over becomes ready, and its record is resolved."""
    scene = await make_scene(route={"close_any_after_hours": 1})
    await delivered(scene, "a")
    await delivered(scene, "b")
    timers = upkeep(scene)
    await timers.expire()
    assert await scene.is_idle()
    scene.clock.forward(3601)
    await timers.expire()
    await scene.deliver()
    assert {record.state for record in scene.tool.records} == {ToolState.RESOLVED}


async def test_old_things_are_forgotten(scene: Scene) -> None:
    """What retention no longer keeps goes, what is open stays."""
    await delivered(scene, "old")
    scene.clock.forward(60)
    await scene.end("old")
    await scene.deliver()
    await delivered(scene, "open")
    scene.clock.forward(timedelta(days=500).total_seconds())
    await upkeep(scene, retention=Retention()).forget()
    assert [item["state"] for item in await scene.items()] == ["open"]


async def test_a_change_is_not_lost_when_the_store_goes_away(scene: Scene) -> None:
    """How far was asked is kept only after what was told is kept."""
    await asked_what_changed(scene)
    await delivered(scene)
    scene.tool.person_sets(scene.tool.record, ToolState.CLOSED)
    store = Counting(scene.store.upkeep, fails="wake_for_look")
    timers = Upkeep(store, [scene.target], clock=scene.clock)
    with pytest.raises(StoreUnavailable):
        await timers.take_in_changes(scene.target)
    store.fails = ""
    await timers.take_in_changes(scene.target)
    await scene.deliver()
    assert (await scene.item())["state"] == "resolved"


class Standing(Tool):
    """A tool that says that there is more and never gets further."""

    async def changes(self, cursor: str) -> Changes:
        return Changes((), cursor or "0", more=True)


async def test_a_tool_that_stands_still_is_let_go(scene: Scene) -> None:
    """To say "more" without a step forward is no reason to ask for ever."""
    target = Target(CONNECTION, scene.policy, Standing(scene.clock))
    async with asyncio.timeout(5):
        await upkeep(scene).take_in_changes(target)


class LosesItsPlace(Tool):
    """A tool that has more to tell, which is asked by a process that loses its place meanwhile."""

    share = Share()
    asked = 0

    async def changes(self, cursor: str) -> Changes:
        self.asked += 1
        self.share.change(held=0, goal=0, of=1, until=float("inf"))
        return Changes((), f"{cursor}.", more=self.asked < 2)


async def test_nothing_more_is_asked_without_a_place(scene: Scene) -> None:
    """Each question is a call, also of a connector that knows of no places."""
    tool = LosesItsPlace(scene.clock)
    asking = asyncio.create_task(
        upkeep(scene).take_in_changes(Target(CONNECTION, scene.policy, tool, share=tool.share))
    )
    await until(lambda: tool.asked == 1)
    await asyncio.wait([asking], timeout=0.05)
    assert tool.asked == 1
    tool.share.change(held=1, goal=1, of=1, until=float("inf"))
    await asking
    assert tool.asked == 2


class Broken(Tool):
    """A tool whose connector fails, or does not answer, when it is asked for changes or for CIs."""

    def __init__(self, clock: ManualClock, *, hangs: bool) -> None:
        super().__init__(clock)
        self._hangs = hangs
        self.cmdb.fault = self.fail
        self.asked = 0

    async def changes(self, cursor: str) -> Changes:
        self.asked += 1
        await self.fail()
        raise AssertionError

    async def fail(self) -> None:
        if self._hangs:
            await asyncio.Event().wait()
        raise ConnectionError("no route")


class Counting:
    """A store for timers that counts what is asked of it, and may fail at one thing."""

    def __init__(self, store: Any, *, fails: str = "") -> None:
        self._store = store
        self.calls: Counter[str] = Counter()
        self.fails = fails

    def __getattr__(self, name: str) -> Any:
        if name == self.fails:
            raise StoreUnavailable("the disk is full")
        self.calls[name] += 1
        return getattr(self._store, name)


@pytest.mark.parametrize("hangs", [False, True])
async def test_one_tool_that_fails_stops_nobody_elses_timers(scene: Scene, *, hangs: bool) -> None:
    """Each job of each connection has a timer of its own; the log hears of the trouble once a minute."""
    broken = Broken(scene.clock, hangs=hangs)
    policy = Policy(RouteSettings())
    bad = Target("bad", policy, broken, step_timeout_seconds=0.01)
    store = Counting(scene.store.upkeep)
    timers = Upkeep(
        store,
        [bad, scene.target],
        intervals=Intervals(expire=1, read_back=1, bind_late=1, forget=1),
        clock=scene.clock,
        sleep=lambda _: asyncio.sleep(0.001),
    )
    with capture_logs() as logs:
        task = asyncio.create_task(timers.run())
        await until(lambda: min(broken.asked, store.calls["wake_expired"], store.calls["forget"]) >= 3)
        await delivered(scene)
        scene.tool.person_sets(scene.tool.record, ToolState.CLOSED)
        async with asyncio.timeout(10):
            while (await scene.item())["state"] == "open":
                await scene.deliver()
                await asyncio.sleep(0.002)
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task
    told = Counter((line["event"], line["connection"], line["job"]) for line in logs if "job" in line)
    assert told == {("upkeep failed", "bad", "take_in_changes"): 1}


async def test_a_timer_waits_for_the_store(scene: Scene) -> None:
    """An outage is told of once, and the job runs when the store is back."""
    away, runs = True, 0

    class Away:
        async def wake_expired(self, **_: Any) -> int:
            nonlocal runs
            runs += 1
            if away:
                raise StoreUnavailable("the disk is full")
            return 0

        async def forget(self, *_: Any, **__: Any) -> int:
            return 0

    timers = Upkeep(Away(), [], clock=scene.clock, sleep=lambda _: asyncio.sleep(0))  # type: ignore[arg-type] # what timers without a connection need
    with capture_logs() as logs:
        task = asyncio.create_task(timers.run())
        await until(lambda: runs >= 5)
        away, seen = False, runs
        await until(lambda: runs >= seen + 3)
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task
    assert [line["event"] for line in logs] == ["upkeep waits for the store"]


async def test_a_job_never_runs_twice_at_a_time(scene: Scene) -> None:
    """One that takes longer than its interval is not started a second time beside itself."""
    at_once, most, runs = 0, 0, 0

    class Slow:
        async def wake_expired(self, **_: Any) -> int:
            nonlocal at_once, most, runs
            at_once, runs = at_once + 1, runs + 1
            most = max(most, at_once)
            await asyncio.sleep(0.005)
            at_once -= 1
            return 0

        async def forget(self, *_: Any, **__: Any) -> int:
            return 0

    timers = Upkeep(Slow(), [], sleep=lambda _: asyncio.sleep(0))  # type: ignore[arg-type] # what timers without a connection need
    task = asyncio.create_task(timers.run())
    await until(lambda: runs >= 5)
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task
    assert most == 1


async def test_looks_of_a_tool_that_is_down_are_not_forgotten(scene: Scene) -> None:
    """A change came, and then the tool went away: the record is read back when it is there again."""
    timers = await asked_what_changed(scene)
    await delivered(scene)
    scene.tool.person_sets(scene.tool.record, ToolState.CLOSED)
    scene.tool.always(later("503"))
    await timers.take_in_changes(scene.target)
    states: Sequence[str] = []
    for _ in range(3):
        await scene.deliver()
        states = [*states, (await scene.lane_row())["state"]]
        scene.clock.forward(300)
    assert states == ["waiting"] * 3
    scene.tool.always(None)
    await scene.deliver()
    assert (await scene.item())["state"] == "resolved"
