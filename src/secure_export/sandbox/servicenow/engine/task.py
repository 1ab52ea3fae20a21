"""What all tasks share: who opened and closed them, and whether they are active."""

from typing import TYPE_CHECKING

from secure_export.sandbox.servicenow.rules import Change, Operation
from secure_export.sandbox.servicenow.users import SYSTEM

if TYPE_CHECKING:
    from secure_export.sandbox.servicenow.instance import Instance

# Which states end a record: the same number means different things in different tables (servicenow-facts 9.1, 9.2).
CLOSED_STATES = {
    "incident": frozenset({"7", "8"}),
    "problem": frozenset({"107"}),
    "problem_task": frozenset({"157"}),
    "change_request": frozenset({"3", "4"}),
}
_CLOSED_TASK = frozenset({"3", "4", "7"})


def install(instance: "Instance") -> None:
    """Register the rules."""
    instance.before("task", _keep_state, order=5)
    instance.before("task", _opened, operations=[Operation.INSERT], order=20)
    instance.before("task", _count_reassignment, operations=[Operation.UPDATE], order=50)
    instance.before("task", _end_and_begin, order=900)


def closed_states(change: Change) -> frozenset[str]:
    """Give the states that end records of a change's table."""
    lineage = change.instance.dictionary.lineage(change.table)
    return next((CLOSED_STATES[table] for table in lineage if table in CLOSED_STATES), _CLOSED_TASK)


def _keep_state(change: Change) -> None:
    """A state that is not in the list was blanked: keep the old one, or begin with the default."""
    if not change.new("state"):
        column = change.instance.dictionary.column(change.table, "state")
        change.current["state"] = change.old("state") or (column.default if column is not None else "1")


def _opened(change: Change) -> None:
    row = change.current
    row["opened_at"] = row.get("opened_at") or change.instance.clock.stamp()
    row["opened_by"] = row.get("opened_by") or ("" if change.user is SYSTEM else change.user.sys_id)


def _count_reassignment(change: Change) -> None:
    if change.old("assignment_group") and change.changes("assignment_group"):
        change.current["reassignment_count"] = str(int(change.old("reassignment_count") or 0) + 1)


def _end_and_begin(change: Change) -> None:
    """Follow the state: whoever ends a record is kept, and one that ends is no longer active."""
    row, ends = change.current, change.new("state") in closed_states(change)
    row["active"] = "false" if ends else "true"
    if ends and (change.previous is None or change.old("state") not in closed_states(change)):
        row["closed_at"] = change.instance.clock.stamp()
        row["closed_by"] = change.user.sys_id
    elif not ends:
        row["closed_at"] = row["closed_by"] = ""
