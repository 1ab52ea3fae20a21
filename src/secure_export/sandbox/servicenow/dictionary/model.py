"""Tables, their parents, and their columns: what ``sys_db_object`` and ``sys_dictionary`` speak about."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum


class ColumnType(StrEnum):
    """The types that the stand-in treats differently; the words are those of ``sys_dictionary.internal_type``."""

    STRING = "string"
    INTEGER = "integer"
    DECIMAL = "decimal"
    BOOLEAN = "boolean"
    DATE_TIME = "glide_date_time"
    DATE = "glide_date"
    DURATION = "glide_duration"
    REFERENCE = "reference"
    LIST = "glide_list"
    JOURNAL = "journal_input"
    PASSWORD = "password"  # noqa: S105 - the name of a column type
    GUID = "GUID"
    CLASS_NAME = "sys_class_name"
    URL = "url"


@dataclass(frozen=True, slots=True)
class Column:
    """One column of a table.

    Attributes:
        name: Its name, such as ``close_code``.
        label: What people and error messages call it.
        type: How its values are kept, compared and shown.
        max_length: Longer texts are cut, in silence.
        reference: The table that a reference or list points into.
        choice: Whether only values of ``sys_choice`` are taken.
        default: What a new row holds.
        read_only: Whether callers' values are ignored.
        mandatory: What ``sys_dictionary.mandatory`` says; the form's business, not the Table API's.
        unique: Whether a second row with the same value is refused.
    """

    name: str
    label: str
    type: ColumnType = ColumnType.STRING
    max_length: int = 40
    reference: str = ""
    choice: bool = False
    default: str = ""
    read_only: bool = False
    mandatory: bool = False
    unique: bool = False


@dataclass(slots=True)
class Table:
    """One table.

    Attributes:
        name: Its name, such as ``incident``.
        label: What people call it.
        parent: The table that it extends; empty for the first of a family.
        columns: Its own columns, without those of its parents.
        overrides: What it calls and does differently with columns of its parents; lengths stay the parents'.
        display: The column that stands for a row where another row points at it; empty: the parent's.
        prefix: What its numbers begin with, such as ``INC``; empty: the parent's, or none.
    """

    name: str
    label: str
    parent: str = ""
    columns: dict[str, Column] = field(default_factory=dict)
    overrides: dict[str, Column] = field(default_factory=dict)
    display: str = ""
    prefix: str = ""


class Dictionary:
    """All tables of an instance. Can be changed while it runs: columns come and go, lengths grow.

    Attributes:
        version: Grows with every change; for those who keep derived things.
    """

    def __init__(self, tables: Iterable[Table] = ()) -> None:
        self.version = 0
        self._tables: dict[str, Table] = {}
        self._columns: dict[str, dict[str, Column]] = {}
        self._lineages: dict[str, tuple[str, ...]] = {}
        self._descendants: dict[str, frozenset[str]] = {}
        for table in tables:
            self.add_table(table)

    def __contains__(self, name: object) -> bool:
        return name in self._tables

    def __iter__(self) -> Iterator[Table]:
        return iter(self._tables.values())

    def table(self, name: str) -> Table | None:
        """Find a table by its name."""
        return self._tables.get(name)

    def add_table(self, table: Table) -> None:
        """Add a table, or put another in its place.

        Raises:
            LookupError: Its parent is not there.
        """
        if table.parent and table.parent not in self._tables:
            raise LookupError(f"{table.name} extends {table.parent}, which does not exist. Add the parent first.")
        self._tables[table.name] = table
        self.forget()

    def add_column(self, table: str, column: Column) -> None:
        """Add a column to a table and to all that extend it, or put another in its place."""
        self._tables[table].columns[column.name] = column
        self.forget()

    def remove_column(self, table: str, name: str) -> None:
        """Remove a column from the table of a family that has it."""
        for ancestor in self.lineage(table):
            self._tables[ancestor].columns.pop(name, None)
        self.forget()

    def columns(self, table: str) -> Mapping[str, Column]:
        """Give all columns of a table, those of its parents first."""
        if (known := self._columns.get(table)) is None:
            known = {}
            for ancestor in reversed(self.lineage(table)):
                table_of_family = self._tables[ancestor]
                known.update(table_of_family.columns)
                for name, wanted in table_of_family.overrides.items():
                    if name in known:
                        known[name] = replace(wanted, max_length=known[name].max_length)
            self._columns[table] = known
        return known

    def column(self, table: str, name: str) -> Column | None:
        """Find a column, inherited ones too."""
        return self.columns(table).get(name)

    def lineage(self, table: str) -> tuple[str, ...]:
        """Give a table and its parents, nearest first."""
        if (known := self._lineages.get(table)) is None:
            known = (table,)
            while parent := self._tables[known[-1]].parent:
                known = (*known, parent)
            self._lineages[table] = known
        return known

    def root(self, table: str) -> str:
        """Give the first table of a family, such as ``task`` for ``incident``."""
        return self.lineage(table)[-1]

    def descendants(self, table: str) -> frozenset[str]:
        """Give a table and all that extend it, at any depth."""
        if (known := self._descendants.get(table)) is None:
            known = frozenset(name for name in self._tables if table in self.lineage(name))
            self._descendants[table] = known
        return known

    def is_a(self, table: str, ancestor: str) -> bool:
        """Tell whether a table is another one or extends it."""
        return table in self._tables and ancestor in self.lineage(table)

    def owner(self, table: str, column: str) -> str:
        """Give the table of a lineage where a column is defined; empty if nowhere."""
        return next((one for one in self.lineage(table) if column in self._tables[one].columns), "")

    def display_column(self, table: str) -> str:
        """Give the column that stands for a row of a table."""
        return next((one for name in self.lineage(table) if (one := self._tables[name].display)), "sys_id")

    def prefix(self, table: str) -> str:
        """Give what numbers of a table begin with; empty: its rows have no numbers."""
        return next((one for name in self.lineage(table) if (one := self._tables[name].prefix)), "")

    def forget(self) -> None:
        """Forget what was derived from the tables, after one of them was changed in place."""
        self.version += 1
        self._columns.clear()
        self._lineages.clear()
        self._descendants.clear()
