"""Expressions: read into functions of a row and the time now."""

import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from secure_export.sandbox.azure_monitor.arm.kql.errors import QueryError
from secure_export.sandbox.azure_monitor.arm.kql.functions import FUNCTIONS, as_text
from secure_export.sandbox.azure_monitor.arm.kql.tokens import Token

Row = Mapping[str, Any]
Expression = Callable[[Row, datetime], Any]
_UNITS: Final = {"d": "days", "h": "hours", "m": "minutes", "s": "seconds", "ms": "milliseconds"}
_WORD: Final = re.compile(r"\w+")


class Reader:
    """Reads tokens from the first to the last."""

    def __init__(self, tokens: list[Token]) -> None:
        self._tokens = tokens
        self._at = 0

    @property
    def next(self) -> Token:
        """The token that comes."""
        return self._tokens[self._at]

    def take(self) -> Token:
        """Take the token that comes."""
        token = self.next
        self._at = min(self._at + 1, len(self._tokens) - 1)
        return token

    def peek(self, ahead: int = 1) -> Token:
        """Look at a later token."""
        return self._tokens[min(self._at + ahead, len(self._tokens) - 1)]

    def took_sign(self, *texts: str) -> bool:
        """Take a sign if it comes."""
        if self.next.is_sign(*texts):
            self.take()
            return True
        return False

    def took_name(self, *texts: str) -> bool:
        """Take a word if it comes."""
        if self.next.is_name(*texts):
            self.take()
            return True
        return False

    def sign(self, text: str) -> None:
        """Take a sign that must come.

        Raises:
            QueryError: Another comes.
        """
        if not self.took_sign(text):
            raise QueryError(
                f"mismatched input '{self.next.text or '<EOF>'}' expecting '{text}', position {self.next.at}"
            )

    def name(self) -> str:
        """Take a word that must come.

        Raises:
            QueryError: Something else comes.
        """
        if self.next.kind != "name":
            raise QueryError(
                f"mismatched input '{self.next.text or '<EOF>'}' expecting a name, position {self.next.at}"
            )
        return self.take().text


def expression(reader: Reader) -> Expression:
    """Read an expression."""
    left = _conjunction(reader)
    while reader.took_name("or"):
        left = _either(left, _conjunction(reader))
    return left


def _either(left: Expression, right: Expression) -> Expression:
    return lambda row, now: bool(left(row, now)) or bool(right(row, now))


def _conjunction(reader: Reader) -> Expression:
    left = _comparison(reader)
    while reader.took_name("and"):
        left = _both(left, _comparison(reader))
    return left


def _both(left: Expression, right: Expression) -> Expression:
    return lambda row, now: bool(left(row, now)) and bool(right(row, now))


def _comparison(reader: Reader) -> Expression:
    left = _sum(reader)
    token = reader.next
    if token.kind == "sign" and token.text in _COMPARISONS:
        reader.take()
        return _compared(_COMPARISONS[token.text], left, _sum(reader))
    if token.kind == "name" and token.text in _TEXT_TESTS:
        reader.take()
        return _compared(_TEXT_TESTS[token.text], left, _sum(reader))
    if token.is_name("between", "!between"):
        reader.take()
        return _between(left, reader, wanted=token.text == "between")
    if token.kind == "name" and token.text in _LISTS:
        reader.take()
        return _listed(_LISTS[token.text], left, _many(reader))
    return left


def _between(left: Expression, reader: Reader, *, wanted: bool) -> Expression:
    reader.sign("(")
    low = _sum(reader)
    reader.sign(".")
    reader.sign(".")
    high = _sum(reader)
    reader.sign(")")
    at_least, at_most = _COMPARISONS[">="], _COMPARISONS["<="]

    def between(row: Row, now: datetime) -> bool:
        value = left(row, now)
        return (at_least(value, low(row, now)) and at_most(value, high(row, now))) == wanted

    return between


def _compared(test: Callable[[Any, Any], bool], left: Expression, right: Expression) -> Expression:
    return lambda row, now: test(left(row, now), right(row, now))


def _listed(test: Callable[[Any, list[Any]], bool], left: Expression, many: list[Expression]) -> Expression:
    return lambda row, now: test(left(row, now), [one(row, now) for one in many])


def _many(reader: Reader) -> list[Expression]:
    reader.sign("(")
    found = [expression(reader)]
    while reader.took_sign(","):
        found.append(expression(reader))
    reader.sign(")")
    return found


def _sum(reader: Reader) -> Expression:
    left = _primary(reader)
    while reader.next.is_sign("+", "-"):
        is_plus = reader.take().text == "+"
        left = _added(left, _primary(reader), is_plus=is_plus)
    return left


def _added(left: Expression, right: Expression, *, is_plus: bool) -> Expression:
    def added(row: Row, now: datetime) -> Any:
        one, other = left(row, now), right(row, now)
        if one is None or other is None:
            return None
        return one + other if is_plus else one - other

    return added


def _primary(reader: Reader) -> Expression:
    token = reader.take()
    if token.is_sign("("):
        inner = expression(reader)
        reader.sign(")")
        return _path(reader, inner)
    if token.is_sign("-"):
        return _added(_constant(0), _primary(reader), is_plus=False)
    if token.kind in {"text", "number", "datetime", "timespan"}:
        return _constant(_literal(token))
    if token.kind == "name":
        return _named(reader, token)
    raise QueryError(f"no viable alternative at input '{token.text or '<EOF>'}', position {token.at}")


