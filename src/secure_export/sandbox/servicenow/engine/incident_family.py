"""Parents and children among incidents: they are resolved together, and reopened together (parent-child-state-sync)."""

from typing import TYPE_CHECKING

from secure_export.sandbox.servicenow.engine.incident import CLOSED, IN_PROGRESS, RESOLVED
from secure_export.sandbox.servicenow.errors import SnowError
from secure_export.sandbox.servicenow.rules import WRITES, Change, Operation
from secure_export.sandbox.servicenow.tables import Row
from secure_export.sandbox.servicenow.users import SYSTEM

if TYPE_CHECKING:
    from secure_export.sandbox.servicenow.instance import Instance


def install(instance: "Instance") -> None:
    """Register the rules."""
    instance.after("incident", _resolve_children, operations=[Operation.UPDATE])
    instance.after("incident", _reopen_children, operations=[Operation.UPDATE])
    instance.after("incident", _count_children, operations=[*WRITES, Operation.DELETE], order=200)


def _children(change: Change) -> list[Row]:
    return change.instance.find("incident", f"parent_incident={change.current['sys_id']}")


def _resolve_children(change: Change) -> None:
    if not change.changes_to("state", RESOLVED, CLOSED) or change.old("state") == RESOLVED:
        return
    notes = f"Closed based on resolution of parent {change.new('number')}. {change.new('close_notes')}"
    for child in _children(change):
        if child["active"] == "true" and child["state"] != RESOLVED:
            values = {"state": RESOLVED, "close_code": change.new("close_code"), "close_notes": notes}
            _try(change, child, values)


def _reopen_children(change: Change) -> None:
    """Only people of the service desk reopen children with their parent."""
    if change.old("state") != RESOLVED or not change.changes("state") or change.new("active") != "true":
        return
    if change.user.has_role("itil"):
        for child in _children(change):
            if child["state"] == RESOLVED:
                _try(change, child, {"state": IN_PROGRESS})


def _count_children(change: Change) -> None:
    if change.operation is Operation.UPDATE and not change.changes("parent_incident"):
        return
    for parent in {change.old("parent_incident"), change.new("parent_incident")} - {""}:
        if change.instance.tables.get("incident", parent) is not None:
            count = len(change.instance.find("incident", f"parent_incident={parent}"))
            change.instance.update("incident", parent, {"child_incidents": str(count)}, SYSTEM)


def _try(change: Change, child: Row, values: Row) -> None:
    """A child that cannot follow stays as it is."""
    try:
        change.instance.update("incident", child["sys_id"], values, SYSTEM)
    except SnowError:
        return
