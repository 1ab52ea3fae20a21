"""Records that are opened again, in a real store: because it fired again, or because a route insists."""

import pytest
from tests.unit.delivery.conftest import MakeScene
from tests.unit.delivery.scene import Scene
from tests.unit.delivery.tool import Fault, hangs, lost_reply, lost_request, raises, refused

from secure_export.delivery.upkeep import Upkeep
from secure_export.workitems.work_item import StepKind, ToolState

CREATE, RESOLVE, REOPEN, LOOK = StepKind.CREATE, StepKind.RESOLVE, StepKind.REOPEN, StepKind.LOOK
BY_CI = {"group_by": "ci", "reopen_within_hours": 4}
INSISTS = {"when_people_end": "reopen"}


async def over(scene: Scene) -> None:
    """One alert fired and ended."""
    await scene.fire("a")
    await scene.deliver()
    scene.clock.forward(60)
    await scene.end("a")
    await scene.deliver()


async def changes_taken_in(scene: Scene, state: ToolState) -> None:
    """A person sets the record's state, and the tool tells of it."""
    timers = Upkeep(scene.store.upkeep, [scene.target], clock=scene.clock, sleep=scene.clock.sleep)
    await timers.take_in_changes(scene.target)
    scene.tool.person_sets(scene.tool.record, state)
    await timers.take_in_changes(scene.target)
    await scene.deliver()


@pytest.mark.parametrize(("hours", "steps"), [(3.9, [REOPEN]), (4.1, [CREATE])])
async def test_what_fires_again_within_the_time_is_opened_again(
    make_scene: MakeScene, hours: float, steps: list[StepKind]
) -> None:
    """Within it the same record, with a note; after it a new one."""
    scene = await make_scene(route=BY_CI)
    await over(scene)
    scene.clock.forward(hours * 3600)
    await scene.fire("b")
    await scene.deliver()
    assert scene.tool.steps == [CREATE, RESOLVE, *steps]
    assert [record.state for record in scene.tool.records][-1] is ToolState.OPEN
    assert len(scene.tool.records) == 1 + steps.count(CREATE)
    assert len(await scene.items()) == len(scene.tool.records)
    if steps == [REOPEN]:
        (note,) = scene.tool.record.notes
        assert note.startswith("Fired again in Azure: ")


@pytest.mark.parametrize("fault", [lost_reply, lost_request, raises, hangs])
async def test_a_reopening_without_an_answer_is_looked_at(make_scene: MakeScene, fault: Fault) -> None:
    """Whatever was done: one record, open, and the note once."""
    scene = await make_scene(route=BY_CI, step_timeout_seconds=0.05)
    await over(scene)
    scene.tool.script(REOPEN, fault)
    await scene.fire("b")
    await scene.deliver()
    scene.clock.forward(30)
    await scene.deliver()
    assert scene.tool.steps[:4] == [CREATE, RESOLVE, REOPEN, LOOK]
    assert scene.tool.record.state is ToolState.OPEN
    assert len(scene.tool.record.notes) == 1
    assert await scene.is_idle()


async def test_a_record_that_cannot_be_opened_again_is_followed_by_a_new_one(make_scene: MakeScene) -> None:
    """The alert is seen, and the reason says why there is a second record."""
    scene = await make_scene(route=BY_CI)
    await over(scene)
    scene.tool.script(REOPEN, refused("no right to reopen"))
    await scene.fire("b")
    await scene.deliver()
    assert [record.state for record in scene.tool.records] == [ToolState.RESOLVED, ToolState.OPEN]
    one = (await scene.items())[0]
    assert any("no right to reopen" in reason for reason in (await scene.store.records.work_item(one["id"]))["reasons"])
    assert await scene.is_idle()


async def test_a_route_that_insists_opens_again_once(make_scene: MakeScene) -> None:
    """A person resolves it while it fires: opened again; resolved once more: left, with the reason."""
    scene = await make_scene(route=INSISTS)
    await scene.fire()
    await scene.deliver()
    await changes_taken_in(scene, ToolState.RESOLVED)
    assert scene.tool.open_records == [scene.tool.record]
    assert scene.tool.record.notes == ["Opened again: its alert still fires in Azure."]
    await changes_taken_in(scene, ToolState.RESOLVED)
    assert scene.tool.open_records == []
    assert (await scene.item())["hands_off"] == "a person ended it once more after it was opened again: left to them"
    assert scene.tool.steps == [CREATE, LOOK, REOPEN, LOOK]


async def test_what_is_closed_for_good_is_not_opened_even_by_a_route_that_insists(make_scene: MakeScene) -> None:
    """Closed is final."""
    scene = await make_scene(route=INSISTS)
    await scene.fire()
    await scene.deliver()
    await changes_taken_in(scene, ToolState.CLOSED)
    assert scene.tool.record.state is ToolState.CLOSED
    assert scene.tool.steps == [CREATE, LOOK]
