"""The incident's state model (servicenow-facts 9.1)."""

from typing import TYPE_CHECKING

from secure_export.sandbox.servicenow.clock import from_stamp
from secure_export.sandbox.servicenow.errors import security_constraint
from secure_export.sandbox.servicenow.rules import Change, Operation

if TYPE_CHECKING:
    from secure_export.sandbox.servicenow.instance import Instance

NEW, IN_PROGRESS, ON_HOLD, RESOLVED, CLOSED, CANCELED = "1", "2", "3", "6", "7", "8"
AWAITING_CALLER = "1"
_OPEN = frozenset({NEW, IN_PROGRESS, ON_HOLD})
_ENDED = frozenset({CLOSED, CANCELED})
_CLOSERS = ("itil_admin",)
# The shipped look-up of impact and urgency, both 1 to 3 (def-prio-lookup-rules).
_PRIORITIES = {
    ("1", "1"): "1",
    ("1", "2"): "2",
    ("2", "1"): "2",
    ("1", "3"): "3",
    ("2", "2"): "3",
    ("3", "1"): "3",
    ("2", "3"): "4",
    ("3", "2"): "4",
    ("3", "3"): "5",
}


def install(instance: "Instance") -> None:
    """Register the rules, in the order in which they must run."""
    update = [Operation.UPDATE]
    instance.before("incident", _drop_journals_of_closed, operations=update, order=1)
    instance.before("incident", _sync_states, order=2)
    instance.before("incident", _caller_answered, operations=update, order=30)
    instance.before("incident", _stay_ended, operations=update, order=40)
    instance.before("incident", _only_closers_close, order=41)
    instance.before("incident", _look_up_priority, order=60)
    instance.before("incident", _leave_hold, order=70)
    instance.before("incident", _resolved, order=80)
    instance.before("incident", _reopened, operations=update, order=81)
    instance.before("incident", _mirror_state, order=901)
    # A change's priority is what was written: targets of servicenow.itsm set it against impact and urgency.
    instance.before("problem", _look_up_priority, order=60)


def _drop_journals_of_closed(change: Change) -> None:
    """What is written into a closed incident's journals is lost, and nobody is told."""
    if change.old("state") in _ENDED:
        change.journals.clear()


def _sync_states(change: Change) -> None:
    """``state`` and ``incident_state`` are one; whichever is written wins, ``state`` if both are."""
    row = change.current
    default = NEW if change.previous is None else change.old("state")
    if not row.get("incident_state"):
        row["incident_state"] = default
    if row.get("state", "") in {default, ""} and row["incident_state"] != default:
        row["state"] = row["incident_state"]


def _mirror_state(change: Change) -> None:
    change.current["incident_state"] = change.new("state")


def _caller_answered(change: Change) -> None:
    """An update by the caller ends the waiting for the caller."""
    waiting = change.old("state") == ON_HOLD and change.old("hold_reason") == AWAITING_CALLER
    if waiting and change.user.sys_id == change.old("caller_id") and not change.changes("state"):
        change.current["state"] = IN_PROGRESS


def _stay_ended(change: Change) -> None:
    """Closed and canceled incidents are not reopened (reopening-incident)."""
    if change.old("state") in _ENDED and change.changes("state"):
        change.abort("Prevent reopening of closed incidents")


def _only_closers_close(change: Change) -> None:
    """Closing needs itil_admin or admin; others stop at Resolved (resolve-and-close-an-incident)."""
    if change.changes_to("state", CLOSED) and not change.user.has_role(*_CLOSERS):
        raise security_constraint("Insert" if change.previous is None else "Update")


def _look_up_priority(change: Change) -> None:
    """The priority follows from impact and urgency, whatever was written into it."""
    if known := _PRIORITIES.get((change.new("impact"), change.new("urgency"))):
        change.current["priority"] = known


def _leave_hold(change: Change) -> None:
    if change.new("state") != ON_HOLD:
        change.current["hold_reason"] = ""


def _resolved(change: Change) -> None:
    """Whoever resolves, or closes what was not resolved, is kept with the time."""
    resolves = change.new("state") in {RESOLVED, CLOSED} and change.old("state") not in {RESOLVED, CLOSED}
    if not resolves:
        return
    now = change.instance.clock.now()
    change.current["resolved_at"] = change.instance.clock.stamp()
    change.current["resolved_by"] = change.user.sys_id
    if (opened := from_stamp(change.new("opened_at"))) is not None:
        change.current["calendar_stc"] = str(max(0, int((now - opened).total_seconds())))


def _reopened(change: Change) -> None:
    if change.old("state") != RESOLVED or change.new("state") not in _OPEN:
        return
    row = change.current
    row["reopen_count"] = str(int(change.old("reopen_count") or 0) + 1)
    row["reopened_by"], row["reopened_time"] = change.user.sys_id, change.instance.clock.stamp()
    row["resolved_at"] = row["resolved_by"] = row["calendar_stc"] = ""
