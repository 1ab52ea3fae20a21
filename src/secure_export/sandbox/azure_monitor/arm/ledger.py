"""Alerts Management: what fired, its states and its histories (entra-facts 6.4, azure-facts section 5)."""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from secure_export.sandbox.azure_monitor.monitor import Message
from secure_export.sandbox.clock import Clock

KEPT: Final = timedelta(days=30)
_MOST: Final = 20_000
STATES: Final = ("New", "Acknowledged", "Closed")
_ID: Final = re.compile(
    r"/subscriptions/(?P<subscription>[0-9a-f-]{36})/providers/microsoft\.alertsmanagement/alerts/(?P<guid>[^/]+)",
    re.IGNORECASE,
)
_SERVICES: Final = {"Smart Detector": "SmartDetector", "ResourceHealth": "Resource Health"}
_SIGNALS: Final = {"Metric": "Metric", "Log": "Log"}


@dataclass(frozen=True, slots=True)
class Modification:
    """What happened to an alert."""

    event: str
    old: str
    new: str
    at: datetime
    by: str = "System"
    comments: str = ""
    description: str = ""

    def as_json(self) -> dict[str, Any]:
        """Show it as the API does."""
        return {
            "modificationEvent": self.event,
            "oldValue": self.old,
            "newValue": self.new,
            "modifiedAt": written(self.at),
            "modifiedBy": self.by,
            "comments": self.comments,
            "description": self.description,
        }


@dataclass(slots=True)
class Alert:
    """An alert.

    Attributes:
        guid: The last part of its id.
        subscription: Where it fired.
        rule: The rule's id; where that is not known its name.
        essentials: What the notification said.
        context: What the notification said of the condition.
        custom: The rule's custom properties.
        started: When it fired.
        modified: When anything about it changed last.
        state: What people made of it.
        condition: ``Fired`` or ``Resolved``.
        resolved: When it resolved.
        by: Who changed it last.
        suppressed: Whether a processing rule kept it from action groups.
        history: Newest first.
    """

    guid: str
    subscription: str
    rule: str
    essentials: Mapping[str, Any]
    context: Mapping[str, Any]
    custom: Any
    started: datetime
    modified: datetime
    state: str = "New"
    condition: str = "Fired"
    resolved: datetime | None = None
    by: str = "System"
    suppressed: bool = False
    history: list[Modification] = field(default_factory=list)

    @property
    def target(self) -> str:
        """The affected resource's id; the subscription's where none is named."""
        targets = self.essentials.get("alertTargetIDs") or ()
        return str(next(iter(targets), f"/subscriptions/{self.subscription}"))

    @property
    def id(self) -> str:
        """Its id as the API writes it: below the affected resource, not below the subscription."""
        scope = self.target.rstrip("/")
        return f"{scope}/providers/Microsoft.AlertsManagement/alerts/{self.guid}"

    @property
    def name(self) -> str:
        """The rule's name."""
        return str(self.essentials.get("alertRule") or self.guid)

    def shown_essentials(self) -> dict[str, Any]:
        """Give its essentials by the API's own names, which are not the webhook's (azure-facts section 5)."""
        said, parts = self.essentials, self.target.strip("/").split("/")
        group = parts[3] if len(parts) > 3 else ""  # noqa: PLR2004 - subscriptions, id, resourceGroups, name
        kind = "/".join(parts[5:7]).lower() if len(parts) > 6 else ""  # noqa: PLR2004 - …, providers, namespace, type
        service = str(said.get("monitoringService") or "")
        shown = {
            "severity": said.get("severity"),
            "signalType": _SIGNALS.get(str(said.get("signalType")), "Log"),
            "alertState": self.state,
            "monitorCondition": self.condition,
            "monitorService": _SERVICES.get(service, service.replace("Activity Log - ", "ActivityLog ")),
            "targetResource": self.target.lower(),
            "targetResourceName": parts[-1].lower(),
            "targetResourceGroup": group.lower(),
            "targetResourceType": kind,
            "sourceCreatedId": said.get("originAlertId"),
            "alertRule": self.rule,
            "startDateTime": written(self.started),
            "lastModifiedDateTime": written(self.modified),
            "lastModifiedUserName": self.by,
            "actionStatus": {"isSuppressed": self.suppressed},
            "description": said.get("description") or "",
        }
        return shown if self.resolved is None else {**shown, "monitorConditionResolvedDateTime": written(self.resolved)}


