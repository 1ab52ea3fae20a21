"""Bodies of every kind, against what azure-facts 1 says of them."""

import json
import random
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from secure_export.sandbox.azure_monitor.catalogue import (
    CANNED_SUBSCRIPTION,
    KINDS,
    Ending,
    Notification,
    Story,
    Workshop,
    build,
    kinds,
)
from secure_export.sandbox.azure_monitor.catalogue.workshop import american_stamp, stamp
from secure_export.sandbox.azure_monitor.estate import sample_estate

ESTATE = sample_estate("c0ffee00-7e57-4a11-9b5d-5a4db0c5ed01")
AT = datetime(2026, 5, 4, 15, 30, 7, 123456, tzinfo=UTC)
SAMPLES = Path(__file__).parents[5] / "shared" / "payloads"
TIMESTAMP = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{3}|\.\d{6}|\.\d{7})?(Z|\+00:00)?")

# azure-facts 1.4, first column, with the condition types of Platform and log rules and the AlertType of version 1.
FACTS = {
    ("Platform", "SingleResourceMultipleMetricCriteria"),
    ("Platform", "MultipleResourceMultipleMetricCriteria"),
    ("Platform", "DynamicThresholdCriteria"),
    ("Platform", "WebtestLocationAvailabilityCriteria"),
    ("Platform", "LogQueryCriteria"),
    ("Log Alerts V2", "LogQueryCriteria"),
    ("Simple Log Alert", "LogQueryCriteria"),
    ("Log Analytics", "Metric measurement"),
    ("Log Analytics", "Number of results"),
    ("Application Insights", "Metric measurement"),
    ("Application Insights", "Number of results"),
    ("Activity Log - Administrative", None),
    ("Activity Log - Policy", None),
    ("Activity Log - Autoscale", None),
    ("Activity Log - Security", None),
    ("Activity Log - Recommendation", None),
    ("ServiceHealth", "Incident"),
    ("ServiceHealth", "Maintenance"),
    ("Resource Health", None),
    ("ResourceHealth", None),
    ("Prometheus", None),
    ("SmartDetector", None),
    ("Smart Detector", None),
    ("CostAlerts", "budgets"),
    ("Azure Backup", None),
    ("Azure Orbital Watch", None),
}
COMMON_SAMPLES = [
    ("full-test2026-metric-static-threshold-fired", "metric-static"),
    ("full-test2026-metric-dynamic-threshold-fired", "metric-dynamic"),
    ("full-test2026-metric-webtest-availability-fired", "metric-web-test"),
    ("full-test2026-log-v2-fired", "log-search-computer"),
    ("context-log-simple-log-alert", "simple-log"),
    ("full-test2026-log-v1-number-of-results-fired", "log-v1-results"),
    ("context-log-application-insights-metric-measurement", "application-insights-v1-measurement"),
    ("full-test2026-activitylog-administrative-fired", "activity-administrative"),
    ("context-activitylog-policy", "activity-policy"),
    ("context-activitylog-autoscale", "activity-autoscale"),
    ("context-activitylog-security", "activity-security"),
    ("context-servicehealth-maintenance-string-enums-2025", "service-health-maintenance"),
    ("context-resourcehealth", "resource-health"),
    ("context-prometheus", "prometheus"),
    ("full-test2026-budget-actual-cost-fired", "budget-spent"),
    ("full-test2026-budget-fired", "budget-forecast"),
    ("full-test2026-smart-detector-fired", "smart-detector-value"),
]
# Names that people chose, and one member that is Azure's own affair.
NOT_COMPARED = {"Environment", "name1", "name2", "hierarchy", "key1", "key2", "customKey1", "customKey2"}
# The canned dynamic test has a member that the documented context has not.
ODD = {"webTestName"}
OLDER_SAMPLES = [
    ("metric-static-threshold-activated", "metric-static"),
    ("metric-dynamic-threshold-activated", "metric-dynamic"),
    ("activitylog-administrative-activated", "activity-administrative"),
    ("activitylog-webhook-resourcehealth-2018", "resource-health"),
    ("activitylog-webhook-servicehealth-2017", "service-health-incident"),
    ("log-v1-number-of-results", "log-v1-results"),
    ("budget-aip-notification-2025", "budget-spent"),
    ("classic-metric-activated-2015", "classic-metric"),
    ("autoscale-notification-scale-in", "autoscale-notification"),
]
TESTS = [kind for kind in kinds() if kind.startswith("test-")]
RESOLVING = {"Platform", "Log Alerts V2", "Prometheus", "Azure Orbital Watch"}
BY_CONTENT = {"ServiceHealth", "Resource Health", "ResourceHealth"}


