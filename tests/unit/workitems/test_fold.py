"""What notifications change: a sentence per row."""

# ruff: noqa: E501 - a table reads best with a row a line

from dataclasses import replace
from datetime import timedelta

import pytest
from tests.unit.workitems.samples import (
    EMPTY,
    NOW,
    after,
    ended,
    fired,
    folded,
    having,
    health,
    item_of,
    minute,
    opened,
    state_of,
    told,
)

from secure_export.workitems.arrival import Arrival
from secure_export.workitems.fold import Situation, fold
from secure_export.workitems.outcome import Refused, Unclear
from secure_export.workitems.plan import expire
from secure_export.workitems.work_item import Binding, State, StepKind, ToolState, WorkItem

OPEN, RESOLVED = State.OPEN, State.RESOLVED
DAY = timedelta(days=1)
NONE_KEPT = {"record_short_lived": False}

FROM_NOTHING: list[tuple[str, list[Arrival], tuple[int, State | None, list[str]]]] = [
    ("a firing makes a work item", [fired("a")], (1, OPEN, ["a"])),
    ("the same firing twice makes one", [fired("a"), fired("a")], (1, OPEN, ["a"])),
    ("the same firing with another time makes one", [fired("a"), fired("a", 9)], (1, OPEN, ["a"])),
    ("an end resolves it", [fired("a"), ended("a")], (1, RESOLVED, [])),
    ("an end before its firing leads to the same", [ended("a"), fired("a")], (1, RESOLVED, [])),
    ("an end before its firing, by a clock that says so, too", [ended("a", 0), fired("a", 5)], (1, RESOLVED, [])),
    ("an end alone makes nothing", [ended("a")], (0, None, [])),
    ("an end twice makes nothing either", [ended("a"), ended("a", 7)], (0, None, [])),
    ("a late duplicate of the firing reopens nothing", [fired("a"), ended("a"), fired("a")], (1, RESOLVED, [])),
    ("nor does the firing after end and firing", [ended("a"), fired("a"), fired("a", 9)], (1, RESOLVED, [])),
    ("two alerts of one key share the work item", [fired("a"), fired("b")], (1, OPEN, ["a", "b"])),
    ("the first end of two is no end", [fired("a"), fired("b"), ended("a")], (1, OPEN, ["b"])),
    ("the last end of two is one", [fired("a"), fired("b"), ended("a"), ended("b")], (1, RESOLVED, [])),
    ("an alert that ended already does not hold it open", [ended("b"), fired("a"), fired("b"), ended("a")], (1, RESOLVED, [])),
    ("a firing before the tool heard of the end keeps it", [fired("a"), ended("a"), fired("b", 2)], (1, OPEN, ["b"])),
    ("short-lived, and none is kept: in order", [fired("a", **NONE_KEPT), ended("a", **NONE_KEPT)], (1, RESOLVED, [])),
    ("short-lived, and none is kept: end first", [ended("a", **NONE_KEPT), fired("a", **NONE_KEPT)], (0, None, [])),
    ("an outage told twice is one", [health("h1", 1), health("h2", 3)], (1, OPEN, ["h1", "h2"])),
    ("its end ends all that told of it", [health("h1", 1), health("h2", 3), health("h3", 5, over=True)], (1, RESOLVED, [])),
    ("an outage that is over when first heard of is recorded", [health("h1", 5, over=True)], (1, RESOLVED, [])),
    ("its beginning, heard of late, changes nothing", [health("h2", 5, over=True), health("h1", 1)], (1, RESOLVED, [])),
    ("a later event opens it again", [health("h1", 1), health("h2", 5, over=True), health("h3", 7)], (1, OPEN, ["h3"])),
    ("in whatever order they come", [health("h3", 7), health("h2", 5, over=True), health("h1", 1)], (1, OPEN, ["h3"])),
    ("at the same time the end counts", [health("h1", 5), health("h2", 5, over=True)], (1, RESOLVED, [])),
    ("at the same time the end counts, the other way too", [health("h2", 5, over=True), health("h1", 5)], (1, RESOLVED, [])),
    ("an alert that says it is over after it said it is not", [health("h1", 5), health("h1", 5, over=True)], (1, RESOLVED, [])),
]  # fmt: skip


