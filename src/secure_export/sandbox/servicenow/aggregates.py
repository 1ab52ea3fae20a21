"""Counts, sums, averages, extremes, by group: pure computing for the Aggregate API (servicenow-facts 7.3)."""

import operator
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from secure_export.sandbox.servicenow.operators import number
from secure_export.sandbox.servicenow.tables import Row

FUNCTIONS: Final = ("avg", "min", "max", "sum")
_COMPARISONS: Final[Mapping[str, Callable[[float, float], bool]]] = {
    ">": operator.gt,
    "<": operator.lt,
    ">=": operator.ge,
    "<=": operator.le,
    "=": operator.eq,
    "!=": operator.ne,
}
_HAVING_PARTS: Final = 4
_EXTREMES: Final[Mapping[str, Callable[..., Any]]] = {"min": min, "max": max}


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is to be computed.

    Attributes:
        count: Whether rows are counted.
        fields: The columns of each function.
    """

    count: bool = False
    fields: Mapping[str, Sequence[str]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Order:
    """What groups are sorted by: a column of the group, or a function of one.

    Attributes:
        function: ``avg`` and so on, or ``count``; empty: the column itself.
        column: The column; empty for a plain count.
        descending: Whether the largest comes first.
    """

    function: str
    column: str
    descending: bool = False


@dataclass(frozen=True, slots=True)
class Having:
    """What a group must fulfil to be told."""

    function: str
    column: str
    holds: Callable[[float], bool]


def compute(rows: Sequence[Row], wanted: Wanted) -> dict[str, Any]:
    """Compute ``stats``; every number is a text, and what has no value is empty."""
    stats: dict[str, Any] = {}
    if wanted.count:
        stats["count"] = str(len(rows))
    for function, columns in wanted.fields.items():
        stats[function] = {column: value_of(function, column, rows) for column in columns}
    return stats


def value_of(function: str, column: str, rows: Sequence[Row]) -> str:
    """Compute one function of one column; averages have four decimals, as MySQL gives them."""
    if function == "count":
        return str(len(rows))
    held = [value for row in rows if (value := row.get(column, ""))]
    numbers = [one for value in held if (one := number(value)) is not None]
    if function in _EXTREMES:
        # Texts and dates are compared as they are written.
        return (
            _EXTREMES[function](held, default="") if len(numbers) < len(held) else _plain(numbers, _EXTREMES[function])
        )
    return _plain(numbers, sum) if function == "sum" else _average(numbers)


def group(rows: Iterable[Row], keys: Callable[[Row], tuple[str, ...]]) -> dict[tuple[str, ...], list[Row]]:
    """Sort rows into groups, in the order of the groups' keys."""
    groups: dict[tuple[str, ...], list[Row]] = {}
    for row in rows:
        groups.setdefault(keys(row), []).append(row)
    return dict(sorted(groups.items()))


def read_order(text: str) -> list[Order]:
    """Read ``sysparm_order_by``: ``state``, ``state^DESC``, ``AVG^state``, ``COUNT^DESC``, with commas between."""
    return [_order(part) for part in text.split(",") if part]


def read_having(text: str) -> list[Having]:
    """Read ``sysparm_having``: ``count^priority^>^3``, with commas between; what cannot be read is left out."""
    return [one for part in text.split(",") if (one := _having(part)) is not None]


def fulfils(rows: Sequence[Row], conditions: Iterable[Having]) -> bool:
    """Tell whether a group fulfils all conditions."""
    return all(
        (value := number(value_of(one.function, one.column, rows))) is not None and one.holds(value)
        for one in conditions
    )


def _order(part: str) -> Order:
    first, *rest = part.split("^")
    function = first.lower() if first.lower() in {"count", *FUNCTIONS} else ""
    columns = [one for one in rest if one.upper() not in {"DESC", "ASC"}]
    column = first if not function else next(iter(columns), "")
    return Order(function, column, descending="DESC" in (one.upper() for one in rest))


def _having(part: str) -> Having | None:
    pieces = part.split("^")
    if len(pieces) != _HAVING_PARTS:
        return None
    function, column, comparison, text = pieces
    compare, value = _COMPARISONS.get(comparison), number(text)
    if function.lower() not in {"count", *FUNCTIONS} or compare is None or value is None:
        return None
    return Having(function.lower(), column, lambda found: compare(found, value))


def _plain(numbers: Sequence[float], function: Callable[[Sequence[float]], float]) -> str:
    if not numbers:
        return ""
    value = float(function(numbers))
    return str(int(value)) if value.is_integer() else str(value)


def _average(numbers: Sequence[float]) -> str:
    return f"{sum(numbers) / len(numbers):.4f}" if numbers else ""
