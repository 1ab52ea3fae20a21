"""One lane from a notification to a record in the tool."""

import json
from datetime import timedelta

import pytest
from tests.unit.delivery.conftest import MakeScene
from tests.unit.delivery.scene import Scene, ci, sample
from tests.unit.delivery.tool import (
    Act,
    Fault,
    hangs,
    later,
    lost_reply,
    lost_request,
    raises,
    refused,
    works,
)

from secure_export.workitems.outcome import Outcome, TryLater
from secure_export.workitems.work_item import StepKind, ToolState, tool_key

LOOK, CREATE, UPDATE, RESOLVE = StepKind.LOOK, StepKind.CREATE, StepKind.UPDATE, StepKind.RESOLVE


async def test_a_firing_becomes_a_record(scene: Scene) -> None:
    """One step, and nothing is owed any more."""
    await scene.fire()
    await scene.deliver()
    assert scene.tool.steps == [CREATE]
    assert scene.tool.record.state is ToolState.OPEN
    item = await scene.item()
    assert (item["state"], item["owed"], item["number"]) == ("open", False, "INC1")
    assert await scene.is_idle()


async def test_the_same_firing_twice_is_one_record(scene: Scene) -> None:
    """Whether the repetition comes at once or later, nothing is done for it."""
    at = scene.clock()
    await scene.fire(fired_at=at)
    await scene.fire(fired_at=at + timedelta(seconds=1))
    await scene.deliver()
    await scene.fire(fired_at=at + timedelta(seconds=2))
    await scene.deliver()
    assert scene.tool.steps == [CREATE]


async def test_an_end_resolves_the_record(scene: Scene) -> None:
    """The record is resolved with Azure's word."""
    await scene.fire()
    await scene.deliver()
    scene.clock.forward(60)
    await scene.end()
    await scene.deliver()
    assert scene.tool.steps == [CREATE, RESOLVE]
    assert scene.tool.record.state is ToolState.RESOLVED
    assert (await scene.item())["state"] == "resolved"


async def test_what_fired_and_ended_meanwhile_is_made_and_resolved(scene: Scene) -> None:
    """Both notifications are folded together: one record, already resolved in the end."""
    await scene.fire()
    scene.clock.forward(60)
    await scene.end()
    await scene.deliver()
    assert scene.tool.steps == [CREATE, RESOLVE]
    assert scene.tool.record.state is ToolState.RESOLVED


async def test_an_end_before_its_firing_leaves_nothing_open(scene: Scene) -> None:
    """Order on the wire does not matter."""
    await scene.end()
    await scene.deliver()
    assert scene.tool.steps == []
    await scene.fire(fired_at=scene.clock() - timedelta(seconds=60))
    await scene.deliver()
    assert scene.tool.record.state is ToolState.RESOLVED


async def test_ids_in_another_case_are_the_same_alert(scene: Scene) -> None:
    """Alert ids are resource ids, and the case of those varies: an end in another case still ends its firing."""
    await scene.fire("ABC-1")
    await scene.deliver()
    scene.clock.forward(60)
    await scene.end("abc-1")
    await scene.deliver()
    assert scene.tool.record.state is ToolState.RESOLVED
    (shown,) = (await scene.store.records.alerts()).rows
    assert shown["condition"] == "resolved"
    assert len((await scene.store.records.alert(shown["id"].upper()))["notifications"]) == 2


async def test_ids_in_another_case_meet_within_one_reading(scene: Scene) -> None:
    """Also where neither of the two was known before."""
    await scene.fire("ABC-1")
    await scene.end("abc-1", resolved_at=scene.clock() + timedelta(seconds=1))
    await scene.deliver()
    assert scene.tool.record.state is ToolState.RESOLVED
    (shown,) = (await scene.store.records.alerts()).rows
    assert len((await scene.store.records.alert(shown["id"]))["notifications"]) == 2


async def test_ids_in_another_case_meet_among_others(make_scene: MakeScene) -> None:
    """Each notification is linked with its alert, also where several alerts come in one reading."""
    scene = await make_scene(route={"group_by": "ci"})
    await scene.fire("ABC-1")
    await scene.fire("XYZ-2")
    await scene.deliver()
    scene.clock.forward(60)
    await scene.end("abc-1")
    await scene.end("xyz-2")
    await scene.deliver()
    assert scene.tool.record.state is ToolState.RESOLVED
    for shown in (await scene.store.records.alerts()).rows:
        assert len((await scene.store.records.alert(shown["id"]))["notifications"]) == 2


