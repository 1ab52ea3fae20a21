"""Compares what Azure lists with what is recorded: pure."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from secure_export.alerts.alert import Condition
from secure_export.azure.missed.finding import Found, Outcome
from secure_export.azure.missed.listed import ListedAlert
from secure_export.azure.missed.meant import Meant
from secure_export.azure.missed.progress import Progress
from secure_export.azure.missed.translate import conditions, rule_name

Recorded = Mapping[tuple[str, str], frozenset[Condition]]
"""What was recorded, by connection and alert id in lower case."""


@dataclass(frozen=True, slots=True)
class Looked:
    """A notification that was compared with what is recorded.

    Attributes:
        alert: Of which alert.
        condition: Fired or resolved.
        connection: Whose; empty where it is nobody's.
        outcome: What is known of it.
        reason: Why, as a sentence part.
    """

    alert: ListedAlert
    condition: Condition
    connection: str
    outcome: Outcome
    reason: str

    def found(self, outcome: Outcome | None = None, reason: str = "") -> Found:
        """Say what was found out in the end; without an outcome, what is known already."""
        alert, condition = self.alert, self.condition
        outcome, reason = outcome or self.outcome, reason or self.reason
        return Found(
            alert.alert_id, rule_name(alert), self.connection, condition, _at(alert, condition), outcome, reason
        )


def notifications(
    alerts: Sequence[ListedAlert], progress: Progress, *, now: datetime, patience: timedelta
) -> Iterator[tuple[ListedAlert, Condition]]:
    """Give what alerts told, in the order of events: what lies in the time that is looked at.

    Args:
        alerts: The alerts.
        progress: Which time is looked at.
        now: The time now.
        patience: How young an event may be that Azure has not surely given up on.
    """
    told = [(one, condition) for one in alerts for condition in conditions(one)]
    for alert, condition in sorted(told, key=lambda one: _at(*one) or now):
        at = _at(alert, condition)
        is_young = at is not None and bool(patience) and at > now - patience
        if at is None or (at >= progress.floor and not is_young):
            yield alert, condition


def compared(
    alert: ListedAlert, condition: Condition, meant: Meant, recorded: Recorded, progress: Progress
) -> Iterator[Looked]:
    """Say for each connection whether a notification is missing."""
    if not meant.connections:
        yield Looked(alert, condition, "", Outcome.NOT_OURS, meant.reason)
    for connection in meant.connections:
        known = recorded.get((connection, alert.alert_id.lower()), frozenset())
        outcome, reason = _known(alert, condition, known, progress)
        yield Looked(alert, condition, connection, outcome, reason or meant.reason)


def _known(
    alert: ListedAlert, condition: Condition, known: frozenset[Condition], progress: Progress
) -> tuple[Outcome, str]:
    if condition in known:
        return Outcome.KNOWN, ""
    began_before = alert.started is not None and alert.started < progress.floor
    if condition is Condition.RESOLVED and Condition.FIRED not in known and began_before:
        return Outcome.NOT_OURS, "it fired before the time that is looked at, and was never recorded"
    return Outcome.MISSING, ""


def _at(alert: ListedAlert, condition: Condition) -> datetime | None:
    if condition is Condition.FIRED:
        return alert.started
    return alert.resolved_at or alert.modified
