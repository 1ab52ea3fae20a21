"""Encoded queries against the dictionary: which terms are valid, which rows can match, and which do.

The trap of servicenow-facts section 4 is here: an invalid term is left out, and what is left decides.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from secure_export.sandbox.servicenow.clock import Clock
from secure_export.sandbox.servicenow.dictionary.model import Column, ColumnType, Dictionary
from secure_export.sandbox.servicenow.operators import MATCH_OPERATORS, compare_counts, fold, make_test, number
from secure_export.sandbox.servicenow.properties import Properties
from secure_export.sandbox.servicenow.query import Clause, Join, Order, Part, Query, Related, Term, parse
from secure_export.sandbox.servicenow.scripts import value_of
from secure_export.sandbox.servicenow.tables import INDEXED, Row, Tables
from secure_export.sandbox.servicenow.users import User

Predicate = Callable[[Row], bool]
Getter = Callable[[Row], str]
SortKey = Callable[[Row], tuple[bool, float, str]]

CASE_SENSITIVE = "sandbox.query.case_sensitive"
CARET_ESCAPES = "sandbox.query.doubled_caret_escapes"
NO_ROWS = "glide.invalid_query.returns_no_rows"
_ME = "90d1921e5f510100a9ad2572f2b477fe"
_ANYWHERE = "123TEXTQUERY321"
_MOST_DOTS = 6
_NUMBERS = {ColumnType.INTEGER, ColumnType.DECIMAL}


@dataclass(frozen=True, slots=True)
class Use:
    """A column that a query uses; ``is_range`` unless it only fetches what is known already."""

    table: str
    column: str
    is_range: bool


@dataclass(slots=True)
class Compiled:
    """A query made ready for one table and user.

    Attributes:
        holds: Tells whether a row matches.
        sort: What to sort by, most important first, with whether downwards.
        uses: The columns that it uses.
        has_invalid_terms: Whether something was left out.
        lookups: Indexed columns and values that together find every row that can match; None: look at all rows.
    """

    holds: Predicate
    sort: list[tuple[SortKey, bool]] = field(default_factory=list)
    uses: list[Use] = field(default_factory=list)
    has_invalid_terms: bool = False
    lookups: list[tuple[str, list[str]]] | None = None


class Matching:
    """Makes queries ready, and runs them without access rules."""

    def __init__(self, dictionary: Dictionary, tables: Tables, properties: Properties, clock: Clock) -> None:
        self.dictionary = dictionary
        self.tables = tables
        self.properties = properties
        self.clock = clock

    def compile(self, table: str, encoded: str, user: User) -> Compiled:
        """Make a query ready."""
        query = parse(encoded, doubled_caret_escapes=self.properties.flag(CARET_ESCAPES))
        return _Compiler(self, table, user).run(query)

    def rows(self, table: str, compiled: Compiled) -> list[Row]:
        """Give all rows that match, sorted."""
        if compiled.has_invalid_terms and self.properties.flag(NO_ROWS):
            return []
        found = [row for row in self._candidates(table, compiled) if compiled.holds(row)]
        for key, descending in reversed(compiled.sort):
            found.sort(key=key, reverse=descending)
        return found

    def _candidates(self, table: str, compiled: Compiled) -> Iterator[Row]:
        if compiled.lookups is None:
            return self.tables.rows(table)
        found: dict[str, Row] = {}
        for column, values in compiled.lookups:
            for row in self.tables.having(table, column, values) or ():
                found[row["sys_id"]] = row
        return iter(found.values())


class _Compiler:
    """Makes one query ready."""

    def __init__(self, matching: Matching, table: str, user: User) -> None:
        self._matching = matching
        self._table = table
        self._user = user
        self._now = matching.clock.now()
        self._case_sensitive = matching.properties.flag(CASE_SENSITIVE)
        self._done = Compiled(lambda _: True)

    def run(self, query: Query) -> Compiled:
        groups: list[list[Predicate]] = []
        lookups: list[tuple[str, list[str]]] | None = []
        for group in query.groups:
            groups.append([holds for clause in group if (holds := self._clause(clause)) is not None])
            narrow = self._narrowest(group)
            lookups = None if narrow is None or lookups is None else [*lookups, *narrow]
        self._done.holds = _any_of([_all_of(group) for group in groups])
        self._done.lookups = lookups
        self._done.sort = [ready for order in query.order if (ready := self._order(order)) is not None]
        return self._done

    def _clause(self, clause: Clause) -> Predicate | None:
        parts = [holds for part in clause if (holds := self._part(part)) is not None]
        self._done.has_invalid_terms |= len(parts) < len(clause)
        return _any_of(parts) if parts else None

    def _part(self, part: Part) -> Predicate | None:
        match part:
            case Term():
                return self._term(part)
            case Join():
                return self._join(part)
            case Related():
                return self._related(part)
            case _:
                return None

    def _term(self, term: Term) -> Predicate | None:
        if term.field == _ANYWHERE:
            return self._anywhere(term.value)
        if (path := self._path(term.field)) is None:
            return None
        table, column, get = path
        self._done.uses.append(Use(table, column.name, is_range=term.operator not in MATCH_OPERATORS))
        if term.operator == "INSTANCEOF":
            return self._instance_of(get, term.value)
        if term.operator in _FIELD_COMPARISONS:
            return self._other_field(get, term)
        if (value := self._value(term)) is None:
            return None
        test = make_test(
            column, _DYNAMIC.get(term.operator, term.operator), value, self._now, case_sensitive=self._case_sensitive
        )
        return None if test is None else lambda row: test(get(row))

    def _value(self, term: Term) -> str | None:
        """Give the value of a term with its scripts replaced; None: something in it is unknown."""
        if term.operator == "DYNAMIC":
            return self._user.sys_id if term.value == _ME else None
        if "javascript:" not in term.value:
            return term.value
        pieces = [value_of(piece, self._user, self._now) for piece in term.value.split("@")]
        known = [piece for piece in pieces if piece is not None]
        return "@".join(known) if len(known) == len(pieces) else None

    def _instance_of(self, get: Getter, value: str) -> Predicate | None:
        if value not in self._matching.dictionary:
            return None
        classes = self._matching.dictionary.descendants(value)
        return lambda row: get(row) in classes

    def _other_field(self, get: Getter, term: Term) -> Predicate | None:
        if (other := self._path(term.value)) is None:
            return None
        compare, get_other = _FIELD_COMPARISONS[term.operator], other[2]
        return lambda row: compare(get(row), get_other(row))

    def _anywhere(self, value: str) -> Predicate:
        columns = [
            name
            for name, column in self._matching.dictionary.columns(self._table).items()
            if column.type is ColumnType.STRING
        ]
        words = [word.casefold() for word in value.split()]
        return lambda row: all(any(word in row.get(name, "").casefold() for name in columns) for word in words)

    def _join(self, join: Join) -> Predicate | None:
        dictionary = self._matching.dictionary
        if join.table not in dictionary or join.other_table not in dictionary:
            return None
        if self._path(join.field) is None or dictionary.column(join.other_table, join.other_field) is None:
            return None
        own, other = join.field, join.other_field
        pointed_at = {row.get(other, "") for row in self._of_other(join.other_table, join.query)} - {""}
        return lambda row: row.get(own, "") in pointed_at

    def _related(self, related: Related) -> Predicate | None:
        dictionary = self._matching.dictionary
        if related.other_table not in dictionary or dictionary.column(related.other_table, related.other_field) is None:
            return None
        counts: dict[str, int] = {}
        for row in self._of_other(related.other_table, related.query):
            pointed_at = row.get(related.other_field, "")
            counts[pointed_at] = counts.get(pointed_at, 0) + 1
        return lambda row: compare_counts(related.comparison, counts.get(row["sys_id"], 0), related.count)

    def _of_other(self, table: str, query: Query) -> list[Row]:
        compiled = _Compiler(self._matching, table, self._user).run(query)
        self._done.has_invalid_terms |= compiled.has_invalid_terms
        self._done.uses += compiled.uses
        return self._matching.rows(table, compiled)

    def _path(self, name: str) -> tuple[str, Column, Getter] | None:
        """Follow a field, over references if it has dots; None: there is no such field."""
        dictionary = self._matching.dictionary
        *walked, last = name.split(".")
        if len(walked) > _MOST_DOTS:
            return None
        table, steps = self._table, list[tuple[str, str]]()
        for step in walked:
            column = dictionary.column(table, step)
            if column is None or column.reference not in dictionary:
                return None
            table = column.reference
            steps.append((step, table))
        if (column := dictionary.column(table, last)) is None:
            return None
        return table, column, getter(self._matching.tables, steps, last)

    def _order(self, order: Order) -> tuple[SortKey, bool] | None:
        if (path := self._path(order.field)) is None:
            return None
        table, column, get = path
        self._done.uses.append(Use(table, column.name, is_range=True))
        if column.type is ColumnType.REFERENCE and column.reference in self._matching.dictionary:
            shown = self._matching.dictionary.display_column(column.reference)
            *walked, last = order.field.split(".")
            if (display := self._path(".".join([*walked, last, shown]))) is not None:
                return _sort_key(display[1], display[2]), order.descending
        return _sort_key(column, get), order.descending

    def _narrowest(self, group: tuple[Clause, ...]) -> list[tuple[str, list[str]]] | None:
        """Give the look-ups that replace looking at all rows: those of the clause with the fewest values."""
        usable = [lookups for clause in group if (lookups := self._lookups(clause)) is not None]
        return min(usable, key=lambda one: sum(len(values) for _, values in one), default=None)

    def _lookups(self, clause: Clause) -> list[tuple[str, list[str]]] | None:
        found = []
        for part in clause:
            usable = isinstance(part, Term) and part.operator in {"=", "IN"} and part.field in INDEXED
            if not usable or not isinstance(part, Term) or "javascript:" in part.value:
                return None
            if self._matching.dictionary.column(self._table, part.field) is None:
                return None
            found.append((part.field, part.value.split(",") if part.operator == "IN" else [part.value]))
        return found


_DYNAMIC = {"DYNAMIC": "="}
_FIELD_COMPARISONS: dict[str, Callable[[str, str], bool]] = {
    "SAMEAS": lambda one, other: one == other,
    "NSAMEAS": lambda one, other: one != other,
    "GT_FIELD": lambda one, other: _sortable(one) > _sortable(other),
    "LT_FIELD": lambda one, other: _sortable(one) < _sortable(other),
    "GT_OR_EQUALS_FIELD": lambda one, other: _sortable(one) >= _sortable(other),
    "LT_OR_EQUALS_FIELD": lambda one, other: _sortable(one) <= _sortable(other),
}


def getter(tables: Tables, steps: list[tuple[str, str]], last: str) -> Getter:
    """Give a function that reads a field of a row, over the references on the way."""
    if not steps:
        return lambda row: row.get(last, "")

    def get(row: Row) -> str:
        current: Row | None = row
        for step, table in steps:
            if current is None:
                return ""
            current = tables.get(table, current.get(step, ""))
        return "" if current is None else current.get(last, "")

    return get


def _sort_key(column: Column, get: Getter) -> SortKey:
    """Empty values come first, numbers by size, texts whatever their case."""
    if column.type in _NUMBERS:
        return lambda row: ((held := number(get(row))) is not None, held or 0.0, "")
    return lambda row: (bool(held := get(row)), 0.0, fold(held, case_sensitive=False))


def _sortable(text: str) -> tuple[float, str]:
    return (number(text) or 0.0, text)


def _all_of(predicates: list[Predicate]) -> Predicate:
    match predicates:
        case []:
            return lambda _: True
        case [only]:
            return only
    return lambda row: all(holds(row) for holds in predicates)


def _any_of(predicates: list[Predicate]) -> Predicate:
    match predicates:
        case [only]:
            return only
    return lambda row: any(holds(row) for holds in predicates)
