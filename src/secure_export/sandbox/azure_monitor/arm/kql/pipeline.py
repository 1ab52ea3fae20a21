"""A query: a table, and what is done with its rows one step after the other."""

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from typing import Any, Final

from secure_export.sandbox.azure_monitor.arm.kql.errors import QueryError
from secure_export.sandbox.azure_monitor.arm.kql.expressions import Expression, Reader, expression
from secure_export.sandbox.azure_monitor.arm.kql.functions import as_text
from secure_export.sandbox.azure_monitor.arm.kql.tokens import tokens

Rows = list[dict[str, Any]]
Step = Callable[[Rows, datetime], Rows]


def run(query: str, tables: Mapping[str, Callable[[], Iterable[dict[str, Any]]]], now: datetime) -> Rows:
    """Answer a query.

    Args:
        query: It.
        tables: The tables by name in lower case.
        now: What ``now()`` is.

    Raises:
        QueryError: It cannot be understood, or asks for what is not imitated.
    """
    reader = Reader(tokens(query))
    name = reader.name()
    if name.lower() not in tables:
        raise QueryError(f"Table {name} is invalid or unsupported.", "DisallowedLogicalTableName")
    steps: list[Step] = []
    while reader.took_sign("|"):
        operator = reader.name()
        if operator not in _OPERATORS:
            raise QueryError(f"The operator '{operator}' is not imitated; these are: {', '.join(_OPERATORS)}.")
        steps.append(_OPERATORS[operator](reader))
    if reader.next.kind != "end":
        raise QueryError(f"extraneous input '{reader.next.text}' expecting '|', position {reader.next.at}")
    rows = list(tables[name.lower()]())
    for step in steps:
        rows = step(rows, now)
    return rows


def _where(reader: Reader) -> Step:
    test = expression(reader)
    return lambda rows, now: [row for row in rows if test(row, now)]


def _columns(reader: Reader) -> list[tuple[str, Expression]]:
    found = [_column(reader)]
    while reader.took_sign(","):
        found.append(_column(reader))
    return found


def _column(reader: Reader) -> tuple[str, Expression]:
    """Read ``name = expression`` or an expression, which is called by the path it is."""
    if reader.next.kind == "name" and reader.peek().is_sign("="):
        name = reader.name()
        reader.sign("=")
        return name, expression(reader)
    start = [reader.next.text]
    ahead = 1
    while reader.peek(ahead).is_sign(".") and reader.peek(ahead + 1).kind == "name":
        start.append(reader.peek(ahead + 1).text)
        ahead += 2
    return "_".join(start), expression(reader)


def _project(reader: Reader) -> Step:
    columns = _columns(reader)
    return lambda rows, now: [{name: value(row, now) for name, value in columns} for row in rows]


def _extend(reader: Reader) -> Step:
    columns = _columns(reader)

    def extended(rows: Rows, now: datetime) -> Rows:
        found = [dict(row) for row in rows]
        for name, value in columns:
            for row in found:
                row[name] = value(row, now)
        return found

    return extended


def _project_away(reader: Reader) -> Step:
    gone = {name for name, _ in _columns(reader)}
    return lambda rows, _now: [{name: one for name, one in row.items() if name not in gone} for row in rows]


def _order(reader: Reader) -> Step:
    if not reader.took_name("by"):
        raise QueryError(f"mismatched input '{reader.next.text}' expecting 'by', position {reader.next.at}")
    return _ordered(reader)


def _ordered(reader: Reader) -> Step:
    keys: list[tuple[Expression, bool]] = []
    while True:
        key = expression(reader)
        is_ascending = reader.took_name("asc")
        if not is_ascending:
            reader.took_name("desc")
        keys.append((key, is_ascending))
        if not reader.took_sign(","):
            break

    def ordered(rows: Rows, now: datetime) -> Rows:
        for key, is_ascending in reversed(keys):
            rows = sorted(rows, key=lambda row, key=key: _rank(key(row, now)), reverse=not is_ascending)  # type: ignore[misc] # bound at once
        return rows

    return ordered


def _rank(value: Any) -> tuple[int, Any]:
    if value is None:
        return 0, ""
    return (1, value) if isinstance(value, int | float) else (2, as_text(value))


def _take(reader: Reader) -> Step:
    most = _number(reader)
    return lambda rows, _now: rows[:most]


def _top(reader: Reader) -> Step:
    most = _number(reader)
    ordered = _order(reader)
    return lambda rows, now: ordered(rows, now)[:most]


def _number(reader: Reader) -> int:
    token = reader.take()
    if token.kind != "number" or "." in token.text:
        raise QueryError(f"mismatched input '{token.text}' expecting a number, position {token.at}")
    return int(token.text)


def _count(_: Reader) -> Step:
    return lambda rows, _now: [{"Count": len(rows)}]


def _distinct(reader: Reader) -> Step:
    columns = _columns(reader)

    def distinct(rows: Rows, now: datetime) -> Rows:
        found: dict[tuple[str, ...], dict[str, Any]] = {}
        for row in rows:
            shown = {name: value(row, now) for name, value in columns}
            found.setdefault(tuple(as_text(one) for one in shown.values()), shown)
        return list(found.values())

    return distinct


def _summarize(reader: Reader) -> Step:
    name = "count_"
    if reader.peek().is_sign("="):
        name = reader.name()
        reader.sign("=")
    if not reader.took_name("count"):
        raise QueryError(f"Of summarize only count() is imitated, position {reader.next.at}")
    reader.sign("(")
    reader.sign(")")
    by = _columns(reader) if reader.took_name("by") else []

    def summarized(rows: Rows, now: datetime) -> Rows:
        found: dict[tuple[str, ...], dict[str, Any]] = {}
        for row in rows:
            shown = {one: value(row, now) for one, value in by}
            group = found.setdefault(tuple(as_text(one) for one in shown.values()), {**shown, name: 0})
            group[name] += 1
        return list(found.values()) if by else [{name: len(rows)}]

    return summarized


def _mv_expand(reader: Reader) -> Step:
    name, value = _column(reader)

    def expanded(rows: Rows, now: datetime) -> Rows:
        found: Rows = []
        for row in rows:
            many = value(row, now)
            found += [{**row, name: one} for one in (many if isinstance(many, list) and many else [None])]
        return found

    return expanded


_OPERATORS: Final[Mapping[str, Callable[[Reader], Step]]] = {
    "where": _where,
    "project": _project,
    "project-away": _project_away,
    "extend": _extend,
    "order": _order,
    "sort": _order,
    "take": _take,
    "limit": _take,
    "top": _top,
    "count": _count,
    "distinct": _distinct,
    "summarize": _summarize,
    "mv-expand": _mv_expand,
}
