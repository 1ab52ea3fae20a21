"""Encoded queries as text: what stands in them, without knowing any table (servicenow-facts section 4)."""

import re
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

# Longer words first: at one place the longest operator is meant.
OPERATORS = (
    "GT_OR_EQUALS_FIELD",
    "LT_OR_EQUALS_FIELD",
    "DOES NOT CONTAIN",
    "ISNOTEMPTY",
    "EMPTYSTRING",
    "STARTSWITH",
    "INSTANCEOF",
    "RELATIVEGT",
    "RELATIVELT",
    "RELATIVEGE",
    "RELATIVELE",
    "RELATIVEEE",
    "ENDSWITH",
    "CONTAINS",
    "ANYTHING",
    "NOT LIKE",
    "NOTLIKE",
    "GT_FIELD",
    "LT_FIELD",
    "ISEMPTY",
    "BETWEEN",
    "DYNAMIC",
    "NSAMEAS",
    "SAMEAS",
    "NOT IN",
    "NOTIN",
    "NOTON",
    "LIKE",
    "IN",
    "ON",
    "!=",
    ">=",
    "<=",
    "!*",
    "=",
    ">",
    "<",
    "*",
    "%",
)
# One word for those that mean the same.
_SAME = {
    "*": "LIKE",
    "CONTAINS": "LIKE",
    "!*": "NOT LIKE",
    "NOTLIKE": "NOT LIKE",
    "DOES NOT CONTAIN": "NOT LIKE",
    "%": "ENDSWITH",
    "NOTIN": "NOT IN",
}
_TERM = re.compile(r"([A-Za-z0-9_.\-]*?)(" + "|".join(map(re.escape, OPERATORS)) + r")(.*)", re.DOTALL)
_JOIN = re.compile(r"JOIN(\w+)\.(\w+)=(\w+)\.(\w+)!(.*)", re.DOTALL)
_RELATED = re.compile(r"RLQUERY(\w+)\.(\w+),(<=|>=|!=|=|<|>)?(\d{1,9})(?:,m2m)?", re.DOTALL)
_ESCAPED = "\x00"
_DEEPEST = 3


@dataclass(frozen=True, slots=True)
class Term:
    """One condition: a field, possibly of a row that a reference points at, an operator, and a value."""

    field: str
    operator: str
    value: str


@dataclass(frozen=True, slots=True)
class Unreadable:
    """A piece that is no condition."""

    text: str


@dataclass(frozen=True, slots=True)
class Join:
    """Rows to which a row of another table points, or is pointed at, that matches a query of its own."""

    table: str
    field: str
    other_table: str
    other_field: str
    query: "Query"


@dataclass(frozen=True, slots=True)
class Related:
    """Rows that have a number of related rows in another table."""

    other_table: str
    other_field: str
    comparison: str
    count: int
    query: "Query"


Part = Term | Unreadable | Join | Related
# Alternatives: one must hold.
Clause = tuple[Part, ...]


@dataclass(frozen=True, slots=True)
class Order:
    """A field to sort by."""

    field: str
    descending: bool = False


@dataclass(frozen=True, slots=True)
class Query:
    """A query that was read.

    Attributes:
        groups: Alternatives (``^NQ``); in each all clauses must hold, in each clause one part (``^OR``).
        order: What to sort by, most important first.
    """

    groups: tuple[tuple[Clause, ...], ...] = ((),)
    order: tuple[Order, ...] = ()


@lru_cache(maxsize=256)
def parse(text: str, *, doubled_caret_escapes: bool = False) -> Query:
    """Read an encoded query. Never fails: what cannot be read is kept as ``Unreadable``.

    Args:
        text: The query.
        doubled_caret_escapes: Whether ``^^`` stands for the character itself, as in recent releases.
    """
    if doubled_caret_escapes:
        text = text.replace("^^", _ESCAPED)
    return _Reading(text, unescape=doubled_caret_escapes).query()


class _Reading:
    """Reads piece by piece; pieces in a join or a related list belong to a query of their own.

    Queries in queries deeper than anybody writes them are not read.
    """

    def __init__(self, text: str, *, unescape: bool, depth: int = 0) -> None:
        self._pieces = deque(text.split("^"))
        self._unescape = unescape
        self._depth = depth
        self.groups: list[list[list[Part]]] = [[]]
        self.order: list[Order] = []

    def query(self) -> Query:
        """Read all pieces."""
        self._run()
        return Query(tuple(tuple(tuple(clause) for clause in group) for group in self.groups), tuple(self.order))

    def _run(self) -> None:
        while self._pieces and (piece := self._pieces.popleft()) != "EQ":
            while piece.startswith("NQ"):
                self.groups.append([])
                piece = piece.removeprefix("NQ")
            self._take(piece)

    def _take(self, piece: str) -> None:
        group = self.groups[-1]
        if piece.startswith("ORDERBYDESC"):
            self.order.append(Order(piece.removeprefix("ORDERBYDESC"), descending=True))
        elif piece.startswith("ORDERBY"):
            self.order.append(Order(piece.removeprefix("ORDERBY")))
        elif piece.startswith("JOIN"):
            group.append([self._join(piece)])
        elif piece.startswith("RLQUERY"):
            group.append([self._related(piece)])
        elif piece.startswith("OR") and group:
            group[-1].append(self._term(piece.removeprefix("OR")))
        elif piece and not piece.startswith(("GROUPBY", "ENDRLQUERY")):
            group.append([self._term(piece.removeprefix("OR"))])

    def _join(self, piece: str) -> Part:
        """Read a join; the conditions up to the next sort, join or alternative belong to it."""
        if (match := _JOIN.fullmatch(piece)) is None:
            return Unreadable(piece)
        table, name, other_table, other_field, first = match.groups()
        inner = [first]
        while self._pieces and not _ends_join(self._pieces[0]):
            inner.append(self._pieces.popleft())
        return self._inside(piece, lambda query: Join(table, name, other_table, other_field, query), inner)

    def _related(self, piece: str) -> Part:
        inner = []
        while self._pieces and (later := self._pieces.popleft()) != "ENDRLQUERY":
            inner.append(later)
        if (match := _RELATED.fullmatch(piece)) is None:
            return Unreadable(piece)
        other_table, other_field, comparison, count = match.groups()
        return self._inside(
            piece, lambda query: Related(other_table, other_field, comparison or "=", int(count), query), inner
        )

    def _inside(self, piece: str, make: Callable[[Query], Part], inner: list[str]) -> Part:
        if self._depth >= _DEEPEST:
            return Unreadable(piece)
        return make(_Reading("^".join(inner), unescape=self._unescape, depth=self._depth + 1).query())

    def _term(self, text: str) -> Part:
        if (match := _TERM.fullmatch(text)) is None:
            return Unreadable(text)
        name, operator, value = match.groups()
        value = value.replace(_ESCAPED, "^") if self._unescape else value
        return Term(name, _SAME.get(operator, operator), value)


def _ends_join(piece: str) -> bool:
    return piece == "EQ" or piece.startswith(("ORDERBY", "NQ", "JOIN", "RLQUERY"))
