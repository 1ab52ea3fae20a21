"""Budgets, Prometheus, smart detection, backup, and services that we do not know."""

from collections.abc import Iterator
from itertools import islice

from secure_export.alerts.alert import Kind
from secure_export.alerts.members import Members, number_of, text_of
from secure_export.alerts.resource_id import last_segment
from secure_export.alerts.summary.telling import Telling, Told

_DEEPEST = 4
_MOST_MEMBERS = 60


def tell_budget(told: Told) -> Telling:
    """Tell of a budget. Amounts are texts with sign and commas, or numbers."""
    data = told.context.object("AlertData")
    unit = data.text("Unit")
    forecast = data.text("ThresholdType").lower().startswith("forecast")
    spent, expected = _money(data.text("SpentAmount"), unit), _money(data.text("ForecastedTotalForPeriod"), unit)
    budget, limit = _money(data.text("BudgetThreshold"), unit), _money(data.text("NotificationThresholdAmount"), unit)
    amount = expected if forecast and expected else spent
    name = data.text("BudgetName") or last_segment(data.text("BudgetId")) or told.rule
    at = f" at {amount}" if amount else " passed a threshold"
    headline = f"Budget {name}{' forecast' if forecast else ''}{at}{f' of {budget}' if budget else ''}"
    details = (
        ("Budget", budget),
        ("Threshold passed", limit),
        ("Threshold type", data.text("ThresholdType")),
        ("Spent", spent),
        ("Forecast for the period", expected),
        ("Budget type", data.text("BudgetType")),
        ("Scope", data.text("Scope")),
        ("Budget id", data.text("BudgetId")),
        ("Budget start", data.text("BudgetStartDate")),
        ("Creator", data.text("BudgetCreator")),
        ("Subscription name", data.text("SubscriptionName")),
        ("Department", data.text("DepartmentName")),
        ("Account", data.text("AccountName")),
    )
    facts = {"budget": name, "amount": amount, "spent": spent, "forecast": expected, "limit": limit, "unit": unit}
    return Telling(headline, details, facts={**facts, "budget_amount": budget, "scope": data.text("Scope")})


def tell_prometheus(told: Told) -> Telling:
    """Tell of a Prometheus rule. Its name in the essentials is ``group/rule``."""
    labels, annotations = told.context.object("labels"), told.context.object("annotations")
    rule = labels.text("alertname") or told.rule.rpartition("/")[2]
    where = labels.text("cluster") or told.subject
    words = annotations.text("summary", "title", "message", "description")
    over = " (resolved)" if told.over else ""
    details = (
        ("Expression", told.context.text("expression")),
        ("Value", told.context.text("expressionValue")),
        ("For", told.context.text("for")),
        ("Interval", told.context.text("interval")),
        ("Rule group", told.context.text("ruleGroup")),
        ("Labels", "; ".join(f"{name}={text}" for name, text in labels.pairs())),
        *((f"Annotation {name}", text) for name, text in annotations.pairs()),
    )
    facts = {
        "expression": told.context.text("expression"),
        "value": told.context.text("expressionValue"),
        "cluster": labels.text("cluster"),
        "summary": words,
        **{f"label_{name}": text for name, text in labels.pairs()},
        **{f"annotation_{name}": text for name, text in annotations.pairs()},
    }
    on, tail = f" on {where}" if where else "", f": {words}" if words else ""
    return Telling(f"{rule}{on}{over}{tail}", details, facts=facts)


def tell_smart_detector(told: Told) -> Telling:
    """Tell of what smart detection found; each detector has members of its own."""
    context = told.context
    detector, found = context.text("SmartDetectorName"), context.text("DetectionSummary")
    on = f" in {told.subject}" if told.subject else ""
    detected = context.text("DetectedValue", "DetectedFailureRate")
    normal = context.text("NormalValue", "NormalFailureRate")
    details = (
        ("Summary", found),
        ("Detector", detector),
        ("Detected", detected),
        ("Normal", normal),
        ("Occurred", context.text("FormattedOccurrenceTime", "FormattedOccurenceTime")),
        ("Analysed", context.text("AnalysisTimestamp")),
    )
    facts = {"detector": detector, "summary": found, "value": detected, "normal": normal}
    return Telling(f"{detector or told.rule}{on}{f': {found}' if found else ''}", details, facts=facts)


def tell_backup(told: Told) -> Telling:
    """Tell of a backup. The rule's name is a category; the machine stands in the context."""
    context = told.context
    more = context.object("extendedInfo")
    machine = context.text("linkedResourceName") or last_segment(context.text("linkedResourceId")) or told.subject
    vault = last_segment(context.text("sourceId")) or (
        last_segment(told.alert.targets[0]) if told.alert.targets else ""
    )
    what = told.alert.rule or context.text("category") or "Azure Backup"
    details = (
        ("Category", context.text("category")),
        ("Backed up", context.text("linkedResourceId")),
        ("Vault", context.text("sourceId") or vault),
        ("Protected item", context.text("protectedItemId")),
        ("Possible causes", "; ".join(more.texts("possibleCauses"))),
        ("Recommended actions", "; ".join(more.texts("recommendedActions"))),
        ("Occurrences", more.text("occurrenceCount")),
        ("Job", more.text("jobId")),
        ("Affected items", ", ".join(context.texts("affectedItems"))),
    )
    facts = {"category": context.text("category"), "backed_up": machine, "vault": vault}
    on = f": {machine}" if machine else ""
    beside = f" in vault {vault}" if vault and vault.lower() != machine.lower() else ""
    return Telling(f"{what}{on}{beside}{' (resolved)' if told.over else ''}", details, facts=facts)


def tell_other(told: Told) -> Telling:
    """Tell of a service that we do not know: all that its context says in short values."""
    service = told.alert.monitoring_service
    name = told.rule if told.alert.rule or not service else f"{service} alert"
    by = f" ({service})" if service and told.alert.rule else ""
    over = " (resolved)" if told.over else ""
    return Telling(f"{name}{told.on_subject}{by}{over}", tuple(_scalars(told.context)))


def _scalars(context: Members) -> list[tuple[str, str]]:
    """The short values of a context with the way to each, not too deep and not too many."""
    return list(islice(_walk("", dict(context), _DEEPEST), _MOST_MEMBERS))


def _walk(way: str, value: object, depth: int) -> Iterator[tuple[str, str]]:
    if text := text_of(value):
        yield way, text
    elif depth and isinstance(value, dict):
        for name, one in islice(value.items(), _MOST_MEMBERS):
            yield from _walk(f"{way}.{name}" if way else name, one, depth - 1)
    elif depth and isinstance(value, list):
        for place, one in enumerate(value[:_MOST_MEMBERS]):
            yield from _walk(f"{way}[{place}]", one, depth - 1)


def _money(text: str, unit: str) -> str:
    """Write an amount as ``1,111 USD``; as it stands where it cannot be read as a number."""
    number = number_of(text)
    if number is None:
        return text
    return f"{number:,.2f}".removesuffix(".00") + (f" {unit}" if unit else "")


BY_KIND = {
    Kind.BUDGET: tell_budget,
    Kind.PROMETHEUS: tell_prometheus,
    Kind.SMART_DETECTOR: tell_smart_detector,
    Kind.BACKUP: tell_backup,
    Kind.OTHER: tell_other,
}
