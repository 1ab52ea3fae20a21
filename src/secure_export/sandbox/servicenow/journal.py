"""Journals: ``comments`` and ``work_notes`` are kept entry by entry in ``sys_journal_field`` (servicenow-facts 3.3)."""

from typing import TYPE_CHECKING

from secure_export.sandbox.servicenow.tables import Row
from secure_export.sandbox.servicenow.users import User
from secure_export.sandbox.servicenow.zones import shown_moment

if TYPE_CHECKING:
    from secure_export.sandbox.servicenow.instance import Instance

TABLE = "sys_journal_field"
# Reads as one journal what was written into two.
_TOGETHER = {"comments_and_work_notes": ("comments", "work_notes")}


def write(instance: "Instance", table: str, row: Row, entries: dict[str, str], user: User) -> None:
    """Add an entry for each journal column that was written."""
    stamp = instance.clock.stamp()
    for element, text in entries.items():
        entry = {
            "sys_id": instance.new_sys_id(),
            "name": table,
            "element": element,
            "element_id": row["sys_id"],
            "value": text,
            "sys_created_on": stamp,
            "sys_created_by": user.user_name,
            "sys_updated_on": stamp,
            "sys_updated_by": user.user_name,
            "sys_mod_count": "0",
        }
        instance.tables.put(TABLE, entry)


def entries(instance: "Instance", sys_id: str, element: str) -> list[Row]:
    """Give the entries of a row's journal column, newest first; of one second, the last written first."""
    wanted = _TOGETHER.get(element, (element,))
    found = instance.tables.having(TABLE, "element_id", [sys_id]) or ()
    rows = [row for row in found if row.get("element") in wanted]
    rows.reverse()
    rows.sort(key=lambda row: row["sys_created_on"], reverse=True)
    return rows


def shown(instance: "Instance", table: str, sys_id: str, element: str, user: User) -> str:
    """Show a journal column as one text, newest entry first, in the user's zone."""
    return "".join(_shown(instance, table, row, user) for row in entries(instance, sys_id, element))


def forget(instance: "Instance", sys_id: str) -> None:
    """Remove a deleted row's journals."""
    for row in list(instance.tables.having(TABLE, "element_id", [sys_id]) or ()):
        instance.tables.remove(TABLE, row["sys_id"])


def _shown(instance: "Instance", table: str, row: Row, user: User) -> str:
    column = instance.dictionary.column(table, row["element"])
    label = row["element"] if column is None else column.label
    author = instance.people.name_of(row["sys_created_by"])
    return f"{shown_moment(row['sys_created_on'], user)} - {author} ({label})\n{row['value']}\n\n"
