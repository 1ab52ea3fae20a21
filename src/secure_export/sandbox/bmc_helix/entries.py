"""The entries of all forms, with equality indexes, and the counters that give them ids.

An entry is never changed in place: a change puts a new one there, so that an old copy stays what it was.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Final

Row = dict[str, Any]
"""An entry: text, whole number, the id of a selection, or seconds since 1970; a field without a value is missing."""

_DIGITS: Final = 12
_PLAIN_DIGITS: Final = 15


@dataclass(frozen=True, slots=True)
class Copy:
    """All entries and counters at one time."""

    tables: dict[str, dict[str, Row]]
    counters: dict[str, int]


class Entries:
    """The entries by table, each under its id."""

    def __init__(self) -> None:
        self._tables: dict[str, _Table] = {}
        self._counters: dict[str, int] = {}

    def index(self, table: str, fields: Iterable[str]) -> None:
        """Make searches of a table by these fields quick."""
        self._table(table).index(fields)

    def indexed(self, table: str, field: str) -> bool:
        """Say whether a table has an index on a field."""
        return field in self._table(table).indexes

    def start(self, counter: str, at: int) -> None:
        """Let the next number of a counter be ``at``."""
        self._counters[counter] = at

    def next_number(self, counter: str, prefix: str = "") -> str:
        """Give the next number of a counter, with a prefix and filled with zeros."""
        number = self._counters.get(counter, 1)
        self._counters[counter] = number + 1
        return f"{prefix}{number:0{_DIGITS if prefix else _PLAIN_DIGITS}d}"

    def get(self, table: str, entry_id: str) -> Row | None:
        """Find an entry."""
        return self._table(table).rows.get(entry_id)

    def put(self, table: str, entry_id: str, row: Row) -> None:
        """Write an entry, in the place of an older one if there is one."""
        self._table(table).put(entry_id, row)

    def remove(self, table: str, entry_id: str) -> None:
        """Take an entry away."""
        self._table(table).remove(entry_id)

    def rows(self, table: str) -> Iterator[Row]:
        """Give all entries of a table, oldest first."""
        return iter(list(self._table(table).rows.values()))

    def having(self, table: str, field: str, values: Iterable[Any]) -> list[Row]:
        """Find entries by an indexed field, whatever the case of the value, in no particular order."""
        return self._table(table).having(field, values)

    def count(self, table: str) -> int:
        """Count the entries of a table."""
        return len(self._table(table).rows)

    def copied(self) -> Copy:
        """Copy all entries and counters."""
        return Copy({name: dict(table.rows) for name, table in self._tables.items()}, dict(self._counters))

    def put_back(self, copy: Copy) -> None:
        """Be as a copy was: what came later is gone, and its ids are given again."""
        for name, table in self._tables.items():
            table.become(copy.tables.get(name, {}))
        self._counters = dict(copy.counters)

    def _table(self, name: str) -> "_Table":
        if name not in self._tables:
            self._tables[name] = _Table()
        return self._tables[name]


class _Table:
    def __init__(self) -> None:
        self.rows: dict[str, Row] = {}
        self.indexes: dict[str, dict[Any, dict[str, None]]] = {}

    def index(self, fields: Iterable[str]) -> None:
        for field in fields:
            if field not in self.indexes:
                self.indexes[field] = {}
                for entry_id, row in self.rows.items():
                    self._enter(field, entry_id, row)

    def put(self, entry_id: str, row: Row) -> None:
        if (old := self.rows.get(entry_id)) is not None:
            self._forget(entry_id, old)
        self.rows[entry_id] = row
        for field in self.indexes:
            self._enter(field, entry_id, row)

    def remove(self, entry_id: str) -> None:
        if (old := self.rows.pop(entry_id, None)) is not None:
            self._forget(entry_id, old)

    def having(self, field: str, values: Iterable[Any]) -> list[Row]:
        index = self.indexes[field]
        ids = dict.fromkeys(one for value in values for one in index.get(folded(value), ()))
        return [self.rows[one] for one in ids]

    def become(self, rows: dict[str, Row]) -> None:
        self.rows = dict(rows)
        for field in self.indexes:
            self.indexes[field] = {}
            for entry_id, row in self.rows.items():
                self._enter(field, entry_id, row)

    def _enter(self, field: str, entry_id: str, row: Row) -> None:
        if (value := row.get(field)) is not None:
            self.indexes[field].setdefault(folded(value), {})[entry_id] = None

    def _forget(self, entry_id: str, row: Row) -> None:
        for field, index in self.indexes.items():
            key = folded(row.get(field))
            if key in index:
                index[key].pop(entry_id, None)
                if not index[key]:
                    del index[key]


def folded(value: Any) -> Any:
    """Give a value without its case."""
    return value.casefold() if isinstance(value, str) else value
