"""Title, description and facts of any alert, from what its family tells and from what all alerts have."""

import re
from collections.abc import Iterable, Mapping
from itertools import islice

from secure_export.alerts.alert import Alert, Kind
from secure_export.alerts.common_schema import context_members
from secure_export.alerts.references import References, references
from secure_export.alerts.resource_id import last_segment, parse
from secure_export.alerts.summary import activity, criteria, health, others
from secure_export.alerts.summary.plain import clock, lines, one_line, shortened
from secure_export.alerts.summary.telling import Teller, Told

LONGEST_TITLE = 160
LONGEST_DESCRIPTION = 8000
_LONGEST_DETAIL = 1500
_LONGEST_TEXT = 3500
_LONGEST_FACT = 2000
_MOST_CUSTOM = 40
_TEST = "Test notification: "
_NOT_IN_NAMES = re.compile(r"[^a-z0-9]+")

_TELLERS: Mapping[Kind, Teller] = {**criteria.BY_KIND, **activity.BY_KIND, **health.BY_KIND, **others.BY_KIND}


class Summary:
    """All that is told of one alert, read from it once."""

    def __init__(self, alert: Alert) -> None:
        found = references(alert)
        self._told = Told(alert, context_members(alert.context), found, _subject(alert, found))
        self._telling = _TELLERS[alert.kind](self._told)

    def title(self) -> str:
        """Give one line for a work item, of at most 160 characters and without control characters."""
        test = _TEST if self._told.alert.is_test else ""
        return one_line(f"{test}{self._telling.headline}", LONGEST_TITLE)

    def description(self) -> str:
        """Give plain text of several lines for a work item, of at most 8,000 characters."""
        alert, telling = self._told.alert, self._telling
        parts = (
            one_line(telling.headline, 2 * LONGEST_TITLE),
            "\n".join(alert.warnings),
            "This is a test of an action group; nothing is wrong." if alert.is_test else "",
            lines(alert.description or "", _LONGEST_TEXT),
            _listed(telling.details),
            lines(telling.text, _LONGEST_TEXT),
            _listed(_of_all(alert, self._told.references)),
            _listed(_custom(alert)),
        )
        return shortened("\n\n".join(part for part in parts if part), LONGEST_DESCRIPTION)

    def facts(self) -> dict[str, str]:
        """Give short facts by name, for field templates.

        Returns:
            Names in lower case with underscores, such as ``metric``, ``value``, ``dimension_computer``, ``tracking_id``
            or ``custom_team``. What the alert does not say is left out.
        """
        alert = self._told.alert
        named = [*_common_facts(alert, self._told).items(), *self._telling.facts.items()]
        named += [(f"custom_{name}", text) for name, text in _custom(alert)]
        told: dict[str, str] = {}
        for name, text in named:
            if text.strip():
                told.setdefault(_NOT_IN_NAMES.sub("_", name.lower()).strip("_"), lines(text, _LONGEST_FACT))
        return told


def title(alert: Alert) -> str:
    """Give an alert's title; see ``Summary.title``."""
    return Summary(alert).title()


def description(alert: Alert) -> str:
    """Give an alert's description; see ``Summary.description``."""
    return Summary(alert).description()


def facts(alert: Alert) -> dict[str, str]:
    """Give an alert's facts for templates; see ``Summary.facts``."""
    return Summary(alert).facts()


def _custom(alert: Alert) -> list[tuple[str, str]]:
    return list(islice(alert.custom_properties.items(), _MOST_CUSTOM))


def _subject(alert: Alert, found: References) -> str:
    """Name what is affected, in the case in which the alert writes it, and how many more there are."""
    written = {one.lower(): one for one in (*map(last_segment, alert.targets), *alert.configuration_items)}
    names = [last_segment(one.resource_id) for one in found.resources] + list(found.names)
    names = list(dict.fromkeys(written.get(name.lower(), name) for name in names))
    if not names:
        return ""
    more = f" and {len(names) - 1} more" if len(names) > 1 else ""
    return f"{names[0]}{more}"


def _of_all(alert: Alert, found: References) -> list[tuple[str, str]]:
    return [
        ("Severity", alert.severity or ""),
        ("Monitoring service", alert.monitoring_service),
        ("Alert rule", alert.rule or ""),
        ("Affected resources", "\n  ".join((*(one.resource_id for one in found.resources), *found.names))),
        ("Targets", "\n  ".join(alert.targets) if not found.resources else ""),
        ("Fired", clock(alert.fired_at)),
        ("Resolved", clock(alert.resolved_at)),
        ("Alert id", alert.id),
        ("Rule id", alert.rule_id or ""),
        ("Investigate in Azure", alert.investigation_link or ""),
    ]


def _common_facts(alert: Alert, told: Told) -> dict[str, str]:
    first = parse(told.references.resources[0].resource_id) if told.references.resources else None
    return {
        "alert_id": alert.id,
        "condition": alert.condition.value,
        "kind": alert.kind.value,
        "monitoring_service": alert.monitoring_service,
        "rule": alert.rule or "",
        "rule_id": alert.rule_id or "",
        "rule_description": alert.description or "",
        "severity": alert.severity or "",
        "signal_type": alert.signal_type or "",
        "resource": told.subject,
        "resource_id": first.text if first else "",
        "resource_type": first.type if first else "",
        "resource_group": told.references.resource_group or "",
        "subscription": told.references.subscription or "",
        "fired_at": clock(alert.fired_at),
        "resolved_at": clock(alert.resolved_at),
        "investigation_link": alert.investigation_link or "",
    }


def _listed(details: Iterable[tuple[str, str]]) -> str:
    return "\n".join(f"{one_line(name, 80)}: {lines(text, _LONGEST_DETAIL)}" for name, text in details if text.strip())
