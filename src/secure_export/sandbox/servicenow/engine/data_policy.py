"""Data policies: fields that must not be empty while a condition holds; they bind the Table API (servicenow-facts 9.1).

They are rows of ``sys_data_policy2`` and ``sys_data_policy_rule``, so that clients can read which there are.
"""

from dataclasses import dataclass
from hashlib import md5
from typing import TYPE_CHECKING

from secure_export.sandbox.servicenow.errors import mandatory
from secure_export.sandbox.servicenow.rules import Change

if TYPE_CHECKING:
    from secure_export.sandbox.servicenow.instance import Instance


@dataclass(frozen=True, slots=True)
class DataPolicy:
    """One data policy.

    Attributes:
        name: What it is called.
        table: Whose rows it binds; not those of tables that extend it.
        condition: An encoded query; empty: always.
        columns: What must not be empty; a journal column must be written in the same call.
    """

    name: str
    table: str
    condition: str
    columns: tuple[str, ...]


class DataPolicies:
    """The data policies of an instance."""

    def __init__(self, instance: "Instance") -> None:
        self._instance = instance
        self._read_at: tuple[int, int] = (-1, -1)
        self._policies: list[DataPolicy] = []

    def add(self, policy: DataPolicy) -> None:
        """Add a policy, or put it in the place of the one with the same name."""
        self.remove(policy.name)
        policy_id = _id(policy.name)
        tables = self._instance.tables
        tables.put(
            "sys_data_policy2",
            {
                "sys_id": policy_id,
                "short_description": policy.name,
                "model_table": policy.table,
                "conditions": policy.condition,
                "active": "true",
                "inherit": "false",
                "enforce_ui": "true",
            },
        )
        for column in policy.columns:
            rule = {"sys_data_policy": policy_id, "field": column, "mandatory": "true"}
            tables.put("sys_data_policy_rule", {"sys_id": _id(f"{policy.name} {column}"), **rule})

    def remove(self, name: str) -> None:
        """Remove a policy; one that is not there is removed already."""
        tables, policy_id = self._instance.tables, _id(name)
        tables.remove("sys_data_policy2", policy_id)
        for rule in list(tables.rows("sys_data_policy_rule")):
            if rule.get("sys_data_policy") == policy_id:
                tables.remove("sys_data_policy_rule", rule["sys_id"])

    def all(self) -> list[DataPolicy]:
        """Give the active policies."""
        tables = self._instance.tables
        versions = (tables.version("sys_data_policy2"), tables.version("sys_data_policy_rule"))
        if versions != self._read_at:
            self._read_at = versions
            self._policies = self._read()
        return self._policies

    def check(self, change: Change) -> None:
        """Refuse a row that leaves out what a policy wants.

        Raises:
            SnowError: Naming the fields by their labels.
        """
        missing: dict[str, None] = {}
        for policy in self.all():
            if policy.table == change.table and self._holds(policy, change):
                missing.update(dict.fromkeys(name for name in policy.columns if not self._is_filled(name, change)))
        columns = [self._instance.dictionary.column(change.table, name) for name in missing]
        if known := [column for column in columns if column is not None]:
            raise mandatory(known)

    def _holds(self, policy: DataPolicy, change: Change) -> bool:
        return not policy.condition or self._instance.matches(change.table, policy.condition, change.current)

    def _is_filled(self, name: str, change: Change) -> bool:
        """Tell whether a field is filled; one written earlier into a journal counts, if the state has not changed."""
        if change.new(name) or change.journals.get(name):
            return True
        is_journal = name in {"comments", "work_notes"}
        return is_journal and change.previous is not None and not change.changes("state", "hold_reason")

    def _read(self) -> list[DataPolicy]:
        columns: dict[str, list[str]] = {}
        for rule in self._instance.tables.rows("sys_data_policy_rule"):
            if rule.get("mandatory") == "true":
                columns.setdefault(rule.get("sys_data_policy", ""), []).append(rule.get("field", ""))
        return [
            DataPolicy(
                row.get("short_description", ""),
                row.get("model_table", ""),
                row.get("conditions", ""),
                tuple(columns.get(row["sys_id"], ())),
            )
            for row in self._instance.tables.rows("sys_data_policy2")
            if row.get("active") == "true"
        ]


def _id(name: str) -> str:
    return md5(name.encode(), usedforsecurity=False).hexdigest()
