"""What happens to one thing, as notifications: something fires and, for most kinds, ends."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from secure_export.sandbox.azure_monitor.estate import Resource

Body = dict[str, Any]


class Ending(StrEnum):
    """How Azure tells that something is over."""

    RESOLVED = "a resolved notification with the same alertId"
    CONTENT = "another fired notification whose content says so"
    NEVER = "nothing Azure sends"


@dataclass(frozen=True, slots=True)
class Notification:
    """What an action group sends once.

    Attributes:
        condition: ``Fired`` or ``Resolved``.
        alert_id: ``essentials.alertId``; None for what exists in an older schema only.
        common: The body in the common alert schema; None where there is none.
        legacy: The body that is sent with that schema switched off; None where it makes no difference.
    """

    condition: str
    alert_id: str | None
    common: Body | None
    legacy: Body | None = None

    def body(self, *, common_schema: bool) -> Body:
        """Give the body that an action with this setting sends."""
        first, second = (self.common, self.legacy) if common_schema else (self.legacy, self.common)
        chosen = second if first is None else first
        if chosen is None:
            raise ValueError("A notification has a body in at least one schema.")
        return chosen


@dataclass(frozen=True, slots=True)
class Story:
    """One problem from beginning to end.

    Attributes:
        kind: The catalogue's name for it.
        rule: The alert rule's name; None where Azure names none (budgets).
        ending: How Azure tells that it is over.
        fired: What is sent first.
        ended: What tells that it is over; None: nothing does.
        resource: The configuration item that a person would name; None: there is none.
        is_test: A canned body of the portal's "Test action group".
    """

    kind: str
    rule: str | None
    ending: Ending
    fired: Notification
    ended: Notification | None = None
    resource: Resource | None = None
    is_test: bool = False


def common_body(essentials: Mapping[str, Any], context: Mapping[str, Any] | None, **more: Any) -> Body:
    """Put a body of the common alert schema together; ``more`` are further members beside the context."""
    return {
        "schemaId": "azureMonitorCommonAlertSchema",
        "data": {"essentials": dict(essentials), "alertContext": context, **more},
    }
