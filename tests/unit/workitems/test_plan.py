"""What comes next, what time ends, what is bound late, and when to try again: a sentence per row."""

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.unit.workitems.samples import NOW, after, ended, fired, folded, having, item_of, minute, opened, told

from secure_export.workitems.outcome import Refused, TryLater, Unclear
from secure_export.workitems.plan import Do, Park, Plan, Rest, Wait, expire, plan, rebind
from secure_export.workitems.retry import RetryPolicy
from secure_export.workitems.work_item import Binding, State, StepKind, ToolState, WorkItem

DAY = timedelta(days=1)
LOOK, CREATE, UPDATE, RESOLVE = StepKind.LOOK, StepKind.CREATE, StepKind.UPDATE, StepKind.RESOLVE
NEW = item_of(folded(fired("a")))
SHORT = item_of(folded(fired("a"), ended("a")))
QUIET = item_of(opened())
JOINED = item_of(folded(fired("b"), onto=opened()))
OVER = item_of(folded(ended("a"), onto=opened()))
DONE = told(having(opened(), OVER), RESOLVE, ToolState.RESOLVED)
CLOSED = told(opened(), LOOK, ToolState.CLOSED)
GONE = replace(CLOSED, confirmed=replace(CLOSED.confirmed, state=ToolState.GONE)) if CLOSED.confirmed else CLOSED
WAITING = replace(NEW, not_before=minute(9), waiting="the tool is down")

ROWS: list[tuple[str, WorkItem | None, bool, Plan]] = [
    ("without a work item nothing is owed", None, False, Rest()),
    ("without a work item nothing is looked at", None, True, Rest()),
    ("one that does not exist yet is created", NEW, False, Do(CREATE)),
    ("one that does not exist yet is not looked for", NEW, True, Do(CREATE)),
    ("one that began and ended meanwhile is created first", SHORT, False, Do(CREATE)),
    ("one that is as it should be rests", QUIET, False, Rest()),
    ("one that has something to tell is updated", JOINED, False, Do(UPDATE)),
    ("one that is over is resolved", OVER, False, Do(RESOLVE)),
    ("one that is resolved rests", DONE, False, Rest()),
    ("one that is left to people rests", CLOSED, False, Rest()),
    ("a look that was asked for comes first", OVER, True, Do(LOOK)),
    ("what is resolved is looked at, for people may open it", DONE, True, Do(LOOK)),
    ("what people closed is looked at, for they may open it", CLOSED, True, Do(LOOK)),
    ("what is gone is not looked at", GONE, True, Rest()),
    ("doubt is settled first", replace(OVER, doubt=True), False, Do(LOOK)),
    ("nothing is done before its time", WAITING, False, Wait(minute(9), "the tool is down")),
    ("at its time it is", replace(WAITING, not_before=minute(5)), False, Do(CREATE)),
    ("a look waits too", replace(QUIET, not_before=minute(9), waiting="down"), True, Wait(minute(9), "down")),
    ("nothing owed, nothing to wait for", replace(QUIET, not_before=minute(9)), False, Rest()),
    ("what is parked needs a person", replace(NEW, parked="no group"), False, Park("no group")),
    ("what is parked in doubt too", replace(NEW, parked="no right", doubt=True), False, Park("no right")),
    ("what is parked and in the tool is looked at", replace(OVER, parked="no code"), True, Do(LOOK)),
    ("but not before its time", replace(OVER, parked="no", not_before=minute(9), waiting="x"), True, Park("no")),
]


@pytest.mark.parametrize(("item", "look", "expected"), [row[1:] for row in ROWS], ids=[row[0] for row in ROWS])
def test_what_comes_next(item: WorkItem | None, *, look: bool, expected: Plan) -> None:
    """One thing comes next, and waiting and parking carry their reason."""
    assert plan(item, now=minute(5), look=look) == expected


LIMITED = item_of(opened(fired("a", close_after=DAY)))
FRESH = item_of(folded(fired("a", close_after=DAY)))
EXPIRING: list[tuple[str, WorkItem, float, bool]] = [
    ("before its time it stays", LIMITED, 24 * 60 - 1, False),
    ("at its time it ends", LIMITED, 24 * 60, True),
    ("long after its time it ends", LIMITED, 99 * 60, True),
    ("without a limit it stays", QUIET, 9e6, False),
    ("in doubt it ends too: the look comes first anyway", replace(LIMITED, doubt=True), 24 * 60, True),
    ("parked it ends too, and is tried again", replace(LIMITED, parked="no group"), 24 * 60, True),
    ("before it exists in the tool it ends too", FRESH, 24 * 60, True),
    ("what is left to people stays", told(opened(fired("a", close_after=DAY)), LOOK, ToolState.CLOSED), 9e6, False),
]


@pytest.mark.parametrize(("item", "at", "ends"), [row[1:] for row in EXPIRING], ids=[row[0] for row in EXPIRING])
def test_what_time_ends(item: WorkItem, at: float, *, ends: bool) -> None:
    """An alert that never resolves has a defined end."""
    expired = expire(item, now=minute(at))
    if not ends:
        assert expired == item
        return
    assert expired.desired.state is State.RESOLVED
    assert expired.owed
    assert expired.parked is None
    assert expired.resolved_at == minute(at)
    assert "time" in expired.desired.resolution
    assert expire(expired, now=minute(at)) == expired