class Ledger:
    """All alerts of the last thirty days.

    Args:
        clock: The stand-in's time.

    Attributes:
        rules: The rule's id by an alert's guid, where whoever fires it knows.
        suppressed: The guids of alerts that a processing rule keeps from action groups.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._alerts: dict[str, Alert] = {}
        self.rules: dict[str, str] = {}
        self.suppressed: set[str] = set()

    def hear(self, message: Message) -> None:
        """Take what action groups are told; tests, budgets and bodies that mean nothing are no alerts here."""
        found = _ID.fullmatch(message.alert_id or "")
        if found is None or message.kind.startswith("test-"):
            return
        try:
            data = json.loads(message.common)["data"]
            self._told(found["guid"].lower(), found["subscription"].lower(), data)
        except (ValueError, KeyError, TypeError):
            return

    def all(self) -> Iterator[Alert]:
        """Give the alerts that are kept, oldest first."""
        oldest = self._clock.now() - KEPT
        return (one for one in tuple(self._alerts.values()) if one.started > oldest)

    def find(self, guid: str) -> Alert | None:
        """Find an alert; None: there is none, or it is older than thirty days."""
        found = self._alerts.get(guid.lower())
        return found if found is not None and found.started > self._clock.now() - KEPT else None

    def change_state(self, alert: Alert, state: str, *, by: str, comments: str = "") -> None:
        """Change what people made of an alert; nobody is notified."""
        if alert.state == state:
            return
        text = f"State changed from '{alert.state}' to '{state}'"
        self._changed(alert, Modification("StateChange", alert.state, state, self._clock.now(), by, comments, text))
        alert.state, alert.by = state, by

    def note(self, alert_id: str | None, event: str, what: str) -> None:
        """Note what action groups or processing rules did."""
        found = _ID.fullmatch(alert_id or "")
        alert = self._alerts.get(found["guid"].lower()) if found else None
        if alert is not None:
            alert.history.insert(0, Modification(event, "", what, self._clock.now(), description=what))

    def clear(self) -> None:
        """Forget all alerts."""
        self._alerts.clear()

    def _told(self, guid: str, subscription: str, data: Mapping[str, Any]) -> None:
        essentials = data["essentials"]
        alert = self._alerts.get(guid)
        if alert is None:
            alert = self._new(guid, subscription, data)
        if essentials["monitorCondition"] == "Resolved" and alert.condition == "Fired":
            alert.condition = "Resolved"
            alert.resolved = read(essentials.get("resolvedDateTime")) or self._clock.now()
            self._changed(alert, Modification("MonitorConditionChange", "Fired", "Resolved", self._clock.now()))

    def _new(self, guid: str, subscription: str, data: Mapping[str, Any]) -> Alert:
        essentials, now = data["essentials"], self._clock.now()
        started = min(read(essentials.get("firedDateTime")) or now, now)
        rule = self.rules.get(guid) or essentials.get("alertRuleID") or essentials.get("alertRuleId")
        alert = Alert(
            guid,
            subscription,
            str(rule or essentials.get("alertRule") or ""),
            essentials,
            data.get("alertContext") or {},
            data.get("customProperties"),
            started,
            now,
            suppressed=guid in self.suppressed,
            history=[Modification("AlertCreated", "", "", started, description="New Alert Object is created")],
        )
        self._alerts[guid] = alert
        if len(self._alerts) > _MOST:
            del self._alerts[next(iter(self._alerts))]
        return alert

    def _changed(self, alert: Alert, what: Modification) -> None:
        alert.history.insert(0, what)
        alert.modified = what.at


def read(text: Any) -> datetime | None:
    """Read one of Azure's times; without a zone it is UTC."""
    if not isinstance(text, str):
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def written(at: datetime) -> str:
    """Write a time as Alerts Management does."""
    return f"{at.astimezone(UTC):%Y-%m-%dT%H:%M:%S}.{at.microsecond:06d}3Z"


def guid_of(alert_id: str | None) -> str | None:
    """Give the last part of an alert's id in its usual form; None: it has another form."""
    found = _ID.fullmatch(alert_id or "")
    return None if found is None else found["guid"].lower()
