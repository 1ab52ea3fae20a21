"""Folds what arrived into what is known, and says what is to be kept of it: pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from secure_export.delivery.contract import AlertRecord
from secure_export.delivery.facts import merged
from secure_export.delivery.reading import Told
from secure_export.ids import new_id
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
