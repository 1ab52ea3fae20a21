"""Which problem an alert tells of, and whether it says that the problem is over.

Activity log alerts are never ``Resolved``; service health and resource health say in their content that it is over, in
an alert of its own with another id (Azure Monitor docs, "Types of Azure Monitor alerts", and their issue 52352).
"""

from datetime import datetime
from typing import NamedTuple

from secure_export.alerts.alert import Condition, Ending, Kind
from secure_export.alerts.kinds import ACTIVITY_LOG, ending_of
from secure_export.alerts.members import Members
from secure_export.alerts.resource_id import last_segment, normal_form, parse, subscription_of

_OVER_STAGES = frozenset({"resolved", "complete", "canceled", "cancelled", "rca"})
"""Stages after which nothing more happens; "RCA" follows "Resolved" (Azure Service Health docs, "Service health
notifications", ``properties.stage``)."""

_INSTANCE_DIGITS = 32


class Standing(NamedTuple):
    """See the attributes of ``Alert`` with these names."""

    id: str
    ending: Ending
    problem: str
    ended: bool
    event_at: datetime | None


class Said(NamedTuple):
    """What the essentials say that matters here."""

    id: str
    condition: Condition
    targets: tuple[str, ...]
    origin_id: str | None
    fired_at: datetime | None
    resolved_at: datetime | None


def standing(kind: Kind, said: Said, context: Members) -> Standing:
    """Tell the problem of an alert of any kind from its essentials and its context."""
    over = said.condition is Condition.RESOLVED
    at = said.resolved_at if over else said.fired_at
    if kind is Kind.BUDGET:
        alert_id = _budget_alert_id(said, context)
        return Standing(alert_id, ending_of(kind), budget_problem(context) or alert_id, over, at)
    if kind not in ACTIVITY_LOG:
        return Standing(said.id, ending_of(kind), said.id, over, at)
    alert_id = _event_alert_id(said, context)
    problem = _shared_problem(kind, said, context) or alert_id
    ended = over or _over_by_content(kind, context)
    return Standing(alert_id, ending_of(kind), problem, ended, context.time("eventTimestamp") or at)


def budget_problem(context: Members) -> str:
    """Name the budget: its thresholds are steps of one overspending, and one work item should tell of them."""
    data = context.object("AlertData")
    budget = normal_form(data.text("BudgetId"))
    if not budget and data.text("BudgetName"):
        budget = normal_form(f"{data.text('Scope')}/providers/Microsoft.Consumption/budgets/{data.text('BudgetName')}")
    return f"budget:{budget}" if budget else ""


def _budget_alert_id(said: Said, context: Members) -> str:
    """Add the threshold and the month to an id that names no single alert.

    An alert of Cost Management has a GUID of its own for each threshold that was passed. Where the id ends in a name
    instead, the second threshold would be taken for a repetition of the first.
    """
    if _is_instance(said.id):
        return said.id
    data = context.object("AlertData")
    month = f"{said.fired_at:%Y-%m}" if said.fired_at else ""
    return f"{said.id}~{data.text('ThresholdType')}:{data.text('NotificationThresholdAmount')}:{month}"


def _event_alert_id(said: Said, context: Members) -> str:
    """Add the event to an id that is the rule's and so the same for all of its alerts."""
    if "/activitylogalerts/" not in said.id.lower():
        return said.id
    event = context.text("eventDataId", "correlationId") or said.origin_id or context.text("eventTimestamp")
    return f"{said.id}~{event}" if event else said.id


def _is_instance(alert_id: str) -> bool:
    digits = last_segment(alert_id).replace("-", "")
    return len(digits) >= _INSTANCE_DIGITS and digits.isalnum()


def _shared_problem(kind: Kind, said: Said, context: Members) -> str | None:
    """What the alerts of one service health event or of one resource's health share."""
    if kind is Kind.SERVICE_HEALTH:
        tracking = context.object("properties").text("trackingId").lower()
        subscription = next((s for one in (*said.targets, said.id) if (s := subscription_of(one))), "")
        return f"service-health:{subscription}:{tracking}" if tracking else None
    if kind is Kind.RESOURCE_HEALTH:
        resource = next((parts.text for one in said.targets if (parts := parse(one)) and parts.is_resource), None)
        return f"resource-health:{resource}" if resource else None
    return None


def _over_by_content(kind: Kind, context: Members) -> bool:
    properties = context.object("properties")
    status = context.text("status").lower()
    if kind is Kind.SERVICE_HEALTH:
        return status == "resolved" or properties.text("stage").lower() in _OVER_STAGES
    if kind is Kind.RESOURCE_HEALTH:
        healthy = properties.text("currentHealthStatus").lower() == "available"
        return healthy or status == "resolved" or "/resolved/" in context.text("operationName").lower()
    return False
