"""Fires alerts by ARM's rules: to the action groups that the rule names and that processing rules add or take away."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any, Final

from secure_export.sandbox.azure_monitor.arm import alert_rules, processing_rules
from secure_export.sandbox.azure_monitor.arm.ledger import guid_of
from secure_export.sandbox.azure_monitor.arm.world import Row, World
from secure_export.sandbox.azure_monitor.catalogue import KINDS, Story
from secure_export.sandbox.azure_monitor.station import FiredAlert, Station

# Which kind of the catalogue's alerts a rule of each type fires, if nobody says.
KIND_OF: Final = {
    alert_rules.METRIC: "metric-static",
    alert_rules.LOG: "log-search-resource",
    alert_rules.ACTIVITY: "activity-administrative",
    alert_rules.SMART: "smart-detector-failures",
}


class Firing:
    """Fires alerts.

    Args:
        world: Where the rules are.
        station: What remembers alerts and sends their notifications.
    """

    def __init__(self, world: World, station: Station) -> None:
        self._world = world
        self._station = station

    def fire(self, rule: str | None = None, *, kind: str | None = None, resource: str | None = None) -> FiredAlert:
        """Fire an alert now.

        Args:
            rule: The id of a rule, or its name; None: a kind of alert that has no rule here, such as a backup's.
            kind: The catalogue's name; None: what goes with the type of the rule.
            resource: The name of the resource that it happens to; None: the first that the rule watches.

        Raises:
            LookupError: There is no such rule, kind or resource, or the rule is disabled.
        """
        row = None if rule is None else self._rule(rule)
        chosen = kind or (None if row is None else KIND_OF[row["type"].lower()])
        if chosen not in KINDS:
            raise LookupError(f"There is no kind {chosen!r}; choose one of: {', '.join(KINDS)}.")
        name = None if row is None else str(row["name"])
        where = resource or (None if row is None else self._watched(row))
        build = self._station.teller(chosen, name, where)
        return self._station.fire_story(
            _by_rule(build, row), lambda story, ended: self._reached(row, story, ended=ended)
        )

    def _rule(self, rule: str) -> Row:
        rows = [one for one in self._world.resources.values() if one["type"].lower() in KIND_OF]
        for one in rows:
            if rule.lower() in (one["id"].lower(), one["name"].lower()):
                if not alert_rules.is_enabled(one):
                    raise LookupError(f"The rule {one['name']!r} is disabled.")
                return one
        raise LookupError(f"There is no rule {rule!r}; there are: {', '.join(one['name'] for one in rows)}.")

    def _watched(self, row: Row) -> str | None:
        said = row["properties"]
        scopes = [str(one).lower() for one in said.get("scopes") or said.get("scope") or ()]
        found = (one.name for one in self._world.estate.resources if one.id.lower() in scopes)
        return next(found, None)

    def _reached(self, row: Row | None, story: Story, *, ended: bool) -> tuple[str, ...]:
        notification = story.ended if ended and story.ended is not None else story.fired
        body = notification.body(common_schema=True)
        essentials = body.get("data", {}).get("essentials", {})
        own = [] if row is None else alert_rules.groups_of(row)
        groups, is_suppressed = processing_rules.groups_for(self._world, _facts(row, body, essentials), own)
        guid = guid_of(notification.alert_id)
        if guid is not None and not ended:
            if row is not None:
                self._world.ledger.rules[guid] = row["id"]
            if is_suppressed:
                self._world.ledger.suppressed.add(guid)
        return tuple(one for one in groups if one in self._world.monitor.groups)


def _by_rule(build: Callable[[timedelta], Story], row: Row | None) -> Callable[[timedelta], Story]:
    """Let the rule say its severity, description and id in the notifications."""
    if row is None:
        return build
    said = row["properties"]

    def told(lasts: timedelta) -> Story:
        story = build(lasts)
        for notification in (story.fired, story.ended):
            if notification is not None and notification.common is not None:
                essentials: dict[str, Any] = notification.common["data"]["essentials"]
                essentials["alertRuleID"] = row["id"]
                essentials["description"] = said.get("description", "")
                if "severity" in said:
                    essentials["severity"] = f"Sev{str(said['severity'])[-1]}"
        return story

    return told


def _facts(row: Row | None, body: Row, essentials: Row) -> dict[str, str]:
    target = str(next(iter(essentials.get("alertTargetIDs") or ()), ""))
    parts = target.strip("/").split("/")
    return {
        "Severity": str(essentials.get("severity") or ""),
        "MonitorService": str(essentials.get("monitoringService") or ""),
        "MonitorCondition": str(essentials.get("monitorCondition") or ""),
        "SignalType": str(essentials.get("signalType") or ""),
        "TargetResourceType": "/".join(parts[5:7]),
        "TargetResource": target,
        "TargetResourceGroup": "/".join(("", *parts[:4])),
        "AlertRuleId": "" if row is None else row["id"],
        "AlertRuleName": str(essentials.get("alertRule") or ""),
        "Description": str(essentials.get("description") or ""),
        "AlertContext": str(body.get("data", {}).get("alertContext") or ""),
    }
