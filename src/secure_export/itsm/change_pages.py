"""What people change in a tool, asked for page by page: nothing is passed over, and little is told twice.

Times of changes have whole seconds in the tools, and are set before a change is committed. So each question goes back
a little behind the one before, and what was told already is known by a word for what the record looked like. Times are
those of the tool's own clock.
"""

import hashlib
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from secure_export.itsm.cursor import Position, starting

OVERLAP = timedelta(seconds=90)
_CLOCK_IS_WRONG = timedelta(minutes=10)


@dataclass(frozen=True, slots=True)
class Change:
    """A record of ours that was changed.

    Attributes:
        key: ``WorkItem.key``.
        at: When; None when that cannot be read.
        token: A short word for what it looks like since.
        ours: Whether we changed it ourselves.
    """

    key: str
    at: datetime | None
    token: str
    ours: bool


@dataclass(frozen=True, slots=True)
class ChangePage:
    """A page of changes.

    Attributes:
        changes: Those of our records, oldest first.
        full: Whether there are more behind it, or may be.
        read: How many records it stands for, shown or not.
        now: The tool's clock.
    """

    changes: tuple[Change, ...]
    full: bool
    read: int
    now: datetime

    @property
    def seen(self) -> dict[str, datetime]:
        """What need not be told again, by its token, and when it was."""
        return {one.token: one.at for one in self.changes if one.at is not None and not one.ours}

    def news(self, position: Position) -> list[str]:
        """Give the keys of what was not told before."""
        return [one.key for one in self.changes if one.token not in position.seen and not one.ours]

    def beyond(self, position: Position) -> Position:
        """Say where to go on behind it."""
        told = replace(position, seen={**position.seen, **self.seen})
        if self.full and self.read:
            return told.next_page(max((one.at for one in self.changes if one.at is not None), default=None), self.read)
        if position.since > self.now + _CLOCK_IS_WRONG:
            told = replace(told, since=self.now - OVERLAP)
        return told.caught_up((self.now - OVERLAP).replace(microsecond=0))


ReadPage = Callable[[Position, int | None], Awaitable[ChangePage | None]]
"""Reads a page from a position on, with so many records at most (None: as many as usual); None: there is none now."""


async def beginning(read: ReadPage, now: datetime) -> Position | None:
    """Begin at the tool's time now: what changed in this very second counts as told.

    Args:
        read: Reads pages.
        now: The time by our clock.
    """
    first = await read(starting(now), 1)
    if first is None:
        return None
    position = starting(first.now)
    page = await read(position, None)
    return None if page is None else replace(position, seen=page.seen)


def token(looks: str) -> str:
    """Give a short word for what a record looks like."""
    return hashlib.sha256(looks.encode("utf-8", "surrogatepass")).hexdigest()[:16]
