"""Activity log alerts: operations, policy, autoscale, security and recommendations."""

from secure_export.alerts.alert import Kind
from secure_export.alerts.members import Members
from secure_export.alerts.resource_id import last_segment
from secure_export.alerts.summary.telling import Telling, Told

_MOST_POLICIES = 10
_SHOWN_OTHERWISE = frozenset({"eventcategory", "entity", "message", "hierarchy", "policies", "activeautoscaleprofile"})


def tell_operation(told: Told) -> Telling:
    """Tell of an operation that somebody did."""
    context = told.context
    operation = _short(context.text("operationName") or context.object("authorization").text("action"))
    status, on = context.text("status"), told.on_subject
    by = f" (by {context.text('caller')})" if context.text("caller") else ""
    headline = f"Operation {operation}{on}" if operation else f"{told.rule}{on}"
    return _telling(told, f"{headline}{f': {status}' if status else ''}{by}")


def tell_policy(told: Told) -> Telling:
    """Tell of a policy that found something."""
    policies = told.context.object("properties").objects("policies")
    first = policies[0] if policies else Members(None)
    name = first.text("policyDefinitionDisplayName", "policyDefinitionReferenceId", "policyDefinitionName")
    name = name or last_segment(first.text("policyDefinitionId")) or told.rule
    effect = first.text("policyDefinitionEffect") or _short(told.context.text("operationName"))
    more = f" and {len(policies) - 1} more" if len(policies) > 1 else ""
    details = tuple(("Policy", _policy(one)) for one in policies[:_MOST_POLICIES])
    headline = f"Policy {name}{more}{told.on_subject}: {effect}".rstrip(": ")
    return _telling(told, headline, details, {"policy": name, "effect": effect})


def tell_autoscale(told: Told) -> Telling:
    """Tell of a change of the number of instances."""
    properties = told.context.object("properties")
    old, new = properties.text("oldInstancesCount"), properties.text("newInstancesCount")
    resource = last_segment(properties.text("resourceName")) or told.subject or told.rule
    change = f" from {old} to {new} instances" if old and new else f": {_short(told.context.text('operationName'))}"
    status = told.context.text("status")
    failed = f" ({status})" if status and status.lower() not in {"succeeded", "activated"} else ""
    details = (("Instances", f"{old} before, {new} after" if old and new else ""),)
    return _telling(told, f"Autoscale of {resource}{change}{failed}".rstrip(": "), details, {"old": old, "new": new})


def tell_security(told: Told) -> Telling:
    """Tell of what Microsoft Defender for Cloud found."""
    properties = told.context.object("properties")
    what = properties.text("alertDisplayName", "title", "threatName", "category", "eventName") or told.rule
    entity = properties.text("compromisedEntity") or told.subject
    on, action = f" on {entity}" if entity else "", properties.text("actionTaken", "threatStatus")
    facts = {"category": properties.text("category"), "compromised_entity": entity, "action_taken": action}
    facts["threat_severity"] = properties.text("severity")
    return _telling(told, f"Security alert {what}{on}{f': {action}' if action else ''}", (), facts)


def tell_recommendation(told: Told) -> Telling:
    """Tell of advice by Azure Advisor."""
    properties = told.context.object("properties")
    name, impact = properties.text("recommendationName", "title"), properties.text("recommendationImpact")
    for_ = f" for {told.subject}" if told.subject else ""
    headline = f"Recommendation{for_}: {name or told.rule}{f' ({impact.lower()} impact)' if impact else ''}"
    return _telling(told, headline, (), {"recommendation": name, "impact": impact})


def event_details(context: Members) -> tuple[tuple[str, str], ...]:
    """What every event of the activity log has."""
    authorization = context.object("authorization")
    return (
        ("Operation", context.text("operationName")),
        ("Status", context.text("status")),
        ("Sub-status", context.text("subStatus")),
        ("Caller", context.text("caller")),
        ("Level", context.text("level")),
        ("Event time", context.text("eventTimestamp")),
        ("Scope", authorization.text("scope")),
        ("Event description", context.text("Activity Log Event Description")),
        ("Correlation id", context.text("correlationId")),
        ("Event id", context.text("eventDataId")),
    )


def event_facts(context: Members) -> dict[str, str]:
    """Facts of every event of the activity log."""
    return {
        "operation": context.text("operationName"),
        "caller": context.text("caller"),
        "status": context.text("status"),
        "sub_status": context.text("subStatus"),
        "level": context.text("level"),
        "correlation_id": context.text("correlationId"),
    }


def _policy(one: Members) -> str:
    assignment = one.text("policyAssignmentName")
    parts = (
        one.text("policyDefinitionReferenceId", "policyDefinitionName"),
        one.text("policyDefinitionEffect"),
        f"assigned as {assignment}" if assignment else "",
    )
    return ", ".join(filter(None, parts))


def _telling(
    told: Told, headline: str, details: tuple[tuple[str, str], ...] = (), facts: dict[str, str] | None = None
) -> Telling:
    properties = told.context.object("properties")
    others = tuple((name, text) for name, text in properties.pairs() if name.lower() not in _SHOWN_OTHERWISE)
    return Telling(
        headline,
        (*details, *event_details(told.context), *others),
        facts={**event_facts(told.context), **(facts or {})},
    )


def _short(operation: str) -> str:
    """An operation without its provider and without the word that all of them end in."""
    _, _, rest = operation.partition("/")
    return (rest or operation).removesuffix("/action").removesuffix("/Action")


BY_KIND = {
    Kind.ADMINISTRATIVE: tell_operation,
    Kind.POLICY: tell_policy,
    Kind.AUTOSCALE: tell_autoscale,
    Kind.SECURITY: tell_security,
    Kind.RECOMMENDATION: tell_recommendation,
}
