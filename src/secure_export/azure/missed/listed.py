"""An alert as Azure's Alerts Management API lists it, read tolerantly: pure."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from secure_export.alerts.timestamps import read_time

GUID: Final = r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}"
_ID: Final = re.compile(
    rf"/subscriptions/(?P<subscription>{GUID})(?:/.*)?/providers/Microsoft\.AlertsManagement/alerts/(?P<guid>{GUID})",
    re.IGNORECASE,
)
_ACTION_GROUP: Final = re.compile(
    r"/subscriptions/[^/]+/resourcegroups/[^/]+/providers/microsoft\.insights/actiongroups/[^/]+", re.IGNORECASE
)


@dataclass(frozen=True, slots=True)
class ListedAlert:
    """What the API says of one alert (AlertsManagement 2019-03-01, definition ``essentials``).

    Attributes:
        guid: The last part of its id, in lower case.
        subscription: The subscription that it fired in, in lower case.
        name: What the list calls it: the rule's name.
        essentials: Its essentials, as they came.
        context: What the monitor service says of it; None where the API gave none.
        custom_properties: What the rule's author set; newer versions of the API give it.
        action_groups: The ids of action groups that its ``egressConfig`` names, in lower case.
        started: When it fired.
        resolved: Whether its condition is over.
        resolved_at: When that was; None where the API does not say.
        modified: When anything of it last changed.
        suppressed: Whether a processing rule kept it from every action group.
    """

    guid: str
    subscription: str
    name: str
    essentials: Mapping[str, Any]
    context: Mapping[str, Any] | None
    custom_properties: Mapping[str, Any] | None
    action_groups: frozenset[str]
    started: datetime | None
    resolved: bool
    resolved_at: datetime | None
    modified: datetime | None
    suppressed: bool

    @property
    def alert_id(self) -> str:
        """Its id as the webhook writes it, below the subscription (the API writes it below the affected resource)."""
        return f"/subscriptions/{self.subscription}/providers/Microsoft.AlertsManagement/alerts/{self.guid}"

    @property
    def rule(self) -> str:
        """The rule's id, or its name: the API gives the one or the other."""
        return text(self.essentials.get("alertRule"))


def read_listed(row: object) -> ListedAlert | None:
    """Read a row of the list; None where it is none, or its id is of another form."""
    if not isinstance(row, Mapping):
        return None
    found = _ID.fullmatch(text(row.get("id")))
    properties = _members(row.get("properties"))
    essentials = _members(properties.get("essentials"))
    condition = text(essentials.get("monitorCondition")).lower()
    if found is None or condition not in {"fired", "resolved"}:
        return None
    return ListedAlert(
        guid=found["guid"].lower(),
        subscription=found["subscription"].lower(),
        name=text(row.get("name")),
        essentials=essentials,
        context=_members(properties.get("context")) or None,
        custom_properties=_members(properties.get("customProperties")) or None,
        action_groups=action_groups_in(properties.get("egressConfig")),
        started=read_time(essentials.get("startDateTime")),
        resolved=condition == "resolved",
        resolved_at=read_time(essentials.get("monitorConditionResolvedDateTime")) if condition == "resolved" else None,
        modified=read_time(essentials.get("lastModifiedDateTime")),
        suppressed=_members(essentials.get("actionStatus")).get("isSuppressed") is True,
    )


def action_groups_in(value: object) -> frozenset[str]:
    """Collect the ids of action groups that stand anywhere in a value, in lower case."""
    return frozenset(one.lower() for one in _texts_in(value) if _ACTION_GROUP.fullmatch(one))


def text(value: object) -> str:
    """Give a text; empty where there is none."""
    return value if isinstance(value, str) else ""


def _texts_in(value: object) -> Iterator[str]:
    waiting = [value]
    while waiting:
        one = waiting.pop()
        if isinstance(one, str):
            yield one
        elif isinstance(one, Mapping):
            waiting += [*one.keys(), *one.values()]
        elif isinstance(one, list):
            waiting += one


def _members(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}
