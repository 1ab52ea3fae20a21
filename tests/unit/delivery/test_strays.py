"""Ends that come to another lane than their firing did."""

import json
from dataclasses import replace

import pytest
from tests.unit.delivery.conftest import MakeScene
from tests.unit.delivery.scene import Scene, sample

from secure_export.policy.decide import Policy
from secure_export.policy.settings import GroupBy, RouteSettings
from secure_export.workitems.work_item import State, ToolState


def regroup(scene: Scene, group_by: GroupBy) -> None:
    scene.policy = Policy(RouteSettings(group_by=group_by))
    scene.target = replace(scene.target, policy=scene.policy)


async def test_a_resolve_is_kept_though_the_grouping_was_changed_in_between(scene: Scene) -> None:
    """The lane whose work item the alert is in folds its end, whatever lane the end came to."""
    await scene.fire("a")
    await scene.deliver()
    regroup(scene, GroupBy.CI)
    await scene.end("a")
    await scene.deliver()
    item = await scene.item()
    assert (item["state"], item["owed"]) == (State.RESOLVED.value, False)
    assert await scene.is_idle()


async def test_a_resolve_that_names_another_ci_first_is_kept(make_scene: MakeScene) -> None:
    """Azure may list the configuration items of an end in another order than those of the firing."""
    scene = await make_scene(route={"group_by": GroupBy.CI})
    await scene.fire("a", vm="vm1")
    await scene.fire("b", vm="vm2")
    await scene.deliver()
    await scene.end("a", vm="vm2")
    await scene.deliver()
    states = {next(iter(item["alerts"]))[-1]: item["state"] for item in await scene.items()}
    assert states == {"a": "resolved", "b": "open"}
    assert await scene.is_idle()


async def test_an_end_before_its_firing_waits_in_the_memory_of_its_alert(scene: Scene) -> None:
    """Where nothing has fired yet there is no other lane to send an end to: the firing is recorded as over."""
    await scene.end("a")
    await scene.deliver()
    regroup(scene, GroupBy.CI)
    await scene.fire("a")
    await scene.deliver()
    assert (await scene.item())["state"] == "resolved"


async def test_a_firing_told_again_to_another_lane_is_not_a_second_record(scene: Scene) -> None:
    """It is known where the alert fires, whatever lane hears of it again."""
    at = scene.clock()
    await scene.fire("a", fired_at=at)
    await scene.deliver()
    regroup(scene, GroupBy.CI)
    scene.clock.forward(1)
    await scene.fire("a", fired_at=scene.clock())
    await scene.deliver()
    assert len(scene.tool.records) == 1
    assert await scene.is_idle()


async def test_a_moved_end_shows_in_its_alerts_history(scene: Scene) -> None:
    """The notification belongs to its alert, whichever lane folded it."""
    await scene.fire("a")
    await scene.deliver()
    regroup(scene, GroupBy.RULE)
    number = await scene.end("a")
    await scene.deliver()
    (row,) = (await scene.store.records.alerts()).rows
    told = await scene.store.records.alert(row["id"])
    assert str(number) in {one["id"] for one in told["notifications"]}


@pytest.mark.parametrize("first", [0, 1])
async def test_a_firing_and_its_end_in_two_lanes_at_a_time_find_each_other(scene: Scene, first: int) -> None:
    """Both lanes were claimed before either knew of the other: whoever writes last reads again before it does."""
    await scene.fire("a")
    regroup(scene, GroupBy.CI)
    scene.clock.forward(60)
    await scene.end("a")
    lanes = await scene.claim()
    assert len(lanes) == 2
    for lane in (lanes[first], lanes[1 - first]):
        await scene.runner().run(lane)
    await scene.deliver()
    assert scene.tool.record.state is ToolState.RESOLVED
    assert (await scene.item())["owed"] is False
    assert await scene.is_idle()


@pytest.mark.parametrize(
    ("begin", "end"),
    [
        ("service-health-incident-active-fired", "service-health-incident-resolved-fired"),
        ("resource-health-unavailable-fired", "resource-health-available-fired"),
    ],
)
async def test_two_rules_that_tell_of_one_problem_each_end_their_own(
    make_scene: MakeScene, begin: str, end: str
) -> None:
    """The first rule's end must not take from the second what it has to end."""
    scene = await make_scene(route={"group_by": GroupBy.RULE})
    for rule in ("one", "two"):
        await scene.post(told_by(rule, begin))
    await scene.deliver()
    scene.clock.forward(3600)
    for rule in ("one", "two"):
        await scene.post(told_by(rule, end))
    await scene.deliver()
    assert [record.state for record in scene.tool.records] == [ToolState.RESOLVED] * 2


def told_by(rule: str, name: str) -> bytes:
    said = json.loads(sample(name))
    essentials = said["data"]["essentials"]
    for member in ("alertRuleID", "alertRuleId"):
        essentials.pop(member, None)
    essentials |= {"alertRule": rule, "alertId": f"{essentials['alertId']}-{rule}"}
    return json.dumps(said).encode()
