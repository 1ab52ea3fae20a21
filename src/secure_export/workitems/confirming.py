"""What the tool says of a record, kept beside what was known of it: pure."""

from dataclasses import replace

from secure_export.workitems import change
from secure_export.workitems.work_item import Confirmed, ToolState, WorkItem

OVER_IN_TOOL = (ToolState.RESOLVED, ToolState.CLOSED)
_REMARKS_KEPT = 20


def keep(item: WorkItem, told: Confirmed) -> WorkItem:
    """Keep what the tool says; a look that cannot tell the revision does not take back what is known.

    A revision that we have not reached was written by a later life of this store, before it was restored: it says
    nothing about ours.
    """
    known = item.confirmed.revision if item.confirmed else 0
    revision = max(known, told.revision if told.revision <= item.desired.revision else 0)
    notes = tuple(n for n in item.desired.notes if n.revision > revision)
    # A record that is still to be opened again tells nobody of a firing, whatever it holds.
    is_shown = not item.to_reopen or told.state is ToolState.OPEN
    unseen = tuple(f for f in item.unseen if f.revision > revision) if is_shown else item.unseen
    item = _remarked(item, told.remarks)
    confirmed = replace(
        told,
        revision=revision,
        remarks=_all_remarks(item.confirmed, told.remarks),
        changed_at=told.changed_at or (item.confirmed.changed_at if item.confirmed else None),
    )
    return replace(
        item,
        confirmed=confirmed,
        unseen=unseen,
        desired=replace(item.desired, notes=notes),
        reopening=item.reopening and told.state is ToolState.RESOLVED,
        reopened_in=told.tool_state if item.to_reopen and told.state is ToolState.OPEN else item.reopened_in,
    )


def _all_remarks(known: Confirmed | None, told: tuple[str, ...]) -> tuple[str, ...]:
    """Keep what was remarked so far: a later answer need not repeat it."""
    before = known.remarks if known is not None else ()
    return tuple(dict.fromkeys((*before, *map(change.short, told))))[-_REMARKS_KEPT:]


def _remarked(item: WorkItem, told: tuple[str, ...]) -> WorkItem:
    """Let each new remark be a reason of the work item."""
    known = item.confirmed.remarks if item.confirmed is not None else ()
    for remark in dict.fromkeys(map(change.short, told)):
        item = item if remark in known else change.because(item, remark)
    return item


def is_of_an_old_copy(known: Confirmed | None, told: Confirmed | None) -> bool:
    """Whether a record that was over is open in a state older than that: the tool's data was restored or cloned."""
    return (
        known is not None
        and told is not None
        and known.state in OVER_IN_TOOL
        and told.state is ToolState.OPEN
        and known.changed_at is not None
        and told.changed_at is not None
        and told.changed_at < known.changed_at
    )
