"""The rows, with equality indexes on the columns that integrations look things up by."""

from collections import Counter
from collections.abc import Iterable, Iterator

from secure_export.sandbox.servicenow.dictionary.model import Dictionary

Row = dict[str, str]

INDEXED = (
    "sys_id",
    "number",
    "correlation_id",
    "object_id",
    "name",
    "element_id",
    "parent_incident",
    "message_key",
    "incident",
)
CLASS = "sys_class_name"


class Tables:
    """All rows of an instance. A family, such as ``task`` with all that extend it, shares one store.

    A stored row is never changed in place: a change puts a new one there, so that an old one can be compared with it.
    """

    def __init__(self, dictionary: Dictionary) -> None:
        self._dictionary = dictionary
        self._families: dict[str, _Family] = {}
        self._versions: Counter[str] = Counter()

    def version(self, table: str) -> int:
        """Give a number that grows whenever a row of this very table is written; for those who keep derived things."""
        return self._versions[table]

    def get(self, table: str, sys_id: str) -> Row | None:
        """Find a row of a table, or of one that extends it."""
        row = self._family(table).rows.get(sys_id.lower())
        return row if row is not None and self._belongs(table, row) else None

    def rows(self, table: str) -> Iterator[Row]:
        """Give all rows of a table and of those that extend it, oldest first."""
        rows = iter(list(self._family(table).rows.values()))
        return rows if self._is_root(table) else self._of(table, rows)

    def having(self, table: str, column: str, values: Iterable[str]) -> Iterator[Row] | None:
        """Find rows by an indexed column, whatever the case of the value; None: the column has no index."""
        family = self._family(table)
        if (index := family.index(column)) is None:
            return None
        ids = (
            sys_id for value in dict.fromkeys(value.casefold() for value in values) for sys_id in index.get(value, ())
        )
        rows = (family.rows[sys_id] for sys_id in list(ids))
        return rows if self._is_root(table) else self._of(table, rows)

    def count(self, table: str) -> int:
        """Count the rows of a table and of those that extend it."""
        return len(self._family(table).rows) if self._is_root(table) else sum(1 for _ in self.rows(table))

    def put(self, table: str, row: Row) -> None:
        """Add a row, or put another in the place of the one with the same ``sys_id``."""
        row.setdefault(CLASS, table)
        self._family(table).put(row)
        self._versions[row[CLASS]] += 1

    def remove(self, table: str, sys_id: str) -> None:
        """Remove a row; one that is not there is removed already."""
        if (row := self._family(table).remove(sys_id)) is not None:
            self._versions[row[CLASS]] += 1

    def families(self) -> Iterator[tuple[str, list[Row]]]:
        """Give every family's first table with all of its rows."""
        for root, family in self._families.items():
            yield root, list(family.rows.values())

    def clear(self) -> None:
        """Forget every row."""
        for family in self._families.values():
            for row in family.rows.values():
                self._versions[row[CLASS]] += 1
        self._families.clear()

    def _family(self, table: str) -> "_Family":
        root = self._dictionary.root(table)
        if (family := self._families.get(root)) is None:
            family = self._families[root] = _Family()
        return family

    def _is_root(self, table: str) -> bool:
        return self._dictionary.root(table) == table

    def _belongs(self, table: str, row: Row) -> bool:
        return self._is_root(table) or row[CLASS] in self._dictionary.descendants(table)

    def _of(self, table: str, rows: Iterator[Row]) -> Iterator[Row]:
        classes = self._dictionary.descendants(table)
        return (row for row in rows if row[CLASS] in classes)


class _Family:
    """The rows of one family by ``sys_id`` in lower case.

    An index holds for each folded value of a column the ids of its rows; it is made when it is first asked for.
    """

    def __init__(self) -> None:
        self.rows: dict[str, Row] = {}
        self._indexes: dict[str, dict[str, dict[str, None]]] = {}

    def index(self, column: str) -> dict[str, dict[str, None]] | None:
        if (known := self._indexes.get(column)) is None and column in INDEXED:
            known = self._indexes[column] = {}
            for sys_id, row in self.rows.items():
                known.setdefault(row.get(column, "").casefold(), {})[sys_id] = None
        return known

    def put(self, row: Row) -> None:
        sys_id = row["sys_id"].lower()
        old = self.rows.get(sys_id)
        self.rows[sys_id] = row
        for column, index in self._indexes.items():
            new_value = row.get(column, "").casefold()
            if old is not None:
                if (old_value := old.get(column, "").casefold()) == new_value:
                    continue
                self._unlink(index, old_value, sys_id)
            index.setdefault(new_value, {})[sys_id] = None

    def remove(self, sys_id: str) -> Row | None:
        sys_id = sys_id.lower()
        if (old := self.rows.pop(sys_id, None)) is not None:
            for column, index in self._indexes.items():
                self._unlink(index, old.get(column, "").casefold(), sys_id)
        return old

    @staticmethod
    def _unlink(index: dict[str, dict[str, None]], value: str, sys_id: str) -> None:
        if (ids := index.get(value)) is not None:
            ids.pop(sys_id, None)
            if not ids:
                del index[value]
