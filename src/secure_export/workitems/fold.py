"""What an arriving notification changes: pure, and the same whatever order notifications come in."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from secure_export.alerts.alert import Ending
from secure_export.workitems.arrival import AlertState, Arrival
from secure_export.workitems.work_item import Binding, Desired, Note, State, WorkItem

_REASONS_KEPT = 20
_NOTES_KEPT = 50


@dataclass(frozen=True, slots=True)
class Situation:
    """What a lane knows.

    Attributes:
        connection: Which connection.
        correlation_key: Which lane of it.
        item: The latest work item of the key, or None.
        alerts: What is known of the alerts that notifications speak of, and of all that share their problems.
        others_firing: How many further alerts of ``item`` fire.
    """

    connection: str
    correlation_key: str
    item: WorkItem | None
    alerts: Mapping[str, AlertState]
    others_firing: int = 0


def fold(situation: Situation, arrival: Arrival, *, now: datetime, new_id: str) -> Situation | None:
    """Take a notification into account.

    Args:
        situation: What the lane knows.
        arrival: The notification.
        now: The time now.
        new_id: The id of a work item, if one has to be made.

    Returns:
        What the lane knows then; None when the notification has to wait, because a new problem fired while it is
        not known whether the work item was resolved: a look comes first.
    """
    if arrival.ended and not arrival.fired:
        return _ended(situation, arrival, now)
    if _is_repetition(situation, arrival):
        return _known(situation, arrival, "the same was said before: nothing changes")
    if arrival.ended:
        return _over_by_content(situation, arrival, now, new_id)
    if (end := _end_known(situation, arrival)) is not None:
        return _fired_late(situation, arrival, end, now, new_id)
    return _fired(situation, arrival, now, new_id)


def _is_repetition(situation: Situation, arrival: Arrival) -> bool:
    """Whether an alert that is known to have fired fires again: it has one firing, however often it is told."""
    known = situation.alerts.get(arrival.alert_id)
    if known is None or known.fired_at is None:
        return False
    return arrival.ending is not Ending.BY_TIME or known.fired_at >= arrival.event_at


def _end_known(situation: Situation, arrival: Arrival) -> datetime | None:
    """When the problem of an arriving firing ended, if it is known to have ended already."""
    if arrival.ending is Ending.BY_TIME:
        ends = [a.ended_at for a in _of_problem(situation, arrival) if a.ended_at is not None]
        latest = max(ends, default=None)
        return latest if latest is not None and latest >= arrival.event_at else None
    known = situation.alerts.get(arrival.alert_id)
    return known.ended_at if known is not None else None


def _ended(situation: Situation, arrival: Arrival, now: datetime) -> Situation:
    """The problem is over."""
    known = situation.alerts.get(arrival.alert_id)
    if known is not None and known.ended_at is not None and known.ended_at >= arrival.event_at:
        return _known(situation, arrival, "its end was known already: nothing changes")
    ending = [a for a in _of_problem(situation, arrival) if a.firing and _ends(a, arrival)]
    item = situation.item
    alerts = dict(situation.alerts)
    if known is None or known not in ending:
        reason = "its end came without a firing that it ends: kept, and no work item is made for an end alone"
        if ending:
            reason = "it ends the problem that earlier alerts told of"
        alerts[arrival.alert_id] = _told(situation, arrival, reason, ended_at=arrival.event_at)
    for alert in ending:
        alerts[alert.alert_id] = _with_reason(
            replace(alert, ended_at=arrival.event_at), f"ended at {_clock(arrival.event_at)} by Azure's word"
        )
    after = replace(situation, alerts=alerts)
    if item is None or not any(a.work_item == item.id for a in ending):
        return after
    return _resolve_or_note(after, item, arrival, now)


def _ends(alert: AlertState, arrival: Arrival) -> bool:
    """Whether an end concerns a firing: by id always, by time only firings that are not later."""
    return arrival.ending is not Ending.BY_TIME or (alert.fired_at or arrival.event_at) <= arrival.event_at


def _resolve_or_note(situation: Situation, item: WorkItem, arrival: Arrival, now: datetime) -> Situation:
    """One alert of the work item ended: resolve it with the last, write a note before."""
    if item.over or item.desired.state is State.RESOLVED:
        return situation
    firing = situation.others_firing + sum(a.firing and a.work_item == item.id for a in situation.alerts.values())
    if firing:
        text = f"Resolved in Azure: {arrival.content.title} ({firing} of its alerts still fire)"
        return replace(situation, item=_with_note(item, text))
    return replace(situation, item=_resolved(item, f"Azure Monitor says it is over: {arrival.content.title}", now))


def _resolved(item: WorkItem, resolution: str, now: datetime) -> WorkItem:
    """The work item as it is owed to be resolved."""
    desired = replace(item.desired, state=State.RESOLVED, resolution=resolution, revision=item.desired.revision + 1)
    return _because(replace(item, desired=desired, resolved_at=now), resolution)


def _over_by_content(situation: Situation, arrival: Arrival, now: datetime, new_id: str) -> Situation | None:
    """Azure fired an alert that says its problem is over (service health, resource health)."""
    if any(a.fired_at is not None or a.ended_at is not None for a in _of_problem(situation, arrival)):
        told = _ended(situation, replace(arrival, fired=False), now)
        return _mark_fired(told, arrival)
    return _fired_late(situation, arrival, arrival.event_at, now, new_id)


def _mark_fired(situation: Situation, arrival: Arrival) -> Situation:
    """Remember that this alert fired, so that its repetition is known as one."""
    state = situation.alerts[arrival.alert_id]
    alerts = {**situation.alerts, arrival.alert_id: replace(state, fired_at=state.fired_at or arrival.event_at)}
    return replace(situation, alerts=alerts)


def _fired_late(situation: Situation, arrival: Arrival, end: datetime, now: datetime, new_id: str) -> Situation | None:
    """A firing whose end came first: recorded if nothing tells of the problem yet, and never open."""
    told_before = any(a.fired_at is not None for a in _of_problem(situation, arrival))
    if told_before:
        reason = f"an old message: the problem ended at {_clock(end)}; nothing is reopened"
        return _put(situation, _told(situation, arrival, reason, fired_at=arrival.event_at, ended_at=end))
    if not arrival.record_short_lived:
        reason = "it ended before its work item was made, and the route keeps no record of those"
        return _put(situation, _told(situation, arrival, reason, fired_at=arrival.event_at, ended_at=end))
    opened = _fired(situation, arrival, now, new_id)
    if opened is None or opened.item is None:
        return opened
    state = replace(opened.alerts[arrival.alert_id], ended_at=end)
    closed = _put(opened, _with_reason(state, f"its end at {_clock(end)} was known before: recorded and resolved"))
    return _resolve_or_note(closed, opened.item, arrival, now)


def _fired(situation: Situation, arrival: Arrival, now: datetime, new_id: str) -> Situation | None:
    """A problem fires: into the work item there is, or into a new one."""
    item = situation.item
    if item is None or item.over:
        return _fired_into_new(situation, arrival, now, new_id)
    if item.desired.state is State.RESOLVED:
        if item.doubt:
            return None
        item = _open_again(item)
    joined = _joined(item, arrival)
    reason = "it joined the work item that its correlation key has"
    return _put(replace(situation, item=joined), _told(situation, arrival, reason, arrival.event_at, None, joined.id))


def _fired_into_new(situation: Situation, arrival: Arrival, now: datetime, new_id: str) -> Situation:
    generation = situation.item.generation + 1 if situation.item else 1
    why = "a problem of this correlation key fired" + ("; the work item before it is over" if generation > 1 else "")
    item = WorkItem(
        id=new_id,
        connection=situation.connection,
        correlation_key=situation.correlation_key,
        generation=generation,
        desired=Desired(State.OPEN, arrival.content),
        confirmed=None,
        created_at=now,
        close_at=arrival.received_at + arrival.close_after if arrival.close_after else None,
        reasons=(why, *arrival.content.reasons),
    )
    state = _told(situation, arrival, "it fired: a work item was made for it", arrival.event_at, None, new_id)
    return _put(replace(situation, item=item, others_firing=0), state)


def _open_again(item: WorkItem) -> WorkItem:
    """The problem fired anew before the tool was told of its end: the work item simply stays open."""
    desired = replace(item.desired, state=State.OPEN, resolution="", revision=item.desired.revision + 1)
    reopened = replace(item, desired=desired, resolved_at=None, parked=None, attempts=0, not_before=None)
    return _because(reopened, "it fired again before the tool was told of its end: it stays open")


def _joined(item: WorkItem, arrival: Arrival) -> WorkItem:
    """The work item with one more alert, whose CIs are added."""
    content = item.desired.content
    bindings = merged_bindings(content.bindings, arrival.content.bindings)
    item = _with_note(item, f"Fired in Azure: {arrival.content.title}")
    desired = replace(item.desired, content=replace(content, bindings=bindings))
    close_at = arrival.received_at + arrival.close_after if arrival.close_after else None
    latest = max((t for t in (item.close_at, close_at) if t is not None), default=None)
    return replace(item, desired=desired, close_at=latest)


def merged_bindings(old: tuple[Binding, ...], new: tuple[Binding, ...]) -> tuple[Binding, ...]:
    """Add the bindings that are not there yet; one that found its CI takes the place of one that had not."""
    found = {b.name.lower(): b for b in new if b.id is not None}
    kept = tuple(found.get(b.name.lower(), b) if b.id is None else b for b in old)
    have = {(b.id, b.name.lower()) for b in kept}
    return kept + tuple(b for b in new if (b.id, b.name.lower()) not in have)


def _of_problem(situation: Situation, arrival: Arrival) -> list[AlertState]:
    return [
        a
        for a in situation.alerts.values()
        if a.alert_id == arrival.alert_id or (arrival.ending is Ending.BY_TIME and a.problem == arrival.problem)
    ]


def _known(situation: Situation, arrival: Arrival, reason: str) -> Situation:
    return _put(situation, _with_reason(situation.alerts[arrival.alert_id], reason))


def _told(  # noqa: PLR0913 - what is told of an alert
    situation: Situation,
    arrival: Arrival,
    reason: str,
    fired_at: datetime | None = None,
    ended_at: datetime | None = None,
    work_item: str | None = None,
) -> AlertState:
    """What is known of the arrival's alert, with what it now adds."""
    known = situation.alerts.get(arrival.alert_id)
    if known is None:
        return AlertState(arrival.alert_id, arrival.problem, fired_at, ended_at, work_item, (reason,))
    told = replace(
        known,
        fired_at=fired_at or known.fired_at,
        ended_at=ended_at,
        work_item=work_item or known.work_item,
    )
    return _with_reason(told, reason)


def _put(situation: Situation, state: AlertState) -> Situation:
    return replace(situation, alerts={**situation.alerts, state.alert_id: state})


def _with_reason(state: AlertState, reason: str) -> AlertState:
    if state.reasons and state.reasons[-1] == reason:
        return state
    return replace(state, reasons=(*state.reasons, reason)[-_REASONS_KEPT:])


def _because(item: WorkItem, reason: str) -> WorkItem:
    return replace(item, reasons=(*item.reasons, reason)[-_REASONS_KEPT:])


def _with_note(item: WorkItem, text: str) -> WorkItem:
    """Owe the tool a note; of very many the oldest make room, and are counted."""
    revision = item.desired.revision + 1
    notes = (*item.desired.notes, Note(revision, text))
    if len(notes) > _NOTES_KEPT:
        notes = (Note(notes[1].revision, "Earlier notes of this outage were left out."), *notes[-_NOTES_KEPT + 1 :])
    return replace(item, desired=replace(item.desired, revision=revision, notes=notes))


def _clock(at: datetime) -> str:
    return at.strftime("%Y-%m-%d %H:%M:%S UTC")
