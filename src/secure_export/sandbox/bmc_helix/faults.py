"""Trouble on demand: which requests meet it, of which kind, and how often."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from secure_export.sandbox import faults
from secure_export.sandbox.bmc_helix.call import Call


class FaultKind(StrEnum):
    """What happens to a request.

    Of those whose name ends in *after*, and of cut, garbage, restored and deleted, the request was done before the
    trouble starts. The others leave nothing done, except those that let the request go on.
    """

    DELAY = faults.DELAY
    """Waits, then goes on as usual."""
    RESET_BEFORE = faults.RESET_BEFORE
    """The connection is reset."""
    ERROR_BEFORE = "error-before"
    """An error of the 5xx kind, in one of the shapes that BMC's servers and what stands before them have."""
    OTHER_SESSION = "other-session"
    """500 with 9093: the user works from elsewhere at the same time."""
    TIMED_OUT = "timed-out"
    """500 with 93: the server was too busy, and nothing is done."""
    TOO_MANY = "too-many"
    """429 with ``Retry-After``, by something that stands before the server."""
    ACCEPTED = "accepted"
    """202, and nothing is done."""
    LOGIN_PAGE = "login-page"
    """200 with the HTML of a login page, as the Mid Tier answers."""
    SSO_PAGE = "sso-page"
    """401 with the HTML page of single sign-on."""
    GUEST = "guest"
    """A login becomes a guest session: 200 with a token, and ``X-AR-Messages`` says so."""
    TOKEN_REVOKED = "token-revoked"  # noqa: S105 - the name of a fault
    """The token that the request shows is ended, now and for ever: 401."""
    REFUSED = "refused"
    """A filter of the application refuses: 500 with an AR array."""
    DUPLICATE_PEOPLE = "duplicate-people"
    """The customer matches several people: 500 with an AR array."""
    RESOLVE_IGNORED = "resolve-ignored"
    """A filter keeps the status: 204, but the status stays what it was."""
    HIDDEN = "hidden"
    """The user sees no entry: searches come back empty, entries as 404."""
    ERROR_AFTER = "error-after"
    """An error of the 5xx kind, although it was done."""
    TIMED_OUT_AFTER = "timed-out-after"
    """500 with 92, although it was done."""
    RESET_AFTER = faults.RESET_AFTER
    """Done, then the connection is reset: the answer is lost."""
    DELAY_AFTER = faults.DELAY_AFTER
    """Done, then waits before it answers."""
    GARBAGE = "garbage"
    """Done, then 200 with text that is no JSON."""
    CUT = faults.CUT
    """Done, then the connection ends in the middle of the answer's body."""
    RESTORED = "restored"
    """Done and answered; then everything is as it was before: an old copy came back."""
    DELETED = "deleted"
    """Done and answered; then somebody deletes the incident."""


class Shape(StrEnum):
    """What an error looks like (bmc-facts section 4, Errors)."""

    ARRAY = "array"
    """A list of AR messages."""
    OBJECT = "object"
    """``{"message", "code", "transient"}``."""
    HTML = "html"
    """A page of the web server."""
    TEXT = "text"
    """Plain text."""
    EMPTY = "empty"
    """Nothing."""


_WRITES: Final = frozenset({FaultKind.REFUSED, FaultKind.DUPLICATE_PEOPLE, FaultKind.RESOLVE_IGNORED})
_LOGIN: Final = "/api/jwt/login"


@dataclass(frozen=True, slots=True)
class Fault(faults.AnyFault[Call]):
    """A kind of trouble, and who meets it; see ``AnyFault``.

    Attributes:
        kind: What happens.
        form: Which form of the entry API.
        shape: What errors look like.
        number: The message number of ``refused``, and of errors in the shape of an array.
        text: What ``refused`` says in the appended text.
    """

    kind: FaultKind
    form: str = ""
    shape: Shape = Shape.HTML
    number: int = 1_291_053
    text: str = "Sandbox: a filter refuses this."

    def concerns(self, call: Call) -> bool:
        """Say whether a request is for the form, and can meet this kind: filters see writes, logins make guests."""
        if self.form and call.form != self.form:
            return False
        if self.kind in _WRITES:
            return bool(call.form) and call.method in {"POST", "PUT"}
        if self.kind is FaultKind.GUEST:
            return call.path == _LOGIN
        return self.kind is not FaultKind.HIDDEN or call.method == "GET"


class Faults(faults.Faults[Fault, Call]):
    """The faults that are set; see ``sandbox.faults``."""
