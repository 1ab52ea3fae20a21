"""What each operator of a query means for a value of a column."""

from collections.abc import Callable
from datetime import datetime, timedelta

from secure_export.sandbox.servicenow.clock import as_stamp, from_stamp
from secure_export.sandbox.servicenow.dictionary.model import Column, ColumnType

Test = Callable[[str], bool]
Compare = Callable[[object, object], bool]

# The operators that only fetch what is known already (query-acl-rule, "query_match"); all others are ranges.
MATCH_OPERATORS = frozenset(
    {"=", "!=", "IN", "NOT IN", "SAMEAS", "NSAMEAS", "ANYTHING", "EMPTYSTRING", "ISEMPTY", "ISNOTEMPTY"}
)
_NUMBERS = {ColumnType.INTEGER, ColumnType.DECIMAL}
_MOMENTS = {ColumnType.DATE_TIME, ColumnType.DATE}
_TRUE = {"true", "1", "yes"}
_UNITS = {
    "minute": timedelta(minutes=1),
    "hour": timedelta(hours=1),
    "dayofweek": timedelta(days=1),
    "day": timedelta(days=1),
    "week": timedelta(weeks=1),
    "month": timedelta(days=30),
    "quarter": timedelta(days=91),
    "year": timedelta(days=365),
}
_COMPARISONS: dict[str, Callable[[float, float], bool]] = {
    "<": lambda one, other: one < other,
    ">": lambda one, other: one > other,
    "<=": lambda one, other: one <= other,
    ">=": lambda one, other: one >= other,
    "=": lambda one, other: one == other,
    "!=": lambda one, other: one != other,
}


def compare_counts(comparison: str, one: int, other: int) -> bool:
    """Compare two counts by an operator of a related-list query."""
    return _COMPARISONS[comparison](one, other)


def fold(text: str, *, case_sensitive: bool) -> str:
    """Give a text as it is compared."""
    return text if case_sensitive else text.casefold()


def make_test(column: Column, operator: str, value: str, now: datetime, *, case_sensitive: bool = False) -> Test | None:
    """Give the test of a column's value.

    Args:
        column: The column.
        operator: One of ``query.OPERATORS``.
        value: What stands after it, scripts replaced.
        now: The instance's time.
        case_sensitive: Whether texts that differ in case only are different.

    Returns:
        The test; None: the term is invalid.
    """
    if operator in _WITHOUT_VALUE:
        return _WITHOUT_VALUE[operator]
    if operator.startswith("RELATIVE"):
        return _relative(operator.removeprefix("RELATIVE"), value, now)
    if operator == "BETWEEN":
        return _between(column, *value.partition("@")[::2], case_sensitive=case_sensitive)
    if operator in {"ON", "NOTON"}:
        return _on(column, operator, value)
    if operator in {"<", ">", "<=", ">="}:
        return _ordered(column, operator, value, case_sensitive=case_sensitive)
    return _equal_or_alike(column, operator, value, case_sensitive=case_sensitive)


_WITHOUT_VALUE: dict[str, Test] = {
    "ISEMPTY": lambda held: not held,
    "ISNOTEMPTY": bool,
    "EMPTYSTRING": lambda held: not held,
    "ANYTHING": lambda _: True,
}


def _equal_or_alike(  # noqa: PLR0911 - a table
    column: Column, operator: str, value: str, *, case_sensitive: bool
) -> Test | None:
    def folded(text: str) -> str:
        return fold(_canonical(column, text), case_sensitive=case_sensitive)

    wanted = folded(value)
    match operator:
        case "=":
            return lambda held: folded(held) == wanted
        case "!=":
            return lambda held: folded(held) != wanted
        case "IN" | "NOT IN":
            values = {folded(one) for one in value.split(",")}
            return (
                (lambda held: folded(held) in values) if operator == "IN" else (lambda held: folded(held) not in values)
            )
        case "LIKE":
            return lambda held: wanted in folded(held)
        case "NOT LIKE":
            return lambda held: wanted not in folded(held)
        case "STARTSWITH":
            return lambda held: folded(held).startswith(wanted)
        case "ENDSWITH":
            return lambda held: folded(held).endswith(wanted)
    return None


def _canonical(column: Column, text: str) -> str:
    if column.type is ColumnType.BOOLEAN:
        return "true" if text.strip().lower() in _TRUE else "false"
    return text


def _ordered(column: Column, operator: str, value: str, *, case_sensitive: bool) -> Test | None:
    """Compare by size; an empty value is neither larger nor smaller than anything."""
    compare = _COMPARISONS[operator]
    if column.type in _NUMBERS:
        if (wanted := number(value)) is None:
            return None
        return lambda held: (own := number(held)) is not None and compare(own, wanted)
    limit = _moment_text(column, value) if column.type in _MOMENTS else fold(value, case_sensitive=case_sensitive)
    if limit is None:
        return None
    text_compare = _TEXT_COMPARISONS[operator]
    return lambda held: bool(held) and text_compare(fold(held, case_sensitive=case_sensitive), limit)


_TEXT_COMPARISONS: dict[str, Callable[[str, str], bool]] = {
    "<": lambda one, other: one < other,
    ">": lambda one, other: one > other,
    "<=": lambda one, other: one <= other,
    ">=": lambda one, other: one >= other,
}


def number(text: str) -> float | None:
    """Read a number; None: it is none."""
    try:
        return float(text)
    except ValueError:
        return None


def _moment_text(column: Column, value: str) -> str | None:
    if (moment := from_stamp(value)) is None:
        return None
    return as_stamp(moment)[:10] if column.type is ColumnType.DATE else as_stamp(moment)


def _between(column: Column, low: str, high: str, *, case_sensitive: bool) -> Test | None:
    above = _ordered(column, ">=", low, case_sensitive=case_sensitive)
    below = _ordered(column, "<=", high, case_sensitive=case_sensitive)
    if above is None or below is None:
        return None
    return lambda held: above(held) and below(held)


def _on(column: Column, operator: str, value: str) -> Test | None:
    """Read ``2026-01-31@start@end``, or a day alone."""
    day, _, limits = value.partition("@")
    start, _, end = limits.partition("@")
    inside = _between(column, start or f"{day} 00:00:00", end or f"{day} 23:59:59", case_sensitive=True)
    if inside is None or operator == "ON":
        return inside
    return lambda held: not inside(held)


def _relative(comparison: str, value: str, now: datetime) -> Test | None:
    """Read ``@hour@ago@3``: later (GT), earlier (LT), or on the day (EE) of a moment so far away."""
    match value.removeprefix("@").split("@"):
        case [unit, direction, amount] if unit in _UNITS and amount.isdecimal() and len(amount) < 7:  # noqa: PLR2004 - digits
            try:
                distance = _UNITS[unit] * int(amount)
                moment = as_stamp(now + distance if direction == "ahead" else now - distance)
            except OverflowError:
                return None
        case _:
            return None
    match comparison:
        case "GT" | "GE":
            return lambda held: held >= moment
        case "LT" | "LE":
            return lambda held: bool(held) and held <= moment
        case _:
            return lambda held: held[:10] == moment[:10]
