"""Trouble on demand: the faults that are set, who has met them, and who is next."""

import itertools
from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any, Generic, TypeVar

C = TypeVar("C")


@dataclass(frozen=True, slots=True, kw_only=True)
class AnyFault(ABC, Generic[C]):
    """What every stand-in's fault has.

    Attributes:
        id: By what it is cleared; given when it is set.
        skip: How many matching requests pass first.
        times: How many matching requests meet it; None: until it is cleared.
    """

    id: str = ""
    skip: int = 0
    times: int | None = 1

    @property
    @abstractmethod
    def goes_on(self) -> bool:
        """Whether a request that met it may meet a further one."""

    @abstractmethod
    def matches(self, call: C) -> bool:
        """Say whether a request is one of those it is for."""


F = TypeVar("F", bound=AnyFault[Any])


class Faults(Generic[F, C]):
    """The faults that are set, in the order they were set."""

    def __init__(self) -> None:
        self._set: dict[str, F] = {}
        self._matched: Counter[str] = Counter()
        self._met: Counter[str] = Counter()
        self._ids = itertools.count(1)

    def set(self, fault: F) -> F:
        """Set a fault.

        Returns:
            The fault with its id.
        """
        given = replace(fault, id=fault.id or f"fault-{next(self._ids)}")
        self._set[given.id] = given
        self._matched[given.id] = self._met[given.id] = 0
        return given

    def clear(self, fault_id: str | None = None) -> int:
        """Take one fault away, or all.

        Returns:
            How many were taken away.
        """
        gone = [one for one in self._set if fault_id in (None, one)]
        for one in gone:
            del self._set[one]
        return len(gone)

    def take(self, call: C) -> tuple[F, ...]:
        """Count a request, and give the faults that it meets: any that let it go on, then at most one that does not."""
        found: list[F] = []
        for fault in self:
            if fault.matches(call) and self._due(fault):
                found.append(fault)
                if not fault.goes_on:
                    break
        return tuple(found)

    def met(self, fault_id: str) -> int:
        """Say how many requests met a fault that is set, or was."""
        return self._met[fault_id]

    def __iter__(self) -> Iterator[F]:
        return iter(tuple(self._set.values()))

    def _due(self, fault: F) -> bool:
        """Count a matching request, and say whether it meets the fault."""
        self._matched[fault.id] += 1
        past = self._matched[fault.id] - fault.skip
        due = past > 0 and (fault.times is None or past <= fault.times)
        self._met[fault.id] += due
        return due
