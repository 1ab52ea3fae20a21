"""The problem's state model (servicenow-facts 9.2): each step asks for what the next one needs."""

from typing import TYPE_CHECKING

from secure_export.sandbox.servicenow.rules import Change, Operation

if TYPE_CHECKING:
    from secure_export.sandbox.servicenow.instance import Instance

NEW, ASSESS, ANALYSIS, FIX, RESOLVED, CLOSED = "101", "102", "103", "104", "106", "107"
_RULE = "Problem Model: Check State Transition"
_STEPS = {
    NEW: {ASSESS, CLOSED},
    ASSESS: {ANALYSIS, CLOSED},
    ANALYSIS: {FIX, RESOLVED, CLOSED},
    FIX: {RESOLVED, ANALYSIS, CLOSED},
    RESOLVED: {CLOSED, ANALYSIS},
    CLOSED: {ANALYSIS},
}
_NEEDED = {
    ASSESS: ("assigned_to",),
    FIX: ("cause_notes", "fix_notes"),
    RESOLVED: ("cause_notes", "fix_notes", "resolution_code"),
    CLOSED: ("resolution_code",),
}


def install(instance: "Instance") -> None:
    """Register the rules."""
    instance.before("problem", _sync_states, order=2)
    instance.before("problem", _check_transition, operations=[Operation.UPDATE], order=40)
    instance.before("problem", _resolved, order=80)
    instance.before("problem", _mirror_state, order=901)


def _sync_states(change: Change) -> None:
    row = change.current
    default = NEW if change.previous is None else change.old("state")
    if row.get("state", "") in {default, ""} and row.get("problem_state") not in {default, "", None}:
        row["state"] = row["problem_state"]


def _mirror_state(change: Change) -> None:
    change.current["problem_state"] = change.new("state")


def _check_transition(change: Change) -> None:
    if not change.changes("state"):
        return
    allowed = change.new("state") in _STEPS.get(change.old("state"), set())
    if not allowed or not all(change.new(column) for column in _NEEDED.get(change.new("state"), ())):
        change.abort(_RULE)
    if change.new("resolution_code") == "duplicate" and not change.new("duplicate_of"):
        change.abort(_RULE)


def _resolved(change: Change) -> None:
    row, user, now = change.current, change.user, change.instance.clock.stamp()
    if change.changes_to("state", RESOLVED):
        row["resolved_by"], row["resolved_at"] = user.sys_id, now
    elif (
        change.previous is not None
        and change.old("state") in {RESOLVED, CLOSED}
        and change.changes_to("state", ANALYSIS)
    ):
        row["reopen_count"] = str(int(change.old("reopen_count") or 0) + 1)
        row["reopened_by"], row["reopened_at"] = user.sys_id, now
        row["resolved_by"] = row["resolved_at"] = row["resolution_code"] = ""