def _build(kind: str, seed: int = 1, **more: Any) -> Story:
    return build(kind, Workshop(ESTATE, AT, random.Random(seed), **more))  # noqa: S311 - ids of samples


def _notifications(story: Story) -> Iterator[Notification]:
    yield story.fired
    if story.ended is not None:
        yield story.ended


def _common() -> list[tuple[str, Notification]]:
    return [(kind, one) for kind in kinds() for one in _notifications(_build(kind)) if one.common is not None]


def _essentials(notification: Notification) -> dict[str, Any]:
    assert notification.common is not None
    essentials: dict[str, Any] = notification.common["data"]["essentials"]
    return essentials


def _context(notification: Notification) -> dict[str, Any]:
    assert notification.common is not None
    return notification.common["data"]["alertContext"] or {}


def _condition_type(notification: Notification) -> str | None:
    context = _context(notification)
    incident = (context.get("properties") or {}).get("incidentType")
    found: str | None = (
        context.get("conditionType") or context.get("AlertType") or context.get("AlertCategory") or incident
    )
    return found


def _values(value: Any, name: str = "") -> Iterator[tuple[str, Any]]:
    if isinstance(value, dict):
        for key, one in value.items():
            yield from _values(one, key)
    elif isinstance(value, list):
        for one in value:
            yield from _values(one, name)
    else:
        yield name, value


def test_every_service_and_condition_type_is_there() -> None:
    """The catalogue covers the table of azure-facts 1.4, and nothing that is not in it."""
    built = {
        (_essentials(one)["monitoringService"], _condition_type(one))
        for kind in KINDS
        for one in _notifications(_build(kind))
        if one.common is not None
    }
    assert built == FACTS


@pytest.mark.parametrize(("kind", "notification"), _common())
def test_the_members_that_are_always_there(kind: str, notification: Notification) -> None:
    """schemaId, alertId, monitorCondition; the body is valid JSON, far below 256 KB."""
    body = json.dumps(notification.common)
    data = json.loads(body)
    essentials = data["data"]["essentials"]
    assert data["schemaId"] == "azureMonitorCommonAlertSchema"
    assert essentials["alertId"] == notification.alert_id
    assert essentials["alertId"].startswith("/subscriptions/")
    assert essentials["monitorCondition"] in {"Fired", "Resolved"}
    assert len(body) < 256 * 1024


@pytest.mark.parametrize(("kind", "notification"), _common())
def test_times_are_written_as_some_sender_writes_them(kind: str, notification: Notification) -> None:
    """FiredDateTime and resolvedDateTime have 0, 3, 6 or 7 fraction digits and Z, +00:00 or no zone."""
    essentials = _essentials(notification)
    for name in ("firedDateTime", "resolvedDateTime"):
        if name in essentials:
            assert TIMESTAMP.fullmatch(essentials[name]), essentials[name]


@pytest.mark.parametrize("kind", kinds())
def test_how_a_kind_ends(kind: str) -> None:
    """Stateful kinds resolve with the same alertId, health ends by content in another alert, the rest never."""
    story = _build(kind)
    if story.fired.common is None:
        return
    service = _essentials(story.fired)["monitoringService"]
    if story.ended is None:
        assert story.ending is Ending.NEVER
        assert story.is_test or kind == "metric-stateless" or service not in RESOLVING | BY_CONTENT
    elif story.ending is Ending.RESOLVED:
        assert service in RESOLVING
        assert story.ended.alert_id == story.fired.alert_id
        assert (story.fired.condition, story.ended.condition) == ("Fired", "Resolved")
        assert "resolvedDateTime" in _essentials(story.ended)
        assert "resolvedDateTime" not in _essentials(story.fired)
    else:
        assert service in BY_CONTENT
        assert story.ended.alert_id != story.fired.alert_id
        assert story.ended.condition == "Fired"


