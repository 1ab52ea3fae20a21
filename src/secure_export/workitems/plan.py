"""What to do next for a work item: pure."""

from dataclasses import dataclass, replace
from datetime import datetime

from secure_export.workitems.fold import merged_bindings
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
    if item.parked is not None:
        return Park(item.parked)
    needed = _needed(item, look=look)
    if needed is None:
        return Rest()
    if item.not_before is not None and now < item.not_before:
        return Wait(item.not_before, item.waiting)
    return Do(needed)


def _needed(item: WorkItem, *, look: bool) -> StepKind | None:
    if item.doubt or (look and item.confirmed is not None and item.confirmed.state is not ToolState.GONE):
        return StepKind.LOOK
    if not item.owed:
        return None
    if item.confirmed is None:
        return StepKind.CREATE
    return StepKind.RESOLVE if item.desired.state is State.RESOLVED else StepKind.UPDATE


def expire(item: WorkItem, *, now: datetime) -> WorkItem:
    """End a work item whose time is over; any other stays as it is."""
    if item.close_at is None or item.close_at > now or item.over or item.desired.state is State.RESOLVED:
        return item
    text = "Azure sends no end for alerts of this kind: closed after the time that the route sets."
    desired = replace(item.desired, state=State.RESOLVED, resolution=text, revision=item.desired.revision + 1)
    return replace(item, desired=desired, resolved_at=now, reasons=(*item.reasons, text))


def rebind(item: WorkItem, bindings: tuple[Binding, ...]) -> WorkItem:
    """Take CIs in that were not found before; the work item stays as it is when nothing new was found."""
    content = item.desired.content
    merged = merged_bindings(content.bindings, tuple(b for b in bindings if b.id is not None))
    if merged == content.bindings or item.over or item.desired.state is State.RESOLVED:
        return item
    desired = replace(item.desired, content=replace(content, bindings=merged), revision=item.desired.revision + 1)
    return replace(item, desired=desired, reasons=(*item.reasons, "a configuration item appeared in the CMDB: bound"))
