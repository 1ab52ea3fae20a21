"""The functions of queries."""

import json
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any, Final


def as_text(value: Any) -> str:
    """Write a value as ``tostring`` does."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, datetime):
        return f"{value.astimezone(UTC):%Y-%m-%dT%H:%M:%S}.{value.microsecond:06d}0Z"
    return json.dumps(value) if isinstance(value, dict | list) else str(value)


def _moment(value: Any) -> datetime | None:
    if isinstance(value, datetime):
        return value if value.tzinfo else value.replace(tzinfo=UTC)
    try:
        read = datetime.fromisoformat(str(value))
    except ValueError:
        return None
    return read if read.tzinfo else read.replace(tzinfo=UTC)


def _case(*arguments: Any) -> Any:
    for condition, value in zip(arguments[:-1:2], arguments[1::2], strict=False):
        if condition:
            return value
    return arguments[-1]


def _parsed(value: Any) -> Any:
    if not isinstance(value, str):
        return value
    try:
        return json.loads(value)
    except ValueError:
        return None


def _whole(value: Any) -> int | None:
    try:
        return int(value)
    except (TypeError, ValueError):
        return None


def _truth(value: Any) -> bool | None:
    return {"true": True, "1": True, "false": False, "0": False}.get(as_text(value).lower())


def _empty(value: Any) -> bool:
    return value in (None, "", [], {})


FUNCTIONS: Final[Mapping[str, Callable[..., Any]]] = {
    "array_length": lambda value: len(value) if isinstance(value, list) else None,
    "case": _case,
    "coalesce": lambda *values: next((one for one in values if not _empty(one)), None),
    "iff": lambda condition, one, other: one if condition else other,
    "iif": lambda condition, one, other: one if condition else other,
    "isempty": _empty,
    "isnotempty": lambda value: not _empty(value),
    "isnotnull": lambda value: value is not None,
    "isnull": lambda value: value is None,
    "parse_json": _parsed,
    "split": lambda value, by, *at: as_text(value).split(by)[at[0] : at[0] + 1] if at else as_text(value).split(by),
    "strcat": lambda *values: "".join(as_text(one) for one in values),
    "strlen": lambda value: len(as_text(value)),
    "tobool": _truth,
    "todatetime": _moment,
    "todynamic": _parsed,
    "toint": _whole,
    "tolong": _whole,
    "tolower": lambda value: as_text(value).lower(),
    "tostring": as_text,
    "toupper": lambda value: as_text(value).upper(),
}
