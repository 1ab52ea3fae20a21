"""What delivery tells the log: promise 8, the reason of every decision, and no flood."""

from collections.abc import Iterator, MutableMapping
from dataclasses import replace
from typing import Any

import pytest
from structlog.testing import capture_logs
from tests.unit.delivery.conftest import MakeScene
from tests.unit.delivery.scene import CONNECTION, Scene
from tests.unit.delivery.test_reopening import BY_CI, INSISTS, changes_taken_in, over
from tests.unit.delivery.tool import Act, later, refused

from secure_export.delivery.upkeep import Upkeep
from secure_export.workitems.outcome import Done, Outcome
from secure_export.workitems.work_item import StepKind, ToolState

CREATE, UPDATE, RESOLVE, REOPEN = StepKind.CREATE, StepKind.UPDATE, StepKind.RESOLVE, StepKind.REOPEN
NO_GROUP = "assignment group 'Ops' does not exist"

Line = MutableMapping[str, Any]


@pytest.fixture
def logs() -> Iterator[list[Line]]:
    with capture_logs() as lines:
        yield lines


def told(logs: list[Line], event: str) -> list[Line]:
    return [line for line in logs if line["event"] == event]


def remarkable(logs: list[Line]) -> list[str]:
    return [line["event"] for line in logs if line["log_level"] != "debug"]


async def parked(scene: Scene, *alerts: str, reason: str = NO_GROUP) -> None:
    """The tool refuses to make the records of these alerts."""
    scene.tool.script(CREATE, *(refused(reason) for _ in alerts))
    for one in alerts:
        await scene.fire(one)
    await scene.deliver()


async def retried(scene: Scene) -> None:
    for row in await scene.lane_rows():
        await scene.store.actions.retry(row["key"], by="ann", now=scene.clock())
    await scene.deliver()


async def test_what_goes_its_usual_way_is_told_at_debug_only(scene: Scene, logs: list[Line]) -> None:
    """Alerts that fire and end are no news for an operator; whoever wants every step sets the level."""
    await over(scene)
    steps = told(logs, "step taken")
    assert [(line["step"], line["outcome"]) for line in steps] == [("create", "Done"), ("resolve", "Done")]
    assert {line["log_level"] for line in logs} == {"debug"}
    assert (steps[0]["connection"], steps[0]["number"], steps[0]["reason"]) == (CONNECTION, "INC1", "")
    assert steps[1]["decided"].startswith("Azure Monitor says it is over")


async def test_parking_is_a_warning_with_the_tools_reason(scene: Scene, logs: list[Line]) -> None:
    """It says which lane of which connection needs a person, and why."""
    await parked(scene, "a")
    row, item = await scene.lane_row(), await scene.item()
    (line,) = told(logs, "work item parked")
    assert (line["log_level"], line["connection"], line["key"]) == ("warning", CONNECTION, row["key"])
    assert (line["work_item"], line["step"], line["reason"]) == (item["id"], "create", NO_GROUP)
    assert "number" not in line


async def test_what_has_a_number_is_told_by_it(scene: Scene, logs: list[Line]) -> None:
    """The number is what people know a work item by."""
    await scene.fire()
    await scene.deliver()
    scene.tool.script(RESOLVE, refused("a resolution code is missing"))
    await scene.end()
    await scene.deliver()
    (line,) = told(logs, "work item parked")
    assert (line["number"], line["step"]) == ("INC1", "resolve")


async def test_what_was_parked_and_is_done_is_told_once(scene: Scene, logs: list[Line]) -> None:
    """Also when a retry, which forgets that it was parked, had to wait in between."""
    await parked(scene, "a")
    scene.tool.script(CREATE, later("503"))
    await retried(scene)
    assert told(logs, "work item goes on") == []
    scene.clock.forward(600)
    await scene.deliver()
    scene.clock.forward(600)
    await scene.fire("a", fired_at=scene.clock())
    await scene.deliver()
    (line,) = told(logs, "work item goes on")
    assert (line["log_level"], line["number"]) == ("info", "INC1")
    assert NO_GROUP in line["reason"]


async def test_what_is_refused_again_is_parked_again_and_does_not_go_on(scene: Scene, logs: list[Line]) -> None:
    """Each parking has its line, whoever asked for the attempt."""
    await parked(scene, "a")
    scene.clock.forward(3600)
    scene.tool.script(CREATE, refused(NO_GROUP))
    await Upkeep(scene.store.upkeep, [scene.target], sleep=scene.clock.sleep).retry_parked(scene.target)
    await scene.deliver()
    assert remarkable(logs) == ["work item parked", "work item parked"]


async def test_what_a_person_did_by_hand_goes_on(scene: Scene, logs: list[Line]) -> None:
    """A resolve was refused, and a person resolved the record: nothing is owed, and nobody is needed any more."""
    await scene.fire()
    await scene.deliver()
    scene.tool.script(RESOLVE, refused("a resolution code is missing"))
    await scene.end()
    await scene.deliver()
    await changes_taken_in(scene, ToolState.RESOLVED)
    assert remarkable(logs) == ["work item parked", "work item goes on"]


