"""Pages of lists that stay in place while rows are added: a cursor names the last row that was given."""

import base64
import binascii
from collections.abc import Sequence
from typing import Any

from secure_export.console.contract import Page

_MOST_ROWS = 1000
_NEWEST = 2**63 - 1


def rows_on_page(limit: int) -> int:
    """Give how many rows a page holds when ``limit`` is asked for."""
    return max(1, min(limit, _MOST_ROWS))


def cursor_after(number: int) -> str:
    """Make the cursor of the page that follows the row with this number."""
    return base64.urlsafe_b64encode(number.to_bytes(8, "big")).rstrip(b"=").decode()


def rows_before(cursor: str | None) -> int:
    """Say below which number the rows of a page are; without a cursor all are.

    Raises:
        ValueError: It is no cursor that was handed out.
    """
    if not cursor:
        return _NEWEST
    try:
        number = int.from_bytes(base64.b64decode(f"{cursor}=", altchars=b"-_", validate=True), "big")
    except (binascii.Error, ValueError):
        number = -1
    if number > _NEWEST or cursor != cursor_after(max(number, 0)):
        raise ValueError("the cursor is none that was handed out; start again without one")
    return number


def page(rows: Sequence[tuple[int, dict[str, Any]]], limit: int) -> Page:
    """Make a page of numbered rows, of which one more than ``limit`` was looked for."""
    given = rows[:limit]
    return Page([row for _, row in given], cursor_after(given[-1][0]) if len(rows) > limit else None)


def one_of(name: str, value: str | None, choices: Sequence[str]) -> str | None:
    """Give a filter's value.

    Raises:
        ValueError: It is none of the choices, so that a misspelt filter does not look like an empty list.
    """
    if value is not None and value not in choices:
        raise ValueError(f"{name} {value!r} is not known; use one of {', '.join(choices)}")
    return value