@pytest.mark.parametrize(
    ("begin", "end"),
    [
        ("service-health-incident-active-fired", "service-health-incident-resolved-fired"),
        ("resource-health-unavailable-fired", "resource-health-available-fired"),
    ],
)
async def test_an_alert_of_its_own_may_end_the_problem(scene: Scene, begin: str, end: str) -> None:
    """Health events end in an alert with another id, which is Fired, too: its content says that it is over."""
    await scene.post(sample(begin))
    await scene.deliver()
    scene.clock.forward(3600)
    said = json.loads(sample(end))
    said["data"]["essentials"]["alertId"] += "-end"
    await scene.post(json.dumps(said).encode())
    await scene.deliver()
    assert scene.tool.steps == [CREATE, RESOLVE]
    assert scene.tool.record.state is ToolState.RESOLVED


async def test_each_test_notification_is_an_alert_of_its_own(scene: Scene) -> None:
    """The portal's tests all have the same id; who presses the button twice expects two work items."""
    for _ in range(2):
        await scene.post(sample("test-budget-fired"))
    await scene.deliver()
    assert len(scene.tool.records) == 2
    assert len((await scene.store.records.alerts()).rows) == 2


async def test_no_step_begins_while_more_is_worked_on_than_there_are_places_for(scene: Scene) -> None:
    """A process that was stopped for long has lost places under its lanes: some wait, until there are few enough."""
    lanes, share = 3, scene.target.share
    share.works(lambda: lanes, 4)
    share.change(held=2, goal=2, of=4, until=float("inf"))
    await scene.fire()
    await scene.deliver()
    assert scene.tool.steps == []
    assert "no place" in (await scene.lane_row())["reason"]
    lanes = 2
    scene.clock.forward(10)
    await scene.deliver()
    assert scene.tool.steps == [StepKind.CREATE]


async def test_alerts_of_one_key_share_a_record(make_scene: MakeScene) -> None:
    """The second adds a note; the last end resolves."""
    scene = await make_scene(route={"group_by": "ci"})
    await scene.fire("a")
    await scene.deliver()
    await scene.fire("b")
    await scene.deliver()
    assert scene.tool.steps == [CREATE, UPDATE]
    assert len(scene.tool.record.notes) == 1
    scene.clock.forward(60)
    states: list[ToolState] = []
    for alert_id in ("a", "b"):
        await scene.end(alert_id)
        await scene.deliver()
        states.append(scene.tool.record.state)
    assert states == [ToolState.OPEN, ToolState.RESOLVED]


async def test_failed_attempts_wait_longer_each_time(scene: Scene) -> None:
    """The wait doubles from two seconds to the longest, spread over its upper half."""
    scene.tool.always(later("503 Service Unavailable"))
    await scene.fire()
    waits: list[float] = []
    for _ in range(10):
        await scene.deliver()
        row = await scene.lane_row()
        assert (row["state"], row["reason"]) == ("waiting", "503 Service Unavailable")
        waits.append(await scene.seconds_until_due())
        scene.clock.forward(waits[-1])
    expected = [2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 128.0, 256.0, 300.0, 300.0]
    assert all(most / 2 <= wait <= most for wait, most in zip(waits, expected, strict=True))
    assert len(set(waits[-2:])) == 2, "waits are spread"
    scene.tool.always(None)
    await scene.deliver()
    assert scene.tool.record.state is ToolState.OPEN
    assert await scene.is_idle()


async def test_a_waiting_lane_is_not_tried_before_its_time(scene: Scene) -> None:
    """A new notification is folded at once, but the tool is not called for it."""
    scene.tool.script(CREATE, later())
    await scene.fire()
    await scene.deliver()
    await scene.end(resolved_at=scene.clock() + timedelta(seconds=1))
    await scene.deliver()
    assert scene.tool.steps == [CREATE]
    scene.clock.forward(2)
    await scene.deliver()
    assert scene.tool.steps == [CREATE, CREATE, RESOLVE]


