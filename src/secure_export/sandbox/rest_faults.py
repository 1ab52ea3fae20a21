"""Trouble on demand for Microsoft's JSON APIs: which requests meet it, of which kind, and how often."""

from dataclasses import dataclass, field
from enum import StrEnum
from fnmatch import fnmatchcase

from secure_export.sandbox import faults
from secure_export.sandbox.rest_call import Call


class FaultKind(StrEnum):
    """What happens to a request; those whose name ends in *after*, cut and garbage come when it was done already."""

    DELAY = "delay"
    """Waits, then goes on as usual."""
    RESET_BEFORE = "reset-before"
    """The connection is reset, and nothing is done."""
    ERROR_BEFORE = "error-before"
    """An error with the given status, code and message, and nothing is done."""
    THROTTLED = "throttled"
    """429 with ``Retry-After``, and nothing is done."""
    TOKEN_REFUSED = "token-refused"  # noqa: S105 - the name of a fault
    """401, although the token is sound."""
    ERROR_AFTER = "error-after"
    """An error, although it was done."""
    RESET_AFTER = "reset-after"
    """Done, then the connection is reset: the answer is lost."""
    DELAY_AFTER = "delay-after"
    """Done, then waits before it answers."""
    GARBAGE = "garbage"
    """Done, then 200 with text that is no JSON."""
    CUT = "cut"
    """Done, then the connection ends in the middle of the answer's body."""


@dataclass(frozen=True, slots=True)
class Fault(faults.AnyFault[Call]):
    """A kind of trouble, and who meets it. What is empty matches everything.

    Attributes:
        kind: What happens.
        methods: Which methods.
        path: Which paths below the API's address, whatever the case; ``*`` stands for any characters.
        user: Whose requests: a client id, or a user's name.
        query: Text that the query string holds.
        body: Text that the body holds.
        seconds: How long delays wait; for ``throttled`` what ``Retry-After`` says.
        status: The status of errors.
        code: The code of errors; empty: one that goes with the status.
        message: What errors say.
        headers: Further headers of the answer.
    """

    kind: FaultKind
    methods: frozenset[str] = frozenset()
    path: str = ""
    user: str = ""
    query: str = ""
    body: str = ""
    seconds: float = 10.0
    status: int = 503
    code: str = ""
    message: str = "Sandbox: a fault was set."
    headers: dict[str, str] = field(default_factory=dict)

    @property
    def goes_on(self) -> bool:
        """Whether the request may meet a further fault."""
        return self.kind is FaultKind.DELAY

    def matches(self, call: Call) -> bool:
        """Say whether a request is one of those it is for."""
        return (
            (not self.methods or call.method in self.methods)
            and (not self.path or fnmatchcase(call.path.lower(), self.path.lower()))
            and (not self.user or call.user == self.user)
            and (not self.query or self.query in call.query)
            and (not self.body or self.body.encode() in call.body)
        )


class Faults(faults.Faults[Fault, Call]):
    """The faults that are set; see ``sandbox.faults``."""
