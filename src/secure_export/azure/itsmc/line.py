"""One line of what becomes of ITSMC's settings: what it was, what it becomes, why, and what is left to a person."""

from dataclasses import dataclass
from enum import StrEnum


class Fate(StrEnum):
    """What becomes of something."""

    CARRIED = "carried over"
    OTHERWISE = "done otherwise"
    BY_HAND = "by hand"
    NOTHING = "no counterpart"


@dataclass(frozen=True, slots=True)
class Line:
    """What becomes of one thing.

    Attributes:
        about: The action group, ITSM action or connection that it belongs to.
        option: What it is, in ITSMC's own word.
        was: What it said there.
        becomes: What is written here, or what a person has to do.
        reason: Why, as a sentence part.
        fate: Whether it is carried over.
    """

    about: str
    option: str
    was: str
    becomes: str
    reason: str
    fate: Fate = Fate.CARRIED
