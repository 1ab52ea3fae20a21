"""What was found out about one notification that Azure may not have delivered."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from secure_export.alerts.alert import Condition


class Outcome(StrEnum):
    """What became of it."""

    TAKEN_IN = "taken in"
    MISSING = "missing"
    """It would be taken in, but this is a dry run."""
    KNOWN = "known"
    NOT_OURS = "not ours"
    NOT_ALLOWED = "not allowed"
    NOT_UNDERSTOOD = "not understood"


@dataclass(frozen=True, slots=True)
class Found:
    """One notification.

    Attributes:
        alert_id: Which alert.
        rule: The rule's name.
        connection: Whose; empty where it is nobody's.
        condition: Fired or resolved.
        at: When that was by Azure's clock; None where Azure does not say.
        outcome: What became of it.
        reason: Why, as a sentence part.
    """

    alert_id: str
    rule: str
    connection: str
    condition: Condition
    at: datetime | None
    outcome: Outcome
    reason: str
