"""One instance: its dictionary, rows, rules, users, properties and clock, and what can be done to its rows."""

import random
import secrets
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from secure_export.sandbox.servicenow.acl import AccessRules
from secure_export.sandbox.servicenow.choices import Choices
from secure_export.sandbox.servicenow.clock import Clock
from secure_export.sandbox.servicenow.demo_data import fill
from secure_export.sandbox.servicenow.dictionary import Column, Dictionary, Table, shipped_tables
from secure_export.sandbox.servicenow.dictionary.rows import DictionaryRows
from secure_export.sandbox.servicenow.engine import install
from secure_export.sandbox.servicenow.engine.data_policy import DataPolicies
from secure_export.sandbox.servicenow.errors import invalid_table
from secure_export.sandbox.servicenow.people import People
from secure_export.sandbox.servicenow.properties import Properties
from secure_export.sandbox.servicenow.reading import Page, Reader
from secure_export.sandbox.servicenow.rules import WRITES, BusinessRules, Operation, Rule, When
from secure_export.sandbox.servicenow.shipped_acl import shipped_access
from secure_export.sandbox.servicenow.tables import Row, Tables
from secure_export.sandbox.servicenow.users import SYSTEM, User
from secure_export.sandbox.servicenow.writing import Writer

Job = Callable[["Instance"], None]


