"""Searches applied to entries, and which index makes one quick.

Comparisons with an empty field are neither true nor false, as in SQL; ``= $NULL$`` and ``!= $NULL$`` ask for emptiness.
"""

import operator
import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final

from secure_export.sandbox.bmc_helix.entries import Row
from secure_export.sandbox.bmc_helix.errors import bad_qualification
from secure_export.sandbox.bmc_helix.forms.model import Field, Form, Kind
from secure_export.sandbox.bmc_helix.qualification import (
    And,
    Comparison,
    FieldRef,
    Keyword,
    Not,
    Number,
    Operand,
    Or,
    Qualification,
    Text,
)
from secure_export.sandbox.bmc_helix.values import as_seconds

_OPERATORS: Final[dict[str, Callable[[Any, Any], Any]]] = {
    "=": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}
Test = Callable[[Row], bool | None]


@dataclass(frozen=True, slots=True)
class Asking:
    """What a search needs to know beside its text.

    Attributes:
        form: The form that is searched.
        user: Who asks: the value of ``$USER$``.
        now: Seconds since 1970: the value of ``$TIMESTAMP$``.
        case_sensitive: Whether upper case is told from lower.
    """

    form: Form
    user: str
    now: int
    case_sensitive: bool


def test_for(node: Qualification, asking: Asking) -> Test:
    """Make a test of a search.

    Raises:
        ArError: It names a field or a label that there is not.
    """
    match node:
        case Comparison():
            return _comparison(node, asking)
        case Not(one):
            inner = test_for(one, asking)
            return lambda row: None if (found := inner(row)) is None else not found
        case And(parts):
            return _all([test_for(part, asking) for part in parts])
        case Or(parts):
            return _any([test_for(part, asking) for part in parts])


def key_values(node: Qualification, form: Form, has_index: Callable[[str], bool]) -> tuple[str, list[str]] | None:
    """Find an indexed field that a search pins down, and the values that it may have; None: there is none."""
    match node:
        case Comparison(FieldRef(name), "=", Text(value)) | Comparison(Text(value), "=", FieldRef(name)):
            field = form.field(name)
            return (field.name, [value]) if field.kind is Kind.CHAR and has_index(field.name) else None
        case And(parts):
            found = (key_values(part, form, has_index) for part in parts)
            return next((one for one in found if one is not None), None)
        case Or(parts):
            each = [key_values(part, form, has_index) for part in parts]
            known = [one for one in each if one is not None]
            if len(known) < len(each) or len({name for name, _ in known}) != 1:
                return None
            return known[0][0], [value for _, values in known for value in values]
        case _:
            return None


def _all(tests: list[Test]) -> Test:
    def test(row: Row) -> bool | None:
        unknown = False
        for one in tests:
            found = one(row)
            if found is False:
                return False
            unknown = unknown or found is None
        return None if unknown else True

    return test


def _any(tests: list[Test]) -> Test:
    def test(row: Row) -> bool | None:
        unknown = False
        for one in tests:
            found = one(row)
            if found:
                return True
            unknown = unknown or found is None
        return None if unknown else False

    return test


def _comparison(node: Comparison, asking: Asking) -> Test:
    fields = [asking.form.field(one.name) for one in (node.left, node.right) if isinstance(one, FieldRef)]
    kind = fields[0] if fields else None
    left, right = _reader(node.left, kind, asking), _reader(node.right, kind, asking)
    if Keyword("$NULL$") in (node.left, node.right):
        return _emptiness(node, left if node.right == Keyword("$NULL$") else right)
    compare = _like(asking) if node.operator == "LIKE" else _OPERATORS[node.operator]
    fold = not asking.case_sensitive

    def test(row: Row) -> bool | None:
        one, other = left(row), right(row)
        if one is None or other is None:
            return None
        if fold and isinstance(one, str) and isinstance(other, str):
            one, other = one.casefold(), other.casefold()
        try:
            return bool(compare(one, other))
        except TypeError:
            return bool(compare(str(one), str(other)))

    return test


def _emptiness(node: Comparison, value: Callable[[Row], Any]) -> Test:
    if node.operator == "=":
        return lambda row: value(row) is None
    if node.operator == "!=":
        return lambda row: value(row) is not None
    raise bad_qualification("$NULL$ is compared by = and != only")


def _reader(operand: Operand, kind: Field | None, asking: Asking) -> Callable[[Row], Any]:
    if isinstance(operand, FieldRef):
        name = asking.form.field(operand.name).name
        return lambda row: row.get(name)
    value = _constant(operand, kind, asking)
    return lambda _: value


def _constant(operand: Text | Number | Keyword, field: Field | None, asking: Asking) -> Any:
    match operand:
        case Number(value):
            number = int(value) if value == int(value) else value
            return str(number) if field is not None and field.kind is Kind.CHAR else number
        case Keyword(name):
            return {"$USER$": asking.user, "$TIMESTAMP$": asking.now, "$NULL$": None}[name]
        case Text(value):
            return value if field is None else _text_for(field, value)


def _text_for(field: Field, value: str) -> Any:
    """Read a text as a value of the field that it is compared with."""
    if field.kind is Kind.ENUM and "%" not in value:
        option = field.option(value)
        if option is None and not (value.isascii() and value.isdigit()):
            raise bad_qualification(f"'{field.name}' has no value {value!r}")
        return option.id if option else int(value)
    if field.kind is Kind.TIME:
        seconds = as_seconds(value)
        if seconds is None:
            raise bad_qualification(f"'{field.name}' is a time, and {value!r} is none")
        return seconds
    if field.kind is Kind.INTEGER and value.lstrip("-").isdigit():
        return int(value)
    return value


def _like(asking: Asking) -> Callable[[Any, Any], bool]:
    def like(value: Any, pattern: Any) -> bool:
        return _pattern(str(pattern), asking.case_sensitive).fullmatch(str(value)) is not None

    return like


@lru_cache(maxsize=512)
def _pattern(pattern: str, case_sensitive: bool) -> re.Pattern[str]:  # noqa: FBT001 - a cache wants plain arguments
    parts = {"%": ".*", "_": "."}
    flags = re.DOTALL if case_sensitive else re.DOTALL | re.IGNORECASE
    return re.compile("".join(parts.get(one) or re.escape(one) for one in pattern), flags)
