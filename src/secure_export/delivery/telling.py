"""What delivery tells the log: every decision about a work item once it is taken, with its reason.

The usual course of things is told at the level debug, one line for each step. What an operator would miss is told at
the levels info and warning, through complaints, so that a tool that is down or refuses everything makes few lines.
"""

from collections.abc import Iterable, Sequence
from datetime import timedelta
from typing import Any

import structlog

from secure_export.delivery.contract import AlertRecord
from secure_export.telemetry.complaints import Complaints
from secure_export.workitems.outcome import Done, Outcome
from secure_export.workitems.work_item import StepKind, ToolState, WorkItem

log = structlog.get_logger(__name__)


class Telling:
    """Tells the log what is decided about the work items of one connection.

    Args:
        connection: The connection's name.
        complaints: Writes the lines that must not become a flood; has the connection bound.
    """

    def __init__(self, connection: str, complaints: Complaints) -> None:
        self._connection = connection
        self._complaints = complaints

    def quarantined(self, notifications: Iterable[tuple[int, str]]) -> None:
        """Tell of notifications that this version cannot read, each with the reason."""
        for notification, reason in notifications:
            self._complaints.quarantined(notification, self._connection, reason)

    def moved(self, notifications: Iterable[tuple[int, str]]) -> None:
        """Tell of notifications that another lane has to fold, each with its correlation key."""
        for notification, key in notifications:
            log.debug("notification moved", connection=self._connection, notification=notification, key=key)

    def folded(self, before: WorkItem | None, after: WorkItem | None, alerts: Sequence[AlertRecord]) -> None:
        """Tell what came of folding.

        Args:
            before: The work item before.
            after: The work item as it is then; the same when nothing changes for it.
            alerts: The alerts that changed.
        """
        if after is not before:
            self.decided(before, after)
            return
        for alert in alerts:
            reason = alert.state.reasons[-1] if alert.state.reasons else ""
            log.debug("alert changes nothing", connection=self._connection, alert=alert.state.alert_id, reason=reason)

    def settled(self, before: WorkItem, step: StepKind, outcome: Outcome, after: WorkItem, *, took: timedelta) -> None:
        """Tell what came of a step.

        Args:
            before: The work item as it was when the step began.
            step: What was tried.
            outcome: What came of it.
            after: The work item as it is then.
            took: How long the step took.
        """
        log.debug(
            "step taken",
            connection=self._connection,
            **_of(after),
            step=step.value,
            outcome=type(outcome).__name__,
            reason="" if isinstance(outcome, Done) else outcome.reason,
            decided=_why(after),
            seconds=took.total_seconds(),
        )
        if after.parked is not None and after.parked != before.parked:
            self._complaints.warns("work item parked", after.parked, **_of(after), step=step.value)
        elif after.waiting:
            self._complaints.warns("work item waits", after.waiting, **_of(after), until=str(after.not_before))
        self.decided(before, after)

    def decided(self, before: WorkItem | None, after: WorkItem | None) -> None:
        """Tell of what is not the usual course of things, and of what is again after it was not.

        Args:
            before: The work item before the decision.
            after: The work item after it.
        """
        if before is None or after is None or before.id != after.id:
            return
        if before.refusal and not after.refusal:
            self._notes("work item goes on", f"it was parked: {before.refusal}", after)
        if after.hands_off is not None and before.hands_off is None:
            self._notes("work item left", after.hands_off, after)
        elif after.generation > before.generation:
            self._notes("work item made anew", _why(after), after)
        elif after.reopening and not before.reopening:
            self._notes("work item reopened", _why(after), after)
        elif before.reopening and not after.reopening and not _is_open(after):
            self._notes("work item not reopened", _why(after), after)
        self._remarked(before, after)

    def _remarked(self, before: WorkItem, after: WorkItem) -> None:
        """Tell what the tool did not take, or did differently: twins that were found, for one."""
        if after.confirmed is None or not after.confirmed.remarks:
            return
        known = before.confirmed.remarks if before.confirmed is not None else ()
        for remark in after.confirmed.remarks:
            if remark not in known:
                self._complaints.notes("tool differs", remark, of=remark, **_of(after))

    def _notes(self, event: str, reason: str, item: WorkItem) -> None:
        self._complaints.notes(event, reason, of=item.id, **_of(item))


def _of(item: WorkItem) -> dict[str, Any]:
    """Say which work item a line is about."""
    number = item.confirmed.number if item.confirmed is not None else ""
    return {"key": item.correlation_key, "work_item": item.id, **({"number": number} if number else {})}


def _why(item: WorkItem) -> str:
    """Give the latest of a work item's reasons."""
    return item.reasons[-1] if item.reasons else ""


def _is_open(item: WorkItem) -> bool:
    return item.confirmed is not None and item.confirmed.state is ToolState.OPEN