@pytest.mark.parametrize("kind", ["service-health-incident", "service-health-maintenance"])
def test_service_health_ends_by_its_stage(kind: str) -> None:
    """A later event of the same trackingId has stage and status Resolved, with monitorCondition still Fired."""
    story = _build(kind)
    assert story.ended is not None
    first, last = _context(story.fired), _context(story.ended)
    assert first["properties"]["trackingId"] == last["properties"]["trackingId"]
    assert first["properties"]["stage"] in {"Active", "Planned"}
    assert (last["properties"]["stage"], last["status"]) == ("Resolved", "Resolved")
    assert "configurationItems" not in _essentials(story.fired)
    assert re.fullmatch("[0-9a-f]{64}", str(story.fired.alert_id).rpartition("/")[2])
    assert isinstance(first["properties"]["impactedServices"], str)
    assert isinstance(last["properties"]["impactedServices"], list)


def test_resource_health_ends_by_becoming_available() -> None:
    """The end is another alert about the same target."""
    story = _build("resource-health")
    assert story.ended is not None
    assert _context(story.fired)["properties"]["currentHealthStatus"] == "Unavailable"
    assert _context(story.ended)["properties"]["currentHealthStatus"] == "Available"
    assert _essentials(story.fired)["alertTargetIDs"] == _essentials(story.ended)["alertTargetIDs"]


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind.startswith("metric-") and kind != "metric-stateless"])
def test_a_resolved_metric_alert_says_when_it_resolved_in_both_times(kind: str) -> None:
    """FiredDateTime equals resolvedDateTime, the value is healthy, and the window is missing."""
    story = _build(kind)
    assert story.ended is not None
    essentials, condition = _essentials(story.ended), _context(story.ended)["condition"]
    assert essentials["firedDateTime"] == essentials["resolvedDateTime"]
    assert essentials["firedDateTime"] > _essentials(story.fired)["firedDateTime"]
    assert "windowStartTime" not in condition
    assert condition["allOf"][0]["metricValue"] != _context(story.fired)["condition"]["allOf"][0]["metricValue"]


def test_another_firing_of_a_metric_rule_shares_the_origin_and_not_the_id() -> None:
    """OriginAlertId is the same for every firing of one rule on one resource."""
    one, two, other = _build("metric-static", 1), _build("metric-static", 2), _build("metric-static", 1, rule="other")
    assert one.fired.alert_id != two.fired.alert_id
    assert _essentials(one.fired)["originAlertId"] == _essentials(two.fired)["originAlertId"]
    assert _essentials(one.fired)["originAlertId"] != _essentials(other.fired)["originAlertId"]


def test_the_traps_of_azure_facts_1_2_are_all_there() -> None:
    """Text numbers, JSON in texts, null members, both kinds of level, mixed case, money as text."""
    bodies = {kind: _build(kind) for kind in KINDS}
    values = {kind: dict(_values(story.fired.common)) for kind, story in bodies.items()}
    assert values["metric-static"]["threshold"] == "85"
    assert values["log-v1-results"]["Threshold"] == 0
    assert values["metric-two-conditions"]["metricValue"] is None
    assert values["log-search-resource"]["targetResourceTypes"].startswith("['")
    assert json.loads(values["activity-policy"]["policies"])
    assert (values["service-health-incident"]["level"], values["service-health-maintenance"]["level"]) == (
        3,
        "Informational",
    )
    assert values["budget-spent"]["SpentAmount"] == "$12,480.55"
    assert values["application-insights-v1-results"]["SearchIntervalEndtimeUtc"] == "5/4/2026 3:30:07 PM"
    assert "\n" in _essentials(bodies["metric-two-conditions"].fired)["description"]
    assert not _essentials(bodies["service-health-incident"].fired)["firedDateTime"].endswith("Z")
    targets = {
        _essentials(bodies[kind].fired)["alertTargetIDs"][0] for kind in ("metric-static", "log-search-resource")
    }
    assert {"/resourcegroups/" in one for one in targets} == {True}
    assert any(one != one.lower() for one in targets)


def test_budgets_name_nothing_but_a_false_configuration_item() -> None:
    """Rule, severity, signal, targets and origin are null; the only item is the word budgets."""
    essentials = _essentials(_build("budget-spent").fired)
    assert [
        essentials[name] for name in ("alertRule", "severity", "signalType", "alertTargetIDs", "originAlertId")
    ] == [None] * 5
    assert essentials["configurationItems"] == ["budgets"]
    assert "/providers/Microsoft.CostManagement/alerts/" in essentials["alertId"]


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind.startswith("activity-")])
def test_activity_log_alerts_are_always_sev4_and_fired(kind: str) -> None:
    """Severity says nothing here, whatever happened."""
    essentials = _essentials(_build(kind).fired)
    assert (essentials["severity"], essentials["monitorCondition"]) == ("Sev4", "Fired")


