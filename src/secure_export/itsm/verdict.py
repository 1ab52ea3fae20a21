"""What an answer of a tool means, whichever tool it is: a closed set, to which each adds what it tells more exactly."""

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import TypeAlias, TypeVar


class Method(StrEnum):
    """The HTTP methods that tools are called with."""

    GET = "GET"
    OPTIONS = "OPTIONS"
    POST = "POST"
    PUT = "PUT"
    PATCH = "PATCH"
    DELETE = "DELETE"


READS = frozenset({Method.GET, Method.OPTIONS})
"""Methods that change nothing (RFC 9110, section 9.2.1)."""


@dataclass(frozen=True, slots=True)
class Ok:
    """It was done.

    Attributes:
        server_time: The tool's clock.
    """

    server_time: datetime | None = field(default=None, kw_only=True)


@dataclass(frozen=True, slots=True)
class NotThere:
    """There is no such record, or it is hidden from us; nothing was changed."""

    reason: str


@dataclass(frozen=True, slots=True)
class Later:
    """Nothing was changed; the same may work later, not before ``not_before`` if that is told."""

    reason: str
    not_before: datetime | None = None


@dataclass(frozen=True, slots=True)
class Refused:
    """Nothing was changed, and the same will be refused again.

    Attributes:
        reason: The tool's own words, and what an administrator must change, by the tool's own names.
    """

    reason: str


@dataclass(frozen=True, slots=True)
class NotSignedIn:
    """The tool does not know us, or does not let us in; nothing was changed."""

    reason: str


@dataclass(frozen=True, slots=True)
class Unclear:
    """A change may have been made or not."""

    reason: str


O = TypeVar("O", bound=Ok)  # noqa: E741 - O and R stand for Ok and Refused
R = TypeVar("R", bound=Refused)

Verdict: TypeAlias = O | NotThere | Later | R | NotSignedIn | Unclear
"""All that an answer can mean, with a tool's own ``Ok`` and ``Refused``."""


def in_doubt(reason: str, method: Method, not_before: datetime | None = None) -> Later | Unclear:
    """Say what an answer that tells nothing means: a reading is made again later, a change leaves doubt."""
    return Later(reason, not_before) if method in READS else Unclear(reason)