async def test_the_time_that_a_tool_asks_for_is_kept(scene: Scene) -> None:
    """``Retry-After`` is longer than our own wait, so it counts; an absurd one is cut."""
    scene.tool.script(CREATE, later("429", scene.clock() + timedelta(seconds=120)))
    await scene.fire()
    await scene.deliver()
    assert await scene.seconds_until_due() == 120
    scene.clock.forward(120)
    scene.tool.script(CREATE, later("429", scene.clock() + timedelta(days=365)))
    await scene.deliver()
    assert await scene.seconds_until_due() == 3600


async def test_the_calm_that_a_tool_asks_for_counts_for_all_lanes(scene: Scene) -> None:
    """Other lanes are folded and wait with the reason, without a call."""
    scene.tool.script(CREATE, later("429", scene.clock() + timedelta(seconds=120)))
    runner = scene.runner()
    await scene.fire("a")
    await scene.deliver(runner)
    await scene.fire("b")
    await scene.deliver(runner)
    assert scene.tool.steps == [CREATE]
    assert {row["reason"] for row in await scene.lane_rows()} == {
        "429",
        "the tool asked not to be called for a while",
    }
    scene.clock.forward(120)
    await scene.deliver(runner)
    assert len(scene.tool.records) == 2


async def test_what_is_refused_is_parked_until_a_person_retries(scene: Scene) -> None:
    """A person is told why; after ``retry`` the same step is taken again."""
    scene.tool.script(CREATE, refused("group 'Ops' does not exist"))
    await scene.fire()
    await scene.deliver()
    row = await scene.lane_row()
    assert (row["state"], row["reason"]) == ("parked", "group 'Ops' does not exist")
    scene.clock.forward(24 * 3600)
    await scene.deliver()
    assert scene.tool.steps == [CREATE]
    await scene.store.actions.retry(row["key"], by="ann", now=scene.clock())
    await scene.deliver()
    assert scene.tool.record.state is ToolState.OPEN
    assert await scene.is_idle()


async def test_a_parked_lane_is_tried_again_for_a_new_notification(scene: Scene) -> None:
    """What was refused was an earlier wish; when that is refused too, it is parked again."""
    scene.tool.script(CREATE, refused("one"), refused("two"))
    await scene.fire()
    await scene.deliver()
    scene.clock.forward(60)
    await scene.end()
    await scene.deliver()
    assert (await scene.lane_row())["reason"] == "two"
    assert scene.tool.steps == [CREATE, CREATE]


@pytest.mark.parametrize("fault", [lost_reply, lost_request, raises, hangs])
@pytest.mark.parametrize("step", [CREATE, RESOLVE])
async def test_after_an_answer_that_leaves_doubt_a_look_comes_first(
    make_scene: MakeScene, fault: Fault, step: StepKind
) -> None:
    """Nothing is blindly repeated: one record, in the right state."""
    scene = await make_scene(step_timeout_seconds=0.02 if fault is hangs else 60)
    scene.tool.script(step, fault)
    await scene.fire()
    await scene.end(resolved_at=scene.clock() + timedelta(seconds=1))
    await scene.deliver()
    assert (await scene.lane_row())["state"] == "waiting"
    scene.clock.forward(2)
    await scene.deliver()
    steps = scene.tool.steps
    assert steps[steps.index(step) + 1] is LOOK
    assert scene.tool.record.state is ToolState.RESOLVED
    assert await scene.is_idle()


async def test_looks_may_fail_for_long(scene: Scene) -> None:
    """While no look answers, nothing else is tried."""
    scene.tool.script(CREATE, lost_reply)
    scene.tool.script(LOOK, lost_request, later(), raises, works)
    await scene.fire()
    for _ in range(8):
        await scene.deliver()
        scene.clock.forward(300)
    assert scene.tool.steps == [CREATE, LOOK, LOOK, LOOK, LOOK]
    assert scene.tool.record.state is ToolState.OPEN


