"""Refusals as the AR System answers them (bmc-facts section 4, Errors).

Numbers and statuses that the facts mark as remembered, not confirmed, are the same here; texts are our own.
"""

from dataclasses import dataclass
from typing import Any, Final

from secure_export.sandbox.refusal import Refusal

WORKFLOW_NUMBER: Final = 1_291_053
"""What workflow of the application refuses with, if it has no number of its own."""


@dataclass(eq=False)
class ArError(Refusal):
    """A refusal.

    Attributes:
        status: The HTTP status.
        number: What ``messageNumber`` says.
        text: What ``messageText`` says.
        appended: What ``messageAppendedText`` says; None becomes ``null``.
        kind: What ``messageType`` says.
    """

    status: int
    number: int
    text: str
    appended: str | None = None
    kind: str = "ERROR"

    def as_json(self) -> list[dict[str, Any]]:
        """Give the body that the AR System answers with: always a list."""
        return [
            {
                "messageType": self.kind,
                "messageText": self.text,
                "messageAppendedText": self.appended,
                "messageNumber": self.number,
            }
        ]

    def __str__(self) -> str:
        return f"{self.status} {self.kind} ({self.number}): {self.text}; {self.appended or ''}"


def not_signed_in(appended: str | None = None) -> ArError:
    """Refuse a wrong password, and a token that is not, or no longer, good."""
    return ArError(401, 623, "Authentication failed", appended)


def bad_body(why: str) -> ArError:
    """Refuse a body that is not ``{"values": {…}}``."""
    return ArError(400, 8_958, "The request body is not correct", why)


def bad_parameter(why: str) -> ArError:
    """Refuse a parameter of the URL."""
    return ArError(400, 8_959, "A request parameter is not correct", why)


def no_form(name: str) -> ArError:
    """Refuse a form that does not exist."""
    return ArError(404, 303, "Form does not exist on server", name)


def no_entry(entry_id: str) -> ArError:
    """Refuse an entry that does not exist, or that the user may not see: the two cannot be told apart."""
    return ArError(404, 302, "Entry does not exist in database", entry_id)


def no_access(form: str) -> ArError:
    """Refuse a form that the user's groups do not let them use."""
    return ArError(403, 353, "You have no access to form", form)


def may_not_write(form: str) -> ArError:
    """Refuse a write to a form that the user may only read."""
    return ArError(403, 330, "You do not have write access to field", form)


def no_field(name: str) -> ArError:
    """Refuse a field that the form does not have; names are compared case by case."""
    return ArError(400, 311, "Field does not exist on current form", name)


def wrong_type(name: str, value: object) -> ArError:
    """Refuse a value that is not of the field's type, or a label that its selection does not have."""
    return ArError(400, 310, "Value has wrong data type for the field", f"{name} : {value}")


def outside_limits(name: str, limit: int) -> ArError:
    """Refuse a value that is too long."""
    return ArError(500, 306, "Value does not fall within the limits specified for the field", f"{name} : {limit}")


def required(name: str) -> ArError:
    """Refuse an entry without a required field."""
    return ArError(500, 307, "Required field (without a default) not specified", name)


def required_is_null(name: str) -> ArError:
    """Refuse to empty a required field."""
    return ArError(500, 326, "Required field cannot be reset to a NULL value", name)


def bad_qualification(why: str) -> ArError:
    """Refuse a search that cannot be read."""
    return ArError(400, 1_587, "The qualification cannot be read", why)


def workflow(appended: str, number: int = WORKFLOW_NUMBER) -> ArError:
    """Refuse by a filter of the application: 500, and the sentence that matters is in the appended text."""
    return ArError(500, number, "", appended)


def other_session() -> ArError:
    """Refuse a user that works from elsewhere at the same time."""
    return ArError(500, 9_093, "User is currently connected from another machine or incompatible session")


def timed_out() -> ArError:
    """Give up because the server is busy; nothing was done."""
    return ArError(500, 93, "Timeout during data retrieval due to busy server -- retry the operation")


def timed_out_late() -> ArError:
    """Give up because the server is busy; what was asked is done all the same."""
    return ArError(500, 92, "Timeout during database update -- the operation may complete all the same")
