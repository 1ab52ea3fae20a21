"""Trouble on demand: which requests meet it, of which kind, and how often."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from secure_export.sandbox import faults
from secure_export.sandbox.servicenow.call import Call


class FaultKind(StrEnum):
    """What happens to a request.

    Of those whose name ends in *after*, and of cut, garbage, cancelled, restored and deleted, the request was done
    before the trouble starts. The others leave nothing done, except those that let the request go on.
    """

    DELAY = faults.DELAY
    """Waits, then goes on as usual."""
    TOO_MANY = "too-many"
    """429 by a rate limit rule, with its headers."""
    QUEUE_FULL = "queue-full"
    """429 of a full semaphore queue, without headers."""
    ACCEPTED = "accepted"
    """202, and nothing is done."""
    ERROR_BEFORE = "error-before"
    """An error of the 5xx kind, as JSON or HTML."""
    RESET_BEFORE = faults.RESET_BEFORE
    """The connection is reset."""
    HIBERNATING = "hibernating"
    """200 with the HTML page of a sleeping developer instance."""
    TOKEN_REVOKED = "token-revoked"  # noqa: S105 - the name of a fault
    """The token that the request shows is revoked, now and for ever: 401."""
    ABORTED = "aborted"
    """A business rule aborts: 403."""
    RESOLVE_IGNORED = "resolve-ignored"
    """A business rule puts the state back: 200, but the state stays what it was."""
    HIDDEN = "hidden"
    """A read ACL hides every row: lists come back empty, records as 404."""
    CHOICE_REMOVED = "choice-removed"
    """Somebody removes a choice just before the request; it stays away."""
    CANCELLED = "cancelled"
    """The transaction quota: 200 with a cut result and ``error``."""
    ERROR_AFTER = "error-after"
    """An error of the 5xx kind, although it was done."""
    RESET_AFTER = faults.RESET_AFTER
    """Done, then the connection is reset: the answer is lost."""
    DELAY_AFTER = faults.DELAY_AFTER
    """Done, then waits before it answers."""
    GARBAGE = "garbage"
    """Done, then 200 with text that is no JSON."""
    CUT = faults.CUT
    """Done, then the connection ends in the middle of the answer's body."""
    RESTORED = "restored"
    """Done and answered; then the record is as it was before (a restored copy), or gone if it was new."""
    DELETED = "deleted"
    """Done and answered; then somebody deletes the record."""


GOES_ON: Final = frozenset({FaultKind.DELAY, FaultKind.CHOICE_REMOVED})
"""After these the request may meet a further fault."""


@dataclass(frozen=True, slots=True)
class Fault(faults.AnyFault[Call]):
    """A kind of trouble, and who meets it; see ``AnyFault``.

    Attributes:
        kind: What happens.
        table: Which table of the Table API.
        html: Whether errors come as HTML instead of JSON.
        rule: The business rule that aborts.
        element: For ``choice-removed``: the field. The table is ``table``.
        value: For ``choice-removed``: the choice.
    """

    kind: FaultKind
    table: str = ""
    html: bool = False
    rule: str = "Sandbox abort"
    element: str = ""
    value: str = ""

    @property
    def goes_on(self) -> bool:
        """Whether the request may meet a further fault."""
        return self.kind in GOES_ON

    def concerns(self, call: Call) -> bool:
        """Say whether a request is for the table."""
        return not self.table or self.kind is FaultKind.CHOICE_REMOVED or call.table == self.table


class Faults(faults.Faults[Fault, Call]):
    """The faults that are set; see ``sandbox.faults``."""