def test_a_problem_that_fires_after_time_ended_it_gets_its_own_limit() -> None:
    """Closed by time, the tool down, and another alert fires: it stays open for as long as the new one lives."""
    expired = expire(LIMITED, now=minute(24 * 60))
    again = folded(fired("b", 25 * 60, close_after=DAY), onto=having(opened(fired("a", close_after=DAY)), expired))
    assert item_of(again).desired.state is State.OPEN
    assert item_of(again).close_at == minute(49 * 60)


MISSING = Binding(None, "/subscriptions/s/vm1", "resource-id", "not in the CMDB")
AMBIGUOUS = Binding(None, "vm2", "name-ambiguous", "two of that name")
NAMELESS = Binding(None, "", "nothing-named", "the alert names nothing")
FOUND = Binding("1", "vm1", "resource-id", "found by its resource id")
KEPT = Binding("2", "vm9", "name", "found by name")
BINDINGS = [
    ("what was found takes the place of what was not, whatever its name", (MISSING,), (FOUND,), (FOUND,)),
    ("all bindings as they are now are taken as they are", (MISSING, KEPT), (FOUND, KEPT), (FOUND, KEPT)),
    ("what is still missing stays", (MISSING, AMBIGUOUS), (FOUND, AMBIGUOUS), (FOUND, AMBIGUOUS)),
    ("what was bound stays", (KEPT, MISSING), (FOUND,), (KEPT, FOUND)),
    ("what named nothing stays", (NAMELESS, MISSING), (FOUND,), (NAMELESS, FOUND)),
    ("one that was bound already is not bound twice", (KEPT, AMBIGUOUS), (KEPT,), (KEPT,)),
    ("nothing found changes nothing", (MISSING,), (MISSING,), None),
    ("the same answer changes nothing", (AMBIGUOUS, KEPT), (AMBIGUOUS, KEPT), None),
    ("no answer changes nothing", (MISSING,), (), None),
]


def bound(item: WorkItem, bindings: tuple[Binding, ...]) -> WorkItem:
    """The work item with these bindings."""
    return replace(item, desired=replace(item.desired, content=replace(item.desired.content, bindings=bindings)))


@pytest.mark.parametrize(("old", "new", "expected"), [row[1:] for row in BINDINGS], ids=[row[0] for row in BINDINGS])
def test_what_is_bound_late(
    old: tuple[Binding, ...], new: tuple[Binding, ...], expected: tuple[Binding, ...] | None
) -> None:
    """A CI that appears is bound, once, and owed to the tool."""
    item = bound(QUIET, old)
    late = rebind(item, new)
    if expected is None:
        assert late == item
        return
    assert late.desired.content.bindings == expected
    assert plan(late, now=NOW) == Do(UPDATE)
    assert "bound" in late.reasons[-1]
    assert rebind(late, late.desired.content.bindings) == late


@pytest.mark.parametrize("item", [OVER, DONE, CLOSED], ids=["to be resolved", "resolved", "left to people"])
def test_what_has_ended_is_not_bound(item: WorkItem) -> None:
    """Nobody looks for a CI of what is over."""
    item = bound(item, (MISSING,))
    assert rebind(item, (FOUND,)) == item


WAITS = [
    ("the first wait", 1, 1.0, 2.0),
    ("the first wait, spread to its half", 1, 0.0, 1.0),
    ("each doubles", 4, 1.0, 16.0),
    ("none is longer than the longest", 9, 1.0, 300.0),
    ("not even after very many", 10_000, 1.0, 300.0),
]


@pytest.mark.parametrize(("attempts", "jitter", "seconds"), [row[1:] for row in WAITS], ids=[row[0] for row in WAITS])
def test_how_long_to_wait(attempts: int, jitter: float, seconds: float) -> None:
    """Waits double up to a longest one."""
    assert RetryPolicy().next_attempt(attempts, now=NOW, jitter=jitter) == NOW + timedelta(seconds=seconds)


@given(st.integers(1, 100), st.floats(0, 1), st.floats(-1e6, 1e8))
def test_a_wait_is_never_for_ever(attempts: int, jitter: float, asked: float) -> None:
    """Whatever a tool asks for, the next attempt is within an hour, and not before what was asked for within it."""
    at = RetryPolicy().next_attempt(attempts, now=NOW, jitter=jitter, asked=NOW + timedelta(seconds=asked))
    assert NOW < at <= NOW + timedelta(hours=1)
    assert at >= NOW + timedelta(seconds=min(asked, 3600.0))


def test_waits_of_other_steps_are_kept_while_the_tool_is_down() -> None:
    """A thousand updates while the tool is down are no thousand calls: what is wanted anew waits with the rest."""
    situation = opened()
    item = after(item_of(folded(fired("b"), onto=situation)), UPDATE, TryLater("the tool is down"), at=5)
    more = item_of(folded(*(fired(f"x{n}") for n in range(50)), onto=having(situation, item)))
    assert isinstance(plan(more, now=minute(5)), Wait)


def test_every_lane_that_is_not_idle_says_why() -> None:
    """Unclear, put off and refused: each leaves a reason where an operator reads it."""
    for outcome in (Unclear("cut off"), TryLater("busy"), Refused("no group")):
        decided = plan(after(NEW, CREATE, outcome), now=minute(5))
        assert isinstance(decided, Wait | Park)
        assert decided.reason == outcome.reason
