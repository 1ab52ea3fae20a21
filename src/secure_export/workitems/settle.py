"""What a step's outcome changes: pure."""

from dataclasses import replace
from datetime import datetime

from secure_export.workitems.outcome import Done, Outcome, Refused, TryLater, Unclear
from secure_export.workitems.retry import RetryPolicy
from secure_export.workitems.work_item import Confirmed, State, StepKind, ToolState, WorkItem

_OVER_IN_TOOL = (ToolState.RESOLVED, ToolState.CLOSED)


def begin(item: WorkItem, step: StepKind) -> WorkItem:
    """Write down that a step is about to be tried: from here on a crash leaves doubt, which a look settles."""
    return item if step is StepKind.LOOK else replace(item, doubt=True)


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
    match outcome:
        case Done(confirmed):
            return _done(item, step, confirmed, now=now, jitter=jitter, retry=retry)
        case TryLater(reason, not_before):
            later = _later(item, reason, not_before, now=now, jitter=jitter, retry=retry)
            return later if step is StepKind.LOOK else replace(later, doubt=False)
        case Refused(reason):
            doubt = item.doubt and step is StepKind.LOOK
            return replace(item, parked=reason, doubt=doubt, waiting="", not_before=None)
        case Unclear(reason):
            return replace(_later(item, reason, None, now=now, jitter=jitter, retry=retry), doubt=True)


def unpark(item: WorkItem) -> WorkItem:
    """A person asks to try again at once."""
    return replace(item, parked=None, attempts=0, not_before=None, waiting="")


def _later(  # noqa: PLR0913 - as above
    item: WorkItem, reason: str, not_before: datetime | None, *, now: datetime, jitter: float, retry: RetryPolicy
) -> WorkItem:
    attempts = item.attempts + 1
    at = retry.next_attempt(attempts, now=now, jitter=jitter)
    return replace(item, attempts=attempts, not_before=max(at, not_before or at), waiting=reason)


def _done(  # noqa: PLR0913 - as above
    item: WorkItem,
    step: StepKind,
    confirmed: Confirmed | None,
    *,
    now: datetime,
    jitter: float,
    retry: RetryPolicy,
) -> WorkItem:
    settled = replace(item, attempts=0, not_before=None, waiting="", doubt=False)
    if confirmed is None:
        return _absent(settled)
    settled = _confirm(settled, confirmed)
    if step is StepKind.RESOLVE and confirmed.state is ToolState.OPEN:
        reason = "the tool took the resolve, but the work item reads back open"
        return _later(replace(settled, attempts=item.attempts), reason, None, now=now, jitter=jitter, retry=retry)
    return _with_peoples_will(item, settled, step, now)


def _absent(item: WorkItem) -> WorkItem:
    """The tool surely has no such work item: never made, or deleted by a person."""
    if item.confirmed is None:
        return item
    gone = replace(item.confirmed, state=ToolState.GONE)
    return _leave(replace(item, confirmed=gone), "it was deleted in the tool: left to the people there")


def _confirm(item: WorkItem, confirmed: Confirmed) -> WorkItem:
    """Keep what the tool says; a look that cannot tell the revision does not take back what is known."""
    known = item.confirmed.revision if item.confirmed else 0
    confirmed = replace(confirmed, revision=max(known, confirmed.revision))
    notes = tuple(n for n in item.desired.notes if n.revision > confirmed.revision)
    return replace(item, confirmed=confirmed, desired=replace(item.desired, notes=notes))


def _with_peoples_will(before: WorkItem, item: WorkItem, step: StepKind, now: datetime) -> WorkItem:
    """What people did in the tool stands."""
    if item.confirmed is None or item.hands_off is not None:
        return item
    state, wanted = item.confirmed.state, item.desired.state
    if state in _OVER_IN_TOOL and wanted is State.OPEN:
        why = "a person closed it in the tool while its alert still fires: left closed"
        desired = replace(item.desired, state=State.RESOLVED, resolution=why)
        return _leave(replace(item, desired=desired, resolved_at=now), why)
    was_over = before.confirmed is not None and before.confirmed.state in _OVER_IN_TOOL
    if step is StepKind.LOOK and state is ToolState.OPEN and was_over:
        return _leave(item, "a person reopened it in the tool after it was resolved: left to them")
    return item


def _leave(item: WorkItem, why: str) -> WorkItem:
    return replace(item, hands_off=why, reasons=(*item.reasons, why))
