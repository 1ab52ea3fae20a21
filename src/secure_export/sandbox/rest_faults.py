"""Trouble on demand for Microsoft's JSON APIs: which requests meet it, of which kind, and how often."""

from dataclasses import dataclass
from enum import StrEnum

from secure_export.sandbox import faults
from secure_export.sandbox.rest_call import Call


class FaultKind(StrEnum):
    """What happens to a request; those whose name ends in *after*, cut and garbage come when it was done already."""

    DELAY = faults.DELAY
    """Waits, then goes on as usual."""
    RESET_BEFORE = faults.RESET_BEFORE
    """The connection is reset, and nothing is done."""
    ERROR_BEFORE = "error-before"
    """An error with the given status, code and message, and nothing is done."""
    THROTTLED = "throttled"
    """429 with ``Retry-After``, and nothing is done."""
    TOKEN_REFUSED = "token-refused"  # noqa: S105 - the name of a fault
    """401, although the token is sound."""
    ERROR_AFTER = "error-after"
    """An error, although it was done."""
    RESET_AFTER = faults.RESET_AFTER
    """Done, then the connection is reset: the answer is lost."""
    DELAY_AFTER = faults.DELAY_AFTER
    """Done, then waits before it answers."""
    GARBAGE = "garbage"
    """Done, then 200 with text that is no JSON."""
    CUT = faults.CUT
    """Done, then the connection ends in the middle of the answer's body."""


@dataclass(frozen=True, slots=True)
class Fault(faults.AnyFault[Call]):
    """A kind of trouble, and who meets it; see ``AnyFault``. Paths are those below the API's address.

    Attributes:
        kind: What happens.
        code: The code of errors; empty: one that goes with the status.
        message: What errors say.
    """

    kind: FaultKind
    seconds: float = 10.0
    status: int = 503
    code: str = ""
    message: str = "Sandbox: a fault was set."


class Faults(faults.Faults[Fault, Call]):
    """The faults that are set; see ``sandbox.faults``."""
