"""Numbers of new records: a prefix and at least seven digits, one sequence for each prefix (servicenow-facts 3.3).

The sequences are rows of ``sys_number``, so that a cloned instance goes on where the copy was made.
"""

from hashlib import md5
from typing import TYPE_CHECKING

from secure_export.sandbox.servicenow.rules import Change, Operation

if TYPE_CHECKING:
    from secure_export.sandbox.servicenow.instance import Instance

_FIRST = 10000


def install(instance: "Instance") -> None:
    """Register the rule for every family that has numbers."""
    for table in instance.dictionary:
        if table.prefix and not table.parent:
            instance.before(table.name, _give_number, operations=[Operation.INSERT], order=10)


def next_number(instance: "Instance", prefix: str) -> str:
    """Give the next number of a sequence; one that was given is never given again."""
    sys_id = md5(f"number {prefix}".encode(), usedforsecurity=False).hexdigest()
    known = instance.tables.get("sys_number", sys_id) or {"sys_id": sys_id, "prefix": prefix, "maximum_digits": "7"}
    number = int(known.get("number") or _FIRST) + 1
    instance.tables.put("sys_number", {**known, "number": str(number)})
    return f"{prefix}{number:07d}"


def _give_number(change: Change) -> None:
    prefix = change.instance.dictionary.prefix(change.table)
    if prefix and not change.new("number"):
        change.current["number"] = next_number(change.instance, prefix)
    if "task_effective_number" in change.current:
        change.current["task_effective_number"] = change.current["number"]
