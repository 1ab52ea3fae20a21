"""Writing rows as a user: access rules, then business rules, then data policies, then the table, then what follows."""

import re
from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from secure_export.sandbox.servicenow import journal
from secure_export.sandbox.servicenow.acl import Access
from secure_export.sandbox.servicenow.dictionary.model import ColumnType
from secure_export.sandbox.servicenow.errors import security_constraint, unique_key
from secure_export.sandbox.servicenow.inputs import Inputs
from secure_export.sandbox.servicenow.rules import Change, Operation, When
from secure_export.sandbox.servicenow.tables import CLASS, Row
from secure_export.sandbox.servicenow.users import SYSTEM, User

if TYPE_CHECKING:
    from secure_export.sandbox.servicenow.instance import Instance

# honoured, admin_only, dropped: what non-administrators may is unverified (servicenow-facts 15).
CLIENT_SYS_ID = "sandbox.insert.client_sys_id"
DUPLICATE_STATUS = "sandbox.insert.duplicate_status"
_NOT_BY_CALLERS = {"sys_id", CLASS}
_RECLASSIFIED = "cmdb"
_USABLE_ID = re.compile(r"[0-9A-Za-z]{1,32}")


class Writer:
    """Writes rows as a user; what each method takes and raises stands in ``Instance``."""

    def __init__(self, instance: "Instance") -> None:
        self._instance = instance
        self._inputs = Inputs(instance)

    def insert(
        self, table: str, values: Mapping[str, Any], user: User, *, display_values: bool, run_rules: bool
    ) -> Row:
        """Write a new row."""
        instance = self._instance
        instance.require_table(table)
        table = self._class_of(table, values)
        columns = instance.dictionary.columns(table)
        row: Row = {name: column.default for name, column in columns.items()}
        row["sys_id"] = self._sys_id(values, user)
        row[CLASS] = table
        written, journals = self._taken(table, table, values, row, user, display_values=display_values)
        row.update(written)
        if not instance.acl.row(table, Access.CREATE, row, user):
            raise security_constraint("Insert")
        self._stamp(row, user, new=True)
        change = Change(instance, table, Operation.INSERT, row, None, user, journals)
        self._write(change, run_rules=run_rules)
        return change.current

    def update(  # noqa: PLR0913 - as in Instance
        self, table: str, sys_id: str, values: Mapping[str, Any], user: User, *, display_values: bool, run_rules: bool
    ) -> Row:
        """Change a row."""
        instance = self._instance
        old = instance.get(table, sys_id, user)
        actual = old[CLASS]
        if not instance.acl.row(actual, Access.WRITE, old, user):
            raise security_constraint("Update")
        written, journals = self._taken(table, actual, values, old, user, display_values=display_values)
        row = {**old, **written}
        self._reclassify(row, actual, values)
        change = Change(instance, row[CLASS], Operation.UPDATE, row, old, user, journals)
        if row != old or journals:
            self._write(change, run_rules=run_rules)
        return change.current

    def delete(self, table: str, sys_id: str, user: User) -> None:
        """Delete a row, with its journals."""
        instance = self._instance
        old = instance.get(table, sys_id, user)
        if not instance.acl.row(old[CLASS], Access.DELETE, old, user):
            raise security_constraint("Delete")
        change = Change(instance, old[CLASS], Operation.DELETE, dict(old), old, user)
        instance.rules.run(When.BEFORE, change)
        instance.tables.remove(table, sys_id)
        journal.forget(instance, old["sys_id"])
        instance.rules.run(When.AFTER, change)

    def _write(self, change: Change, *, run_rules: bool) -> None:
        instance = self._instance
        if run_rules:
            instance.rules.run(When.BEFORE, change)
            instance.policies.check(change)
        if change.previous is None:
            self._refuse_twin_id(change)
        elif change.current == change.previous and not change.journals:
            return
        self._refuse_twin_values(change)
        if change.previous is not None:
            self._stamp(change.current, change.user, new=False)
        instance.tables.put(change.table, change.current)
        journal.write(instance, change.table, change.current, change.journals, change.user)
        if run_rules:
            instance.rules.run(When.AFTER, change)
            change.current = instance.tables.get(change.table, change.current["sys_id"]) or change.current

    def _taken(  # noqa: PLR0913 - as in Instance
        self, table: str, actual: str, values: Mapping[str, Any], row: Row, user: User, *, display_values: bool
    ) -> tuple[Row, dict[str, str]]:
        """Give the columns and the journal entries that are written; unknown and forbidden names are dropped."""
        instance, written, journals = self._instance, dict[str, str](), dict[str, str]()
        known = instance.dictionary.columns(table)
        for name, raw in values.items():
            column = known.get(name)
            if column is None or name in _NOT_BY_CALLERS or (column.read_only and user is not SYSTEM):
                continue
            if not instance.acl.column(actual, name, Access.WRITE, row, user):
                continue
            text = self._inputs.stored(actual, column, raw, user, display_values=display_values)
            if column.type is not ColumnType.JOURNAL:
                written[name] = text
            elif text and name != "comments_and_work_notes":
                journals[name] = text
        return written, journals

    def _sys_id(self, values: Mapping[str, Any], user: User) -> str:
        """Take the caller's id (servicenow-facts 11), or invent one."""
        wanted = values.get("sys_id")
        rule = self._instance.properties.get(CLIENT_SYS_ID, "honoured")
        taken = rule == "honoured" or (rule == "admin_only" and user.is_admin)
        if taken and isinstance(wanted, str) and _USABLE_ID.fullmatch(wanted):
            return wanted
        return self._instance.new_sys_id()

    def _class_of(self, table: str, values: Mapping[str, Any]) -> str:
        wanted = values.get(CLASS)
        dictionary = self._instance.dictionary
        return wanted if isinstance(wanted, str) and dictionary.is_a(wanted, table) else table

    def _reclassify(self, row: Row, actual: str, values: Mapping[str, Any]) -> None:
        """Put a CI into another class; one that it extends is no other (targets of servicenow.itsm rely on it)."""
        dictionary, wanted = self._instance.dictionary, values.get(CLASS)
        if not isinstance(wanted, str) or dictionary.is_a(actual, wanted):
            return
        root = dictionary.root(actual)
        if root == _RECLASSIFIED and dictionary.is_a(wanted, root):
            row[CLASS] = wanted

    def _stamp(self, row: Row, user: User, *, new: bool) -> None:
        now = self._instance.clock.stamp()
        if new:
            row["sys_created_on"] = row.get("sys_created_on") or now
            row["sys_created_by"] = row.get("sys_created_by") or user.user_name
        row["sys_mod_count"] = "0" if new else str(int(row.get("sys_mod_count") or 0) + 1)
        row["sys_updated_on"], row["sys_updated_by"] = now, user.user_name

    def _refuse_twin_id(self, change: Change) -> None:
        root = self._instance.dictionary.root(change.table)
        if self._instance.tables.get(root, change.current["sys_id"]) is not None:
            self._refuse(change.current["sys_id"], "PRIMARY")

    def _refuse_twin_values(self, change: Change) -> None:
        for name, column in self._instance.dictionary.columns(change.table).items():
            value = change.current.get(name, "")
            if column.unique and value and change.changes(name) and self._has_twin(change, name, value):
                self._refuse(value, name)

    def _has_twin(self, change: Change, name: str, value: str) -> bool:
        owner, wanted = self._instance.dictionary.owner(change.table, name), value.casefold()
        rows = self._instance.tables.having(owner, name, [value]) or self._instance.tables.rows(owner)
        return any(row.get(name, "").casefold() == wanted and row["sys_id"] != change.current["sys_id"] for row in rows)

    def _refuse(self, value: str, key: str) -> None:
        refusal = unique_key(value, key)
        raise replace(refusal, status=self._instance.properties.number(DUPLICATE_STATUS, refusal.status))
