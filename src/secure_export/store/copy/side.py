"""What copying needs of a store, whichever database keeps it."""

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from secure_export.store.copy.tables import Row, Table

Position = tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class Found:
    """A row, and where it is in the order of its table."""

    position: Position
    row: Row


@dataclass(frozen=True, slots=True)
class Unfinished:
    """What a target says about a copy that was begun.

    Attributes:
        source: From where.
        positions: How far each table came; for one that is complete ``None``.
    """

    source: str
    positions: Mapping[str, Position | None]


@dataclass(frozen=True, slots=True)
class Finished:
    """What a target says about a copy that was finished.

    Attributes:
        source: From where.
        digests: What the source had in each table then; nothing where the copy was made by a program that kept none.
    """

    source: str
    digests: Mapping[str, str]


class Source(Protocol):
    """A store that is read, as it was at one moment: what others write meanwhile is not seen."""

    name: str
    is_in_use: str | None

    def rows(self, table: Table, after: Position | None, *, by_time: bool) -> AsyncIterator[Found]:
        """Walk through a table."""
        ...

    async def count(self, table: Table) -> int:
        """Say how many rows there are."""
        ...

    async def highest(self) -> Mapping[str, int]:
        """Say for each table with numbers the highest that was ever given.

        ``fencing`` is that of fencing tokens, ``notification_numbers`` what tells notifications apart.
        """
        ...

    async def close(self) -> None:
        """Let go."""
        ...


class Target(Source, Protocol):
    """A store that is written; one that is in use is a finished copy, which is only asked what it is a copy of."""

    numbers_by_time: bool

    async def unfinished(self) -> Unfinished | None:
        """Say whether a copy was begun here and not finished."""
        ...

    async def finished(self) -> Finished | None:
        """Say from where a copy was finished here, and of what."""
        ...

    async def is_empty(self) -> bool:
        """Tell whether nothing is kept here yet."""
        ...

    async def begin(self, source: str) -> None:
        """Write down that a copy begins: no service starts on it until it is finished."""
        ...

    async def write(self, table: Table, rows: Sequence[Row], reached: Position | None) -> None:
        """Take rows, and write down how far the copy came, in one transaction."""
        ...

    async def finish(self, copied: Finished, highest: Mapping[str, int], *, now: datetime) -> None:
        """Make it a store that a service can go on with, and keep what it is a copy of."""
        ...