def _named(reader: Reader, token: Token) -> Expression:
    if token.text in {"true", "false"}:
        return _constant(token.text == "true")
    if reader.took_sign("("):
        arguments: list[Expression] = []
        if not reader.took_sign(")"):
            arguments.append(expression(reader))
            while reader.took_sign(","):
                arguments.append(expression(reader))
            reader.sign(")")
        return _path(reader, _called(token, arguments))
    return _path(reader, lambda row, _now: row.get(token.text))


def _called(token: Token, arguments: list[Expression]) -> Expression:
    if token.text == "now" and not arguments:
        return lambda _row, now: now
    if token.text == "ago" and len(arguments) == 1:
        return lambda row, now: now - arguments[0](row, now)
    if token.text == "not" and len(arguments) == 1:
        return lambda row, now: not arguments[0](row, now)
    if token.text not in FUNCTIONS:
        raise QueryError(f"Unknown function: '{token.text}'. The sandbox imitates: {', '.join(sorted(FUNCTIONS))}.")
    function = FUNCTIONS[token.text]
    return lambda row, now: function(*(one(row, now) for one in arguments))


def _path(reader: Reader, start: Expression) -> Expression:
    found = start
    while True:
        if reader.next.is_sign(".") and reader.peek().is_sign("."):  # the dots of between
            return found
        if reader.took_sign("."):
            found = _member(found, _constant(reader.name()))
        elif reader.took_sign("["):
            found = _member(found, expression(reader))
            reader.sign("]")
        else:
            return found


def _member(of: Expression, key: Expression) -> Expression:
    def member(row: Row, now: datetime) -> Any:
        value, name = of(row, now), key(row, now)
        if isinstance(value, Mapping):
            return value.get(name)
        if isinstance(value, list) and isinstance(name, int) and -len(value) <= name < len(value):
            return value[name]
        return None

    return member


def _constant(value: Any) -> Expression:
    return lambda _row, _now: value


def _literal(token: Token) -> Any:
    if token.kind == "text":
        return token.text
    if token.kind == "number":
        return float(token.text) if "." in token.text else int(token.text)
    if token.kind == "timespan":
        number, unit = re.fullmatch(r"([\d.]+)(\w+)", token.text).groups()  # type: ignore[union-attr] # so was it cut
        return timedelta(**{_UNITS[unit]: float(number)})
    moment = FUNCTIONS["todatetime"](token.text)
    if moment is None:
        raise QueryError(f"'{token.text}' is no datetime, position {token.at}")
    return moment


def _same(left: Any, right: Any) -> bool:
    left, right = _alike(left, right)
    return left is not None and right is not None and bool(left == right)


def _same_text(left: Any, right: Any) -> bool:
    return left is not None and as_text(left).lower() == as_text(right).lower()


def _ordered(test: Callable[[Any, Any], bool]) -> Callable[[Any, Any], bool]:
    def ordered(left: Any, right: Any) -> bool:
        left, right = _alike(left, right)
        try:
            return left is not None and right is not None and test(left, right)
        except TypeError:
            return False

    return ordered


def _alike(left: Any, right: Any) -> tuple[Any, Any]:
    """A dynamic value that is compared with a time is read as one."""
    to_datetime = FUNCTIONS["todatetime"]
    if isinstance(left, datetime) != isinstance(right, datetime):
        left = left if isinstance(left, datetime) else to_datetime(left)
        right = right if isinstance(right, datetime) else to_datetime(right)
    moments = [one.replace(tzinfo=one.tzinfo or UTC) if isinstance(one, datetime) else one for one in (left, right)]
    return moments[0], moments[1]


def _has(left: Any, right: Any) -> bool:
    """Find a whole word, whatever the case; of words with signs in them their parts in a row."""
    text, wanted = as_text(left).lower(), as_text(right).lower()
    return re.search(rf"(?<!\w){re.escape(wanted)}(?!\w)", text) is not None


_COMPARISONS: Final[Mapping[str, Callable[[Any, Any], bool]]] = {
    "==": _same,
    "!=": lambda left, right: not _same(left, right),
    "=~": _same_text,
    "!~": lambda left, right: not _same_text(left, right),
    ">": _ordered(lambda left, right: bool(left > right)),
    ">=": _ordered(lambda left, right: bool(left >= right)),
    "<": _ordered(lambda left, right: bool(left < right)),
    "<=": _ordered(lambda left, right: bool(left <= right)),
}
_TEXT_TESTS: Final[Mapping[str, Callable[[Any, Any], bool]]] = {
    "has": _has,
    "!has": lambda left, right: not _has(left, right),
    "contains": lambda left, right: as_text(right).lower() in as_text(left).lower(),
    "!contains": lambda left, right: as_text(right).lower() not in as_text(left).lower(),
    "startswith": lambda left, right: as_text(left).lower().startswith(as_text(right).lower()),
    "!startswith": lambda left, right: not as_text(left).lower().startswith(as_text(right).lower()),
    "endswith": lambda left, right: as_text(left).lower().endswith(as_text(right).lower()),
}
_LISTS: Final[Mapping[str, Callable[[Any, list[Any]], bool]]] = {
    "in": lambda left, many: any(_same(left, one) for one in many),
    "!in": lambda left, many: not any(_same(left, one) for one in many),
    "in~": lambda left, many: any(_same_text(left, one) for one in many),
    "!in~": lambda left, many: not any(_same_text(left, one) for one in many),
    "has_any": lambda left, many: any(_has(left, one) for one in many),
}
