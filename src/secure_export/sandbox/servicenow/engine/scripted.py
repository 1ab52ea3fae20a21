"""Business rules that people keep in ``sys_script``: those that abort when a condition holds. Scripts are not run."""

from typing import TYPE_CHECKING

from secure_export.sandbox.servicenow.errors import aborted
from secure_export.sandbox.servicenow.rules import ANY_TABLE, Change, Operation
from secure_export.sandbox.servicenow.tables import Row

if TYPE_CHECKING:
    from secure_export.sandbox.servicenow.instance import Instance

_SWITCHES = {
    Operation.INSERT: "action_insert",
    Operation.UPDATE: "action_update",
    Operation.DELETE: "action_delete",
}


def install(instance: "Instance") -> None:
    """Register the rule that runs them."""
    instance.before(ANY_TABLE, _Scripted(instance).run, operations=list(Operation), order=500)


class _Scripted:
    """Keeps the rows that can abort something until ``sys_script`` changes."""

    def __init__(self, instance: "Instance") -> None:
        self._instance = instance
        self._read_at = -1
        self._rules: list[Row] = []

    def run(self, change: Change) -> None:
        if not (rules := self._aborting()):
            return
        lineage = change.instance.dictionary.lineage(change.table)
        for rule in rules:
            if rule["collection"] in lineage and rule.get(_SWITCHES[change.operation]) == "true":
                self._abort_if_it_holds(rule, change)

    def _abort_if_it_holds(self, rule: Row, change: Change) -> None:
        condition = rule.get("filter_condition", "")
        if not condition or change.instance.matches(change.table, condition, change.current, change.user):
            raise aborted(change.table, rule["name"], rule["sys_id"])

    def _aborting(self) -> list[Row]:
        if (version := self._instance.tables.version("sys_script")) != self._read_at:
            self._read_at = version
            rows = self._instance.find("sys_script", "active=true^abort_action=true^when=before^ORDERBYorder")
            self._rules = [row for row in rows if row.get("collection")]
        return self._rules
