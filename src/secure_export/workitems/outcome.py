"""What can come of a step: a closed set."""

from dataclasses import dataclass
from datetime import datetime

from secure_export.workitems.work_item import Confirmed


@dataclass(frozen=True, slots=True)
class Done:
    """The tool has it: what it now says of the work item; None: it has no such work item (only after a look)."""

    confirmed: Confirmed | None


@dataclass(frozen=True, slots=True)
class TryLater:
    """Nothing was changed, and the same step may work later.

    Attributes:
        reason: A sentence for people.
        not_before: When the tool asked us to come back, if it said so.
    """

    reason: str
    not_before: datetime | None = None


@dataclass(frozen=True, slots=True)
class Refused:
    """Nothing was changed, and the same step will be refused again: a person is needed.

    Attributes:
        reason: The tool's own words where it has some, and what to change.
    """

    reason: str


@dataclass(frozen=True, slots=True)
class Unclear:
    """It may have been done or not: look before anything else.

    Attributes:
        reason: A sentence for people.
    """

    reason: str


Outcome = Done | TryLater | Refused | Unclear
