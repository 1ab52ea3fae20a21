"""Alerts with conditions: metrics, dynamic thresholds, availability tests and log searches."""

from dataclasses import dataclass

from secure_export.alerts.alert import Kind
from secure_export.alerts.members import Members
from secure_export.alerts.results import result_rows
from secure_export.alerts.summary.telling import Telling, Told, joined, operator_words, percent

_RESOURCE_DIMENSIONS = frozenset({"_resourceid", "resourceid", "microsoft.resourceid", "microsoft.resourcetype"})
_TELLING_COLUMNS = ("message", "outermessage", "renderedmessage", "renderedescription", "problemid", "type", "name")
_TIME_COLUMNS = frozenset({"timestamp", "timegenerated"})
_ROWS_SHOWN = 5
_MOST_CRITERIA = 20


@dataclass(frozen=True, slots=True)
class _Criterion:
    """One condition of a rule, as texts."""

    metric: str
    operator: str
    threshold: str
    value: str
    aggregation: str
    dimensions: list[tuple[str, str]]
    members: Members

    @property
    def limit(self) -> str:
        """Operator and threshold in words, as far as they are known."""
        return " ".join(filter(None, (operator_words(self.operator), self.threshold))) + self.unit_of(self.threshold)

    def unit_of(self, number: str) -> str:
        return percent(self.metric) if number else ""

    @property
    def now(self) -> str:
        return f" (now {self.value})" if self.value else ""


def tell_metric(told: Told) -> Telling:
    """Tell of a metric that is beyond a fixed threshold."""
    first, *others = _criteria(told.context)
    if told.over and others:
        now = ", ".join(f"{one.metric} {one.value}" for one in (first, *others) if one.metric and one.value)
        return _telling(told, f"{told.rule}{told.on_subject} is over{f' (now {now})' if now else ''}", [first, *others])
    verb = "is no longer" if told.over else "is"
    limit = f" {verb} {first.limit}" if first.limit else " is over" if told.over else " fired"
    what = f"{first.metric}{_of(told.subject)}" if first.metric else f"{told.rule}{told.on_subject}"
    headline = f"{what}{limit}{first.now}{_split(first, told.subject)}"
    return _telling(told, headline + _more(others), [first, *others])


def tell_dynamic_metric(told: Told) -> Telling:
    """Tell of a metric that is beyond what was learned of it."""
    first, *others = _criteria(told.context)
    beyond = operator_words(first.operator) or "outside"
    verb = "is no longer" if told.over else "is"
    learned = f"its learned threshold {first.threshold}{first.unit_of(first.threshold)}".rstrip()
    headline = f"{first.metric or told.rule}{_of(told.subject)} {verb} {beyond} {learned}{first.now}"
    return _telling(told, headline + _split(first, told.subject) + _more(others), [first, *others])


def tell_web_test(told: Told) -> Telling:
    """Tell of an availability test."""
    first, *others = _criteria(told.context)
    test = first.members.text("webTestName") or told.subject or told.rule
    locations = f" from {first.value} locations" if first.value else ""
    failing = f"is back (fails{locations})" if told.over else f"fails{locations}"
    headline = f"Availability test {test} {failing}"
    telling = _telling(told, headline, [first, *others])
    return Telling(telling.headline, telling.details, telling.text, {**telling.facts, "web_test": test})


def tell_log_search(told: Told) -> Telling:
    """Tell of a log search of version 2."""
    first, *others = _criteria(told.context)
    what = first.members.text("metricMeasureColumn") or ("number of results" if first.value or first.threshold else "")
    verb = "is no longer" if told.over else "is"
    limit = f"{what} {verb} {first.limit}".strip() if first.limit else "resolved" if told.over else "found something"
    where = f"{told.on_subject}{_split(first, told.subject)}"
    headline = f"{told.rule}: {limit}{first.now}{where}{_more(others)}"
    return _telling(told, headline, [first, *others])


def tell_simple_log(told: Told) -> Telling:
    """Tell of one row that a simple log alert found."""
    first, *others = _criteria(told.context)
    row = next(iter(result_rows(told.context)), [])
    telling = _telling(told, f"{told.rule}: {_gist(row) or 'a log record matched'}", [first, *others])
    return Telling(telling.headline, telling.details, _rows_text(told.context), telling.facts)


def tell_log_search_v1(told: Told) -> Telling:
    """Tell of a log search of version 1, which names its members otherwise."""
    context = told.context
    count, operator = context.text("ResultCount"), operator_words(context.text("Operator"))
    limit = " ".join(filter(None, (operator, context.text("Threshold"))))
    split = [(one.text("name"), one.text("value")) for one in context.objects("Dimensions")]
    results = f"{count} result{'' if count == '1' else 's'}" if count else "a search found something"
    when = f" (alert when {limit})" if limit else ""
    headline = f"{told.rule}: {results}{when}{told.on_subject}{_listed(split, told.subject)}"
    minutes = context.text("SearchIntervalInMinutes", "SearchIntervalDurationMin")
    details = (
        ("Alert type", context.text("AlertType")),
        ("Results", count),
        ("Alert when", limit),
        ("Dimensions", joined(split)),
        (
            "Search window",
            _window(context.text("SearchIntervalStartTimeUtc"), context.text("SearchIntervalEndtimeUtc")),
        ),
        ("Search interval", f"{minutes} minutes" if minutes else ""),
        ("Query", context.text("SearchQuery")),
        ("Results in Azure", context.text("LinkToFilteredSearchResultsUI", "LinkToSearchResults")),
    )
    facts = {
        "value": count,
        "operator": operator,
        "threshold": context.text("Threshold"),
        "query": context.text("SearchQuery"),
        "link": context.text("LinkToFilteredSearchResultsUI", "LinkToSearchResults"),
        **_dimension_facts(split),
    }
    return Telling(headline, details, _rows_text(context), facts)


