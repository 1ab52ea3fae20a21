"""What an arriving notification changes: pure, and the same whatever order notifications come in."""

from dataclasses import replace
from datetime import datetime

from secure_export.alerts.alert import Ending
from secure_export.workitems import change
from secure_export.workitems.alert_memory import (
    Situation,
    end_before,
    end_of_firing,
    fired_before,
    firings_ended,
    is_told,
    of_problem,
    put,
    told,
    with_reason,
)
from secure_export.workitems.arrival import AlertState, Arrival
from secure_export.workitems.work_item import Desired, Firing, State, ToolState, WorkItem

__all__ = ["Situation", "fold"]


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
    if arrival.ended and not (arrival.fired and _is_news(situation, arrival)):
        return _ended(situation, arrival, now)
    if fired_before(situation, arrival):
        return put(situation, told(situation, arrival, "the same was said before: nothing changes"))
    end = arrival.event_at if arrival.ended else end_of_firing(situation, arrival)
    if end is not None:
        return _fired_and_ended(situation, arrival, end, now, new_id)
    return _fired(situation, arrival, now, new_id)


def _is_news(situation: Situation, arrival: Arrival) -> bool:
    """Whether nothing at all is known of the problem."""
    return not any(a.fired_at is not None or a.ended_at is not None for a in of_problem(situation, arrival))


def _ended(situation: Situation, arrival: Arrival, now: datetime) -> Situation:
    """The problem is over."""
    if end_before(situation, arrival):
        return put(situation, told(situation, arrival, "its end was known already: nothing changes"))
    ending = firings_ended(situation, arrival)
    after = put(situation, _with_end(situation, arrival, ending))
    for alert in ending:
        reason = f"ended at {_clock(arrival.event_at)} by Azure's word"
        after = put(after, with_reason(replace(alert, ended_at=arrival.event_at), reason))
    item = situation.item
    here = {a.alert_id for a in ending if item is not None and a.work_item == item.id}
    if item is None or not here:
        return after
    return _ended_in(replace(after, item=change.alerts_ended(item, arrival, here)), arrival, now)


def _with_end(situation: Situation, arrival: Arrival, ending: list[AlertState]) -> AlertState:
    """What an end says of its own alert: remembered even without a firing, so that a late firing opens nothing."""
    known = situation.alerts.get(arrival.alert_id)
    if known is not None and known.firing and known not in ending:
        return told(situation, arrival, "an old message: it fired again after this end")
    reason = (
        "it ends the problem that earlier alerts told of"
        if ending
        else "its end came without a firing that it ends: kept, and no work item is made for an end alone"
    )
    state = told(situation, arrival, reason)
    return replace(
        state,
        ended_at=arrival.event_at,
        # An alert that says "over" by its content was fired too.
        fired_at=state.fired_at or (arrival.event_at if arrival.fired else None),
        work_item=state.work_item or next((a.work_item for a in ending), None),
    )


def _ended_in(situation: Situation, arrival: Arrival, now: datetime) -> Situation:
    """Some alerts of the work item ended: resolve it with the last, write a note before."""
    item = situation.item
    if item is None or item.over or item.desired.state is State.RESOLVED:
        return situation
    firing = situation.others_firing + sum(a.firing and a.work_item == item.id for a in situation.alerts.values())
    if firing:
        text = f"Resolved in Azure: {arrival.content.title} ({firing} of its alerts still fire)"
        return replace(situation, item=change.with_note(item, text))
    if item.confirmed is None and not item.doubt and not arrival.record_short_lived:
        why = "it ended before its work item was made, and the route keeps no record of those: nothing is made"
        return replace(situation, item=change.left(item, why, now))
    if item.to_reopen and not item.doubt and (item.insisted or not arrival.record_short_lived):
        keeps = "a person had resolved that" if item.insisted else "the route keeps no record of those"
        why = f"it ended before its work item was opened again, and {keeps}: left resolved"
        return replace(situation, item=change.not_reopened(item, why, now))
    resolution = f"Azure Monitor says it is over: {arrival.content.title}"
    return replace(situation, item=change.resolved(item, resolution, now))


def _fired_and_ended(
    situation: Situation, arrival: Arrival, end: datetime, now: datetime, new_id: str
) -> Situation | None:
    """A firing whose end is known: recorded if nothing tells of the outage yet, and never left open."""
    if is_told(situation, arrival, end):
        reason = f"an old message: the problem ended at {_clock(end)}; nothing is reopened"
        return put(situation, replace(told(situation, arrival, reason), fired_at=arrival.event_at, ended_at=end))
    if not arrival.record_short_lived:
        reason = "it ended before its work item was made, and the route keeps no record of those"
        return put(situation, replace(told(situation, arrival, reason), fired_at=arrival.event_at, ended_at=end))
    # A late, old message opens no record again.
    opened = _fired(situation, replace(arrival, reopen_within=None), now, new_id)
    if opened is None or opened.item is None:
        return opened
    state = replace(opened.alerts[arrival.alert_id], ended_at=end)
    closed = put(opened, with_reason(state, f"its end at {_clock(end)} is known: recorded and resolved"))
    item = change.alerts_ended(opened.item, arrival, {arrival.alert_id})
    return _ended_in(replace(closed, item=item), arrival, now)


