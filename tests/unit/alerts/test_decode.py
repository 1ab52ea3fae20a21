"""A body becomes the alert it tells of, or a sentence about why it is none."""

from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest
from tests.unit.alerts.samples import ALERT_ID, SUBSCRIPTION, WEB_01, alert, body, own, own_names, read

from secure_export.alerts.alert import Alert, Condition, Ending, Kind
from secure_export.alerts.decode import decode
from secure_export.errors import NotUnderstood

KINDS = {
    "common/activity-administrative-fired": (Kind.ADMINISTRATIVE, Ending.NEVER),
    "common/activity-autoscale-fired": (Kind.AUTOSCALE, Ending.NEVER),
    "common/activity-policy-fired": (Kind.POLICY, Ending.NEVER),
    "common/activity-recommendation-fired": (Kind.RECOMMENDATION, Ending.NEVER),
    "common/activity-security-fired": (Kind.SECURITY, Ending.NEVER),
    "common/backup-fired": (Kind.BACKUP, Ending.BY_ID),
    "common/budget-actual-fired": (Kind.BUDGET, Ending.NEVER),
    "common/budget-forecast-fired": (Kind.BUDGET, Ending.NEVER),
    "common/log-simple-fired": (Kind.SIMPLE_LOG, Ending.NEVER),
    "common/log-v1-application-insights-2019-fired": (Kind.LOG_SEARCH_V1, Ending.NEVER),
    "common/log-v1-metric-measurement-fired": (Kind.LOG_SEARCH_V1, Ending.NEVER),
    "common/log-v1-number-of-results-fired": (Kind.LOG_SEARCH_V1, Ending.NEVER),
    "common/log-v2-by-computer-fired": (Kind.LOG_SEARCH, Ending.BY_ID),
    "common/metric-dynamic-fired": (Kind.DYNAMIC_METRIC, Ending.BY_ID),
    "common/metric-multi-resource-fired": (Kind.METRIC, Ending.BY_ID),
    "common/metric-only-what-is-required": (Kind.OTHER, Ending.BY_ID),
    "common/metric-static-fired": (Kind.METRIC, Ending.BY_ID),
    "common/metric-webtest-fired": (Kind.WEB_TEST, Ending.BY_ID),
    "common/metric-wrong-types": (Kind.METRIC, Ending.BY_ID),
    "common/prometheus-fired": (Kind.PROMETHEUS, Ending.BY_ID),
    "common/resource-health-available-fired": (Kind.RESOURCE_HEALTH, Ending.BY_TIME),
    "common/resource-health-unavailable-fired": (Kind.RESOURCE_HEALTH, Ending.BY_TIME),
    "common/service-health-incident-active-fired": (Kind.SERVICE_HEALTH, Ending.BY_TIME),
    "common/service-health-maintenance-planned-fired": (Kind.SERVICE_HEALTH, Ending.BY_TIME),
    "common/smart-detector-failures-fired": (Kind.SMART_DETECTOR, Ending.NEVER),
    "common/smart-detector-latency-fired": (Kind.SMART_DETECTOR, Ending.NEVER),
    "common/unknown-service-fired": (Kind.OTHER, Ending.BY_ID),
    "legacy/activity-administrative": (Kind.ADMINISTRATIVE, Ending.NEVER),
    "legacy/activity-recommendation": (Kind.RECOMMENDATION, Ending.NEVER),
    "legacy/activity-resource-health": (Kind.RESOURCE_HEALTH, Ending.BY_TIME),
    "legacy/activity-service-health-active": (Kind.SERVICE_HEALTH, Ending.BY_TIME),
    "legacy/autoscale-scale-in": (Kind.AUTOSCALE, Ending.NEVER),
    "legacy/budget": (Kind.BUDGET, Ending.NEVER),
    "legacy/classic-metric-activated": (Kind.METRIC, Ending.BY_TIME),
    "legacy/log-analytics-metric-measurement": (Kind.LOG_SEARCH_V1, Ending.NEVER),
    "legacy/log-analytics-number-of-results": (Kind.LOG_SEARCH_V1, Ending.NEVER),
    "legacy/log-application-insights": (Kind.LOG_SEARCH_V1, Ending.NEVER),
    "legacy/metric-activated": (Kind.METRIC, Ending.BY_TIME),
    "legacy/metric-dynamic-activated": (Kind.DYNAMIC_METRIC, Ending.BY_TIME),
}


@pytest.mark.parametrize(("name", "kind", "ending"), [(name, *told) for name, told in KINDS.items()])
def test_the_kind_is_told_by_the_content(name: str, kind: Kind, ending: Ending) -> None:
    """Each service and condition type has its kind, and each kind its ending."""
    found = read(name)
    assert (found.kind, found.ending) == (kind, ending)


