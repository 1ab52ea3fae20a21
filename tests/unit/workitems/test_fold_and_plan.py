"""The life of one alert through fold, plan and settle."""

from datetime import UTC, datetime, timedelta

from secure_export.alerts.alert import Ending
from secure_export.workitems.arrival import Arrival
from secure_export.workitems.fold import Situation, fold
from secure_export.workitems.outcome import Unclear
from secure_export.workitems.plan import Do, plan
from secure_export.workitems.retry import RetryPolicy
from secure_export.workitems.settle import begin, settle
from secure_export.workitems.work_item import Content, State, StepKind

NOW = datetime(2026, 1, 1, tzinfo=UTC)
EMPTY = Situation("desk", "a", None, {})


def arrival(*, ended: bool, minute: int) -> Arrival:
    at = NOW + timedelta(minutes=minute)
    content = Content("CPU is high", "CPU is high", 2, 2, 3)
    return Arrival(minute, "a", "a", Ending.BY_ID, not ended, ended, at, at, content)


def folded(*arrivals: Arrival) -> Situation:
    situation = EMPTY
    for one in arrivals:
        after = fold(situation, one, now=NOW, new_id="item")
        assert after is not None
        situation = after
    return situation


def test_a_firing_opens_one_work_item_however_often_it_is_told() -> None:
    """The same firing told twice is one work item."""
    situation = folded(arrival(ended=False, minute=0), arrival(ended=False, minute=0))
    assert situation.item is not None
    assert situation.item.generation == 1
    assert plan(situation.item, now=NOW) == Do(StepKind.CREATE)


def test_order_does_not_matter_for_the_end() -> None:
    """Resolved before Fired ends where Fired before Resolved ends: a resolved work item."""
    for order in ((False, True), (True, False)):
        situation = folded(*(arrival(ended=ended, minute=int(ended)) for ended in order))
        assert situation.item is not None
        assert situation.item.desired.state is State.RESOLVED


def test_doubt_is_settled_by_a_look_before_anything_else() -> None:
    """After a create without a clear answer the next step is a look, never another create."""
    item = folded(arrival(ended=False, minute=0)).item
    assert item is not None
    begun = begin(item, StepKind.CREATE)
    after = settle(begun, StepKind.CREATE, Unclear("no answer"), now=NOW, jitter=0.0, retry=RetryPolicy())
    assert plan(after, now=NOW + timedelta(hours=1)) == Do(StepKind.LOOK)
