"""What a step's outcome changes: pure."""

from dataclasses import dataclass, replace
from datetime import datetime

from secure_export.workitems import change
from secure_export.workitems.outcome import Done, Outcome, Refused, TryLater, Unclear
from secure_export.workitems.retry import RetryPolicy
from secure_export.workitems.work_item import Confirmed, Firing, State, StepKind, ToolState, WorkItem

_OVER_IN_TOOL = (ToolState.RESOLVED, ToolState.CLOSED)
_NOT_KEPT = {
    StepKind.UPDATE: "the tool took the update, but the work item reads back without it",
    StepKind.RESOLVE: "the tool took the resolve, but the work item reads back open",
}


def begin(item: WorkItem, step: StepKind) -> WorkItem:
    """Write down that a step is about to be tried: from here on a crash leaves doubt, which a look settles."""
    if step is StepKind.LOOK:
        return item
    return replace(item, doubt=True, begun=item.desired.revision if step is StepKind.CREATE else item.begun)


def settle(  # noqa: PLR0913 - everything a decision needs is an argument
    item: WorkItem, step: StepKind, outcome: Outcome, *, now: datetime, jitter: float, retry: RetryPolicy
) -> WorkItem:
    """Take the outcome of a step into account.

    Args:
        item: The work item as it was when the step began.
        step: What was tried.
        outcome: What came of it.
        now: The time now.
        jitter: A random number from 0 to 1 that spreads retries.
        retry: When to try again.
    """
    settling = _Settling(step, now, jitter, retry)
    doubt = item.doubt and step is StepKind.LOOK
    match outcome:
        case Done(confirmed) if confirmed is not None and confirmed.state is not ToolState.GONE:
            return settling.done(item, confirmed)
        case Done() if step is StepKind.CREATE:
            return replace(settling.later(item, "the tool did not say what it made"), doubt=True)
        case Done():
            return settling.absent(item)
        case TryLater(reason, not_before):
            return replace(settling.later(item, reason, not_before), doubt=doubt)
        case Refused(reason):
            return replace(item, parked=change.short(reason), doubt=doubt, waiting="", not_before=None)
        case Unclear(reason):
            # A look that brought nothing leaves what is known as it was: it changed nothing in the tool.
            return replace(settling.later(item, reason), doubt=doubt or step is not StepKind.LOOK)


def unpark(item: WorkItem) -> WorkItem:
    """A person asks to try again at once."""
    return change.tried_again(item)


@dataclass(frozen=True, slots=True)
class _Settling:
    """A step that was tried, and when; see ``settle``."""

    step: StepKind
    now: datetime
    jitter: float
    retry: RetryPolicy

    def later(self, item: WorkItem, reason: str, asked: datetime | None = None) -> WorkItem:
        """Try again after a while."""
        attempts = item.attempts + 1
        at = self.retry.next_attempt(attempts, now=self.now, jitter=self.jitter, asked=asked)
        return replace(item, attempts=attempts, not_before=at, waiting=change.short(reason))

    def absent(self, item: WorkItem) -> WorkItem:
        """The tool surely has no such work item: never made, or deleted by a person."""
        settled = self._answered(item)
        if item.confirmed is None:
            return settled
        gone = replace(settled, confirmed=replace(item.confirmed, state=ToolState.GONE))
        if item.hands_off is not None:
            return gone
        return self._ended_by_people(gone, item, "it was deleted in the tool: left to the people there")

    def done(self, item: WorkItem, confirmed: Confirmed) -> WorkItem:
        """The tool has it, in some state."""
        settled = _confirm(self._answered(item), confirmed)
        if not settled.owed:
            settled = change.tried_again(settled)
        if confirmed.state is ToolState.OPEN and settled.owed and self.step in _NOT_KEPT:
            return self.later(replace(settled, attempts=item.attempts), _NOT_KEPT[self.step])
        return self._with_peoples_will(item, settled)

    def _answered(self, item: WorkItem) -> WorkItem:
        """No doubt is left. A look is no attempt: the failures before it still count, and so does what was refused."""
        parked = None if item.doubt else item.parked
        attempts = item.attempts if self.step is StepKind.LOOK else 0
        return replace(item, attempts=attempts, parked=parked, not_before=None, waiting="", doubt=False)

    def _with_peoples_will(self, before: WorkItem, item: WorkItem) -> WorkItem:
        """What people did in the tool stands."""
        if item.confirmed is None or item.hands_off is not None:
            return item
        state, found = item.confirmed.state, before.confirmed
        if state in _OVER_IN_TOOL and item.desired.state is State.OPEN:
            return self._ended_by_people(item, before, _why_over(before))
        was_over = found is not None and found.state in _OVER_IN_TOOL
        if self.step is StepKind.LOOK and state is ToolState.OPEN and was_over:
            return change.left(item, "a person reopened it in the tool after it was resolved: left to them", self.now)
        return item

    def _ended_by_people(self, item: WorkItem, before: WorkItem, why: str) -> WorkItem:
        """Leave it, unless something fired that the people who ended it could not see in it."""
        unseen = _unseen(before, item.confirmed)
        if unseen and item.desired.state is State.OPEN:
            number = item.confirmed.number if item.confirmed else ""
            reason = f"{number} was over in the tool before it told of a firing: that gets a work item of its own"
            return change.next_generation(item, unseen, reason.strip())
        return change.left(item, why, self.now)


def _confirm(item: WorkItem, told: Confirmed) -> WorkItem:
    """Keep what the tool says; a look that cannot tell the revision does not take back what is known.

    A revision that we have not reached was written by a later life of this store, before it was restored: it says
    nothing about ours.
    """
    known = item.confirmed.revision if item.confirmed else 0
    revision = max(known, told.revision if told.revision <= item.desired.revision else 0)
    notes = tuple(n for n in item.desired.notes if n.revision > revision)
    unseen = tuple(f for f in item.unseen if f.revision > revision)
    confirmed = replace(told, revision=revision)
    return replace(item, confirmed=confirmed, unseen=unseen, desired=replace(item.desired, notes=notes))


def _unseen(before: WorkItem, confirmed: Confirmed | None) -> tuple[Firing, ...]:
    """Give the firings that a record which is over could not tell of.

    One that we know of lacks all that is kept as unseen. One that is found may be ours, by a create whose answer was
    lost: it lacks what fired after that began. Or it was there before us, because our store was restored or its history
    deleted: it lacks what fired after its end.
    """
    if before.confirmed is not None:
        return before.unseen
    ended_at = confirmed.ended_at if confirmed is not None else None
    return tuple(f for f in before.unseen if f.revision > before.begun or (ended_at is not None and f.at > ended_at))


def _why_over(before: WorkItem) -> str:
    if before.confirmed is None:
        return "the tool has a record of it that is over already: left closed"
    return "a person closed it in the tool while its alert still fires: left closed"