@pytest.mark.parametrize("name", own_names())
def test_only_what_is_over_is_said_to_be_over(name: str) -> None:
    """A sample is over when it is resolved, or when its content says so although Azure calls it Fired."""
    found = read(name)
    over_by_content = ("service-health-incident-resolved", "health-resolved", "health-available", "test-service-health")
    assert (found.condition is Condition.RESOLVED) == name.endswith(("-resolved", "-deactivated")) or "health" in name
    assert found.ended == (found.condition is Condition.RESOLVED or any(part in name for part in over_by_content))


def test_every_member_of_the_essentials_is_kept() -> None:
    """A body as the documentation has it gives every field."""
    found = read("common/metric-static-fired")
    assert found.id.endswith("/alerts/4f7c2a90-81de-4b36-a5c7-3e90d1f26b84")
    assert found.problem == found.id
    assert found.rule == "web-cpu-high"
    assert found.rule_id is not None
    assert found.rule_id.endswith("/metricAlerts/web-cpu-high")
    assert (found.severity, found.signal_type, found.monitoring_service) == ("Sev2", "Metric", "Platform")
    assert found.targets == (WEB_01,)
    assert found.configuration_items == ("web-01",)
    assert found.origin_id is not None
    assert found.fired_at == found.event_at == datetime(2026, 2, 10, 6, 14, 22, 418730, UTC)
    assert found.resolved_at is None
    assert found.investigation_link is not None
    assert found.description is not None
    assert found.custom_properties == {"team": "shop", "runbook": "https://runbooks.example.com/web/cpu"}
    assert msgspec.json.decode(found.context)["conditionType"] == "SingleResourceMultipleMetricCriteria"
    assert not found.warnings
    assert not found.is_legacy_schema


def test_fired_and_resolved_tell_of_one_alert() -> None:
    """A resolved notification has its alert's id, and happened when it was resolved."""
    fired, resolved = read("common/metric-static-fired"), read("common/metric-static-resolved")
    assert resolved.id == fired.id
    assert resolved.event_at == resolved.resolved_at == datetime(2026, 2, 10, 6, 39, 51, 2811, UTC)


@pytest.mark.parametrize("spelling", ["alertRuleID", "alertRuleId"])
def test_both_spellings_of_the_rule_id_are_read(spelling: str) -> None:
    """The documentation's table and its sample disagree."""
    assert alert(None, **{spelling: "/x/rule"}).rule_id == "/x/rule"


def test_what_is_required_is_enough() -> None:
    """Schema, id and condition make an alert; all else is absent."""
    found = read("common/metric-only-what-is-required")
    assert found.condition is Condition.FIRED
    assert (found.rule, found.severity, found.targets, found.event_at) == (None, None, (), None)
    assert not found.warnings


def test_members_of_other_types_are_read_as_what_they_mean() -> None:
    """Numbers where texts are usual, one text where a list is usual, and lower case do not cost the alert."""
    found = read("common/metric-wrong-types")
    assert (found.rule, found.severity, found.origin_id) == ("4711", "Sev3", "12")
    assert found.condition is Condition.FIRED
    assert len(found.targets) == 1
    assert found.configuration_items == ("orders", "7")
    assert found.fired_at == datetime(2026, 2, 10, 10, 0, tzinfo=UTC)
    assert found.custom_properties == {"cost centre": "4711", "nested": '{"a":[1,2]}'}


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("Sev0", "Sev0"),
        ("sev4", "Sev4"),
        ("3", "Sev3"),
        ("Critical", "Sev0"),
        ("info", "Sev3"),
        ("urgent", None),
        (None, None),
    ],
)
def test_severities_have_one_spelling(written: str | None, expected: str | None) -> None:
    """Relays spell them as they like."""
    assert alert(None, severity=written).severity == expected


@pytest.mark.parametrize("written", ["fired", "FIRED", " Fired ", "Fired"])
def test_the_condition_is_read_in_any_case(written: str) -> None:
    """Lower case comes from relays."""
    assert alert(None, monitorCondition=written).condition is Condition.FIRED


def test_times_that_cannot_be_read_are_a_warning() -> None:
    """A broken time never costs the alert."""
    found = alert(None, firedDateTime="yesterday", resolvedDateTime={"at": 1})
    assert (found.fired_at, found.resolved_at, found.event_at) == (None, None, None)
    assert [text.partition(" ")[0] for text in found.warnings] == ["firedDateTime", "resolvedDateTime"]


def test_a_schema_id_in_another_case_is_the_common_schema() -> None:
    """Nothing else is called like it."""
    changed = own("common/metric-static-fired").replace(
        b"azureMonitorCommonAlertSchema", b"AzureMonitorCommonAlertschema"
    )
    assert facts_of(decode(changed)) == facts_of(read("common/metric-static-fired"))


