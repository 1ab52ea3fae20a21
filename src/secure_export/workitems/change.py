"""The changes that a work item goes through, each with its reason: pure."""

from dataclasses import replace
from datetime import datetime

from secure_export.workitems.arrival import Arrival
from secure_export.workitems.bindings import merged_bindings
from secure_export.workitems.work_item import Desired, Firing, Note, State, WorkItem

REASONS_KEPT = 20
NOTES_KEPT = 50
UNSEEN_KEPT = 50
_LONGEST_REASON = 500


def short(reason: str) -> str:
    """Keep a reason readable: tools answer with whole pages, or with nothing."""
    text = reason.strip() or "no reason was given"
    return text if len(text) <= _LONGEST_REASON else f"{text[: _LONGEST_REASON - 1]}…"


def because(item: WorkItem, reason: str) -> WorkItem:
    """Add a reason; of very many the oldest are forgotten."""
    return replace(item, reasons=(*item.reasons, short(reason))[-REASONS_KEPT:])


def tried_again(item: WorkItem) -> WorkItem:
    """Take a work item out of parking or waiting."""
    return replace(item, parked=None, attempts=0, not_before=None, waiting="")


def wanted(item: WorkItem, desired: Desired) -> WorkItem:
    """Desire something else, as the next revision.

    What a tool refused was an earlier wish, so a parked work item is tried once more. One that waits goes on waiting.
    """
    item = replace(item, desired=replace(desired, revision=item.desired.revision + 1))
    return tried_again(item) if item.parked is not None else item


def with_note(item: WorkItem, text: str) -> WorkItem:
    """Owe the tool a note; of very many the oldest make room, and the first that is left says so."""
    notes = (*item.desired.notes, Note(item.desired.revision + 1, text))
    if len(notes) > NOTES_KEPT:
        left_out = Note(notes[1].revision, "Earlier notes of this outage were left out.")
        notes = (left_out, *notes[-NOTES_KEPT + 1 :])
    return wanted(item, replace(item.desired, notes=notes))


def resolved(item: WorkItem, resolution: str, now: datetime) -> WorkItem:
    """Owe the tool a resolve."""
    item = wanted(item, replace(item.desired, state=State.RESOLVED, resolution=resolution))
    return because(replace(item, resolved_at=now, unseen=()), resolution)


def opened_again(item: WorkItem, why: str) -> WorkItem:
    """Let a work item that was to be resolved, or was left to people, be open and ours."""
    item = wanted(item, replace(item.desired, state=State.OPEN, resolution=""))
    return because(replace(item, resolved_at=None, hands_off=None), why)


def fired_again(item: WorkItem, arrival: Arrival) -> WorkItem:
    """Have the record of a work item that was resolved opened again for a firing.

    A time limit of its earlier alerts goes on counting: some of them may end by time alone.
    """
    why = "it fired again within the time in which its route opens a resolved work item again"
    item = replace(opened_again(item, why), reopening=True, insisted=0, when_people_end=arrival.when_people_end)
    firing = Firing(arrival.alert_id, arrival.event_at, 0, arrival.content)
    return limited(told_too(item, firing, how="Fired again in Azure"), arrival, again=False)


def insisted(item: WorkItem) -> WorkItem:
    """Have the record that a person resolved opened again, because its alert still fires and its route says so."""
    item = with_note(item, "Opened again: its alert still fires in Azure.")
    why = "a person resolved it in the tool while its alert still fires: opened again, once, as its route says"
    return because(replace(item, reopening=True, insisted=item.desired.revision), why)


def not_reopened(item: WorkItem, why: str, now: datetime) -> WorkItem:
    """Let a work item whose record is still resolved be over again: nothing of it is owed."""
    desired = replace(item.desired, state=State.RESOLVED, notes=(), resolution=why)
    return because(replace(tried_again(item), desired=desired, resolved_at=now, unseen=(), reopening=False), why)


def left(item: WorkItem, why: str, now: datetime) -> WorkItem:
    """Leave a work item to the people in the tool: nothing is owed any more."""
    if item.desired.state is State.OPEN:
        desired = replace(item.desired, state=State.RESOLVED, resolution=why)
        item = replace(item, desired=desired, resolved_at=now)
    return because(replace(tried_again(item), hands_off=why, unseen=(), reopening=False), why)


def joined(item: WorkItem, arrival: Arrival, *, again: bool, news: bool) -> WorkItem:
    """Add a firing, with its CIs and a note.

    Args:
        item: The work item.
        arrival: The firing.
        again: Whether the same alert fires in it already.
        news: Whether its problem does not fire in it yet.
    """
    told = told_too(item, Firing(arrival.alert_id, arrival.event_at, 0, arrival.content))
    told = replace(told, when_people_end=arrival.when_people_end)
    return limited(told if news else replace(told, unseen=item.unseen), arrival, again=again)


def limited(item: WorkItem, arrival: Arrival, *, again: bool) -> WorkItem:
    """Let the time limit of a firing count: the latest of all, once every alert without one has ended."""
    if arrival.close_after is None:
        return _timed(item, item.lasting + (not again), item.time_limit)
    limit = arrival.received_at + arrival.close_after
    return _timed(item, item.lasting, max(limit, item.time_limit or limit))


def alerts_ended(item: WorkItem, arrival: Arrival, alert_ids: set[str]) -> WorkItem:
    """Take into account that an arrival ends some of its alerts; the state stays as it is."""
    unseen = tuple(f for f in item.unseen if f.alert_id not in alert_ids)
    without_limit = len(alert_ids) if arrival.close_after is None else 0
    return _timed(replace(item, unseen=unseen), max(0, item.lasting - without_limit), item.time_limit)


def next_generation(item: WorkItem, unseen: tuple[Firing, ...], why: str) -> WorkItem:
    """Let firings have a record of their own, because the one there is was over before it could tell of them.

    Args:
        item: The work item.
        unseen: The firings, at least one: the first gives the content, the others become notes.
        why: The reason.
    """
    content = unseen[0].content or item.desired.content
    desired = Desired(State.OPEN, content, item.desired.revision + 1)
    first = replace(unseen[0], revision=desired.revision, content=None)
    item = replace(
        tried_again(item),
        generation=item.generation + 1,
        desired=desired,
        confirmed=None,
        unseen=(first,),
        begun=0,
        reopening=False,
        insisted=0,
        reopened_in=None,
    )
    for firing in unseen[1:]:
        item = told_too(item, firing)
    return because(item, why)


def told_too(item: WorkItem, firing: Firing, *, how: str = "Fired in Azure") -> WorkItem:
    """Tell of one more firing: by a note, and by its CIs."""
    if firing.content is None:
        return item
    item = with_note(item, f"{how}: {firing.content.title}")
    content = item.desired.content
    content = replace(content, bindings=merged_bindings(content.bindings, firing.content.bindings))
    unseen = (*item.unseen, replace(firing, revision=item.desired.revision))
    return replace(item, desired=replace(item.desired, content=content), unseen=unseen[-UNSEEN_KEPT:])


def _timed(item: WorkItem, lasting: int, limit: datetime | None) -> WorkItem:
    return replace(item, lasting=lasting, time_limit=limit, close_at=limit if lasting == 0 else None)
