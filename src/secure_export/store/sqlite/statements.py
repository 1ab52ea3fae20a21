"""Statements that write many rows at a time.

Each step of a statement lets other threads run and then waits for its turn (SQLite's own lock and Python's), so one
statement of many rows is much cheaper than many statements.
"""

import sqlite3
from collections.abc import Sequence
from typing import Any

_SIZES = (64, 16, 4, 1)


class ManyRows:
    """A statement with a list of rows in it.

    Args:
        before: What stands before the rows.
        row: One row, such as ``(?, ?)``.
        after: What stands behind the rows.
    """

    def __init__(self, before: str, row: str, after: str = "") -> None:
        self._width = row.count("?")
        self._by_size = [(size, f"{before} {', '.join([row] * size)} {after}") for size in _SIZES]

    def run(self, connection: sqlite3.Connection, parameters: Sequence[Any]) -> int:
        """Run it for all rows, whose parameters are given one after the other; how many rows were changed."""
        changed, at = 0, 0
        for size, sql in self._by_size:
            step = size * self._width
            while len(parameters) - at >= step:
                changed += connection.execute(sql, parameters[at : at + step]).rowcount
                at += step
        return changed


def take_numbers(connection: sqlite3.Connection, count: int) -> int:
    """Take ``count`` numbers that were never given before; the first of them."""
    row = connection.execute("UPDATE counter SET value = value + ? RETURNING value", (count,)).fetchall()[0]
    last: int = row[0]
    return last - count + 1
