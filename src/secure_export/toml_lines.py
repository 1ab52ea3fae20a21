"""Finds the line of a setting, which Python's TOML reader does not tell."""

import re
from collections.abc import Sequence

_TABLE = re.compile(r"^\s*(\[\[?)\s*([^\]]+?)\s*\]\]?\s*(?:#.*)?$")
_KEY = re.compile(r"""^\s*((?:[A-Za-z0-9_-]+|"[^"]*"|'[^']*')(?:\s*\.\s*(?:[A-Za-z0-9_-]+|"[^"]*"|'[^']*'))*)\s*=""")
_PART = re.compile(r"""[A-Za-z0-9_-]+|"[^"]*"|'[^']*'""")


def line_of(text: str, path: Sequence[str | int]) -> int | None:
    """Give the line, from 1, that sets what the path names, or the line of the nearest section around it.

    Args:
        text: TOML that parsed.
        path: Keys and, for arrays of tables, positions, as pydantic names a fault's place.
    """
    lines = _lines(text)
    wanted = tuple(path)
    for length in range(len(wanted), 0, -1):
        if wanted[:length] in lines:
            return lines[wanted[:length]]
    return None


def _lines(text: str) -> dict[tuple[str | int, ...], int]:
    """Every key and table of the text with its line; the first mention counts."""
    lines: dict[tuple[str | int, ...], int] = {}
    arrays: dict[tuple[str, ...], int] = {}
    table: tuple[str | int, ...] = ()
    for number, line in enumerate(text.splitlines(), start=1):
        if header := _TABLE.match(line):
            table = _table(header, arrays)
            lines.setdefault(table, number)
        elif key := _KEY.match(line):
            lines.setdefault(table + _parts(key[1]), number)
    return lines


def _table(header: re.Match[str], arrays: dict[tuple[str, ...], int]) -> tuple[str | int, ...]:
    """The path of a table's header, with the position of each array of tables on the way."""
    names = _parts(header[2])
    if header[1] == "[[":
        arrays[names] = arrays.get(names, -1) + 1
    path: tuple[str | int, ...] = ()
    for length, name in enumerate(names, start=1):
        path = (*path, name)
        if names[:length] in arrays:
            path = (*path, arrays[names[:length]])
    return path


def _parts(dotted: str) -> tuple[str, ...]:
    return tuple(part.strip("\"'") for part in _PART.findall(dotted))