async def test_many_that_are_refused_for_one_reason_are_one_line_a_minute(scene: Scene, logs: list[Line]) -> None:
    """A flood hides no other reason, and says how many it was."""
    runner = scene.runner()
    scene.tool.always(refused(NO_GROUP))
    for number in range(40):
        await scene.fire(f"a{number}")
    await scene.deliver(runner)
    scene.tool.always(refused("the category is unknown"))
    await scene.fire("b")
    await scene.deliver(runner)
    first, second = told(logs, "work item parked")
    assert (first["reason"], second["reason"]) == (NO_GROUP, "the category is unknown")
    assert second["further_since_last"] == 39


async def test_a_tool_that_is_down_is_told(scene: Scene, logs: list[Line]) -> None:
    """With its own words, and until when the lane waits."""
    scene.tool.script(CREATE, later("503 Service Unavailable"))
    await scene.fire()
    await scene.deliver()
    (line,) = told(logs, "work item waits")
    assert (line["log_level"], line["reason"]) == ("warning", "503 Service Unavailable")
    assert line["until"] > str(scene.clock())
    assert remarkable(logs) == ["work item waits"]


async def test_what_is_left_to_people_is_told(scene: Scene, logs: list[Line]) -> None:
    """A person closed the record while its alert fires: nothing more is done, and the log says why."""
    await scene.fire()
    await scene.deliver()
    await changes_taken_in(scene, ToolState.CLOSED)
    (line,) = told(logs, "work item left")
    assert line["reason"] == "a person closed it in the tool while its alert still fires: left closed"
    assert (line["number"], remarkable(logs)) == ("INC1", ["work item left"])


async def test_a_record_of_its_own_is_told(make_scene: MakeScene, logs: list[Line]) -> None:
    """The record was over before it could tell of a firing."""
    scene = await make_scene(route={"group_by": "ci"})
    await scene.fire("a")
    await scene.deliver()
    scene.tool.person_sets(scene.tool.record, ToolState.CLOSED)
    scene.clock.forward(60)
    await scene.fire("b")
    await scene.deliver()
    (line,) = told(logs, "work item made anew")
    assert "over in the tool before it told of a firing" in line["reason"]
    assert len(scene.tool.records) == 2


@pytest.mark.parametrize("insists", [False, True])
async def test_a_record_that_is_opened_again_is_told(make_scene: MakeScene, logs: list[Line], *, insists: bool) -> None:
    """Because it fired again, or because a person resolved it while it fires."""
    scene = await make_scene(route=INSISTS if insists else BY_CI)
    if insists:
        await scene.fire("a")
        await scene.deliver()
        await changes_taken_in(scene, ToolState.RESOLVED)
    else:
        await over(scene)
        await scene.fire("b")
        await scene.deliver()
    assert REOPEN in scene.tool.steps
    (line,) = told(logs, "work item reopened")
    assert "a person resolved it" in line["reason"] if insists else "fired again" in line["reason"]


async def test_a_record_that_cannot_be_opened_again_is_told(make_scene: MakeScene, logs: list[Line]) -> None:
    """Its problem ended meanwhile, so there is no new record in its place: the log says that it was left resolved."""
    scene = await make_scene(route={"group_by": "ci", "reopen_within_hours": 4})
    await over(scene)
    scene.clock.forward(60)
    await scene.fire("b")
    scene.clock.forward(60)
    await scene.end("b")
    scene.tool.script(REOPEN, refused("the record is locked"))
    await scene.deliver()
    (line,) = told(logs, "work item not reopened")
    assert "the record is locked" in line["reason"]
    assert "work item parked" not in remarkable(logs)


async def test_what_the_tool_did_differently_is_told_once(scene: Scene, logs: list[Line]) -> None:
    """Twins that were found and ended are such a remark; the same remark of further records follows once a minute."""
    remark = "INC7 was there twice: INC8 was cancelled"

    async def remarks(act: Act) -> Outcome:
        outcome = act()
        assert isinstance(outcome, Done)
        assert outcome.confirmed is not None
        return Done(replace(outcome.confirmed, remarks=(remark,)))

    scene.tool.always(remarks)
    runner = scene.runner()
    for one in ("a", "b"):
        await scene.fire(one)
    await scene.deliver(runner)
    scene.clock.forward(61)
    await scene.end("a")
    await scene.deliver(runner)
    (line,) = told(logs, "tool differs")
    assert (line["log_level"], line["reason"], line["connection"]) == ("info", remark, CONNECTION)


async def test_a_notification_that_changes_nothing_is_told_with_its_reason(scene: Scene, logs: list[Line]) -> None:
    """A repetition, an old message and an end alone make no step; at debug the log says why."""
    await scene.end("lone")
    await scene.deliver()
    (line,) = told(logs, "alert changes nothing")
    assert line["alert"].endswith("/lone")
    assert "no work item is made for an end alone" in line["reason"]
    assert remarkable(logs) == []


async def test_what_cannot_be_read_any_more_is_told(scene: Scene, logs: list[Line]) -> None:
    """What delivery puts into quarantine has the same line as what the door puts there."""
    number = await scene.fire()
    lane = await scene.claim_one()
    lane = replace(lane, pending=tuple(replace(one, body=b"[]") for one in lane.pending))
    await scene.runner().run(lane)
    (line,) = told(logs, "notification quarantined")
    assert (line["notification"], line["connection"]) == (number, CONNECTION)
    assert line["reason"]
