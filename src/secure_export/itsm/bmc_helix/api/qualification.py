"""Qualifications, as AR System calls what a query asks for: pure.

Texts stand in double quotes, with quotes in them doubled; names of fields in single ones. Names come from settings and
from this program alone, never from an alert.
"""

from collections.abc import Sequence
from datetime import datetime
from urllib.parse import quote


def text(value: str) -> str:
    """Write a text.

    Raises:
        ValueError: It holds a control character, which no query should.
    """
    if not value.isprintable():
        raise ValueError("a query cannot hold control characters")
    return '"' + value.replace('"', '""') + '"'


def field(name: str) -> str:
    """Write the name of a field.

    Raises:
        ValueError: It could end the name early.
    """
    if not name.isprintable() or "'" in name or not name.strip():
        raise ValueError(f"{name!r} is no name of a field")
    return f"'{name}'"


def equal(name: str, value: str) -> str:
    """Ask for a field that is a text."""
    return f"{field(name)} = {text(value)}"


def differs(name: str, value: str) -> str:
    """Ask for a field that is another text, or empty: an empty field is neither equal nor different in SQL."""
    return f"({field(name)} != {text(value)} OR {field(name)} = $NULL$)"


def begins(name: str, value: str) -> str:
    """Ask for a field that begins with a text, which holds none of the signs that ``LIKE`` reads in its own way.

    Raises:
        ValueError: It holds one.
    """
    if any(sign in value for sign in "%_[]"):
        raise ValueError("a text with % or _ cannot be asked for by its beginning")
    return f"{field(name)} LIKE {text(value + '%')}"


def since(name: str, at: datetime) -> str:
    """Ask for a time at or after another.

    Written in seconds since 1970, which means the same whatever language and zone the user has (a date in quotes does
    not).
    """
    return f"{field(name)} >= {int(at.timestamp())}"


def one_of(name: str, values: Sequence[str]) -> str:
    """Ask for a field that is one of some texts; one at least."""
    return " OR ".join(equal(name, value) for value in values)


def together(*terms: str) -> str:
    """Ask for all of some terms."""
    return " AND ".join(f"({term})" for term in terms)


def encoded_length(query: str) -> int:
    """Say how long a qualification is in a URL."""
    return len(quote(query, safe=""))
