"""Work items and arrivals for tables, made short."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from secure_export.alerts.alert import Ending
from secure_export.workitems.arrival import AlertState, Arrival
from secure_export.workitems.fold import Situation, fold
from secure_export.workitems.outcome import Done, Outcome
from secure_export.workitems.retry import RetryPolicy
from secure_export.workitems.settle import begin, settle
from secure_export.workitems.work_item import Confirmed, Content, StepKind, ToolState, WorkItem

NOW = datetime(2026, 1, 1, tzinfo=UTC)
RETRY = RetryPolicy()
EMPTY = Situation("desk", "ci:vm1", None, {})


def minute(number: float) -> datetime:
    """Give a time by its minute."""
    return NOW + timedelta(minutes=number)


def fired(alert: str, at: float = 0, **changes: Any) -> Arrival:
    """Make an arrival that says: it fired."""
    content = Content(f"{alert} is high", "as long as it takes", 2, 2, 3, reasons=("because",))
    arrival = Arrival(
        1,
        alert,
        alert,
        Ending.BY_ID,
        fired=True,
        ended=False,
        event_at=minute(at),
        received_at=minute(at),
        content=content,
    )
    return replace(arrival, **changes)


def ended(alert: str, at: float = 1, **changes: Any) -> Arrival:
    """Make an arrival that says: it is over."""
    return replace(fired(alert, at, **changes), fired=False, ended=True)


def health(alert: str, at: float, *, over: bool = False, **changes: Any) -> Arrival:
    """Make an arrival that tells of an outage in an alert of its own, as service health does."""
    return replace(fired(alert, at, **changes), problem="outage", ending=Ending.BY_TIME, ended=over)


def folded(*arrivals: Arrival, onto: Situation = EMPTY, now: datetime = NOW) -> Situation:
    """Fold arrivals, none of which has to wait."""
    for number, arrival in enumerate(arrivals):
        generation = onto.item.generation if onto.item else 0
        after = fold(onto, arrival, now=now, new_id=f"item-{generation + 1}-{number}")
        assert after is not None, "it had to wait"
        onto = after
    return onto


def item_of(situation: Situation) -> WorkItem:
    """Give the work item that has to be there."""
    assert situation.item is not None
    return situation.item


def opened(*arrivals: Arrival) -> Situation:
    """Fold arrivals, by default one firing, and create the record."""
    situation = folded(*(arrivals or (fired("a"),)))
    return having(situation, told(situation, StepKind.CREATE, ToolState.OPEN))


def told(
    situation: Situation, step: StepKind, state: ToolState, *, revision: int | None = None, at: float = 5
) -> WorkItem:
    """Take a step after which the tool says that the record is in this state."""
    item = item_of(situation)
    ended_at = None if state is ToolState.OPEN else minute(at)
    known = item.desired.revision if revision is None else revision
    confirmed = Confirmed("sys1", "INC1", "", state, known, minute(at), ended_at=ended_at)
    return after(item, step, Done(confirmed), at=at)


def after(item: WorkItem, step: StepKind, outcome: Outcome, *, at: float = 5) -> WorkItem:
    """Begin a step and settle it."""
    return settle(begin(item, step), step, outcome, now=minute(at), jitter=1.0, retry=RETRY)


def having(situation: Situation, item: WorkItem) -> Situation:
    """Give the situation with its work item changed."""
    return replace(situation, item=item)


def state_of(situation: Situation, alert: str) -> AlertState:
    """Give what is known of an alert."""
    return situation.alerts[alert]
