"""The grammar of searches: pure (bmc-facts section 4, qualification grammar).

``'Status' < "Resolved" AND ('mc_ueid' = "a" OR NOT 'HPD_CI' = $NULL$)``: names of fields, or their ids, in single
quotes, texts in double quotes, a quote within doubled. Blanks round operators may be left out.
"""

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from secure_export.sandbox.bmc_helix.errors import bad_qualification

MOST_DEPTH: Final = 100
_TOKEN: Final = re.compile(
    r"""\s*(?:
        '(?P<field>(?:[^']|'')*)'
      | "(?P<text>(?:[^"]|"")*)"
      | (?P<keyword>\$[A-Z]+\$)
      | (?P<number>-?\d+(?:\.\d+)?)
      | (?P<operator><=|>=|!=|=|<|>)
      | (?P<bracket>[()])
      | (?P<word>[A-Za-z]+)
    )""",
    re.VERBOSE,
)
_COMPARISONS: Final = frozenset({"=", "!=", "<", "<=", ">", ">=", "LIKE"})
_KEYWORDS: Final = frozenset({"$NULL$", "$USER$", "$TIMESTAMP$"})


@dataclass(frozen=True, slots=True)
class FieldRef:
    """A field, by name or by id in digits."""

    name: str


@dataclass(frozen=True, slots=True)
class Text:
    """A text."""

    value: str


@dataclass(frozen=True, slots=True)
class Number:
    """A number."""

    value: float


@dataclass(frozen=True, slots=True)
class Keyword:
    """``$NULL$``, ``$USER$`` or ``$TIMESTAMP$``."""

    name: str


Operand = FieldRef | Text | Number | Keyword


@dataclass(frozen=True, slots=True)
class Comparison:
    """Two operands compared."""

    left: Operand
    operator: str
    right: Operand


@dataclass(frozen=True, slots=True)
class Not:
    """The opposite."""

    one: "Qualification"


@dataclass(frozen=True, slots=True)
class And:
    """All of them."""

    all: "tuple[Qualification, ...]"


@dataclass(frozen=True, slots=True)
class Or:
    """Any of them."""

    any: "tuple[Qualification, ...]"


Qualification = Comparison | Not | And | Or


@lru_cache(maxsize=512)
def parse(text: str) -> Qualification | None:
    """Read a search.

    Returns:
        What it asks for; None: it is empty, and asks for everything.

    Raises:
        ArError: It cannot be read.
    """
    reader = _Reader(_tokens(text))
    if reader.at_end():
        return None
    found = reader.either()
    if not reader.at_end():
        raise bad_qualification(f"unexpected {reader.shown()}")
    return found


def _tokens(text: str) -> list[tuple[str, str]]:
    found, place, end = [], 0, len(text.rstrip())
    while place < end:
        match = _TOKEN.match(text, place)
        if match is None or match.lastgroup is None:
            raise bad_qualification(f"at position {place}")
        found.append((match.lastgroup, match[match.lastgroup]))
        place = match.end()
    return found


class _Reader:
    def __init__(self, tokens: list[tuple[str, str]]) -> None:
        self._tokens = tokens
        self._place = 0
        self._depth = 0

    def at_end(self) -> bool:
        return self._place >= len(self._tokens)

    def shown(self) -> str:
        return "the end" if self.at_end() else repr(self._tokens[self._place][1])

    def either(self) -> Qualification:
        parts = [self._both()]
        while self._word("OR"):
            parts.append(self._both())
        return parts[0] if len(parts) == 1 else Or(tuple(parts))

    def _both(self) -> Qualification:
        parts = [self._one()]
        while self._word("AND"):
            parts.append(self._one())
        return parts[0] if len(parts) == 1 else And(tuple(parts))

    def _one(self) -> Qualification:
        self._depth += 1
        if self._depth > MOST_DEPTH:
            raise bad_qualification("nested too deeply")
        try:
            if self._word("NOT"):
                return Not(self._one())
            if self._take("bracket", "("):
                inner = self.either()
                if not self._take("bracket", ")"):
                    raise bad_qualification(f"a bracket is not closed before {self.shown()}")
                return inner
            return self._comparison()
        finally:
            self._depth -= 1

    def _comparison(self) -> Comparison:
        left = self._operand()
        kind, value = self._next()
        operator = value.upper() if kind == "word" else value
        if kind not in {"word", "operator"} or operator not in _COMPARISONS:
            raise bad_qualification(f"no comparison: {value!r}")
        return Comparison(left, operator, self._operand())

    def _operand(self) -> Operand:
        kind, value = self._next()
        match kind:
            case "field":
                return FieldRef(value.replace("''", "'"))
            case "text":
                return Text(value.replace('""', '"'))
            case "number":
                return Number(float(value))
            case "keyword" if value in _KEYWORDS:
                return Keyword(value)
            case _:
                raise bad_qualification(f"no field and no value: {value!r}")

    def _next(self) -> tuple[str, str]:
        if self.at_end():
            raise bad_qualification("it ends too early")
        self._place += 1
        return self._tokens[self._place - 1]

    def _word(self, word: str) -> bool:
        here = None if self.at_end() else self._tokens[self._place]
        return here is not None and here[0] == "word" and here[1].upper() == word and self._advance()

    def _take(self, kind: str, value: str) -> bool:
        return not self.at_end() and self._tokens[self._place] == (kind, value) and self._advance()

    def _advance(self) -> bool:
        self._place += 1
        return True