async def test_a_firing_waits_while_a_resolve_is_in_doubt(make_scene: MakeScene) -> None:
    """Whether it belongs to the old record or to a new one, only a look can tell; it is not forgotten meanwhile."""
    scene = await make_scene(route={"group_by": "ci"})
    await scene.fire("a")
    await scene.deliver()
    scene.tool.script(RESOLVE, lost_reply)
    scene.tool.script(LOOK, later(), works)
    scene.clock.forward(60)
    await scene.end("a")
    await scene.deliver()
    await scene.fire("b")
    await scene.deliver()
    row = await scene.lane_row()
    assert (row["state"], row["pending"]) == ("waiting", 1)
    for _ in range(3):
        scene.clock.forward(300)
        await scene.deliver()
    assert [record.state for record in scene.tool.records] == [ToolState.RESOLVED, ToolState.OPEN]


async def test_a_lane_with_very_many_notifications_is_read_in_parts(make_scene: MakeScene) -> None:
    """Two hundred at a time; another lane gets its turn in between."""
    scene = await make_scene(route={"group_by": "rule"})
    for number in range(450):
        await scene.fire(f"a{number}", vm=f"vm{number % 3}")
    await scene.fire("other", rule="disk-full")
    runner, sizes = scene.runner(), []
    for _ in range(4):
        (lane,) = await scene.claim(limit=1)
        sizes.append(len(lane.pending))
        scene.clock.forward(0.001)
        await runner.run(lane)
    assert sizes == [200, 1, 200, 50]
    assert len(scene.tool.records) == 2
    assert await scene.is_idle()


async def test_what_cannot_be_folded_yet_does_not_keep_a_lane_busy(make_scene: MakeScene) -> None:
    """More waits than is read at a time, and no look answers: the lane waits instead of being claimed on and on."""
    scene = await make_scene(route={"group_by": "ci"})
    await scene.fire("first")
    await scene.deliver()
    scene.tool.script(RESOLVE, lost_request)
    scene.tool.always(later())
    scene.clock.forward(1)
    await scene.end("first")
    await scene.deliver()
    for number in range(250):
        await scene.fire(f"a{number}")
    await scene.deliver(rounds=3)
    row = await scene.lane_row()
    assert (row["state"], row["pending"]) == ("waiting", 250)
    scene.tool.always(None)
    scene.clock.forward(300)
    await scene.deliver()
    assert await scene.is_idle()


async def test_a_look_that_nobody_needs_is_answered_without_a_call(scene: Scene) -> None:
    """What is not in the tool cannot be read back; the wish is not kept for later either."""
    scene.tool.script(CREATE, refused())
    await scene.fire()
    await scene.deliver()
    correlation_key = (await scene.lane_row())["key"]
    await scene.store.upkeep.wake_for_look("desk", [tool_key("desk", correlation_key, 1)], now=scene.clock())
    await scene.deliver()
    assert (await scene.lane_row())["state"] == "parked"
    await scene.store.actions.retry(correlation_key, by="ann", now=scene.clock())
    await scene.deliver()
    assert scene.tool.steps == [CREATE, CREATE]
    assert await scene.is_idle()


async def test_a_record_is_read_back_when_somebody_asks(scene: Scene) -> None:
    """One look, and nothing else while all is as it should be."""
    await scene.fire()
    await scene.deliver()
    await scene.store.upkeep.wake_for_look("desk", [scene.tool.record.key], now=scene.clock())
    await scene.deliver()
    assert scene.tool.steps == [CREATE, LOOK]
    assert await scene.is_idle()


async def test_a_look_that_fails_is_still_asked_for(scene: Scene) -> None:
    """A person closed the record, and the tool cannot be asked just then: it is asked again later."""
    await scene.fire()
    await scene.deliver()
    scene.tool.person_sets(scene.tool.record, ToolState.CLOSED)
    scene.tool.script(LOOK, later("503"), lost_request)
    await scene.store.upkeep.wake_for_look("desk", [scene.tool.record.key], now=scene.clock())
    for _ in range(2):
        await scene.deliver()
        assert (await scene.lane_row())["state"] == "waiting"
        scene.clock.forward(10)
    await scene.deliver()
    assert await scene.is_idle()
    assert (await scene.item())["state"] == "resolved"


async def test_a_look_that_is_refused_parks_the_lane(scene: Scene) -> None:
    """A person is needed; the lane does not look on and on."""
    await scene.fire()
    await scene.deliver()
    scene.tool.always(refused("the account may not read incidents"))
    await scene.store.upkeep.wake_for_look("desk", [scene.tool.record.key], now=scene.clock())
    await scene.deliver()
    assert (await scene.lane_row())["reason"] == "the account may not read incidents"
    assert scene.tool.steps == [CREATE, LOOK]


