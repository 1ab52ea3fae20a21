"""Trouble on demand: the faults that are set, who has met them, and who is next."""

import itertools
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from enum import StrEnum
from fnmatch import fnmatchcase
from typing import Any, Final, Generic, TypeVar

from secure_export.sandbox.call import Call

# Kinds that every stand-in has, by one word each.
DELAY: Final = "delay"  # the request goes on as usual after it
DELAY_AFTER: Final = "delay-after"
RESET_BEFORE: Final = "reset-before"
RESET_AFTER: Final = "reset-after"
CUT: Final = "cut"

C = TypeVar("C", bound=Call)


@dataclass(frozen=True, slots=True, kw_only=True)
class AnyFault(Generic[C]):
    """A kind of trouble, and who meets it. What is empty matches everything.

    Attributes:
        kind: What happens.
        id: By what it is cleared; given when it is set.
        skip: How many matching requests pass first.
        times: How many matching requests meet it; None: until it is cleared.
        methods: Which methods.
        path: Which paths, whatever the case; ``*`` stands for any characters.
        user: Whose requests, by the name that they sign in with.
        query: Text that the query string holds, as it was sent or decoded.
        body: Text that the body holds, such as ``"state":"6"``.
        seconds: How long delays wait; of refusals that say so, when it may be tried again.
        status: The status of errors.
        headers: Further headers of the answer, such as ``Retry-After``.
    """

    kind: StrEnum
    id: str = ""
    skip: int = 0
    times: int | None = 1
    methods: frozenset[str] = frozenset()
    path: str = ""
    user: str = ""
    query: str = ""
    body: str = ""
    seconds: float = 30.0
    status: int = 0
    headers: dict[str, str] = field(default_factory=dict)

    @property
    def goes_on(self) -> bool:
        """Whether a request that met it may meet a further one."""
        return self.kind == DELAY

    def matches(self, call: C) -> bool:
        """Say whether a request is one of those it is for."""
        return (
            (not self.methods or call.method in self.methods)
            and (not self.path or fnmatchcase(call.path.lower(), self.path.lower()))
            and (not self.user or call.user == self.user)
            and (not self.query or any(self.query in text for text in (call.query, *call.parameters.values())))
            and (not self.body or self.body.encode() in call.body)
            and self.concerns(call)
        )

    def concerns(self, call: C) -> bool:  # noqa: ARG002 - for faults that choose further
        """Say whether a request that fits so far can meet this kind at all."""
        return True


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