def test_names_of_members_are_read_in_any_case() -> None:
    """A relay that writes all names in lower case does not cost the alert."""
    changed = own("common/prometheus-fired").replace(b'"alertId"', b'"alertid"').replace(b'"alertRule"', b'"alertrule"')
    assert decode(changed).rule == "kubernetes-pods/PodCrashLooping"


@pytest.mark.parametrize(
    "context",
    [
        {"conditionType": "LogQueryCriteria", "condition": {"allOf": [{"searchQuery": "x", "threshold": "1"}]}},
        {"SearchQuery": "x", "ResultCount": 1},
    ],
)
def test_the_service_that_is_named_does_not_decide(context: dict[str, Any]) -> None:
    """Samples put log searches under ``Platform``."""
    assert alert(context, monitoringService="Platform").kind in {Kind.LOG_SEARCH, Kind.LOG_SEARCH_V1}


@pytest.mark.parametrize("context", [None, {}, [], "text", 7, {"conditionType": None}, {"conditionType": 7}])
def test_the_service_decides_where_the_context_says_nothing(context: object) -> None:
    """A context of null, or of another type, leaves the service's name."""
    assert alert(context, monitoringService="Platform").kind is Kind.METRIC
    assert alert(context, monitoringService="Activity Log - Security").kind is Kind.SECURITY
    assert alert(context, monitoringService="Smart Detector").kind is Kind.SMART_DETECTOR
    assert alert(context, monitoringService="Nagios").kind is Kind.OTHER


def test_service_health_shares_its_tracking_id_within_a_subscription() -> None:
    """Two alerts of one event are one problem, and the later one says that it is over."""
    active = read("common/service-health-incident-active-fired")
    resolved = read("common/service-health-incident-resolved-fired")
    assert active.id != resolved.id
    assert active.problem == resolved.problem == f"service-health:{SUBSCRIPTION}:kx7p-4t8"
    assert not active.ended
    assert resolved.ended
    assert resolved.condition is Condition.FIRED
    assert active.event_at == datetime(2026, 2, 10, 18, 55, 19, 31269, UTC)
    assert read("legacy/activity-service-health-active").problem == active.problem


@pytest.mark.parametrize(
    ("stage", "over"),
    [
        ("Active", False),
        ("Planned", False),
        ("InProgress", False),
        ("Rescheduled", False),
        ("Resolved", True),
        ("Complete", True),
        ("Canceled", True),
        ("RCA", True),
        (None, False),
    ],
)
def test_stages_of_service_health_say_whether_it_is_over(stage: str | None, *, over: bool) -> None:
    """Azure Service Health docs, "Service health notifications", ``properties.stage``."""
    context = {
        "operationName": "Microsoft.ServiceHealth/incident/action",
        "properties": {"trackingId": "X", "stage": stage},
        "status": "Active",
    }
    assert alert(context, monitoringService="ServiceHealth").ended is over


def test_resource_health_shares_its_resource() -> None:
    """Unavailable and available of one machine are one problem, in whatever case its id is written."""
    down, up = read("common/resource-health-unavailable-fired"), read("common/resource-health-available-fired")
    assert down.problem == up.problem == f"resource-health:{WEB_01}"
    assert (down.ended, up.ended) == (False, True)
    assert read("legacy/activity-resource-health").problem == down.problem


def test_thresholds_of_one_budget_are_alerts_of_their_own_and_one_problem() -> None:
    """An id that is the budget's, and not an alert's, gets threshold and month; a GUID stays as it is."""
    actual, forecast = read("common/budget-actual-fired"), read("common/budget-forecast-fired")
    assert actual.id.endswith("/alerts/7d92c0b5-e6f1-4a38-b4d7-0c5e8f3a9126")
    assert forecast.id.endswith("/alerts/marketing-2026~Forecasted:$1,000.00:2026-02")
    assert actual.problem == forecast.problem == read("legacy/budget").problem
    assert actual.severity is None


def test_an_alert_id_that_is_the_rules_gets_the_event() -> None:
    """Two events of one activity log rule are two alerts, even when both bodies carry the rule's id."""
    name = "common/activity-rule-id-as-alert-id-fired"
    first = read(name)
    second = decode(own(name).replace(b"0e7d4b92-6f3c-4a15-8d90-c5b1f2e8a763", b"another-event"))
    assert first.id != second.id
    assert first.id.partition("~")[0] == second.id.partition("~")[0]


