"""Reads what the control API is told; a name that is not known is an error, never ignored."""

import dataclasses
from typing import Any, TypeVar

import msgspec

T = TypeVar("T")


class BadOrderError(ValueError):
    """An order cannot be understood."""


def read(body: bytes, kind: type[T]) -> T:
    """Read an order.

    Args:
        body: JSON; nothing counts as an empty object.
        kind: The dataclass that it is.

    Raises:
        BadOrderError: It is not.
    """
    document = _document(body)
    known = [field.name for field in dataclasses.fields(kind)]  # type: ignore[arg-type] # any dataclass
    if unknown := sorted(document.keys() - set(known)):
        raise BadOrderError(f"Unknown: {', '.join(unknown)}. Known are: {', '.join(known)}.")
    try:
        return msgspec.convert(document, kind)
    except msgspec.ValidationError as problem:
        raise BadOrderError(str(problem)) from None


def change(body: bytes, settings: Any) -> Any:
    """Change those settings that an order names.

    Args:
        body: JSON; nothing counts as an empty object.
        settings: A dataclass.

    Returns:
        All settings, in what JSON has.

    Raises:
        BadOrderError: It is no such order.
    """
    changed = read(msgspec.json.encode({**plain(settings), **_document(body)}), type(settings))
    for field in dataclasses.fields(settings):
        setattr(settings, field.name, getattr(changed, field.name))
    return plain(settings)


def plain(value: Any) -> Any:
    """Write a value in what JSON has."""
    return msgspec.to_builtins(value, order="sorted")


def _document(body: bytes) -> dict[str, Any]:
    try:
        return msgspec.json.decode(body or b"{}", type=dict[str, Any])
    except msgspec.DecodeError as problem:
        raise BadOrderError(str(problem)) from None
