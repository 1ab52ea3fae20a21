"""What a step's outcome changes: pure."""

from dataclasses import dataclass, replace
from datetime import datetime

from secure_export.workitems import change
from secure_export.workitems.confirming import OVER_IN_TOOL, is_of_an_old_copy, keep
from secure_export.workitems.outcome import Done, Outcome, Refused, TryLater, Unclear
from secure_export.workitems.peoples_act import ENDED_AGAIN_BY_A_PERSON, ENDED_BY_A_PERSON
from secure_export.workitems.retry import RetryPolicy
from secure_export.workitems.work_item import Confirmed, Firing, State, StepKind, ToolState, WhenPeopleEnd, WorkItem

_NOT_KEPT = {
    StepKind.UPDATE: "the tool took the update, but the work item reads back without it",
    StepKind.RESOLVE: "the tool took the resolve, but the work item reads back open",
}
_REOPENING_NOT_KEPT = "the tool took the reopening, but the work item reads back resolved"
_REOPENED_AT_MOST = 3


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
            return settling.refused(replace(item, doubt=doubt), reason)
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

    def refused(self, item: WorkItem, reason: str) -> WorkItem:
        """A person is needed; not so for a reopening, in whose place there may be a new record."""
        if self.step is StepKind.REOPEN:
            return self.cannot_reopen(item, f"the tool refused it ({change.short(reason)})")
        why = change.short(reason)
        return replace(item, parked=why, refusal=why, waiting="", not_before=None)

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
        settled = keep(self._answered(item), confirmed)
        if not settled.owed:
            settled = replace(change.tried_again(settled), refusal="")
        if confirmed.state is ToolState.OPEN and settled.owed and self.step in _NOT_KEPT:
            still = replace(settled, attempts=item.attempts, refusal=item.refusal)
            return self.later(still, _NOT_KEPT[self.step])
        return self._with_peoples_will(item, settled)

    def _answered(self, item: WorkItem) -> WorkItem:
        """No doubt is left. A look is no attempt: the failures before it still count.

        What was refused before a look is tried once more after it: a person may have mended the cause.
        """
        is_look = self.step is StepKind.LOOK
        return replace(
            item,
            attempts=item.attempts if is_look else 0,
            parked=None,
            refusal=item.refusal if is_look else "",
            not_before=None,
            waiting="",
            doubt=False,
        )

    def _with_peoples_will(self, before: WorkItem, item: WorkItem) -> WorkItem:
        """What people did in the tool stands."""
        if self.step is StepKind.LOOK and is_of_an_old_copy(before.confirmed, item.confirmed):
            return _over_again(item)
        if item.confirmed is None or item.hands_off is not None:
            return item
        if before.to_reopen:
            return self._after_reopening(before, item, item.confirmed)
        state, found = item.confirmed.state, before.confirmed
        if state in OVER_IN_TOOL and item.desired.state is State.OPEN:
            return self._ended_by_people(item, before, _why_over(before))
        was_over = found is not None and found.state in OVER_IN_TOOL
        if self.step is StepKind.LOOK and state is ToolState.OPEN and was_over:
            return change.left(item, "a person reopened it in the tool after it was resolved: left to them", self.now)
        return item

    def _after_reopening(self, before: WorkItem, item: WorkItem, confirmed: Confirmed) -> WorkItem:
        """Its record was to be opened again: that is owed until it is open, or turns out to be impossible."""
        if confirmed.state is ToolState.OPEN:
            return item
        if confirmed.state is ToolState.CLOSED:
            return self.cannot_reopen(item, "it is closed for good in the tool")
        if self.step is StepKind.LOOK:
            again = before.insisted and confirmed.revision >= before.insisted
            return self._ended_by_people(item, before, _why_over(before)) if again else item
        if before.attempts + 1 < _REOPENED_AT_MOST:
            return self.later(replace(item, attempts=before.attempts), _REOPENING_NOT_KEPT)
        return self.cannot_reopen(item, _REOPENING_NOT_KEPT)

    def cannot_reopen(self, item: WorkItem, why: str) -> WorkItem:
        """Give a reopening up: what it could not tell of gets a record of its own, and any other is left as it is."""
        if item.desired.state is State.RESOLVED:
            return change.not_reopened(item, f"it was not opened again, and its problem is over: {why}", self.now)
        if item.unseen:
            return change.next_generation(item, item.unseen, f"it fired again, and gets a record of its own: {why}")
        return change.left(item, f"it was not opened again, and is left to the people in the tool: {why}", self.now)

    def _ended_by_people(self, item: WorkItem, before: WorkItem, why: str) -> WorkItem:
        """Leave it, unless its route insists, or something fired that the people who ended it could not see in it."""
        if _insists(before, item):
            return change.insisted(item)
        unseen = _unseen(before, item.confirmed)
        if unseen and item.desired.state is State.OPEN:
            number = item.confirmed.number if item.confirmed else ""
            reason = f"{number} was over in the tool before it told of a firing: that gets a work item of its own"
            return change.next_generation(item, unseen, reason.strip())
        return change.left(item, why, self.now)


def _over_again(item: WorkItem) -> WorkItem:
    """Owe the resolve of a record that came back open from an old copy; nobody opened it."""
    if item.desired.state is State.OPEN:
        return item
    why = "the tool's record came back open from an older copy of its data, and no person opened it: resolved again"
    return change.because(replace(item, hands_off=None), why)


def _insists(before: WorkItem, item: WorkItem) -> bool:
    """Whether a record that a person resolved is opened again: once, and never one that is closed for good."""
    return (
        before.when_people_end is WhenPeopleEnd.REOPEN
        and before.confirmed is not None
        and not before.insisted
        and item.desired.state is State.OPEN
        and item.confirmed is not None
        and item.confirmed.state is ToolState.RESOLVED
    )


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
    if before.insisted:
        return ENDED_AGAIN_BY_A_PERSON
    return ENDED_BY_A_PERSON
