"""Business rules: what happens before and after a row is written."""

from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum
from hashlib import md5
from typing import TYPE_CHECKING, NoReturn

from secure_export.sandbox.servicenow.errors import aborted
from secure_export.sandbox.servicenow.tables import Row
from secure_export.sandbox.servicenow.users import User

if TYPE_CHECKING:
    from secure_export.sandbox.servicenow.instance import Instance


class Operation(StrEnum):
    """What is done to a row."""

    INSERT = "Insert"
    UPDATE = "Update"
    DELETE = "Delete"


ANY_TABLE = "*"
WRITES = frozenset({Operation.INSERT, Operation.UPDATE})


@dataclass(slots=True)
class Change:
    """One row being written; rules look at it and may change what will be stored.

    Attributes:
        instance: The instance.
        table: The row's own class.
        operation: What is done.
        current: The row as it will be; a rule that runs before may change it.
        previous: The row as it was; None when it is new.
        user: Who does it.
        journals: What was written into journal columns, such as ``work_notes``.
    """

    instance: "Instance"
    table: str
    operation: Operation
    current: Row
    previous: Row | None
    user: User
    journals: dict[str, str] = field(default_factory=dict)

    def old(self, column: str) -> str:
        """Give what a column held; empty when the row is new."""
        return "" if self.previous is None else self.previous.get(column, "")

    def new(self, column: str) -> str:
        """Give what a column will hold."""
        return self.current.get(column, "")

    def changes(self, *columns: str) -> bool:
        """Tell whether one of the columns will hold something else than before."""
        return any(self.old(column) != self.new(column) for column in columns)

    def changes_to(self, column: str, *values: str) -> bool:
        """Tell whether a column will hold one of the values and did not hold the same before."""
        return self.new(column) in values and self.changes(column)

    def abort(self, rule: str) -> NoReturn:
        """Abort the write in the name of a business rule.

        Raises:
            SnowError: Always.
        """
        raise aborted(self.table, rule, md5(rule.encode(), usedforsecurity=False).hexdigest())


Rule = Callable[[Change], None]


class When(StrEnum):
    """When a rule runs; one that runs before the write may abort it."""

    BEFORE = "before"
    AFTER = "after"


@dataclass(frozen=True, slots=True)
class _Registered:
    table: str
    rule: Rule
    operations: frozenset[Operation]
    order: int


class BusinessRules:
    """The rules of an instance, in their order. A rule of a table holds for all that extend it."""

    def __init__(self) -> None:
        self._rules: dict[When, list[_Registered]] = {When.BEFORE: [], When.AFTER: []}

    def add(
        self,
        when: When,
        table: str,
        rule: Rule,
        *,
        operations: frozenset[Operation] = WRITES,
        order: int = 100,
    ) -> None:
        """Add a rule; those of a lower order run first."""
        rules = self._rules[when]
        rules.append(_Registered(table, rule, operations, order))
        rules.sort(key=lambda one: one.order)

    def run(self, when: When, change: Change) -> None:
        """Run all rules that are concerned.

        Raises:
            SnowError: A rule aborted the write.
        """
        lineage = change.instance.dictionary.lineage(change.table)
        for one in self._rules[when]:
            if (one.table in lineage or one.table == ANY_TABLE) and change.operation in one.operations:
                one.rule(change)