def _criteria(context: Members) -> list[_Criterion]:
    """The conditions; an empty one when there is none."""
    criteria = context.object("condition").objects("allOf") or [Members(None)]
    return [_criterion(one) for one in criteria[:_MOST_CRITERIA]]


def _criterion(one: Members) -> _Criterion:
    return _Criterion(
        metric=one.text("metricName"),
        operator=one.text("operator"),
        threshold=one.text("threshold"),
        value=one.text("metricValue"),
        aggregation=one.text("timeAggregation"),
        dimensions=[(d.text("name"), d.text("value")) for d in one.objects("dimensions")],
        members=one,
    )


def _telling(told: Told, headline: str, criteria: list[_Criterion]) -> Telling:
    first = criteria[0]
    condition = told.context.object("condition")
    details = [detail for number, one in enumerate(criteria, 1) for detail in _details(one, number, len(criteria))]
    window = condition.text("windowSize")
    details += [
        ("Window", window),
        ("Evaluated", _window(condition.text("windowStartTime"), condition.text("windowEndTime"))),
    ]
    facts = {
        "metric": first.metric,
        "metric_namespace": first.members.text("metricNamespace"),
        "operator": operator_words(first.operator),
        "threshold": first.threshold,
        "value": first.value,
        "aggregation": first.aggregation,
        "window": window,
        "query": first.members.text("searchQuery"),
        "link": first.members.text("linkToFilteredSearchResultsUI", "linkToSearchResultsUI"),
        **_dimension_facts(list(dict.fromkeys(pair for one in criteria for pair in one.dimensions))),
    }
    return Telling(headline, tuple(details), facts=facts)


def _details(one: _Criterion, number: int, of: int) -> list[tuple[str, str]]:
    members = one.members
    periods = members.object("failingPeriods")
    failing, evaluated = periods.text("minFailingPeriodsToAlert"), periods.text("numberOfEvaluationPeriods")
    return [
        ("Condition", f"{number} of {of}" if of > 1 else ""),
        ("Metric", one.metric),
        ("Namespace", members.text("metricNamespace")),
        ("Measured column", members.text("metricMeasureColumn")),
        ("Alert when", one.limit),
        ("Value", f"{one.value}{one.unit_of(one.value)}"),
        ("Aggregation", one.aggregation),
        ("Dimensions", joined(one.dimensions)),
        ("Sensitivity", members.text("alertSensitivity")),
        ("Failing periods", f"{failing} of {evaluated}" if failing and evaluated else ""),
        ("Availability test", members.text("webTestName")),
        ("Query", members.text("searchQuery")),
        ("Results in Azure", members.text("linkToFilteredSearchResultsUI", "linkToSearchResultsUI")),
    ]


def _of(subject: str) -> str:
    return f" of {subject}" if subject else ""


def _split(one: _Criterion, subject: str) -> str:
    """The dimensions that tell this alert from others of its rule."""
    return _listed(one.dimensions, subject)


def _listed(pairs: list[tuple[str, str]], subject: str) -> str:
    """Dimensions other than resource ids and what the title names already."""
    told = subject.lower()
    text = joined(
        [
            (name, value)
            for name, value in pairs
            if name.lower() not in _RESOURCE_DIMENSIONS and not value.startswith("/") and value.lower() != told
        ]
    )
    return f", {text}" if text else ""


def _more(others: list[_Criterion]) -> str:
    return f", and {len(others)} more condition{'s' if len(others) > 1 else ''}" if others else ""


def _window(start: str, end: str) -> str:
    return f"{start} to {end}" if start and end else start or end


def _dimension_facts(pairs: list[tuple[str, str]]) -> dict[str, str]:
    return {"dimensions": joined(pairs), **{f"dimension_{name}": value for name, value in pairs if name}}


def _gist(row: list[tuple[str, str]]) -> str:
    """The cell of a row that tells most."""
    by_name = {name.lower(): value for name, value in row if value}
    told = next((by_name[name] for name in _TELLING_COLUMNS if name in by_name), "")
    return told or next((value for name, value in by_name.items() if name not in _TIME_COLUMNS), "")


def _rows_text(context: Members) -> str:
    rows = [", ".join(f"{name}: {value}" for name, value in row if value) for row in result_rows(context)]
    rows = [row for row in rows if row]
    if not rows:
        return ""
    left_out = f"\n… and {len(rows) - _ROWS_SHOWN} more" if len(rows) > _ROWS_SHOWN else ""
    return "First results:\n" + "\n".join(rows[:_ROWS_SHOWN]) + left_out


BY_KIND = {
    Kind.METRIC: tell_metric,
    Kind.DYNAMIC_METRIC: tell_dynamic_metric,
    Kind.WEB_TEST: tell_web_test,
    Kind.LOG_SEARCH: tell_log_search,
    Kind.SIMPLE_LOG: tell_simple_log,
    Kind.LOG_SEARCH_V1: tell_log_search_v1,
}
