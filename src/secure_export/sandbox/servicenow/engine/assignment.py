"""Assignment rules: the group for a task that has none, on insert and when its CI changes (servicenow-facts 9.1)."""

from typing import TYPE_CHECKING

from secure_export.sandbox.servicenow.rules import Change

if TYPE_CHECKING:
    from secure_export.sandbox.servicenow.instance import Instance


def install(instance: "Instance") -> None:
    """Register the rule."""
    instance.before("task", _assign, order=300)


def _assign(change: Change) -> None:
    if change.new("assignment_group") or change.new("assigned_to"):
        return
    if change.previous is not None and not change.changes("cmdb_ci", "category"):
        return
    instance = change.instance
    for rule in instance.find("sysrule_assignment", f"table={change.table}^active=true^ORDERBYorder"):
        if instance.matches(change.table, rule["condition"], change.current):
            change.current["assignment_group"], change.current["assigned_to"] = rule["group"], rule["user"]
            return