class Instance:
    """A ServiceNow instance in memory.

    Args:
        url: Where it is reached; links in bodies begin with it. Without a trailing slash; may be set later.
        clock: Its clock.
        seed: Makes the ids of new rows the same in every run; None: they are random.
        demo: Whether to begin with the demo data of a new instance.

    Attributes:
        url: As above.
        clock: Its clock, movable.
        dictionary: Its tables and columns; change them by ``add_table``, ``add_column`` and ``remove_column``.
        tables: The rows as they are, without access rules.
        rules: The business rules.
        acl: The access rules.
        policies: The data policies, read from ``sys_data_policy2``.
        choices: The choice lists, read from ``sys_choice``.
        properties: The system properties, read from ``sys_properties``.
        people: The users, read from ``sys_user`` and its neighbours, and their passwords.
    """

    def __init__(
        self, *, url: str = "https://localhost", clock: Clock | None = None, seed: int | None = None, demo: bool = True
    ) -> None:
        self.url = url
        self.clock = clock or Clock()
        self._random = random.Random(seed) if seed is not None else None
        self._jobs: dict[str, Job] = {}
        self.dictionary = Dictionary(shipped_tables())
        self.tables = Tables(self.dictionary)
        self._dictionary_rows = DictionaryRows(self.dictionary, self.tables)
        self.rules = BusinessRules()
        self.policies = DataPolicies(self)
        self.choices = Choices(self.tables, self.dictionary)
        self.properties = Properties(self.tables)
        self.people = People(self.tables, self.properties)
        self._reader = Reader(self)
        self.acl = AccessRules(self.dictionary, self._reader.matches, shipped_access())
        self._writer = Writer(self)
        install(self)
        self._dictionary_rows.write_all(self.clock.stamp())
        fill(self, demo=demo)

    def require_table(self, table: str) -> None:
        """Make sure that a table exists.

        Raises:
            SnowError: It does not.
        """
        self._dictionary_rows.refresh()
        if table not in self.dictionary:
            raise invalid_table(table)

    def user(self, user_name: str) -> User:
        """Find an active user by ``user_name``.

        Raises:
            LookupError: There is none.
        """
        return self.people.named(user_name)

    def new_sys_id(self) -> str:
        """Give an id for a new row."""
        return f"{self._random.getrandbits(128):032x}" if self._random else secrets.token_hex(16)

    def get(self, table: str, sys_id: str, user: User = SYSTEM) -> Row:
        """Read one row.

        Raises:
            SnowError: There is no such table, no such row, or the user may not see it.
        """
        return self._reader.get(table, sys_id, user)

    def query(
        self,
        table: str,
        encoded: str = "",
        user: User = SYSTEM,
        *,
        limit: int | None = None,
        offset: int = 0,
    ) -> Page:
        """Read rows by an encoded query; count and cut come before access rules, as in the real system.

        Raises:
            SnowError: There is no such table, or none of the user's roles can read it.
        """
        return self._reader.query(table, encoded, user, limit=limit, offset=offset)

    def find(self, table: str, encoded: str = "") -> list[Row]:
        """Read all rows that match an encoded query, as the system itself."""
        return self._reader.query(table, encoded, SYSTEM).rows

    def first(self, table: str, encoded: str) -> Row | None:
        """Read the first row that matches an encoded query, as the system itself."""
        return next(iter(self._reader.query(table, encoded, SYSTEM, limit=1).rows), None)

    def matches(self, table: str, encoded: str, row: Row, user: User = SYSTEM) -> bool:
        """Tell whether a row of a table matches an encoded query."""
        return self._reader.matches(table, encoded, row, user)

    def readable(self, table: str, row: Row, user: User) -> list[Column]:
        """Give the columns of a row that a user may read."""
        return self._reader.readable(table, row, user)

    def insert(
        self,
        table: str,
        values: Mapping[str, Any],
        user: User = SYSTEM,
        *,
        display_values: bool = False,
        run_rules: bool = True,
    ) -> Row:
        """Write a new row.

        Args:
            table: Where.
            values: As JSON gave them; unknown names are ignored.
            user: Who does it.
            display_values: Whether the values are what people see: names, labels, dates in the user's zone.
            run_rules: Whether business rules and data policies are run (the events API leaves them out).

        Returns:
            The row as it was stored.

        Raises:
            SnowError: No such table, not allowed, refused by a data policy, or aborted by a business rule.
        """
        return self._writer.insert(table, values, user, display_values=display_values, run_rules=run_rules)

    def update(  # noqa: PLR0913 - what a caller of the Table API can say
        self,
        table: str,
        sys_id: str,
        values: Mapping[str, Any],
        user: User = SYSTEM,
        *,
        display_values: bool = False,
        run_rules: bool = True,
    ) -> Row:
        """Change a row; see ``insert``. Nothing is touched when nothing changes.

        Raises:
            SnowError: As in ``insert``, or there is no such row.
        """
        return self._writer.update(table, sys_id, values, user, display_values=display_values, run_rules=run_rules)

    def delete(self, table: str, sys_id: str, user: User = SYSTEM) -> None:
        """Delete a row.

        Raises:
            SnowError: No such table or row, not allowed, or aborted by a business rule.
        """
        self._writer.delete(table, sys_id, user)

    def state(self) -> dict[str, list[Row]]:
        """Give all rows, by the first table of each family; nothing else of an instance outlives it but passwords."""
        return {root: rows for root, rows in self.tables.families() if rows}

    def replace_state(self, families: Mapping[str, Iterable[Row]]) -> None:
        """Put other rows in the place of all rows, as cloning another instance over this one does.

        The dictionary's own rows come first: they say which other tables there are.
        """
        self.tables.clear()
        for root in ("sys_metadata", *(name for name in families if name != "sys_metadata")):
            if root in self.dictionary:
                for row in families.get(root, ()):
                    self.tables.put(root, dict(row))
            self._dictionary_rows.refresh()

    def before(self, table: str, rule: Rule, *, operations: Iterable[Operation] = WRITES, order: int = 100) -> None:
        """Have a rule run before rows of a table, or of one that extends it, are written; it may change or abort."""
        self.rules.add(When.BEFORE, table, rule, operations=frozenset(operations), order=order)

    def after(self, table: str, rule: Rule, *, operations: Iterable[Operation] = WRITES, order: int = 100) -> None:
        """Have a rule run after rows of a table, or of one that extends it, were written."""
        self.rules.add(When.AFTER, table, rule, operations=frozenset(operations), order=order)

    def add_job(self, name: str, job: Job) -> None:
        """Add a background job, such as the one that closes resolved incidents, or put another in its place."""
        self._jobs[name] = job

    def run_jobs(self, *names: str) -> None:
        """Run background jobs now; all of them if none is named."""
        for name in names or tuple(self._jobs):
            self._jobs[name](self)

    def add_table(self, table: Table) -> None:
        """Add a table, with its rows in ``sys_db_object`` and ``sys_dictionary``."""
        self._dictionary_rows.add_table(table, self.clock.stamp())

    def add_column(self, table: str, column: Column) -> None:
        """Add a column, or change one, such as its ``max_length``."""
        self._dictionary_rows.put_column(table, column, self.clock.stamp())
        self._dictionary_rows.refresh()

    def remove_column(self, table: str, name: str) -> None:
        """Remove a column; what rows hold in it is out of reach."""
        self._dictionary_rows.remove_column(table, name)
