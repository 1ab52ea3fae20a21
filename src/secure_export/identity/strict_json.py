"""JSON objects read so that there is only one way to understand them."""

import json
from typing import Any, NoReturn


class NotStrict(ValueError):  # noqa: N818 - says what the text is
    """A text is no JSON object, or one that two readers could understand differently."""


def read_object(document: bytes) -> dict[str, Any]:
    """Read a JSON object in UTF-8.

    Members whose names differ at most in case count as duplicates: readers differ in which one they take (RFC 8259,
    section 4). ``json.loads`` on bytes would guess UTF-16 and UTF-32, hence the decoding here.

    Raises:
        NotStrict: It is none, is not UTF-8, or has duplicate members or numbers that JSON does not know.
    """
    try:
        value = _decoder.decode(document.decode("utf-8"))
    except (ValueError, RecursionError) as error:
        raise NotStrict(str(error)[:200]) from None
    if not isinstance(value, dict):
        raise NotStrict("it is no JSON object")
    return value


def _unique(members: list[tuple[str, Any]]) -> dict[str, Any]:
    if len({name.lower() for name, _ in members}) != len(members):
        raise NotStrict("a member occurs twice")
    return dict(members)


def _no_constant(_name: str) -> NoReturn:
    raise NotStrict("NaN and Infinity are no JSON")


_decoder = json.JSONDecoder(object_pairs_hook=_unique, parse_constant=_no_constant)
