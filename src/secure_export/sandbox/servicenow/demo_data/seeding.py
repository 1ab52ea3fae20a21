"""Puts rows straight into the tables, with ids that follow from names, so that they are the same in every run."""

from functools import cache
from hashlib import md5
from typing import TYPE_CHECKING

from secure_export.sandbox.servicenow.engine import application_file
from secure_export.sandbox.servicenow.tables import CLASS

if TYPE_CHECKING:
    from secure_export.sandbox.servicenow.instance import Instance


@cache
def id_of(table: str, name: str) -> str:
    """Give the id of a shipped row."""
    return md5(f"{table} {name}".encode(), usedforsecurity=False).hexdigest()


class Seeding:
    """Writes shipped rows.

    Attributes:
        instance: Where.
        stamp: When they all were written.
    """

    def __init__(self, instance: "Instance") -> None:
        self.instance = instance
        self.stamp = instance.clock.stamp()
        self._defaults: dict[str, dict[str, str]] = {}

    def put(self, table: str, name: str, sys_id: str = "", /, **values: str) -> str:
        """Write a row.

        Args:
            table: Where.
            name: What its id follows from, and the value of the column ``name`` if the table has one.
            sys_id: An id that clients know; empty: it follows from the name.
            **values: Its columns.

        Returns:
            Its id.
        """
        sys_id = sys_id or id_of(table, name)
        row = {**self._default(table), "sys_id": sys_id, CLASS: table}
        if "name" in row:
            row["name"] = name
        row.update(values)
        if application_file.NAME in row:
            row[application_file.NAME] = application_file.name_of(self.instance, row)
        self.instance.tables.put(table, row)
        return sys_id

    def _default(self, table: str) -> dict[str, str]:
        if (known := self._defaults.get(table)) is None:
            columns = self.instance.dictionary.columns(table)
            stamps = {"sys_created_on": self.stamp, "sys_updated_on": self.stamp, "sys_mod_count": "0"}
            known = {name: column.default for name, column in columns.items()}
            known |= {**stamps, "sys_created_by": "system", "sys_updated_by": "system"}
            self._defaults[table] = known
        return known
