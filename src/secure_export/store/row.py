"""A row as it comes from a database, whichever it is."""

from collections.abc import Iterator
from typing import Any, Protocol


class Row(Protocol):
    """Values in the order in which they were asked for."""

    def __getitem__(self, place: int, /) -> Any:
        """Give the value at a place."""
        ...

    def __iter__(self) -> Iterator[Any]:
        """Go through the values."""
        ...
