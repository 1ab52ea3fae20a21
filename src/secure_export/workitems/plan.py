"""What to do next for a work item: pure."""

from dataclasses import dataclass, replace
from datetime import datetime

from secure_export.workitems import change
from secure_export.workitems.bindings import bound_late
from secure_export.workitems.work_item import Binding, State, StepKind, ToolState, WorkItem


@dataclass(frozen=True, slots=True)
class Do:
    """Take this step now."""

    step: StepKind


@dataclass(frozen=True, slots=True)
class Wait:
    """Nothing can be done before ``until``, because of ``reason``."""

    until: datetime
    reason: str


@dataclass(frozen=True, slots=True)
class Park:
    """A person is needed, because of ``reason``."""

    reason: str


@dataclass(frozen=True, slots=True)
class Rest:
    """Nothing is owed."""


Plan = Do | Wait | Park | Rest


def plan(item: WorkItem | None, *, now: datetime, look: bool = False) -> Plan:
    """Decide what comes next.

    Args:
        item: The lane's latest work item; None when it has none.
        now: The time now.
        look: Whether somebody asked to read the work item back.
    """
    if item is None:
        return Rest()
    asked = look and item.confirmed is not None and item.confirmed.state is not ToolState.GONE
    may_try = item.not_before is None or now >= item.not_before
    if item.parked is not None:
        # A look changes nothing there, and finds out whether a person did by hand what was refused.
        return Do(StepKind.LOOK) if asked and may_try else Park(item.parked)
    needed = StepKind.LOOK if asked else _needed(item)
    if needed is None:
        return Rest()
    if item.not_before is not None and not may_try:
        return Wait(item.not_before, item.waiting)
    return Do(needed)


def _needed(item: WorkItem) -> StepKind | None:
    if item.doubt:
        return StepKind.LOOK
    if not item.owed:
        return None
    if item.confirmed is None:
        return StepKind.CREATE
    if item.to_reopen:
        return StepKind.REOPEN
    return StepKind.RESOLVE if item.desired.state is State.RESOLVED else StepKind.UPDATE


def expire(item: WorkItem, *, now: datetime) -> WorkItem:
    """End a work item whose time is over; any other stays as it is."""
    if item.close_at is None or item.close_at > now or item.over or item.desired.state is State.RESOLVED:
        return item
    return change.resolved(item, "Closed by time: nothing ended it within the time limit that its route sets.", now)


def rebind(item: WorkItem, bindings: tuple[Binding, ...]) -> WorkItem:
    """Take CIs in that were not found before; the work item stays as it is when nothing new was found.

    Args:
        item: The work item.
        bindings: What came of looking up again everything that it names and that was not found.
    """
    content = item.desired.content
    late = bound_late(content.bindings, bindings)
    if late == content.bindings or item.over or item.desired.state is State.RESOLVED:
        return item
    item = change.wanted(item, replace(item.desired, content=replace(content, bindings=late)))
    return change.because(item, "a configuration item appeared in the CMDB: bound")