def test_where_the_real_resource_stands() -> None:
    """Each in its own place: target, dimension, linked resource, label, affected items."""
    dimension = _context(_build("log-search-computer").fired)["condition"]["allOf"][0]["dimensions"]
    assert {"name": "Computer", "value": "vm-dc-01"} in dimension
    assert "workspaces/log-central" in _essentials(_build("log-search-computer").fired)["alertTargetIDs"][0].lower()
    assert _context(_build("backup").fired)["linkedResourceId"] == ESTATE.named("vm-wms-db-01").id
    assert _essentials(_build("backup").fired)["configurationItems"] == ["rsv-central"]
    label = _context(_build("prometheus").fired)["labels"]["microsoft.resourceid"]
    assert label == ESTATE.named("aks-warehouse").id.lower()
    assert "configurationItems" not in _essentials(_build("log-search-workspace").fired)
    assert _context(_build("log-v1-measurement").fired)["AffectedConfigurationItems"] is None


@pytest.mark.parametrize("kind", kinds())
def test_the_same_seed_gives_the_same_bytes(kind: str) -> None:
    """Another seed gives other ids, except for the canned tests."""
    one, again, other = _build(kind, 5), _build(kind, 5), _build(kind, 6)
    assert one == again
    assert (one == other) is (one.is_test or kind in {"classic-metric", "autoscale-notification"})


@pytest.mark.parametrize("kind", sorted(set(KINDS) - {"log-search-ambiguous", "log-search-workspace"}))
def test_rule_names_can_be_chosen(kind: str) -> None:
    """A rule of one's own name; budgets and backups have their own way."""
    story = _build(kind, rule="my rule")
    assert story.rule == ("Backup Failure" if kind == "backup" else None if kind.startswith("budget") else "my rule")
    if kind != "backup":
        assert "my rule" in json.dumps(story.fired.body(common_schema=True))


def test_an_unknown_kind_names_those_there_are() -> None:
    """The error says what can be chosen."""
    with pytest.raises(LookupError, match="metric-static, "):
        _build("none such")


class TestOlderSchemas:
    """What an action sends with the common alert schema off (azure-facts 1.8)."""

    @pytest.mark.parametrize(
        ("kind", "schema"),
        [
            ("metric-static", "AzureMonitorMetricAlert"),
            ("metric-dynamic", "AzureMonitorMetricAlert"),
            ("metric-several-resources", "AzureMonitorMetricAlert"),
            ("metric-web-test", "AzureMonitorMetricAlert"),
            ("activity-administrative", "Microsoft.Insights/activityLogs"),
            ("activity-recommendation", "Microsoft.Insights/activityLogs"),
            ("service-health-incident", "Microsoft.Insights/activityLogs"),
            ("resource-health", "Microsoft.Insights/activityLogs"),
            ("application-insights-v1-results", "Microsoft.Insights/LogAlert"),
            ("budget-spent", "AIP Budget Notification"),
            ("log-v1-results", None),
            ("log-v1-measurement", None),
            ("classic-metric", None),
            ("autoscale-notification", None),
        ],
    )
    def test_each_has_its_own_schema_id_or_none(self, kind: str, schema: str | None) -> None:
        """The envelope tells the schemas apart, where there is one."""
        body = _build(kind).fired.body(common_schema=False)
        assert body.get("schemaId") == schema

    def test_metric_alerts_are_activated_and_deactivated(self) -> None:
        """The same rule and resource in both; severity is a digit as text."""
        story = _build("metric-static")
        assert story.ended is not None
        fired, ended = (one.body(common_schema=False)["data"] for one in (story.fired, story.ended))
        assert (fired["status"], ended["status"]) == ("Activated", "Deactivated")
        assert fired["context"]["id"] == ended["context"]["id"]
        assert fired["context"]["resourceId"] == ended["context"]["resourceId"]
        assert fired["context"]["severity"] == "2"
        assert fired["context"]["timestamp"] < ended["context"]["timestamp"]

    @pytest.mark.parametrize("kind", ["prometheus", "backup", "smart-detector-value", "log-search-resource"])
    def test_some_kinds_know_no_other_schema(self, kind: str) -> None:
        """Where no older form is known the common one is sent all the same."""
        fired = _build(kind).fired
        assert fired.body(common_schema=False) is fired.common

    def test_a_kind_of_an_older_schema_has_no_common_body(self) -> None:
        """Classic alerts ignore the switch."""
        fired = _build("classic-metric").fired
        assert (fired.common, fired.alert_id) == (None, None)
        assert fired.body(common_schema=True) is fired.legacy