@pytest.mark.parametrize(
    ("sent", "words"),
    [
        (b"", "no JSON"),
        (b"alert!", "no JSON"),
        (b"[]", "a list"),
        (b'"text"', "a text"),
        (b"7", "a number"),
        (b"null", "null"),
        (b"true", "a truth value"),
        (b"{}", "no schemaId"),
        (b'{"schemaId": "azureMonitorCommonAlertSchema"}', "data.essentials.alertId is missing"),
        (
            b'{"schemaId": "azureMonitorCommonAlertSchema", "data": {"essentials": {"alertId": "x"}}}',
            "monitorCondition",
        ),
        (b'{"schemaId": "azureMonitorCommonAlertSchema", "data": []}', "alertId is missing"),
        (b'{"schemaId": "SomethingElse", "data": {}}', "'SomethingElse', which is not known"),
        (b'{"schemaId": "AzureMonitorMetricAlert"}', "data is missing"),
        (b'{"schemaId": "AzureMonitorMetricAlert", "data": {"status": "Odd", "context": {"a": 1}}}', "status is 'Odd'"),
        (b'{"schemaId": "Microsoft.Insights/activityLogs", "data": {"status": "Activated"}}', "activityLog is missing"),
        (body(None, monitorCondition="Acknowledged"), "'Acknowledged'"),
        (body(None, alertId="  "), "alertId"),
        (body(None, alertId="x" * 3000), "longer than 2,048"),
        (own("legacy/custom-json-payload"), "custom JSON payload"),
        ('{"schemaId": 1}'.encode("utf-16"), "no JSON"),
    ],
)
def test_what_is_no_alert_is_said_in_a_sentence(sent: bytes, words: str) -> None:
    """Quarantine shows the sentence, so it says what is wrong."""
    with pytest.raises(NotUnderstood, match=r"\.$") as caught:
        decode(sent)
    assert words in str(caught.value)


def nested(depth: int) -> bytes:
    """Make a body whose context is nested so deep."""
    return body(None).replace(b'"alertContext":null', b'"alertContext":' + b'{"a":' * depth + b"1" + b"}" * depth)


@pytest.mark.parametrize("depth", [10, 300, 900, 2000, 100_000])
def test_deep_nesting_is_understood_or_not_but_never_an_error(depth: int) -> None:
    """A body nested a hundred thousand deep does not stop the program."""
    try:
        assert decode(nested(depth)).id == ALERT_ID
    except NotUnderstood as error:
        assert "nested" in str(error) or "no JSON" in str(error)  # noqa: PT017 - either answer is right


@pytest.mark.parametrize("number", [b"1e999", b"-1e99999999", b"1" * 400, b"1" * 9000, b"123.5e-400"])
def test_huge_numbers_do_not_cost_the_alert(number: bytes) -> None:
    """What no number holds is kept as text."""
    found = decode(
        body({"value": "@@"}).replace(b'"@@"', number).replace(b'"severity":"Sev3"', b'"severity":' + number)
    )
    assert found.id == ALERT_ID
    assert found.severity in {None, "Sev0"}


def test_of_members_that_come_twice_the_last_counts() -> None:
    """As every JSON reader does."""
    assert decode(body(None).replace(b'"alertRule":', b'"alertRule":"first","alertRule":')).rule == "a rule"


@pytest.mark.parametrize(
    ("broken", "read_as"),
    [(b"caf\xe9", "caf\ufffd"), (b"cut \\ud83d", "cut \ufffd"), (b"zero \\u0000 byte", "zero \ufffd byte")],
)
def test_broken_texts_are_read_with_replacements(broken: bytes, read_as: str) -> None:
    """Neither other encodings nor half characters nor U+0000 get into the store, and none costs the alert."""
    assert decode(body(None, alertRule="@@").replace(b"@@", broken)).rule == read_as


def test_broken_characters_are_a_warning() -> None:
    """Somebody should look for what breaks them."""
    assert "no valid UTF-8" in decode(body(None, alertRule="@@").replace(b"@@", b"caf\xe9")).warnings[0]


def test_a_byte_order_mark_is_no_trouble() -> None:
    """Some relays write one."""
    with_mark = decode(b"\xef\xbb\xbf" + own("common/metric-static-fired"))
    assert facts_of(with_mark) == facts_of(read("common/metric-static-fired"))


@pytest.mark.parametrize("name", own_names())
def test_decoding_is_deterministic_and_fast_and_slow_reading_agree(name: str) -> None:
    """The same body gives the same alert, whether it is read by types or member by member."""
    sent = own(name)
    spaced = sent.replace(b'"schemaId"', b'"schemaID"')
    assert decode(sent) == decode(sent)
    assert facts_of(decode(spaced)) == facts_of(decode(sent))


def facts_of(found: Alert) -> dict[str, Any]:
    """All fields, with the context as values: its spaces do not matter."""
    return {**msgspec.structs.asdict(found), "context": msgspec.json.decode(found.context)}
