"""Folds what arrived into what is known, and says what is to be kept of it: pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from secure_export.delivery.contract import AlertRecord, Known
from secure_export.delivery.facts import merged
from secure_export.delivery.reading import Told
from secure_export.ids import new_id
from secure_export.workitems.arrival import AlertState, Arrival
from secure_export.workitems.fold import Situation, fold
from secure_export.workitems.work_item import WorkItem


@dataclass(frozen=True, slots=True)
class Folded:
    """What came of folding.

    Attributes:
        item: The work item as it now is.
        notifications: Those that were folded.
        alerts: The alerts that changed.
        waiting: Arrivals that have to wait for a look.
    """

    item: WorkItem | None
    notifications: Sequence[int]
    alerts: Sequence[AlertRecord]
    waiting: Sequence[Told]


def strays(told: Sequence[Told], known: Known, *, item: WorkItem | None, own_key: str) -> dict[int, str]:
    """Say which arrivals end what another lane's work item is about.

    An end can come to another lane than its firing did: the grouping was changed in between, or the two name another
    configuration item first. The lane that holds the promise has to fold it, or it would never be kept.

    Args:
        told: Arrivals of a lane.
        known: What is known of their alerts and problems.
        item: The lane's work item.
        own_key: The lane's correlation key.

    Returns:
        The correlation keys of the lanes that have to fold them, by notification.
    """
    homes = {arrival.notification: _home(arrival, known, item) for arrival, _ in told if arrival.ended}
    return {number: key for number, key in homes.items() if key is not None and key != own_key}


def _home(arrival: Arrival, known: Known, item: WorkItem | None) -> str | None:
    """The lane with a work item that the arrival ends; None when it is this one, or none at all."""
    ends = [
        alert
        for alert in known.alerts.values()
        if alert.firing and (alert.alert_id == arrival.alert_id or alert.problem == arrival.problem)
    ]
    if item is not None and any(alert.work_item == item.id for alert in ends):
        return None
    homes = (known.lanes.get(alert.work_item or "") for alert in ends)
    return next((key for key in homes if key is not None), None)


def concerning(told: Sequence[Told], known: Known, *, own_key: str) -> dict[str, AlertState]:
    """Leave out the firing alerts of other lanes' work items: each lane ends its own, so that none is left open.

    Args:
        told: Arrivals of a lane; what is known of their own alerts stays.
        known: What is known of their alerts and problems.
        own_key: The lane's correlation key.
    """
    spoken_of = {arrival.alert_id for arrival, _ in told}
    return {
        alert.alert_id: alert
        for alert in known.alerts.values()
        if alert.alert_id in spoken_of or not alert.firing or known.lanes.get(alert.work_item or "", own_key) == own_key
    }


def fold_all(before: Situation, told: Sequence[Told], *, now: datetime) -> Folded:
    """Fold arrivals, oldest first, up to the first that has to wait."""
    situation, done = before, 0
    for arrival, _ in told:
        after = fold(situation, arrival, now=now, new_id=new_id(now))
        if after is None:
            break
        situation, done = after, done + 1
    folded = told[:done]
    numbers = [arrival.notification for arrival, _ in folded]
    return Folded(situation.item, numbers, _records(before, situation, folded), told[done:])


def _records(before: Situation, after: Situation, folded: Sequence[Told]) -> list[AlertRecord]:
    """The alerts that folding changed; those that no arrival spoke of keep their facts (empty here)."""
    told: dict[str, tuple[bytes, datetime]] = {}
    for arrival, facts in folded:
        earlier = told.get(arrival.alert_id)
        told[arrival.alert_id] = (merged(earlier[0], facts) if earlier else facts, arrival.received_at)
    changed = [s for s in after.alerts.values() if s.alert_id in told or before.alerts.get(s.alert_id) != s]
    nothing = (b"", None)
    return [AlertRecord(s, *told.get(s.alert_id, nothing)) for s in changed]
