"""A request while it is done: what its faults do to the writes that it makes."""

import contextlib
from collections.abc import Generator
from contextvars import ContextVar
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Generic, TypeVar

from secure_export.sandbox.faults import AnyFault

F = TypeVar("F", bound=AnyFault[Any])


@dataclass(slots=True)
class Happening(Generic[F]):
    """A request while it is done.

    Attributes:
        faults: The faults that it meets.
    """

    faults: tuple[F, ...] = ()

    def has(self, kind: StrEnum) -> F | None:
        """Find the fault of a kind."""
        return next((one for one in self.faults if one.kind is kind), None)


H = TypeVar("H", bound=Happening[Any])


class Present(Generic[H]):
    """What is done now, by the task that does it."""

    def __init__(self) -> None:
        self._now: ContextVar[H | None] = ContextVar("happening", default=None)

    def get(self) -> H | None:
        """Give the request that is done now; None: something is written by no request."""
        return self._now.get()

    @contextlib.contextmanager
    def during(self, happening: H) -> Generator[H]:
        """Let what writes see a request for as long as the block lasts."""
        token = self._now.set(happening)
        try:
            yield happening
        finally:
            self._now.reset(token)
