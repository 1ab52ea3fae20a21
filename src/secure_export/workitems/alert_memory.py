"""What is remembered of the alerts of a lane: pure."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from secure_export.alerts.alert import Ending
from secure_export.workitems.arrival import AlertState, Arrival
from secure_export.workitems.work_item import WorkItem

_REASONS_KEPT = 20


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


def of_problem(situation: Situation, arrival: Arrival) -> list[AlertState]:
    """Give the alerts that tell of the arrival's problem, its own included."""
    return [
        a
        for a in situation.alerts.values()
        if a.alert_id == arrival.alert_id or (arrival.ending is Ending.BY_TIME and a.problem == arrival.problem)
    ]


def fired_before(situation: Situation, arrival: Arrival) -> bool:
    """Whether this firing was told already: an alert has one firing, unless a later event may open it again."""
    known = situation.alerts.get(arrival.alert_id)
    if known is None or known.fired_at is None:
        return False
    return arrival.ending is not Ending.BY_TIME or known.fired_at >= arrival.event_at


def end_before(situation: Situation, arrival: Arrival) -> bool:
    """Whether this end was told already."""
    known = situation.alerts.get(arrival.alert_id)
    if known is None or known.ended_at is None:
        return False
    return arrival.ending is not Ending.BY_TIME or known.ended_at >= arrival.event_at


def end_of_firing(situation: Situation, arrival: Arrival) -> datetime | None:
    """Say when the problem of an arriving firing ended, if it is known to have ended. At equal times the end counts."""
    ends = [a.ended_at for a in of_problem(situation, arrival) if a.ended_at is not None]
    if arrival.ending is Ending.BY_TIME:
        ends = [end for end in ends if end >= arrival.event_at]
    return max(ends, default=None)


def is_told(situation: Situation, arrival: Arrival, end: datetime) -> bool:
    """Whether a work item tells of the outage in which an arriving firing and its known end lie."""
    of_it = of_problem(situation, arrival)
    before = max((a.ended_at for a in of_it if a.ended_at is not None and a.ended_at < arrival.event_at), default=None)
    return any(
        a.work_item is not None
        and a.fired_at is not None
        and a.fired_at <= end
        and (before is None or a.fired_at > before)
        for a in of_it
    )


def firings_ended(situation: Situation, arrival: Arrival) -> list[AlertState]:
    """Give the firing alerts that an arriving end ends: by time only those that did not fire later."""
    return [
        a
        for a in of_problem(situation, arrival)
        if a.firing and (arrival.ending is not Ending.BY_TIME or (a.fired_at or arrival.event_at) <= arrival.event_at)
    ]


def put(situation: Situation, state: AlertState) -> Situation:
    """Remember an alert's state."""
    return replace(situation, alerts={**situation.alerts, state.alert_id: state})


def told(situation: Situation, arrival: Arrival, reason: str) -> AlertState:
    """Give the state of the arrival's alert, with a reason more."""
    known = situation.alerts.get(arrival.alert_id)
    return with_reason(known or AlertState(arrival.alert_id, arrival.problem, None, None, None), reason)


def with_reason(state: AlertState, reason: str) -> AlertState:
    """Add a reason, once, if it says something else than the last one."""
    if state.reasons and state.reasons[-1] == reason:
        return state
    return replace(state, reasons=(*state.reasons, reason)[-_REASONS_KEPT:])
