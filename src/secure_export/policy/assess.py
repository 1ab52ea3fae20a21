"""Impact and urgency: from the severity where it means something, from the kind where it does not, and from the CI.

Severity alone would be wrong: activity-log alerts are all Sev4, a service outage included, and budgets have none
(Azure Monitor docs, alerts-common-schema, "severity"; observed in every sample).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from secure_export.alerts.alert import Alert, Kind
from secure_export.workitems.work_item import Binding

_URGENCY_OF_SEVERITY = {"sev0": 1, "sev1": 1, "sev2": 2, "sev3": 3, "sev4": 3}
_URGENCY_OF_LEVEL = {"critical": 1, "error": 2, "warning": 2, "informational": 3, "verbose": 3}
_SEVERITY_SAYS_NOTHING = frozenset(
    {
        Kind.ADMINISTRATIVE,
        Kind.POLICY,
        Kind.AUTOSCALE,
        Kind.SECURITY,
        Kind.RECOMMENDATION,
        Kind.SERVICE_HEALTH,
        Kind.RESOURCE_HEALTH,
        Kind.BUDGET,
    }
)
_HIGH = frozenset({"production", "prod", "prd", "live", "critical", "high", "1", "mission critical", "tier 1", "tier1"})
_LOW = frozenset(
    {"development", "dev", "test", "tst", "qa", "sandbox", "staging", "nonprod", "non-production", "low", "3", "4"}
)
_WEIGHING = ("business_criticality", "environment")


@dataclass(frozen=True, slots=True)
class Assessment:
    """Impact and urgency, 1 (high) to 3 (low), each with its reason."""

    impact: int
    urgency: int
    reasons: tuple[str, ...]


def assess(alert: Alert, values: Mapping[str, str], bindings: Sequence[Binding]) -> Assessment:
    """Say how much a problem concerns, and how soon it must be looked at.

    Args:
        alert: The alert.
        values: The alert's facts by name (``alerts.summary.facts``).
        bindings: The CIs it is about.
    """
    if alert.is_test:
        return Assessment(3, 3, ("impact 3: a test notification", "urgency 3: a test notification"))
    urgency, why_urgent = _urgency(alert, values)
    impact, why_impact = _impact(alert, values, bindings)
    return Assessment(impact, urgency, (f"impact {impact}: {why_impact}", f"urgency {urgency}: {why_urgent}"))


def _urgency(alert: Alert, values: Mapping[str, str]) -> tuple[int, str]:
    if alert.kind in _SEVERITY_SAYS_NOTHING:
        return _urgency_of_kind(alert.kind, values)
    known = _URGENCY_OF_SEVERITY.get((alert.severity or "").lower())
    if known is None:
        return 2, f"severity {alert.severity or 'is not given'}, so it counts as usual"
    return known, f"severity {alert.severity}"


def _urgency_of_kind(kind: Kind, values: Mapping[str, str]) -> tuple[int, str]:
    match kind:
        case Kind.SERVICE_HEALTH:
            incident = values.get("incident_type", "").lower()
            urgency = {"incident": 1, "actionrequired": 2, "security": 2}.get(incident, 3)
            return urgency, f"a service health event of type {incident or 'unknown'}; its severity is always Sev4"
        case Kind.RESOURCE_HEALTH:
            status = values.get("health", "").lower()
            urgency = {"unavailable": 1, "degraded": 2}.get(status, 3)
            return urgency, f"the resource is {status or 'in an unknown state'}; its severity is always Sev4"
        case Kind.BUDGET:
            return (3, "a budget forecast") if values.get("forecast") else (2, "a budget's threshold is reached")
        case Kind.SECURITY:
            level = values.get("threat_severity", "").lower()
            return (1 if level == "high" else 2), f"a security alert of severity {level or 'unknown'}"
        case Kind.ADMINISTRATIVE:
            level = values.get("level", "").lower()
            urgency = _URGENCY_OF_LEVEL.get(level, 3)
            return urgency, f"an activity-log event of level {level or 'unknown'}; its severity is always Sev4"
        case _:
            return 3, f"alerts of kind {kind.value} tell of something to look at, not of an outage"


def _impact(alert: Alert, values: Mapping[str, str], bindings: Sequence[Binding]) -> tuple[int, str]:
    if alert.kind is Kind.SERVICE_HEALTH and values.get("incident_type", "").lower() == "incident":
        return 1, "an outage of an Azure service concerns everything that uses it"
    if alert.kind is Kind.BUDGET:
        return 3, "a budget stops nothing by itself"
    weights = [weight for binding in bindings if binding.id is not None for weight in _weights(binding)]
    if weights:
        return min(weights)
    if (alert.severity or "").lower() == "sev0":
        return 1, "severity Sev0, and no CI says otherwise"
    return 2, "no CI says how important it is"


def _weights(binding: Binding) -> list[tuple[int, str]]:
    """What a CI's attributes say of its importance; the first that says something counts."""
    for name in _WEIGHING:
        value = binding.attributes.get(name, "").strip()
        if value.lower() in _HIGH:
            return [(1, f"{name} of {binding.name} is {value}")]
        if value.lower() in _LOW:
            return [(3, f"{name} of {binding.name} is {value}")]
        if value:
            return [(2, f"{name} of {binding.name} is {value}")]
    return []
