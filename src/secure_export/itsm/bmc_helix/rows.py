"""Reading records as the entry API gives them: pure."""

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any
from urllib.parse import unquote

Row = Mapping[str, Any]
"""The values of one record by field name, with its id under ``ID``."""

ID = "\0id"
_OFFSET = re.compile(r"([+-]\d\d)(\d\d)$")


def row_of(entry: Any) -> Row | None:
    """Read one record; None when it is none."""
    if not isinstance(entry, dict) or not isinstance(entry.get("values"), dict):
        return None
    return {**entry["values"], ID: _own_id(entry)}


def value(row: Row, name: str) -> str:
    """Give a field as text; empty when it has none."""
    found = row.get(name)
    if isinstance(found, str):
        return found
    return str(found) if isinstance(found, int) and not isinstance(found, bool) else ""


def first(row: Row, *names: str) -> str:
    """Give the first of some fields that has a value."""
    return next((text for name in names if (text := value(row, name).strip())), "")


def time_of(row: Row, *names: str) -> datetime | None:
    """Give the first of some fields that is a point in time, in UTC.

    The API writes ``2022-06-21T11:08:05.000+0000`` (recorded answers); seconds since 1970 are how AR keeps times.
    """
    return next((at for name in names if (at := _time(row.get(name))) is not None), None)


def _time(told: Any) -> datetime | None:
    try:
        if isinstance(told, int) and not isinstance(told, bool):
            return datetime.fromtimestamp(told, UTC)
        if not isinstance(told, str) or not told:
            return None
        at = datetime.fromisoformat(_OFFSET.sub(r"\1:\2", told))
    except (ValueError, OverflowError, OSError):
        return None
    return at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)


def _own_id(entry: Mapping[str, Any]) -> str:
    """The last part of the record's own link; records know it by different names, or not at all."""
    links = entry.get("_links")
    own = links.get("self") if isinstance(links, dict) else None
    href = own[0].get("href") if isinstance(own, list) and own and isinstance(own[0], dict) else None
    return id_in(href) if isinstance(href, str) else ""


def id_in(address: str) -> str:
    """Give the id at the end of a record's address; empty when the address is that of a form."""
    path = address.partition("?")[0].rstrip("/")
    before, _, last = path.rpartition("/")
    form = unquote(before.rpartition("/")[2])
    return unquote(last) if ":" in form else ""
