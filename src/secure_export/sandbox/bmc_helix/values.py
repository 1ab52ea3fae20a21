"""Values as clients send them, as they are kept, and as they are shown."""

import re
from datetime import UTC, datetime
from typing import Any, Final

from secure_export.sandbox.bmc_helix.errors import outside_limits, wrong_type
from secure_export.sandbox.bmc_helix.forms.model import Field, Kind

_MOMENT: Final = re.compile(
    r"^(\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2})(?:\.\d{1,6})?(Z|[+-]\d{2}:?\d{2})?$",
    re.ASCII,
)
_AMERICAN: Final = "%m/%d/%Y %H:%M:%S%z"


def taken(field: Field, value: Any) -> Any:
    """Read a value that a client sent for a field.

    Returns:
        What is kept; None: nothing.

    Raises:
        ArError: It is not of the field's type, its selection has no such label, or it is too long.
    """
    if value is None:
        return None
    match field.kind:
        case Kind.ENUM:
            return _selected(field, value)
        case Kind.INTEGER:
            return _whole(field, value)
        case Kind.TIME:
            moment = as_seconds(value)
            if moment is None:
                raise wrong_type(field.name, value)
            return moment
        case _:
            return _text(field, value)


def shown(field: Field, value: Any) -> Any:
    """Write a kept value as clients see it."""
    if value is None:
        return None
    match field.kind:
        case Kind.ENUM:
            return field.label(value)
        case Kind.TIME:
            return as_moment(value)
        case Kind.HISTORY:
            return {status: {"user": user, "timestamp": as_moment(moment)} for status, (user, moment) in value.items()}
        case _:
            return value


def as_moment(seconds: int) -> str:
    """Write a moment: the offset has no colon."""
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%S.000+0000")


def as_seconds(value: Any) -> int | None:
    """Read a moment: ISO 8601 with or without a colon in the offset, seconds since 1970, or month/day/year."""
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    if not isinstance(value, str):
        return None
    if value.isascii() and value.isdigit():
        return int(value)
    if found := _MOMENT.match(value):
        zone = (found[2] or "Z").replace("Z", "+0000").replace(":", "")
        return _seconds(found[1] + zone, "%Y-%m-%dT%H:%M:%S%z")
    return _seconds(value + "+0000", _AMERICAN)


def _seconds(text: str, form: str) -> int | None:
    try:
        return int(datetime.strptime(text, form).timestamp())  # noqa: DTZ007 - both forms have %z
    except (ValueError, OverflowError):
        return None


def _selected(field: Field, value: Any) -> int:
    if isinstance(value, str) and (option := field.option(value)):
        return option.id
    number = int(value) if isinstance(value, str) and value.isascii() and value.isdigit() else value
    if isinstance(number, int) and not isinstance(number, bool) and any(one.id == number for one in field.options):
        return number
    raise wrong_type(field.name, value)


def _whole(field: Field, value: Any) -> int:
    try:
        if isinstance(value, bool):
            raise wrong_type(field.name, value)
        return int(value)
    except (TypeError, ValueError):
        raise wrong_type(field.name, value) from None


def _text(field: Field, value: Any) -> str | None:
    if isinstance(value, bool) or not isinstance(value, (str, int, float)):
        raise wrong_type(field.name, value)
    text = str(value)
    if field.limit and len(text) > field.limit:
        raise outside_limits(field.name, field.limit)
    return text or None
