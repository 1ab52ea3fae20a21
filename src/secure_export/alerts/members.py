"""Reading JSON that may be anything: absent, null, of another type, or JSON inside a text.

Which member is written how is told by the page of the day (Azure Monitor docs, "Sample alert payloads"): ``threshold``
is text in some contexts and a number in others, ``impactedServices`` is a list or JSON text, and names differ in case.
"""

import json
import math
import re
from collections.abc import Iterator
from datetime import datetime
from itertools import islice
from typing import Any

import msgspec

from secure_export.alerts.timestamps import read_time

NULL = msgspec.Raw(b"null")
_BOM = b"\xef\xbb\xbf"
_ESCAPES = re.compile(
    rb"\\\\|\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}|(\\u[dD][89a-fA-F][0-9a-fA-F]{2})"
)
_decode_any = msgspec.json.Decoder().decode
_MOST = 200
_LARGEST_EXACT = 1e15
_LONGEST_NUMBER = 40
_NUMBER = re.compile(r"[-+]?\d{1,3}(?:,\d{3})+(?:\.\d+)?|[-+]?\d*\.?\d+(?:[eE][-+]?\d{1,3})?", re.ASCII)


class NotJson(Exception):  # noqa: N818 - reads as what it says
    """A text is no JSON, not even after mending."""


class Members:
    """The members of a JSON object, found by name without regard to case. Anything else has no members."""

    __slots__ = ("_members",)

    def __init__(self, value: object) -> None:
        self._members: dict[str, tuple[str, Any]] = {}
        if isinstance(value, dict):
            self._members = {str(name).lower(): (str(name), member) for name, member in value.items()}

    def __bool__(self) -> bool:
        return bool(self._members)

    def __iter__(self) -> Iterator[tuple[str, Any]]:
        """Go over names, as written, and values."""
        return iter(self._members.values())

    def value(self, name: str) -> Any:
        """Give a member's value; None when it is absent or null."""
        return self._members.get(name.lower(), ("", None))[1]

    def has(self, *names: str) -> bool:
        """Say whether one of these members is there and not null."""
        return any(self.value(name) is not None for name in names)

    def text(self, *names: str) -> str:
        """Give the first of these members that has a text or a number, as text; empty when none has."""
        return next((found for name in names if (found := text_of(self.value(name)))), "")

    def number(self, name: str) -> float | None:
        """Give a member as a number, be it written as number or as text."""
        return number_of(self.value(name))

    def time(self, *names: str) -> datetime | None:
        """Give the first of these members that can be read as a time."""
        return next((at for name in names if (at := read_time(self.value(name)))), None)

    def object(self, name: str) -> "Members":
        """Give a member that is an object, or JSON text of one."""
        return Members(_parsed(self.value(name)))

    def objects(self, name: str) -> list["Members"]:
        """Give a member that is a list of objects, or JSON text of one: the first 200, without what is no object."""
        value = _parsed(self.value(name))
        return [Members(one) for one in value[:_MOST] if isinstance(one, dict)] if isinstance(value, list) else []

    def texts(self, name: str) -> tuple[str, ...]:
        """Give a member that is a list of texts; a single text counts as a list of one."""
        return texts_of(self.value(name))

    def pairs(self) -> list[tuple[str, str]]:
        """Give the names and texts of members that are texts, numbers or truth values; of the first 200."""
        return [(name, text) for name, value in islice(self, _MOST) if (text := text_of(value))]


def read_json(raw: bytes | msgspec.Raw) -> Any:
    """Read JSON, mending what senders break: see ``mended``. Numbers out of range become texts.

    Raises:
        NotJson: It cannot be read.
    """
    try:
        return _decode_any(raw)
    except (msgspec.MsgspecError, ValueError, RecursionError):
        pass
    repaired = mended(bytes(raw))
    try:
        return _decode_any(repaired)
    except (msgspec.MsgspecError, ValueError, RecursionError):
        pass
    try:
        return json.loads(repaired, strict=False, parse_int=_integer, parse_float=_float)
    except (ValueError, RecursionError) as error:
        raise NotJson(str(error) or type(error).__name__) from None


def mended(body: bytes) -> bytes:
    """Take away a byte order mark, and put U+FFFD for bytes that are no UTF-8 and for halves of surrogate pairs.

    A text that was cut to a length can end with half of a pair.
    """
    valid = body.removeprefix(_BOM).decode("utf-8", "replace").encode()
    return _ESCAPES.sub(lambda found: rb"\ufffd" if found[1] else found[0], valid)


def text_of(value: object) -> str:
    """Give a text, a number or a truth value as text; empty for anything else."""
    if isinstance(value, str):
        return value.strip()
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return number_text(value)
    return ""


def texts_of(value: object) -> tuple[str, ...]:
    """Give the texts in a list; a single text counts as a list of one, anything else as none."""
    if isinstance(value, list | tuple):
        return tuple(text for one in value if (text := text_of(one)))
    text = text_of(value)
    return (text,) if text else ()


def number_of(value: object) -> float | None:
    """Give a number, also one that is written as text or as money (``$11,111.00``); None for anything else."""
    if isinstance(value, int | float) and not isinstance(value, bool):
        try:
            number = float(value)
        except OverflowError:
            return None
        return number if math.isfinite(number) else None
    if not isinstance(value, str):
        return None
    bare = value.strip().strip("$€£¥₹ \N{NO-BREAK SPACE}")
    if len(bare) > _LONGEST_NUMBER or not _NUMBER.fullmatch(bare):
        return None
    number = float(bare.replace(",", ""))
    return number if math.isfinite(number) else None


def number_text(value: float) -> str:
    """Write a number for people: at most four decimals, none that are zero."""
    if isinstance(value, int):
        return str(value) if abs(value) < _LARGEST_EXACT else f"{value:.6e}" if abs(value) < 10**300 else "very large"
    if not math.isfinite(value) or abs(value) >= _LARGEST_EXACT or (value and abs(value) < 1):
        return f"{value:.6g}"
    return f"{value:.4f}".rstrip("0").rstrip(".")


def _parsed(value: object) -> Any:
    """What a text holds when it is JSON; other values as they are."""
    if not isinstance(value, str) or value.lstrip()[:1] not in {"{", "["}:
        return value
    try:
        return read_json(value.encode("utf-8", "replace"))
    except NotJson:
        return None


def _integer(digits: str) -> int | str:
    return int(digits) if len(digits) <= _LONGEST_NUMBER else digits[:_LONGEST_NUMBER]


def _float(digits: str) -> float | str:
    number = float(digits)
    return number if math.isfinite(number) else digits[:_LONGEST_NUMBER]
