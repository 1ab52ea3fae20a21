"""A directory of several replicas: reads may meet one that has not heard of the latest write (entra-facts 5.2)."""

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Generic, TypeVar

V = TypeVar("V")


@dataclass(slots=True)
class Lag:
    """How far the other replicas are behind.

    Attributes:
        reads: How many reads of an object after each write of it may be stale; 0: none, the usual setting here.
        seconds: For how long after the write, by the stand-in's clock.
        share: How many of those reads are, from 0 to 1; drawn from the stand-in's seed.
    """

    reads: int = 0
    seconds: float = 60.0
    share: float = 1.0


@dataclass(slots=True)
class _Written(Generic[V]):
    before: V | None
    at: datetime
    stale_reads: int = 0


class Replicated(Generic[V]):
    """A table whose reads may be stale.

    Args:
        lag: How stale; shared by the tables of a directory.
        now: The stand-in's clock.
        chance: What decides which reads are.
    """

    def __init__(self, lag: Lag, now: Callable[[], datetime], chance: random.Random) -> None:
        self._lag = lag
        self._now = now
        self._chance = chance
        self._rows: dict[str, V] = {}
        self._written: dict[str, _Written[V]] = {}

    def put(self, key: str, value: V) -> None:
        """Write an object."""
        self._written[key] = _Written(self._rows.get(key), self._now())
        self._rows[key] = value

    def remove(self, key: str) -> V | None:
        """Remove an object.

        Returns:
            It; None: there is none.
        """
        if key not in self._rows:
            return None
        self._written[key] = _Written(self._rows[key], self._now())
        return self._rows.pop(key)

    def settle(self) -> None:
        """Let every replica hear of everything."""
        self._written.clear()

    def current(self, key: str) -> V | None:
        """Give an object as it is."""
        return self._rows.get(key)

    def all(self) -> Iterator[V]:
        """Give all objects as they are, oldest first."""
        return iter(tuple(self._rows.values()))

    def seen(self, key: str) -> V | None:
        """Give an object as a read sees it: as it is, or as it was before the latest write."""
        return self._as_read(key)

    def listed(self) -> Iterator[V]:
        """Give all objects as a read sees them."""
        for key in tuple(dict.fromkeys((*self._rows, *self._written))):
            if (value := self._as_read(key)) is not None:
                yield value

    def _as_read(self, key: str) -> V | None:
        written = self._written.get(key)
        if written is not None and self._is_stale(written):
            written.stale_reads += 1
            return written.before
        return self._rows.get(key)

    def _is_stale(self, written: _Written[V]) -> bool:
        lag = self._lag
        return (
            written.stale_reads < lag.reads
            and self._now() < written.at + timedelta(seconds=lag.seconds)
            and self._chance.random() < lag.share
        )
