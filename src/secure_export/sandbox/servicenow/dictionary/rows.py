"""The dictionary as rows: ``sys_db_object`` and ``sys_dictionary`` are what counts, whoever writes them."""

from collections.abc import Iterator
from dataclasses import replace
from functools import cache
from hashlib import md5

from secure_export.sandbox.servicenow.dictionary.model import Column, ColumnType, Dictionary, Table
from secure_export.sandbox.servicenow.dictionary.shipped import add_base_columns
from secure_export.sandbox.servicenow.tables import Row, Tables

TABLES = "sys_db_object"
COLUMNS = "sys_dictionary"
_TYPES = {one.value: one for one in ColumnType}


class DictionaryRows:
    """Keeps the dictionary and its rows the same.

    Args:
        dictionary: As shipped; changed when somebody changes the rows.
        tables: Holds the rows.
    """

    def __init__(self, dictionary: Dictionary, tables: Tables) -> None:
        self._dictionary = dictionary
        self._tables = tables
        self._read_at = (-1, -1)
        self._columns: dict[str, tuple[Row, Column]] = {}

    def write_all(self, stamp: str) -> None:
        """Write the rows of every table and column of a new instance."""
        for table in self._dictionary:
            self._put_table(table, stamp)
            for column in table.columns.values():
                row = {**_new_row(f"{table.name}.{column.name}", stamp), **as_row(table.name, column)}
                self._tables.put(COLUMNS, row)
                self._columns[row["sys_id"]] = row, column
        self._read_at = self._versions()

    def add_table(self, table: Table, stamp: str) -> None:
        """Add a table with its rows; of one that is there already only the columns."""
        self.refresh()
        if table.name not in self._dictionary:
            table = replace(table, columns=dict(table.columns))
            if not table.parent:
                add_base_columns(table, extended=True)
            self._dictionary.add_table(table)
            self._put_table(table, stamp)
        for column in table.columns.values():
            self.put_column(table.name, column, stamp)
        self.refresh()

    def put_column(self, table: str, column: Column, stamp: str) -> None:
        """Write the row of a column, in the table of the lineage that has it already, if one has."""
        owner = self._dictionary.owner(table, column.name) or table
        known = self._row(owner, column.name)
        base = dict(known) if known else _new_row(f"{owner}.{column.name}", stamp)
        self._tables.put(COLUMNS, {**base, **as_row(owner, column), "sys_updated_on": stamp})

    def remove_column(self, table: str, name: str) -> None:
        """Remove the row of a column."""
        if (known := self._row(self._dictionary.owner(table, name), name)) is not None:
            self._tables.remove(COLUMNS, known["sys_id"])
        self.refresh()

    def refresh(self) -> None:
        """Read the rows again if somebody wrote one since the last time."""
        if self._versions() == self._read_at:
            return
        for table in self._new_tables():
            self._dictionary.add_table(table)
        columns: dict[str, dict[str, Column]] = {}
        for row in self._tables.rows(COLUMNS):
            if row.get("element") and row.get("active") != "false":
                columns.setdefault(row.get("name", ""), {})[row["element"]] = self._column(row)
        described = {row.get("name") for row in self._tables.rows(TABLES)}
        for table in self._dictionary:
            if table.name in described:
                table.columns = columns.get(table.name, {})
        self._dictionary.forget()
        self._read_at = self._versions()

    def _column(self, row: Row) -> Column:
        """Read a column, but each row once only: a stored row never changes."""
        known = self._columns.get(row["sys_id"])
        if known is None or known[0] is not row:
            known = self._columns[row["sys_id"]] = row, from_row(row)
        return known[1]

    def _new_tables(self) -> Iterator[Table]:
        """Give the tables that the dictionary does not have yet, parents before children."""
        names = {row["sys_id"]: row.get("name", "") for row in self._tables.rows(TABLES)}
        waiting = [row for row in self._tables.rows(TABLES) if row.get("name") and row["name"] not in self._dictionary]
        while ready := [row for row in waiting if names.get(row.get("super_class", ""), "") in {"", *self._names()}]:
            for row in ready:
                yield self._table(row, names.get(row.get("super_class", ""), ""))
            waiting = [row for row in waiting if row not in ready]

    def _table(self, row: Row, parent: str) -> Table:
        """Make a table; what every table has gets its rows too."""
        table = Table(row["name"], row.get("label") or row["name"], parent)
        if not parent and self._row(table.name, "sys_id") is None:
            add_base_columns(table, extended=True)
            for column in table.columns.values():
                base = _new_row(f"{table.name}.{column.name}", row.get("sys_created_on", ""))
                self._tables.put(COLUMNS, {**base, **as_row(table.name, column)})
        return table

    def _put_table(self, table: Table, stamp: str) -> None:
        row = _new_row(table.name, stamp)
        values = {
            "name": table.name,
            "label": table.label,
            "super_class": _id(table.parent) if table.parent else "",
            "number_ref": table.prefix,
            "is_extendable": "true",
            "ws_access": "true",
            "access": "public",
        }
        self._tables.put(TABLES, {**row, **values})

    def _row(self, owner: str, name: str) -> Row | None:
        rows = self._tables.having(COLUMNS, "name", [owner]) or ()
        return next((row for row in rows if row.get("element") == name and row.get("name") == owner), None)

    def _names(self) -> set[str]:
        return {table.name for table in self._dictionary}

    def _versions(self) -> tuple[int, int]:
        return self._tables.version(TABLES), self._tables.version(COLUMNS)


def as_row(owner: str, column: Column) -> Row:
    """Give what ``sys_dictionary`` says about a column."""
    return {
        "name": owner,
        "element": column.name,
        "column_label": column.label,
        "internal_type": column.type.value,
        "max_length": str(column.max_length),
        "reference": column.reference,
        "choice": "1" if column.choice else "0",
        "default_value": column.default,
        "read_only": str(column.read_only).lower(),
        "mandatory": str(column.mandatory).lower(),
        "unique": str(column.unique).lower(),
        "active": "true",
        "array": "false",
        "display": "false",
        "virtual": "false",
    }


def from_row(row: Row) -> Column:
    """Read a column; a type that the stand-in does not treat differently is a string."""
    length = row.get("max_length", "")
    return Column(
        row["element"],
        row.get("column_label") or row["element"],
        _TYPES.get(row.get("internal_type", ""), ColumnType.STRING),
        max_length=int(length) if length.isdecimal() else 40,
        reference=row.get("reference", ""),
        choice=row.get("choice", "0") not in {"", "0"},
        default=row.get("default_value", ""),
        read_only=row.get("read_only") == "true",
        mandatory=row.get("mandatory") == "true",
        unique=row.get("unique") == "true",
    )


def _new_row(name: str, stamp: str) -> Row:
    return {
        "sys_id": _id(name),
        "sys_created_on": stamp,
        "sys_created_by": "system",
        "sys_updated_on": stamp,
        "sys_updated_by": "system",
        "sys_mod_count": "0",
        "sys_name": name,
    }


@cache
def _id(name: str) -> str:
    return md5(f"dictionary {name}".encode(), usedforsecurity=False).hexdigest()
