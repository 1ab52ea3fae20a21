"""Access rules: who may read, write, create, delete and query which rows and columns.

As in the real system: the rules of the nearest table of a row's lineage decide; one that passes is enough; without any
rule the rules of ``*`` decide; an administrator passes always.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum

from secure_export.sandbox.servicenow.dictionary.model import Dictionary
from secure_export.sandbox.servicenow.tables import Row
from secure_export.sandbox.servicenow.users import User

ANYBODY = frozenset[str]()
ANY_TABLE = "*"
Holds = Callable[[str, str, Row, User], bool]


class Access(StrEnum):
    """What a rule is about."""

    READ = "read"
    WRITE = "write"
    CREATE = "create"
    DELETE = "delete"
    QUERY_MATCH = "query_match"
    QUERY_RANGE = "query_range"


@dataclass(frozen=True, slots=True)
class AccessRule:
    """One access rule.

    Attributes:
        table: What it is about; ``*``: every table that has no rule of its own.
        access: What it allows.
        roles: Any of these is needed; empty: nobody's role is asked for.
        column: What it is about; empty: the row itself.
        condition: An encoded query that the row must match; empty: any row.
    """

    table: str
    access: Access
    roles: frozenset[str] = ANYBODY
    column: str = ""
    condition: str = ""


class AccessRules:
    """The access rules of an instance.

    Args:
        dictionary: Knows the lineage of tables.
        holds: Tells whether a row of a table matches an encoded query for a user.
        rules: To begin with.
    """

    def __init__(self, dictionary: Dictionary, holds: Holds, rules: Iterable[AccessRule] = ()) -> None:
        self._dictionary = dictionary
        self._holds = holds
        self._rules: dict[tuple[str, str, Access], list[AccessRule]] = {}
        self._ruled: set[tuple[str, Access]] = set()
        for rule in rules:
            self.add(rule)

    def __iter__(self) -> Iterator[AccessRule]:
        return iter([rule for rules in self._rules.values() for rule in rules])

    def add(self, rule: AccessRule) -> None:
        """Add a rule; one more way to pass, but the first of a table or column closes it to all others."""
        self._rules.setdefault((rule.table, rule.column, rule.access), []).append(rule)
        self._ruled.add((rule.column, rule.access))

    def remove(self, table: str, access: Access, column: str = "") -> None:
        """Remove the rules of a table or column for one kind of access."""
        self._rules.pop((table, column, access), None)

    def replace(self, rules: Iterable[AccessRule]) -> None:
        """Put these in the place of all rules."""
        self._rules.clear()
        self._ruled.clear()
        for rule in rules:
            self.add(rule)

    def row(self, table: str, access: Access, row: Row, user: User) -> bool:
        """Tell whether a user has access to a row."""
        return user.is_admin or self._passes(self._deciding(table, "", access), table, row, user)

    def table(self, table: str, access: Access, user: User) -> bool:
        """Tell whether a user could have access to some row of a table, judged by roles alone."""
        return user.is_admin or any(_has_role(rule, user) for rule in self._deciding(table, "", access))

    def column(self, table: str, column: str, access: Access, row: Row, user: User) -> bool:
        """Tell whether a user has access to a column of a row that they have access to."""
        if (column, access) not in self._ruled or user.is_admin:
            return True
        rules = self._of_lineage(table, column, access)
        return not rules or self._passes(rules, table, row, user)

    def may_query(self, table: str, column: str, access: Access, user: User) -> bool:
        """Tell whether a user may use a column in a query; allowed where nothing is said (query-acl-rule)."""
        if user.is_admin:
            return True
        rules = self._of_lineage(table, column, access) or self._of_lineage(table, "", access)
        return not rules or any(_has_role(rule, user) for rule in rules)

    def _deciding(self, table: str, column: str, access: Access) -> list[AccessRule]:
        return self._of_lineage(table, column, access) or self._rules.get((ANY_TABLE, column, access), [])

    def _of_lineage(self, table: str, column: str, access: Access) -> list[AccessRule]:
        for ancestor in self._dictionary.lineage(table):
            if rules := self._rules.get((ancestor, column, access)):
                return rules
        return []

    def _passes(self, rules: list[AccessRule], table: str, row: Row, user: User) -> bool:
        return any(
            _has_role(rule, user) and (not rule.condition or self._holds(table, rule.condition, row, user))
            for rule in rules
        )


def _has_role(rule: AccessRule, user: User) -> bool:
    return not rule.roles or user.has_role(*rule.roles)
