"""How far changes have been told, as a text that is kept between two questions: pure."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

_VERSION = 1
_MOST_SEEN = 1000
_MOST_TABLES = 20


@dataclass(frozen=True, slots=True)
class Position:
    """How far the changes of one table or form have been told.

    Attributes:
        since: Changes from here on may not have been told yet: some commit later than the time they bear.
        at: From where the next page is read; ``since`` unless a page before was full.
        offset: How many rows of that second are passed over.
        seen: What was told of the time since ``since``: by a word for each change, when it was.
    """

    since: datetime
    at: datetime
    offset: int = 0
    seen: Mapping[str, datetime] = field(default_factory=dict)

    def next_page(self, last: datetime | None, limit: int) -> "Position":
        """Go on behind a full page.

        Args:
            last: The time of its latest change; None when it showed none.
            limit: How many rows it could hold.
        """
        if last is not None and last > self.at:
            return replace(self, at=last, offset=0)
        return replace(self, offset=self.offset + limit)

    def caught_up(self, to: datetime) -> "Position":
        """Take note that everything was told up to a time; it never goes back."""
        since = max(self.since, to)
        recent = sorted(((at, token) for token, at in self.seen.items() if at >= since), reverse=True)[:_MOST_SEEN]
        return Position(since, since, seen={token: at for at, token in recent})


def starting(at: datetime) -> Position:
    """Begin at a time."""
    second = at.replace(microsecond=0)
    return Position(second, second)


def read(text: str) -> dict[str, Position]:
    """Read a cursor: how far each table was told; nothing when it is none of ours."""
    try:
        told = json.loads(text)
        if not isinstance(told, dict) or told.get("v") != _VERSION:
            return {}
        return {str(name): _position(one) for name, one in dict(told["tables"]).items()}
    except (ValueError, TypeError, KeyError, OverflowError, RecursionError, OSError, AttributeError):
        return {}


def write(positions: Mapping[str, Position]) -> str:
    """Write a cursor."""
    tables = {name: _plain(one) for name, one in list(positions.items())[:_MOST_TABLES]}
    return json.dumps({"v": _VERSION, "tables": tables}, separators=(",", ":"))


def _plain(position: Position) -> dict[str, Any]:
    return {
        "since": int(position.since.timestamp()),
        "at": int(position.at.timestamp()),
        "offset": position.offset,
        "seen": {token: int(at.timestamp()) for token, at in list(position.seen.items())[-_MOST_SEEN:]},
    }


def _position(told: Any) -> Position:
    return Position(
        since=datetime.fromtimestamp(int(told["since"]), UTC),
        at=datetime.fromtimestamp(int(told["at"]), UTC),
        offset=max(0, int(told["offset"])),
        seen={str(token): datetime.fromtimestamp(int(at), UTC) for token, at in dict(told["seen"]).items()},
    )
