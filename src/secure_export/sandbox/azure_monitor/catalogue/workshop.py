"""What every builder of bodies uses: ids, times and names, all drawn from one seed."""

import hashlib
import random
import uuid
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from secure_export.sandbox.azure_monitor.estate import Estate, Resource


def stamp(at: datetime, digits: int = 7, zone: str = "Z") -> str:
    """Write a time as one of Azure's senders does.

    Args:
        at: The time in UTC.
        digits: Fraction digits, 0 to 7.
        zone: ``Z``, ``+00:00`` or nothing at all: all three occur.
    """
    fraction = f".{at.microsecond:06d}3"[: digits + 1] if digits else ""
    return f"{at:%Y-%m-%dT%H:%M:%S}{fraction}{zone}"


def american_stamp(at: datetime) -> str:
    """Write a time as version 1 log alerts do: ``3/22/2019 1:36:31 PM``, in UTC without saying so."""
    hour = at.hour % 12 or 12
    return f"{at.month}/{at.day}/{at.year} {hour}:{at:%M:%S} {'AM' if at.hour < 12 else 'PM'}"  # noqa: PLR2004 - noon


@dataclass(frozen=True, slots=True)
class Workshop:
    """What one story is built from.

    Attributes:
        estate: Where it happens.
        at: When it fires.
        chance: Where ids and values come from.
        rule: The alert rule's name; None: the kind's own.
        resource: The name of the resource that it happens to; None: the kind's own.
        lasts: How long it lasts.
    """

    estate: Estate
    at: datetime
    chance: random.Random
    rule: str | None = None
    resource: str | None = None
    lasts: timedelta = timedelta(minutes=11)

    @property
    def over_at(self) -> datetime:
        """When it is over."""
        return self.at + self.lasts

    def it(self, default: str) -> Resource:
        """Find the resource that it happens to."""
        return self.estate.named(self.resource or default)

    def named(self, default: str) -> str:
        """Give the alert rule's name."""
        return self.rule or default

    def guid(self) -> str:
        """Draw a GUID."""
        return str(uuid.UUID(int=self.chance.getrandbits(128), version=4))

    def hexadecimal(self, characters: int) -> str:
        """Draw hexadecimal digits."""
        return f"{self.chance.getrandbits(characters * 4):0{characters}x}"

    def alert_id(self, subscription: str) -> str:
        """Draw the id of an alert in its usual form."""
        return f"/subscriptions/{subscription}/providers/Microsoft.AlertsManagement/alerts/{self.guid()}"

    def metric_origin(self, resource: Resource, rule: str) -> str:
        """Give a metric rule's ``originAlertId``: the same for every firing of one rule on one resource."""
        digest = hashlib.sha256(f"{resource.id.lower()}|{rule}".encode()).digest()
        number = int.from_bytes(digest[:4], "big", signed=True)
        return f"{resource.subscription}_{resource.group}_microsoft.insights_metricAlerts_{rule}_{number}"


def essentials(  # noqa: PLR0913 - what every body says
    *,
    alert_id: str,
    rule: str | None,
    severity: str | None,
    signal: str | None,
    service: str,
    targets: list[str] | None,
    fired_at: str,
    condition: str = "Fired",
    **more: Any,
) -> dict[str, Any]:
    """Give ``essentials`` with the members that nearly all senders write, then ``more`` as it comes."""
    return {
        "alertId": alert_id,
        "alertRule": rule,
        "severity": severity,
        "signalType": signal,
        "monitorCondition": condition,
        "monitoringService": service,
        "alertTargetIDs": targets,
        "firedDateTime": fired_at,
        **more,
    }


def versions(context: str = "1.0") -> dict[str, str]:
    """Give the two version members; some senders leave them out."""
    return {"essentialsVersion": "1.0", "alertContextVersion": context}


def rule_id(resource: Resource, kind: str, rule: str) -> str:
    """Give the ARM id of an alert rule, with the spaces of its name as they are in captures."""
    group = f"/subscriptions/{resource.subscription}/resourceGroups/{resource.group}"
    return f"{group}/providers/microsoft.insights/{kind}/{rule}"
