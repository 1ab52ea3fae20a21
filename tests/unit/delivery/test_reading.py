"""From recorded bodies to arrivals."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

import pytest
from structlog.testing import capture_logs
from tests.unit.delivery.conftest import MakeScene
from tests.unit.delivery.scene import START, Scene, alert
from tests.unit.delivery.tool import Tool

from secure_export.alerts.alert import Alert
from secure_export.delivery.connection import Target
from secure_export.delivery.contract import Pending
from secure_export.delivery.reading import CmdbFailed, read, spelled_alike
from secure_export.errors import NotFound
from secure_export.intake.contract import Entry
from secure_export.policy.decide import Policy, Route
from secure_export.policy.settings import GroupBy, RouteSettings
from secure_export.telemetry.complaints import Complaints
from secure_export.workitems.work_item import Binding, Content


def pending(*bodies: bytes) -> list[Pending]:
    return [Pending(number, body, START) for number, body in enumerate(bodies, 1)]


async def test_arrivals_come_in_the_order_of_their_notifications(scene: Scene) -> None:
    """Each with its alert's facts."""
    reading = await read(scene.target, "lane", pending(alert("a"), alert("b")), Complaints())
    assert [arrival.notification for arrival, _ in reading.arrivals] == [1, 2]
    assert all(b'"cpu-high"' in shown for _, shown in reading.arrivals)
    assert reading.unreadable == []


async def test_what_all_name_is_looked_up_once(scene: Scene) -> None:
    """Two hundred alerts of one machine are one question to the CMDB, not two hundred."""
    await read(scene.target, "lane", pending(*(alert(f"a{n}", vm=f"vm{n % 2}") for n in range(200))), Complaints())
    assert len(scene.tool.cmdb.asked) == 4, "an id and a name for each of two machines"


async def test_questions_to_the_cmdb_are_asked_side_by_side(scene: Scene) -> None:
    """A few at a time, so that many machines do not take as many round trips."""
    at_once, most = 0, 0

    async def slow() -> None:
        nonlocal at_once, most
        at_once += 1
        most = max(most, at_once)
        await asyncio.sleep(0.001)
        at_once -= 1

    scene.tool.cmdb.fault = slow
    await read(scene.target, "lane", pending(*(alert(f"a{n}", vm=f"vm{n}") for n in range(30))), Complaints())
    assert most == 8


async def test_a_body_that_is_no_alert_any_more_goes_to_quarantine(scene: Scene) -> None:
    """It is kept with the reason, and the others of its lane go on."""
    await scene.fire("a")
    key = (await scene.lane_row())["key"]
    odd = Entry(connection="desk", body=b"{}", received_at=START, caller=b"{}", correlation_key=key, alert_id="x")
    await scene.store.journal.append(odd)
    await scene.deliver()
    assert len(scene.tool.records) == 1
    (kept,) = (await scene.store.records.quarantine()).rows
    assert kept["reason"]
    assert await scene.is_idle()


class FaultyRoute(Route):
    """A route with a fault that shows for some alerts."""

    def content(self, alert: Alert, bindings: Sequence[Binding]) -> Content:
        if alert.rule == "odd":
            raise KeyError("a fault of the program")
        return Route.content(self, alert, bindings)


class FaultyPolicy(Policy):
    """A policy whose route has a fault."""

    def route_of(self, alert: Alert) -> Route:
        return FaultyRoute(super().route_of(alert).settings)


async def test_a_body_on_which_the_program_fails_holds_up_nobody(make_scene: MakeScene) -> None:
    """It would fail again, so it goes to quarantine, where a person sees it and can replay it after an update."""
    scene = await make_scene(route={"group_by": "ci"})
    scene.target = replace(scene.target, policy=FaultyPolicy(RouteSettings(group_by=GroupBy.CI)))
    await scene.fire("a", rule="odd")
    await scene.fire("b")
    with capture_logs() as logs:
        await scene.deliver()
    assert len(scene.tool.records) == 1
    (kept,) = (await scene.store.records.quarantine()).rows
    assert "The program failed on this body (KeyError)" in kept["reason"]
    told = [(line["event"], line.get("notification")) for line in logs if line["log_level"] != "debug"]
    assert told == [("alert reading failed", int(kept["id"])), ("notification quarantined", int(kept["id"]))]
    assert await scene.is_idle()


