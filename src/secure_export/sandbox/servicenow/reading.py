"""Reading rows as a user: count and cut first, access rules after (servicenow-facts 3.1)."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from secure_export.sandbox.servicenow.acl import Access
from secure_export.sandbox.servicenow.dictionary.model import Column
from secure_export.sandbox.servicenow.errors import may_not_query, no_record
from secure_export.sandbox.servicenow.matching import Compiled, Matching, Predicate
from secure_export.sandbox.servicenow.tables import Row
from secure_export.sandbox.servicenow.users import SYSTEM, User

if TYPE_CHECKING:
    from secure_export.sandbox.servicenow.instance import Instance

# Conditions with these give another answer later, so they are not kept.
_FLEETING = ("javascript:", "RELATIVE", "JOIN", "RLQUERY")
_MOST_KEPT = 256


@dataclass(frozen=True, slots=True)
class Page:
    """What a query found.

    Attributes:
        rows: The rows of the page that the user may see; may be fewer than the page holds, even none.
        total: How many rows match at all, also those that the user may not see.
    """

    rows: list[Row]
    total: int


class Reader:
    """Reads rows as a user; what each method takes and raises stands in ``Instance``."""

    def __init__(self, instance: "Instance") -> None:
        self._instance = instance
        self._matching = Matching(instance.dictionary, instance.tables, instance.properties, instance.clock)
        self._kept: dict[tuple[str, str, User], Predicate] = {}
        self._kept_at = (-1, -1)

    def get(self, table: str, sys_id: str, user: User) -> Row:
        """Read one row."""
        self._instance.require_table(table)
        row = self._instance.tables.get(table, sys_id)
        if row is None or not self._may_read(table, row, user):
            raise no_record()
        return row

    def query(self, table: str, encoded: str, user: User, *, limit: int | None = None, offset: int = 0) -> Page:
        """Read rows by an encoded query."""
        self._instance.require_table(table)
        if not self._instance.acl.table(table, Access.READ, user):
            raise may_not_query()
        compiled = self._matching.compile(table, encoded, user)
        if not self._may_use(compiled, user):
            return Page([], 0)
        found = self._matching.rows(table, compiled)
        page = found[offset:] if limit is None else found[offset : offset + limit]
        return Page([row for row in page if self._may_read(table, row, user)], len(found))

    def matches(self, table: str, encoded: str, row: Row, user: User) -> bool:
        """Tell whether a row matches an encoded query."""
        state = (self._instance.dictionary.version, self._instance.tables.version("sys_properties"))
        if state != self._kept_at or len(self._kept) > _MOST_KEPT:
            self._kept.clear()
            self._kept_at = state
        key = (table, encoded, user)
        if (holds := self._kept.get(key)) is None:
            holds = self._matching.compile(table, encoded, user).holds
            if not any(word in encoded for word in _FLEETING):
                self._kept[key] = holds
        return holds(row)

    def readable(self, table: str, row: Row, user: User) -> list[Column]:
        """Give the columns of a row that a user may read."""
        columns = self._instance.dictionary.columns(table)
        acl = self._instance.acl
        return [column for name, column in columns.items() if acl.column(table, name, Access.READ, row, user)]

    def _may_read(self, table: str, row: Row, user: User) -> bool:
        if user is SYSTEM or user.is_admin:
            return True
        return self._instance.acl.row(row.get("sys_class_name") or table, Access.READ, row, user)

    def _may_use(self, compiled: Compiled, user: User) -> bool:
        """Tell whether every column may be queried so; if not, the query finds nothing at all."""
        return all(
            self._instance.acl.may_query(
                use.table, use.column, Access.QUERY_RANGE if use.is_range else Access.QUERY_MATCH, user
            )
            for use in compiled.uses
        )