@pytest.mark.parametrize(("arrivals", "expected"), [row[1:] for row in FROM_NOTHING], ids=[r[0] for r in FROM_NOTHING])
def test_what_comes_of_nothing(arrivals: list[Arrival], expected: tuple[int, State | None, list[str]]) -> None:
    """From nothing: the work item's generation (0: there is none), its state, and which alerts fire."""
    situation = folded(*arrivals)
    item = situation.item
    firing = sorted(name for name, alert in situation.alerts.items() if alert.firing)
    assert (item.generation if item else 0, item.desired.state if item else None, firing) == expected


def closed(state: ToolState) -> Situation:
    """A work item that a person ended in the tool while its alert fires."""
    situation = opened()
    return having(situation, told(situation, StepKind.LOOK, state))


def resolved(*arrivals: Arrival) -> Situation:
    """A work item that ended, and the tool knows it."""
    situation = folded(ended("a"), onto=opened(*arrivals))
    return having(situation, told(situation, StepKind.RESOLVE, ToolState.RESOLVED))


def reopened() -> Situation:
    """A work item that a person opened again after its end."""
    situation = resolved()
    return having(situation, told(situation, StepKind.LOOK, ToolState.OPEN))


def outage_over() -> Situation:
    """An outage that ended, and the tool knows it; its first message is still under way."""
    situation = folded(health("h3", 5, over=True), onto=opened(health("h2", 2)))
    return having(situation, told(situation, StepKind.RESOLVE, ToolState.RESOLVED))


LATER: list[tuple[str, Situation, Arrival, tuple[int, State]]] = [
    ("a new problem after the end gets a new work item", resolved(), fired("b", 9), (2, OPEN)),
    ("an old firing after the end gets none", resolved(), fired("a", 0), (1, RESOLVED)),
    ("an old end after the end changes nothing", resolved(), ended("a", 1), (1, RESOLVED)),
    ("what a person closed is not reopened by a duplicate", closed(ToolState.CLOSED), fired("a"), (1, RESOLVED)),
    ("the end of what a person closed changes nothing", closed(ToolState.RESOLVED), ended("a"), (1, RESOLVED)),
    ("another problem after a person closed gets a new one", closed(ToolState.CLOSED), fired("b", 9), (2, OPEN)),
    ("another problem after a person deleted gets a new one", closed(ToolState.GONE), fired("b", 9), (2, OPEN)),
    ("a late message of an outage that is over reopens nothing", outage_over(), health("h1", 1), (1, RESOLVED)),
    ("a later one than its end gets a new work item", outage_over(), health("h4", 7), (2, OPEN)),
    ("another problem joins what a person opened again", reopened(), fired("b", 9), (1, OPEN)),
]


@pytest.mark.parametrize(("before", "arrival", "expected"), [row[1:] for row in LATER], ids=[row[0] for row in LATER])
def test_what_comes_after_an_end(before: Situation, arrival: Arrival, expected: tuple[int, State]) -> None:
    """After an end, whoever made it: the generation of the latest work item, and its state."""
    item = item_of(folded(arrival, onto=before))
    assert (item.generation, item.desired.state) == expected


def test_a_new_problem_waits_while_it_is_not_known_whether_the_resolve_was_done() -> None:
    """Fired while a resolve is in doubt: whether this work item stays open or a new one is made, a look tells."""
    situation = folded(ended("a"), onto=opened())
    situation = having(situation, after(item_of(situation), StepKind.RESOLVE, Unclear("no answer")))
    assert fold(situation, fired("b", 9), now=NOW, new_id="new") is None