async def test_a_cmdb_that_fails_makes_the_lane_wait_with_the_reason(scene: Scene) -> None:
    """Without the CI a work item would get a wrong priority and group, which nobody would mend later."""

    async def fails() -> None:
        raise ConnectionError("no route to the CMDB")

    scene.tool.cmdb.fault = fails
    await scene.fire()
    await scene.deliver()
    row = await scene.lane_row()
    assert (row["state"], row["reason"]) == ("waiting", "the CMDB gave no answer: ConnectionError; the log says more")
    assert 15 <= await scene.seconds_until_due() <= 30
    scene.tool.cmdb.fault = None
    scene.clock.forward(30)
    await scene.deliver()
    assert len(scene.tool.records) == 1


async def test_a_cmdb_that_says_what_is_wrong_is_quoted_without_a_traceback(scene: Scene) -> None:
    """Trouble that a connector has words for passes by itself: a warning with those words, in lane and log."""

    async def fails() -> None:
        raise NotFound("the instance answers 503: come back later")

    scene.tool.cmdb.fault = fails
    await scene.fire()
    with capture_logs() as logs:
        await scene.deliver()
    assert (await scene.lane_row())["reason"] == "the CMDB gave no answer: the instance answers 503: come back later"
    assert [(line["event"], line["log_level"]) for line in logs] == [("binding waits", "warning")]


@pytest.mark.parametrize("count", [1, 3])
async def test_a_cmdb_that_hangs_is_not_waited_for(make_scene: MakeScene, count: int) -> None:
    """It has as long as a step of the tool."""
    scene = await make_scene(step_timeout_seconds=0.01)

    async def hangs() -> None:
        await asyncio.Event().wait()

    scene.tool.cmdb.fault = hangs
    with pytest.raises(CmdbFailed):
        await read(scene.target, "lane", pending(*(alert(f"a{n}", vm=f"vm{n}") for n in range(count))), Complaints())


async def test_spelling_follows_what_is_known() -> None:
    """Ids that differ in case are one alert: as it is known, or as it came first; problems of others stay."""
    target = Target("desk", Policy(RouteSettings()), Tool(lambda: START))
    reading = await read(target, "lane", pending(alert("ABC"), alert("abc"), alert("Xyz")), Complaints())
    known = [reading.arrivals[2][0].alert_id.upper()]
    first, second, third = (arrival for arrival, _ in spelled_alike(reading.arrivals, known))
    assert second.alert_id == first.alert_id == reading.arrivals[0][0].alert_id
    assert second.problem == first.problem == first.alert_id
    assert third.alert_id == third.problem == known[0]
    shared = replace(reading.arrivals[1][0], problem="service-health:x")
    ((arrival, _),) = spelled_alike([(shared, b"")], [first.alert_id])
    assert (arrival.alert_id, arrival.problem) == (first.alert_id, "service-health:x")


async def test_a_time_in_the_future_is_not_believed(scene: Scene) -> None:
    """Else one wrong clock would make everything that really happens old news, for as long as it is ahead."""
    reading = await read(
        scene.target, "lane", pending(alert("a", fired_at=START + timedelta(days=60_000))), Complaints()
    )
    ((arrival, _),) = reading.arrivals
    assert arrival.event_at == START + timedelta(minutes=5)


async def test_each_alert_is_made_what_its_route_says(scene: Scene) -> None:
    """Two routes of one connection: fired and resolved of an alert meet in the lane and the work item of its route."""
    scene.policy = Policy(
        RouteSettings(when='alert.rule == "disk-full"', work_item="problem", group_by=GroupBy.CI), RouteSettings()
    )
    scene.target = replace(scene.target, policy=scene.policy)
    for alert_id, rule in (("a", "disk-full"), ("b", "disk-full"), ("c", "cpu-high")):
        await scene.fire(alert_id, rule=rule)
    await scene.deliver()
    kinds = {}
    for row in await scene.items():
        item = await scene.store.records.work_item(row["id"])
        kinds[item["content"]["work_item"]] = len(item["alerts"])
        assert any(" takes it" in reason for reason in item["reasons"])
    assert kinds == {"problem": 2, "incident": 1}
    for alert_id, rule in (("a", "disk-full"), ("b", "disk-full"), ("c", "cpu-high")):
        await scene.end(alert_id, rule=rule, resolved_at=scene.clock() + timedelta(seconds=9))
    await scene.deliver()
    assert scene.tool.open_records == []
    assert len(scene.tool.records) == 2