def _fired(situation: Situation, arrival: Arrival, now: datetime, new_id: str) -> Situation | None:
    """A problem fires: into the work item there is, or into a new one."""
    item = situation.item
    if item is not None and _goes_on(situation, item, arrival):
        return _noted(situation, item, arrival)
    if item is not None and _opens_again(item, arrival):
        after = replace(situation, item=change.fired_again(item, arrival))
        return _in(after, arrival, item.id, "it fired again: its work item, which was resolved, is opened again")
    if item is None or (item.over and not item.left_open):
        return _fired_into_new(situation, arrival, now, new_id)
    if item.desired.state is State.RESOLVED:
        if item.doubt:
            return None
        why = "it was left open by a person" if item.left_open else "the tool was not told of its end yet"
        item = change.opened_again(item, f"it fired again, and {why}: it stays open")
    return _fired_into(situation, item, arrival)


def _opens_again(item: WorkItem, arrival: Arrival) -> bool:
    """Whether a firing opens the record of a work item again that we resolved, and that is not closed for good."""
    return (
        arrival.reopen_within is not None
        and item.over
        and item.hands_off is None
        and item.resolved_at is not None
        and arrival.event_at <= item.resolved_at + arrival.reopen_within
        and item.confirmed is not None
        and item.confirmed.state is ToolState.RESOLVED
    )


def _fired_into(situation: Situation, item: WorkItem, arrival: Arrival) -> Situation:
    firing = _firing_in(situation, item, arrival)
    again = any(a.alert_id == arrival.alert_id for a in firing)
    after = replace(situation, item=change.joined(item, arrival, again=again, news=not firing))
    return _in(after, arrival, item.id, "it joined the work item that its correlation key has")


def _firing_in(situation: Situation, item: WorkItem, arrival: Arrival) -> list[AlertState]:
    """Give the alerts of the arrival's problem that fire in a work item."""
    return [a for a in of_problem(situation, arrival) if a.firing and a.work_item == item.id]


def _goes_on(situation: Situation, item: WorkItem, arrival: Arrival) -> bool:
    """Whether a problem is told of again that a person or time closed while it fires: no news, so nothing is reopened.

    It is news when it is said after time closed it; after a person did only when it was silent for as long as its time
    limit, which each such message moves on.
    """
    if arrival.ending is not Ending.BY_TIME or item.resolved_at is None or item.left_open:
        return False
    limit = item.time_limit if item.hands_off is not None else None
    quiet_until = max(item.resolved_at, limit or item.resolved_at)
    return arrival.event_at <= quiet_until and bool(_firing_in(situation, item, arrival))


def _noted(situation: Situation, item: WorkItem, arrival: Arrival) -> Situation:
    again = any(a.alert_id == arrival.alert_id for a in _firing_in(situation, item, arrival))
    reason = f"it tells of a problem whose work item is closed, and nothing is reopened: {item.desired.resolution}"
    after = replace(situation, item=change.limited(item, arrival, again=again))
    return _in(after, arrival, item.id, reason)


def _fired_into_new(situation: Situation, arrival: Arrival, now: datetime, new_id: str) -> Situation:
    """A new work item, in the place of one that was never made, or after one that is over."""
    before = situation.item
    never_made = before is not None and before.confirmed is None
    generation = before.generation + (not never_made) if before else 1
    why = "a problem of this correlation key fired" + ("; the work item before it is over" if generation > 1 else "")
    item = WorkItem(
        id=before.id if before is not None and never_made else new_id,
        connection=situation.connection,
        correlation_key=situation.correlation_key,
        generation=generation,
        desired=Desired(State.OPEN, arrival.content),
        confirmed=None,
        created_at=now,
        unseen=(Firing(arrival.alert_id, arrival.event_at, 1),),
        when_people_end=arrival.when_people_end,
    )
    for reason in (why, *arrival.content.reasons):
        item = change.because(item, reason)
    after = replace(situation, item=change.limited(item, arrival, again=False), others_firing=0)
    return _in(after, arrival, item.id, "it fired: a work item was made for it")


def _in(situation: Situation, arrival: Arrival, work_item: str, reason: str) -> Situation:
    """Remember that the arrival's alert fires, in this work item."""
    state = told(situation, arrival, reason)
    return put(situation, replace(state, fired_at=arrival.event_at, ended_at=None, work_item=work_item))


def _clock(at: datetime) -> str:
    return at.strftime("%Y-%m-%d %H:%M:%S UTC")
