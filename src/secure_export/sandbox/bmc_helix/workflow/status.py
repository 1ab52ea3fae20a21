"""What each status demands, and what its changes leave behind (bmc-facts section 5, Update, rule 6 and 7)."""

from typing import Final

from secure_export.sandbox.bmc_helix.change import Change
from secure_export.sandbox.bmc_helix.errors import workflow
from secure_export.sandbox.bmc_helix.forms.options import (
    ASSIGNED,
    CLOSED,
    FINAL,
    IN_PROGRESS,
    NEW,
    PENDING,
    RESOLVED,
    STATUS,
)

WRONG_PAIR: Final = 51_310
_NEEDS_ASSIGNEE: Final = frozenset({IN_PROGRESS, PENDING, RESOLVED, CLOSED})
_NEEDS_REASON: Final = frozenset({PENDING, RESOLVED})
_LABELS: Final = {one.id: one.label for one in STATUS}


def refuse_if_final(change: Change) -> None:
    """Refuse to change an incident that is closed or cancelled."""
    status = change.was("Status")
    if status in FINAL and any(change.differs(name) for name in change.sent if name not in change.display):
        raise workflow(f"This incident is {_LABELS[status]}. It cannot be changed any more.")


def settle(change: Change) -> None:
    """Check the status, and note what follows from it."""
    status = change.row.setdefault("Status", NEW)
    changed = change.differs("Status")
    if changed and "Status_Reason" not in change.sent:
        change.put("Status_Reason", None)
    if changed:
        _check(change, status)
    _check_reason(change, status)
    if changed:
        _note(change, status)


def _check(change: Change, status: int) -> None:
    label = _LABELS[status]
    if status == NEW and change.before is not None:
        raise workflow("An incident cannot go back to New.")
    if status == ASSIGNED and change.row.get("Assigned Group") is None:
        raise workflow("The Assigned Group must be set to assign the incident.")
    if status in _NEEDS_ASSIGNEE and change.server.site.assignee_required and change.row.get("Assignee") is None:
        raise workflow("The Assignee must be set to move past Assigned.")
    if status in (RESOLVED, CLOSED) and change.row.get("Resolution") is None:
        raise workflow(f"The Resolution field must be filled in when the status is {label}.")


def _check_reason(change: Change, status: int) -> None:
    reason = change.row.get("Status_Reason")
    if reason is None:
        if status in _NEEDS_REASON:
            raise workflow(f"A Status Reason is required when the status is {_LABELS[status]}.")
        return
    label = change.form.by_name["Status_Reason"].label(reason)
    if change.differs("Status_Reason") and label not in change.server.reasons.get(status, ()):
        raise workflow(f"The Status Reason {label!r} does not go with the status {_LABELS[status]}.", WRONG_PAIR)


def _note(change: Change, status: int) -> None:
    now = change.server.now
    history = dict(change.was("Status History") or {})
    history[_LABELS[status]] = (change.user.login, now)
    change.put("Status History", history)
    if status == RESOLVED:
        change.put("Last Resolved Date", now)
    if status == CLOSED:
        change.put("Closed Date", now)
    if change.was("Status") == RESOLVED and status < RESOLVED:
        change.put("Reopened Date", now)
        change.put("Re-Opened Counter", (change.was("Re-Opened Counter") or 0) + 1)