def test_an_update_of_an_outage_that_a_person_closed_reopens_nothing_until_it_was_silent() -> None:
    """Service health tells of one outage again and again: closed by a person it stays closed, until its end, or until
    it was silent for as long as its work item would have lived.
    """
    situation = opened(health("h1", 1, close_after=DAY))
    situation = having(situation, told(situation, StepKind.LOOK, ToolState.CLOSED))
    situation = folded(health("h2", 60 * 20, close_after=DAY), onto=situation)
    assert item_of(situation).generation == 1
    situation = folded(health("h3", 60 * 40, close_after=DAY), onto=situation)
    assert item_of(situation).generation == 1, "each message moves the limit on"
    assert "nothing is reopened" in state_of(situation, "h3").reasons[-1]
    situation = folded(health("h4", 60 * 70, close_after=DAY), onto=situation)
    assert item_of(situation).generation == 2


def test_an_old_update_of_an_outage_that_time_closed_reopens_nothing() -> None:
    """Delivered after the closing but said before it: old. Said after it: news."""
    situation = opened(health("h1", 1, close_after=DAY))
    situation = having(situation, expire(item_of(situation), now=minute(60 * 30)))
    old = folded(health("h2", 60 * 29, close_after=DAY), onto=situation)
    assert item_of(old).desired.state is RESOLVED
    news = folded(health("h3", 60 * 31, close_after=DAY), onto=old)
    assert item_of(news).desired.state is OPEN


def test_an_older_end_does_not_hide_that_the_same_alert_fires_again() -> None:
    """Activated, then late the Deactivated before it: the alert still fires, and its own end still ends it."""
    again = folded(health("h", 10), replace(health("h", 5), fired=False, ended=True))
    assert state_of(again, "h").firing
    over = folded(replace(health("h", 15), fired=False, ended=True), onto=again)
    assert item_of(over).desired.state is RESOLVED


def test_an_outage_heard_of_after_its_end_is_recorded_although_an_earlier_one_was() -> None:
    """Began, ended, and a second outage whose beginning comes last: the second is recorded too, and resolved."""
    first = opened(health("h1", 1))
    first = folded(health("h2", 3, over=True), onto=first)
    first = having(first, told(first, StepKind.RESOLVE, ToolState.RESOLVED))
    both = folded(health("h4", 12, over=True), health("h3", 10), onto=first)
    assert (item_of(both).generation, item_of(both).desired.state) == (2, RESOLVED)


LIMITS = [
    ("without a limit time ends nothing", [fired("a")], None),
    ("with one limit that counts", [fired("a", close_after=DAY)], minute(24 * 60)),
    ("of two limits the later counts", [fired("a", close_after=2 * DAY), fired("b", 60, close_after=DAY)], minute(48 * 60)),
    ("while an alert without limit fires none counts", [fired("a", close_after=DAY), fired("b")], None),
    ("when it ended the limit counts again", [fired("a", close_after=DAY), fired("b"), ended("b")], minute(24 * 60)),
    ("told twice it still counts once", [fired("a", close_after=DAY), fired("b"), fired("b"), ended("b")], minute(24 * 60)),
    (
        "fired again without an end between it counts once",
        [fired("a", close_after=DAY), health("h1", 1), health("h1", 3), health("h2", 5, over=True)],
        minute(24 * 60),
    ),
    (
        "the end of one that has a limit lifts no other's",
        [fired("a", close_after=DAY), fired("b"), fired("c", close_after=DAY), ended("c", close_after=DAY)],
        None,
    ),
]  # fmt: skip


@pytest.mark.parametrize(("arrivals", "close_at"), [row[1:] for row in LIMITS], ids=[row[0] for row in LIMITS])
def test_when_time_ends_a_work_item(arrivals: list[Arrival], close_at: object) -> None:
    """In a shared work item time ends only what Azure will not end."""
    assert item_of(folded(*arrivals)).close_at == close_at


def test_a_short_lived_problem_that_is_not_kept_is_never_made_in_the_tool() -> None:
    """Fired and resolved before its record was made, on a route that keeps none of those: nothing is owed."""
    item = item_of(folded(fired("a", **NONE_KEPT), ended("a", **NONE_KEPT)))
    assert not item.owed
    assert item.over
    assert "keeps no record" in (item.hands_off or "")