async def test_a_fault_of_the_program_makes_the_lane_wait_with_a_reason(scene: Scene) -> None:
    """It is neither lost nor tried without a pause, and it goes on when the fault is mended."""
    await scene.fire()
    scene.tool.script(CREATE, _no_time)
    await scene.deliver()
    row = await scene.lane_row()
    assert row["state"] == "waiting"
    assert "the program failed on this lane (TypeError)" in row["reason"]
    assert 150 <= await scene.seconds_until_due() <= 300
    scene.clock.forward(300)
    await scene.deliver()
    assert scene.tool.steps == [CREATE, LOOK, CREATE]
    assert await scene.is_idle()


async def _no_time(act: Act) -> Outcome:
    """A connector breaks its contract in a way that shows only when its answer is used."""
    return TryLater("429", not_before="tomorrow")  # type: ignore[arg-type] # that is the fault


async def test_a_ci_that_was_not_there_is_looked_up_again_once(scene: Scene) -> None:
    """When the lane is woken and the CMDB has it by now, the record gets it; a run asks once, not at each step."""
    await scene.fire()
    await scene.deliver()
    assert scene.tool.record.cis == []
    asked = len(scene.tool.cmdb.asked)
    scene.tool.cmdb.cis.append(ci("vm1"))
    await scene.store.upkeep.wake_for_look("desk", [scene.tool.record.key], now=scene.clock())
    await scene.deliver()
    assert scene.tool.record.cis == ["ci-vm1"]
    assert scene.tool.steps == [CREATE, LOOK, UPDATE]
    assert len(scene.tool.cmdb.asked) == asked + 1


async def test_a_ci_that_is_still_not_there_is_not_asked_for_at_each_step(scene: Scene) -> None:
    """Once in a run: a CMDB may be far away."""
    await scene.fire()
    await scene.deliver()
    asked = len(scene.tool.cmdb.asked)
    await scene.store.upkeep.wake_for_look("desk", [scene.tool.record.key], now=scene.clock())
    await scene.deliver()
    assert scene.tool.steps == [CREATE, LOOK]
    assert len(scene.tool.cmdb.asked) == asked + 2, "by id, and by name"


async def test_a_cmdb_that_fails_does_not_hold_up_what_is_owed(scene: Scene) -> None:
    """Binding late can wait, a resolve cannot."""
    await scene.fire()
    await scene.deliver()
    await scene.store.upkeep.wake_for_look("desk", [scene.tool.record.key], now=scene.clock())
    scene.tool.cmdb.fault = _cmdb_fails
    await scene.deliver()
    assert scene.tool.steps == [CREATE, LOOK]
    assert await scene.is_idle()


async def _cmdb_fails() -> None:
    raise ConnectionError("no route to the CMDB")


async def test_what_is_told_of_delivery_counts_waiting_too(scene: Scene) -> None:
    """The time from the first notification to the confirmed record, also when the tool was down meanwhile."""
    await scene.fire()
    await scene.deliver()
    assert scene.told.waited == [0.0]
    scene.tool.script(RESOLVE, later("503", scene.clock() + timedelta(seconds=600)))
    await scene.end(resolved_at=scene.clock() + timedelta(seconds=1))
    await scene.deliver()
    scene.clock.forward(600)
    await scene.deliver()
    assert scene.told.waited == [0.0, 600.0]
    assert scene.told.steps == [("create", "Done"), ("resolve", "TryLater"), ("resolve", "Done")]


async def test_an_expired_work_item_is_resolved(make_scene: MakeScene) -> None:
    """What Azure never ends is ended by the route's time."""
    scene = await make_scene(route={"close_any_after_hours": 2})
    await scene.fire()
    await scene.deliver()
    scene.clock.forward(2 * 3600 + 1)
    assert await scene.store.upkeep.wake_expired(now=scene.clock(), limit=10) == 1
    await scene.deliver()
    assert scene.tool.record.state is ToolState.RESOLVED
    assert "time" in scene.tool.record.resolution
