"""The error numbers of AR System that mean something to us, and what is done about each. Pure.

Sites add numbers of their own for workflow, all of which are refusals.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from secure_export.itsm.bmc_helix.api.ar_messages import ArMessage


class Answered(StrEnum):
    """What is done about an error."""

    REFUSED = "refused"
    """Nothing was changed, and the same will be refused again: a person is needed."""
    NOT_THERE = "not-there"
    """The record is not there."""
    LATER = "later"
    """Nothing was changed; the same may work later."""
    IN_DOUBT = "in-doubt"
    """A read is tried again later; after a write a look decides."""
    NOT_SIGNED_IN = "not-signed-in"
    """The log-in is renewed."""


class Cause(StrEnum):
    """The kinds of refusals that are told apart."""

    WORKFLOW = "workflow"
    REQUIRED = "required"
    VALUE = "value"
    FIELD = "field"
    FORM = "form"
    PERMISSION = "permission"
    DUPLICATE = "duplicate"
    ASSIGNEE = "assignee"
    STATUS_REASON = "status-reason"
    CUSTOMER = "customer"
    QUERY = "query"
    TRANSPORT = "transport"


@dataclass(frozen=True, slots=True)
class ArError:
    """One number.

    Attributes:
        number: The number.
        meaning: What it says, in a few words.
        answered: What is done about it.
        cause: Which kind of refusal it is, if it is one.
        to_do: What an administrator must do; empty where nothing is needed.
    """

    number: int
    meaning: str
    answered: Answered
    cause: Cause = Cause.WORKFLOW
    to_do: str = ""


_RIGHTS = (
    "Give the integration user the permissions that the form and its fields need (Incident Master or Incident User)"
)
_NAMES = "Mend the name of the field in the route's or the connection's fields; capitals and underscores count"
_VALUE = "Set a value that the field takes, exactly as the form spells it, in the route's or the connection's fields"

ERRORS: Sequence[ArError] = (
    ArError(59, "the login failed, and the server made a guest of us", Answered.NOT_SIGNED_IN),
    ArError(66, "more records match than the server gives", Answered.LATER),
    ArError(90, "no connection with the AR server", Answered.IN_DOUBT),
    ArError(91, "the call to the AR server failed", Answered.IN_DOUBT),
    ArError(92, "time-out; the operation may still be completed", Answered.IN_DOUBT),
    ArError(93, "time-out during a database operation", Answered.IN_DOUBT),
    ArError(94, "time-out, because the server is busy", Answered.IN_DOUBT),
    ArError(302, "there is no such record", Answered.NOT_THERE),
    ArError(303, "there is no such form", Answered.REFUSED, Cause.FORM, "See whether Incident Management is there"),
    ArError(306, "a value lies outside the field's limits", Answered.REFUSED, Cause.VALUE, _VALUE),
    ArError(307, "a required field was not given", Answered.REFUSED, Cause.REQUIRED,
            "Set the field in the route's or the connection's fields"),
    ArError(309, "the record was changed at the same time", Answered.LATER),
    ArError(310, "a value is not of the field's type, or none of its labels", Answered.REFUSED, Cause.VALUE, _VALUE),
    ArError(311, "there is no such field", Answered.REFUSED, Cause.FIELD, _NAMES),
    ArError(314, "there is no such field on this form", Answered.REFUSED, Cause.FIELD, _NAMES),
    ArError(326, "a required field was set to nothing", Answered.REFUSED, Cause.REQUIRED,
            "Set the field in the route's or the connection's fields"),
    ArError(330, "no write access to a field", Answered.REFUSED, Cause.PERMISSION, _RIGHTS),
    ArError(331, "no write access to the record", Answered.REFUSED, Cause.PERMISSION, _RIGHTS),
    ArError(332, "no access to the record", Answered.REFUSED, Cause.PERMISSION, _RIGHTS),
    ArError(333, "no read access to a field", Answered.REFUSED, Cause.PERMISSION, _RIGHTS),
    ArError(353, "no access to the form", Answered.REFUSED, Cause.PERMISSION, _RIGHTS),
    ArError(382, "a unique index has this value already", Answered.REFUSED, Cause.DUPLICATE,
            "See the indexes of the form"),
    ArError(552, "the database failed", Answered.IN_DOUBT),
    ArError(559, "a text is longer than its field", Answered.REFUSED, Cause.VALUE, _VALUE),
    ArError(612, "no such user", Answered.NOT_SIGNED_IN),
    ArError(623, "authentication failed", Answered.NOT_SIGNED_IN),
    ArError(1587, "the query cannot be read", Answered.REFUSED, Cause.QUERY),
    ArError(1588, "the query names a field that is not there", Answered.REFUSED, Cause.FIELD, _NAMES),
    ArError(9093, "the user is connected from another machine", Answered.LATER, to_do="Give this program a user of its "
            "own, or lower the connection's concurrency"),
    ArError(9965, "the record was changed at the same time", Answered.LATER),
    ArError(51310, "status and status reason do not go together", Answered.REFUSED, Cause.STATUS_REASON,
            "Set status_reasons in the connection's settings"),
)  # fmt: skip
"""59, 302, 309, 623, 8914, 9093 and 9965 are in the fixtures of published clients; 51310 is in BMC's documentation of
the simplified REST API."""

_BY_NUMBER: Mapping[int, ArError] = {error.number: error for error in ERRORS}
# What ITSM's own workflow says in words, whatever number a site's version gives it. The first that fits counts.
_WORDS: Sequence[tuple[Cause, re.Pattern[str], str]] = (
    (
        Cause.CUSTOMER,
        re.compile(r"records have been found for the incident contact|contact information", re.IGNORECASE),
        "Name a customer who is in CTM:People exactly once (customer in the connection's settings)",
    ),
    (
        Cause.STATUS_REASON,
        re.compile(r"status[ _]reason", re.IGNORECASE),
        "Set status_reasons in the connection's settings to what this site takes",
    ),
    (
        Cause.ASSIGNEE,
        re.compile(r"assignee", re.IGNORECASE),
        "Name somebody of the assigned group as assignee in the connection's settings, or let a person take it",
    ),
)
_FIELD = re.compile(r"'([^']{1,80})'|\"([^\"]{1,80})\"|:\s*([A-Za-z][\w ]{0,79})\s*$")
_WORKFLOW_TO_DO = "See what BMC's workflow demands here, and set it in the route's or the connection's fields"


@dataclass(frozen=True, slots=True)
class Judged:
    """What a list of messages comes to.

    Attributes:
        answered: What is done.
        cause: Why it is refused, if it is.
        to_do: What an administrator must do.
        fields: The fields that a refusal names as missing; empty when it names none.
    """

    answered: Answered
    cause: Cause
    to_do: str
    fields: tuple[str, ...] = ()


def judged(messages: Sequence[ArMessage]) -> Judged:
    """Say what messages come to: the one that leaves most doubt decides, then any refusal.

    Args:
        messages: All messages of one answer, one at least.
    """
    found = [_BY_NUMBER.get(message.number) for message in messages if message.kind not in {"NOTE", "WARNING"}]
    found = found or [_BY_NUMBER.get(message.number) for message in messages]
    known = [error for error in found if error is not None]
    for answered in (Answered.IN_DOUBT, Answered.NOT_SIGNED_IN):
        if (first := next((error for error in known if error.answered is answered), None)) is not None:
            return Judged(answered, first.cause, first.to_do)
    if known and len(known) == len(found) and all(error.answered is not Answered.REFUSED for error in known):
        return Judged(known[0].answered, known[0].cause, known[0].to_do)
    return _refusal(messages, known)


def _refusal(messages: Sequence[ArMessage], known: Sequence[ArError]) -> Judged:
    words = " ".join(f"{message.text} {message.appended}" for message in messages)
    refused = next((error for error in known if error.answered is Answered.REFUSED), None)
    if refused is not None and refused.cause not in {Cause.VALUE, Cause.REQUIRED}:
        return Judged(Answered.REFUSED, refused.cause, refused.to_do)
    fields = _named(messages) if refused is not None and refused.cause is Cause.REQUIRED else ()
    for cause, pattern, to_do in _WORDS:
        if pattern.search(words):
            return Judged(Answered.REFUSED, cause, to_do, fields)
    if refused is not None:
        return Judged(Answered.REFUSED, refused.cause, refused.to_do, fields)
    return Judged(Answered.REFUSED, Cause.WORKFLOW, _WORKFLOW_TO_DO)


def _named(messages: Sequence[ArMessage]) -> tuple[str, ...]:
    """The fields that messages of missing values name, as far as they name any."""
    named: list[str] = []
    for message in messages:
        if message.number in {307, 326}:
            match = _FIELD.search(message.appended) or _FIELD.search(message.text)
            bare = message.appended if re.fullmatch(r"[A-Za-z][\w ]{0,79}", message.appended) else ""
            name = next((group for group in (match.groups() if match else ()) if group), bare)
            named += [name.strip()] if name.strip() else []
    return tuple(dict.fromkeys(named))
