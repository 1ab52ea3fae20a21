"""What holds of lanes whatever happens, shown on generated histories (see ``world``)."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import timedelta
from itertools import permutations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.unit.workitems.world import WEEK, Fault, Kind, Tool, World, must_hold

from secure_export.alerts.alert import Ending
from secure_export.workitems.arrival import Arrival
from secure_export.workitems.work_item import ToolState, WhenPeopleEnd

METRIC_A, METRIC_B, METRIC_C = (Kind(f"metric-{n}", f"metric-{n}") for n in "abc")
ACTIVITY = Kind("activity", "activity", Ending.NEVER, WEEK)
HEALTH = tuple(Kind(f"health-{n}", "health", Ending.BY_TIME, WEEK * 2, says_over=True) for n in range(4))
LEGACY = Kind("legacy", "legacy", Ending.BY_TIME)
BY_ID = (METRIC_A, METRIC_B, METRIC_C)
ALL = (*BY_ID, ACTIVITY, *HEALTH, LEGACY)
FAULTS = st.lists(st.sampled_from([Fault.NONE] * len(Fault) + list(Fault)), max_size=4)
NUMBER = st.integers(0, 11)
WHAT = st.sampled_from(["lives", "lives", "lives", "sends", "arrives", "run", "people", "people", "time", "look"])
EVENTS = st.lists(st.tuples(WHAT, NUMBER, NUMBER, FAULTS), min_size=8, max_size=30)
KINDS = st.lists(st.sampled_from(ALL), min_size=1, max_size=5, unique=True)
QUICK = settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.too_slow])
TIMES = (timedelta(minutes=1), timedelta(minutes=10), timedelta(hours=2), timedelta(days=5))
Event = tuple[str, int, int, list[Fault]]
Route = tuple[bool, timedelta | None, WhenPeopleEnd]
ROUTES = st.tuples(
    st.booleans(), st.sampled_from([None, timedelta(minutes=5), timedelta(days=9)]), st.sampled_from(WhenPeopleEnd)
)


def world_of(route: Route, tool: Tool | None = None) -> World:
    """Make a world with a route that says these things."""
    return World(tool or Tool(), record_short_lived=route[0], reopen_within=route[1], when_people_end=route[2])


def sends(world: World, kind: Kind) -> None:
    """Azure sends what can come next for an alert: one firing and one end by id; by time any number."""
    told = [a for a in world.sent if a.alert_id == kind.alert_id]
    if kind.ending is Ending.BY_TIME and kind.says_over:
        if not told:
            world.azure_sends(kind, over=kind in HEALTH[2:])
    elif kind.ending is Ending.BY_TIME or not told:
        world.azure_sends(kind, over=len(told) % 2 == 1)
    elif len(told) == 1 and kind.ending is Ending.BY_ID:
        world.azure_sends(kind, over=True)
    world.passes(timedelta(seconds=30))


def people_act(world: World, number: int, action: int) -> None:
    """A person does something to a record; half of the time the tool tells us."""
    if not world.tool.records:
        return
    record = world.tool.records[-1 - number % min(2, len(world.tool.records))]
    ends = (ToolState.RESOLVED, ToolState.CLOSED, ToolState.GONE)
    if action % 4 < len(ends):
        world.tool.person_ends(record, ends[action % 4], world.now)
    else:
        world.tool.person_reopens(record, world.now)
    if number % 2:
        world.look_is_asked_for()


def happens(world: World, event: Event, kinds: Sequence[Kind]) -> None:
    """Let one thing happen."""
    what, one, other, faults = event
    match what:
        case "sends":
            sends(world, kinds[one % len(kinds)])
        case "lives":
            sends(world, kinds[one % len(kinds)])
            world.arrives(world.sent[-1])
            world.run(iter(faults))
        case "arrives" if world.sent:
            world.arrives(world.sent[one % len(world.sent)])
        case "run":
            world.run(iter(faults))
        case "people":
            people_act(world, one, other)
        case "time":
            world.passes(TIMES[one % len(TIMES)])
        case "look":
            world.look_is_asked_for()
        case _:
            pass


def lived(world: World, events: Sequence[Event], kinds: Sequence[Kind]) -> World:
    """Let a history happen, then everything arrive that did not, and the lane settle down."""
    for event in events:
        happens(world, event, kinds)
        must_hold(world)
    for arrival in world.sent:
        world.arrives(arrival)
    world.settles_down()
    must_hold(world)
    return world


def fires(world: World, kind: Kind) -> bool:
    """Whether an alert that Azure ends fired and did not end, by what Azure sent."""
    return [a.ended for a in world.sent if a.alert_id == kind.alert_id][-1:] == [False]


def is_told(world: World, kind: Kind) -> bool:
    """Whether an open record tells of an alert, or one that a person ended or deleted who could see it there."""
    return any(
        any(kind.alert_id in text for text in (r.texts if r.seen_at_end is None or r.by_people else r.seen_at_end))
        and (r.state is ToolState.OPEN or r.seen_at_end is not None)
        for r in world.tool.records
    )


@QUICK
@given(EVENTS, KINDS, st.tuples(st.booleans(), st.booleans()), ROUTES)
def test_whatever_happens_every_promise_is_kept(
    events: list[Event], kinds: list[Kind], ways: tuple[bool, bool], route: Route
) -> None:
    """Whatever the order of notifications, faults, crashes and people's changes: never two open records for one key,
    never a resolve lost, no hot loop, every lane ends idle, waiting with a reason or parked with a reason; and in the
    end what fires is told in an open record, or in one that a person ended who could see it there. No person who ends
    a record is fought with: it is opened again once at most.
    """
    world = world_of(route, Tool(tells_revision=ways[0], tells_changes=ways[1]))
    lived(world, events, kinds)
    for kind in filter(lambda k: fires(world, k), BY_ID):
        assert is_told(world, kind), f"{kind.alert_id} fires, and nothing tells of it"


@QUICK
@given(EVENTS, KINDS, ROUTES)
def test_in_the_end_nothing_stays_open_that_ended(events: list[Event], kinds: list[Kind], route: Route) -> None:
    """When the metric alerts have ended and time has passed, nothing is open but what a person opened, whatever kinds
    of alerts shared the work item; while one of them fires, no time limit of another kind closes the work item.
    """
    world = lived(world_of(route), events, kinds)
    world.passes(WEEK * 3)
    world.settles_down()
    must_hold(world)
    item = world.kept.item
    if not any(fires(world, kind) for kind in (*BY_ID, LEGACY)):
        assert all(r.by_people for r in world.tool.open), "something stays open for ever"
    elif (
        item is not None
        and item.hands_off is None
        and any(
            a.firing and a.work_item == item.id and a.alert_id.startswith("metric") for a in world.kept.alerts.values()
        )
    ):
        assert world.tool.open, "a time limit closed what still fires"


@QUICK
@given(EVENTS, KINDS, st.permutations(range(24)), ROUTES)
def test_old_messages_reopen_nothing(events: list[Event], kinds: list[Kind], order: list[int], route: Route) -> None:
    """Everything that was ever said, said once more in any order, changes no record and makes none."""
    world = lived(world_of(route), events, kinds)
    before = [(r.key, r.state) for r in world.tool.records]
    for index in (*order, *reversed(order)):
        if index < len(world.sent):
            world.arrives(world.sent[index])
    world.settles_down()
    must_hold(world)
    assert [(r.key, r.state) for r in world.tool.records] == before


def ending(kinds: Sequence[Kind], order: Callable[[list[Arrival]], Sequence[Arrival]], faults: list[Fault]) -> World:
    """Fire and end alerts, let the notifications arrive in an order, each with a run and its faults."""
    world = World()
    for over in (False, True):
        for kind in kinds:
            world.azure_sends(kind, over=over)
            world.passes(timedelta(minutes=1))
    for arrival in order(list(world.sent)):
        world.arrives(arrival)
        world.run(iter(faults))
        must_hold(world)
        world.passes(timedelta(minutes=1))
    world.settles_down()
    must_hold(world)
    return world


@QUICK
@given(st.lists(NUMBER, max_size=8), st.permutations(range(2)), FAULTS)
def test_one_alert_ends_the_same_in_any_order(repeated: list[int], order: list[int], faults: list[Fault]) -> None:
    """An alert of its own lane becomes one record, and that resolved, in whatever order and however often its two
    notifications come, and whatever goes wrong in between: as when they come in order.
    """

    def any_order(sent: list[Arrival]) -> list[Arrival]:
        return [sent[i % 2] for i in (*repeated, *order)]

    world = ending([METRIC_A], any_order, faults)
    in_order = ending([METRIC_A], list, [])
    assert [(r.key, r.state) for r in world.tool.records] == [(r.key, r.state) for r in in_order.tool.records]
    states = [{n: (a.fired_at, a.ended_at) for n, a in w.kept.alerts.items()} for w in (world, in_order)]
    assert states[0] == states[1]


@pytest.mark.parametrize("order", list(permutations(range(4))))
def test_two_alerts_of_one_work_item_end_in_any_order(order: tuple[int, ...]) -> None:
    """Two alerts of one lane leave nothing open and each is told, in each of the orders of their notifications."""
    world = ending([METRIC_A, METRIC_B], lambda sent: [sent[i] for i in order], [])
    assert not world.tool.open
    texts = " ".join(text for r in world.tool.records for text in r.texts)
    assert METRIC_A.alert_id in texts
    assert METRIC_B.alert_id in texts


@QUICK
@given(st.permutations(range(4)), FAULTS)
def test_a_health_problem_is_decided_by_its_latest_event(order: list[int], faults: list[Fault]) -> None:
    """Alerts with ids of their own tell of one outage that begins, goes on, ends and begins again: in any order the
    last event decides, and it is open.
    """
    world = World()
    for kind, over in ((HEALTH[0], False), (HEALTH[1], False), (HEALTH[2], True), (HEALTH[3], False)):
        world.azure_sends(kind, over=over)
        world.passes(timedelta(minutes=1))
    for index in order:
        world.arrives(world.sent[index])
        world.run(iter(faults))
        must_hold(world)
    world.settles_down()
    assert len(world.tool.open) == 1


@QUICK
@given(EVENTS, EVENTS)
def test_a_restored_store_doubles_nothing(events: list[Event], later: list[Event]) -> None:
    """A store that goes back to an older state finds the record that its later life made: one alert stays one record,
    whatever happened in between, and nothing of it stays open when it has ended.
    """
    world = World(Tool(finds_existing=True))
    for event in events:
        happens(world, event, [METRIC_A])
        must_hold(world)
    kept = world.kept
    for event in later:
        happens(world, event, [METRIC_A])
        must_hold(world)
    world.kept, world.decided = kept, None
    for arrival in world.sent:
        world.arrives(arrival)
    world.settles_down()
    must_hold(world)
    assert sum(r.state is not ToolState.GONE for r in world.tool.records) <= 1
    if not fires(world, METRIC_A):
        assert all(r.by_people for r in world.tool.open)


@QUICK
@given(EVENTS, EVENTS, ROUTES)
def test_a_tool_that_goes_back_in_time_leaves_nothing_open(
    events: list[Event], later: list[Event], route: Route
) -> None:
    """The tool is restored from an old copy of its data: a lane's latest record, which had ended meanwhile, is not left
    open in it.
    """
    world = world_of(route, Tool(tells_changes=True))
    for event in events:
        happens(world, event, [METRIC_A, METRIC_B])
        must_hold(world)
    world.passes(timedelta(minutes=1))
    copy = [replace(record, texts=list(record.texts)) for record in world.tool.records]
    for event in later:
        happens(world, event, [METRIC_A, METRIC_B])
        must_hold(world)
    for arrival in world.sent:
        world.arrives(arrival)
    world.settles_down()
    item = world.kept.item
    for now, then in zip(world.tool.records, copy, strict=False):
        is_latest = item is not None and now.key == item.key
        if is_latest and now.state in {ToolState.RESOLVED, ToolState.CLOSED} and then.state is ToolState.OPEN:
            now.state, now.changed_at, now.revision, now.texts = then.state, then.changed_at, then.revision, then.texts
            now.by_people, now.seen_at_end = then.by_people, None
    world.settles_down()
    if not fires(world, METRIC_A) and not fires(world, METRIC_B):
        assert all(r.by_people for r in world.tool.open), "a record of an old copy stays open"