def test_what_was_never_made_gives_its_place_to_the_next_problem() -> None:
    """Nothing of the first is in the tool, and one transaction keeps one work item: the next problem takes its place."""
    short = folded(fired("a", **NONE_KEPT), ended("a", **NONE_KEPT))
    item = item_of(folded(fired("b", 2), onto=short))
    assert (item.id, item.generation) == (item_of(short).id, 1)
    assert item.desired.content.title == "b is high"
    assert item.owed


def test_a_short_lived_problem_is_resolved_when_its_record_may_exist() -> None:
    """The same while a create is in doubt: what may be there has to be ended."""
    situation = folded(fired("a", **NONE_KEPT))
    situation = having(situation, after(item_of(situation), StepKind.CREATE, Unclear("no answer")))
    item = item_of(folded(ended("a", **NONE_KEPT), onto=situation))
    assert item.desired.state is RESOLVED
    assert item.owed


PARKED = [
    ("a resolve wants something else", ended("a"), False),
    ("a joining alert wants something else", fired("b"), False),
    ("a repetition wants nothing new", fired("a"), True),
]


@pytest.mark.parametrize(("arrival", "still"), [row[1:] for row in PARKED], ids=[row[0] for row in PARKED])
def test_a_parked_work_item_is_tried_again_when_something_else_is_wanted(arrival: Arrival, *, still: bool) -> None:
    """The tool refused an earlier wish; only what is wanted anew is tried, once."""
    situation = folded(fired("a"))
    situation = having(situation, after(item_of(situation), StepKind.CREATE, Refused("assignment group is mandatory")))
    item = item_of(folded(arrival, onto=situation))
    assert (item.parked == "assignment group is mandatory") is still


def limited(situation: Situation) -> WorkItem:
    """The work item with a time limit that is over."""
    return replace(item_of(situation), close_at=NOW)


def test_notes_and_reasons_are_bounded() -> None:
    """However long an outage flaps, the work item stays small, and says that earlier notes were left out."""
    situation = folded(*(fired(f"a{n}") for n in range(200)))
    item = item_of(situation)
    assert len(item.desired.notes) == 50
    assert item.desired.notes[0].text == "Earlier notes of this outage were left out."
    assert item.desired.notes[-1].text == "Fired in Azure: a199 is high"
    assert [n.revision for n in item.desired.notes] == sorted({n.revision for n in item.desired.notes})
    assert len(item.unseen) <= 50
    for number in range(30):
        situation = folded(fired(f"b{number}"), onto=having(situation, expire(limited(situation), now=minute(9e6))))
    assert len(item_of(situation).reasons) == 20
    many = folded(*(fired("a", n) for n in range(100)), *(ended("a", n) for n in range(100)), onto=EMPTY)
    assert len(state_of(many, "a").reasons) <= 20


def test_a_joining_alert_brings_its_configuration_items() -> None:
    """A CI that was not found is replaced when it is found; nothing is named twice."""
    missing = Binding(None, "VM1", "name", "not in the CMDB")
    found = Binding("7", "vm1", "name", "found by name")
    other = Binding("8", "vm2", "name", "found by name")
    first, second = fired("a"), fired("b")
    first = replace(first, content=replace(first.content, bindings=(missing,)))
    second = replace(second, content=replace(second.content, bindings=(found, other, missing)))
    assert item_of(folded(first, second)).desired.content.bindings == (found, other)


def test_a_store_can_be_given_other_alerts_as_a_number() -> None:
    """Alerts that are not loaded but still fire keep the work item open."""
    situation = replace(opened(), others_firing=2)
    item = item_of(folded(ended("a"), onto=situation))
    assert item.desired.state is OPEN
    assert item.desired.notes[-1].text == "Resolved in Azure: a is high (2 of its alerts still fire)"
