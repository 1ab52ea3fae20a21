"""Trouble on demand: a door of the stand-in that fails, stalls, or talks nonsense."""

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final


class OutageMode(StrEnum):
    """How a door misbehaves."""

    NONE = "none"
    ERROR = "error"
    SLOW = "slow"
    GARBAGE = "garbage"
    EMPTY = "empty"


class Door(StrEnum):
    """What can misbehave."""

    METADATA = "metadata"
    KEYS = "keys"
    TOKEN = "token"  # noqa: S105 - the name of a door


ALL_DOORS: Final = frozenset(Door)


@dataclass(frozen=True, slots=True)
class Outage:
    """Which doors misbehave, and how.

    Attributes:
        mode: ``error`` answers 500, ``slow`` answers rightly but late, ``garbage`` answers 200 with what is no JSON,
            ``empty`` answers 200 with an empty JSON object.
        seconds: How late, for ``slow``.
        doors: Which doors.
    """

    mode: OutageMode = OutageMode.NONE
    seconds: float = 30.0
    doors: frozenset[Door] = field(default=ALL_DOORS)

    def of(self, door: Door) -> OutageMode:
        """Say how one door behaves."""
        return self.mode if door in self.doors else OutageMode.NONE