class TestPortalTests:
    """The portal's "Test action group" (azure-facts 2.4)."""

    def test_all_types_are_there(self) -> None:
        """Log V1 twice, log V2, metric twice, web test, activity log, both healths, three budgets, smart detector."""
        assert len(TESTS) == 13

    @pytest.mark.parametrize("kind", TESTS)
    def test_ids_are_the_same_every_time(self, kind: str) -> None:
        """Neither seed nor rule changes them, and they name a subscription that does not exist."""
        one, two = _build(kind, 1), _build(kind, 2, rule="x")
        assert one.fired.alert_id == two.fired.alert_id
        assert one.is_test
        assert CANNED_SUBSCRIPTION in str(one.fired.alert_id)

    def test_different_tests_share_an_id(self) -> None:
        """Strict de-duplication by alertId would swallow the second one."""
        assert _build("test-metric-static").fired.alert_id == _build("test-log-v2").fired.alert_id

    @pytest.mark.parametrize("kind", [kind for kind in TESTS if "budget" not in kind])
    def test_rules_start_with_test(self, kind: str) -> None:
        """That is what they can be told by, besides their ids."""
        assert str(_build(kind).rule).startswith("test-")

    def test_the_subscription_can_be_a_real_one(self) -> None:
        """Every id follows, those of budgets too."""
        for kind in TESTS:
            story = build(kind, Workshop(ESTATE, AT, random.Random(1)), test_subscription="0000")  # noqa: S311
            assert CANNED_SUBSCRIPTION not in json.dumps(story.fired.common)


@pytest.mark.skipif(not SAMPLES.is_dir(), reason="the collected samples are not beside the checkout")
class TestAgainstSamples:
    """The official samples that stand beside the checkout: our contexts have the members that theirs have."""

    @pytest.mark.parametrize(("sample", "kind"), COMMON_SAMPLES)
    def test_contexts(self, sample: str, kind: str) -> None:
        """Every member of the official context is in ours."""
        text = json.loads((SAMPLES / "common" / f"{sample}.json").read_text("utf-8"))
        official = text.get("alertContext") or text["data"]["alertContext"]
        missing = _names(official) - _names(_context(_build(kind).fired)) - NOT_COMPARED - ODD
        assert missing == set()

    @pytest.mark.parametrize(("sample", "kind"), OLDER_SAMPLES)
    def test_older_bodies(self, sample: str, kind: str) -> None:
        """Every member of the official older body is in ours."""
        official = json.loads((SAMPLES / "legacy" / f"{sample}.json").read_text("utf-8"))
        ours = _build(kind).fired.body(common_schema=False)
        assert _names(official) - _names(ours) - NOT_COMPARED - ODD == set()


def _names(value: Any) -> set[str]:
    if isinstance(value, dict):
        kept = {name: one for name, one in value.items() if name not in {"SearchResult", "SearchResults"}}
        return set(kept) | {name for one in kept.values() for name in _names(one)}
    if isinstance(value, list):
        return {name for one in value for name in _names(one)}
    return set()


@pytest.mark.parametrize(
    ("digits", "zone", "text"),
    [
        (7, "Z", "2026-05-04T15:30:07.1234563Z"),
        (6, "+00:00", "2026-05-04T15:30:07.123456+00:00"),
        (3, "", "2026-05-04T15:30:07.123"),
        (0, "Z", "2026-05-04T15:30:07Z"),
    ],
)
def test_stamps(digits: int, zone: str, text: str) -> None:
    """Every spelling of a time that azure-facts 1.2 lists."""
    assert stamp(AT, digits, zone) == text


@pytest.mark.parametrize(
    ("hour", "text"), [(0, "5/4/2026 12:30:07 AM"), (12, "5/4/2026 12:30:07 PM"), (15, "5/4/2026 3:30:07 PM")]
)
def test_american_stamps(hour: int, text: str) -> None:
    """Version 1 writes a twelve-hour clock."""
    assert american_stamp(AT.replace(hour=hour)) == text
