"""How a step ends before it has gone all its way."""

from secure_export.errors import SecureExportError
from secure_export.itsm import verdict
from secure_export.itsm.verdict import Verdict
from secure_export.workitems.outcome import Outcome, Refused, TryLater, Unclear


class Ended(SecureExportError):  # noqa: N818 - reads as what it says
    """A step cannot go on.

    Attributes:
        outcome: What came of it.
    """

    def __init__(self, outcome: TryLater | Refused | Unclear) -> None:
        super().__init__(outcome.reason)
        self.outcome: Outcome = outcome


def unread(told: Verdict[verdict.Ok, verdict.Refused], what: str) -> TryLater | Refused:
    """Say what a reading that brought nothing means: later, unless the tool refuses it.

    Args:
        told: What came of it; an ``Ok`` is one that nobody can read.
        what: What was read.
    """
    if isinstance(told, verdict.Ok):
        return TryLater(f"{what} could not be read")
    reason = f"{what} could not be read: {told.reason}"
    if isinstance(told, verdict.Refused):
        return Refused(reason)
    return TryLater(reason, told.not_before if isinstance(told, verdict.Later) else None)


def unwritten(told: Verdict[verdict.Ok, verdict.Refused]) -> TryLater | Refused | Unclear:
    """Say what a change that was not made, or may not have been made, means; an ``Ok`` is one that nobody can read."""
    match told:
        case verdict.Later(reason, not_before):
            return TryLater(reason, not_before)
        case verdict.NotSignedIn(reason):
            return TryLater(reason)
        case verdict.Refused(reason):
            return Refused(reason)
        case verdict.NotThere(reason):
            return Unclear(f"the record was there and is not found any more: {reason}")
        case verdict.Unclear(reason):
            return Unclear(reason)
        case verdict.Ok():
            return Unclear("the tool answered a change with something else than the record")
