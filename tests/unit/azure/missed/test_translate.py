"""From the API's form of an alert to the webhook's."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from secure_export.alerts.alert import Condition, Kind
from secure_export.alerts.common_schema import FETCHED
from secure_export.alerts.decode import decode
from secure_export.azure.missed.listed import action_groups_in, read_listed
from secure_export.azure.missed.translate import body_of, conditions

SAMPLES = Path(__file__).parents[4] / "../shared/payloads/alertsmanagement-api"
SUBSCRIPTION = "3b540246-808d-4331-99aa-917b808a9166"
GUID = "66114d64-d9d9-478b-95c9-b789d6502100"
TARGET = f"/subscriptions/{SUBSCRIPTION}/resourcegroups/rg/providers/microsoft.compute/virtualmachines/vm-1"
ALERT_ID = f"/subscriptions/{SUBSCRIPTION}/providers/Microsoft.AlertsManagement/alerts/{GUID}"
RULE = f"/subscriptions/{SUBSCRIPTION}/resourceGroups/rg/providers/Microsoft.Insights/metricAlerts/cpu high"


def row(*, name: str = "cpu high", context: Any = None, scope: str = TARGET, **essentials: Any) -> dict[str, Any]:
    said = {
        "severity": "Sev2",
        "signalType": "Metric",
        "alertState": "New",
        "monitorCondition": "Fired",
        "monitorService": "Platform",
        "targetResource": TARGET,
        "sourceCreatedId": "origin",
        "alertRule": RULE,
        "startDateTime": "2026-03-02T09:19:05.1171230Z",
        "lastModifiedDateTime": "2026-03-02T09:19:06Z",
        "actionStatus": {"isSuppressed": False},
        "description": "too hot",
    }
    properties = {"essentials": said | essentials, "context": context, "egressConfig": {}}
    return {
        "id": f"{scope}/providers/Microsoft.AlertsManagement/alerts/{GUID}",
        "name": name,
        "type": "Microsoft.AlertsManagement/alerts",
        "properties": properties,
    }


def translated(one: dict[str, Any], condition: Condition = Condition.FIRED) -> Any:
    listed = read_listed(one)
    assert listed is not None
    return decode(body_of(listed, condition))


def test_the_names_of_the_api_become_those_of_the_webhook() -> None:
    """What both forms say is the same afterwards, and what the API does not say is not made up."""
    alert = translated(row())
    assert alert.id == ALERT_ID
    assert (alert.condition, alert.kind, alert.severity) == (Condition.FIRED, Kind.METRIC, "Sev2")
    assert (alert.rule, alert.rule_id, alert.targets) == ("cpu high", RULE, (TARGET,))
    assert (alert.origin_id, alert.description, alert.signal_type) == ("origin", "too hot", "Metric")
    assert alert.fired_at == alert.event_at == datetime(2026, 3, 2, 9, 19, 5, 117_123, UTC)
    assert alert.configuration_items == ()
    assert bytes(alert.context) == b"null"
    assert alert.warnings == (FETCHED,)


def test_an_alert_that_fired_and_resolved_becomes_both_notifications() -> None:
    """The end carries its own time; where Azure does not say it, none is made up."""
    one = row(monitorCondition="Resolved", monitorConditionResolvedDateTime="2026-03-02T09:30:00Z")
    listed = read_listed(one)
    assert listed is not None
    assert conditions(listed) == (Condition.FIRED, Condition.RESOLVED)
    fired, resolved = (translated(one, condition) for condition in conditions(listed))
    assert (fired.ended, fired.resolved_at) == (False, None)
    assert (resolved.ended, resolved.event_at) == (True, datetime(2026, 3, 2, 9, 30, tzinfo=UTC))
    assert translated(row(monitorCondition="Resolved"), Condition.RESOLVED).event_at is None


def test_a_time_of_resolving_means_nothing_while_the_condition_is_fired() -> None:
    """The API's own sample gives one for an alert that is fired."""
    listed = read_listed(row(monitorConditionResolvedDateTime="2026-03-02T09:30:00Z"))
    assert listed is not None
    assert conditions(listed) == (Condition.FIRED,)
    assert listed.resolved_at is None


@pytest.mark.parametrize(
    ("service", "kind", "signal"),
    [
        ("ActivityLog Policy", Kind.POLICY, "Activity Log"),
        ("ActivityLog Administrative", Kind.ADMINISTRATIVE, "Activity Log"),
        ("ServiceHealth", Kind.SERVICE_HEALTH, "Activity Log"),
        ("Resource Health", Kind.RESOURCE_HEALTH, "Activity Log"),
        ("SmartDetector", Kind.SMART_DETECTOR, "Log"),
        ("Log Alerts V2", Kind.LOG_SEARCH, "Log"),
        ("Zabbix", Kind.OTHER, "Log"),
    ],
)
def test_every_service_is_told_by_the_webhooks_name(service: str, kind: Kind, signal: str) -> None:
    """So that the same alert is of the same kind whichever way it came."""
    alert = translated(row(monitorService=service, signalType="Log"))
    assert (alert.kind, alert.signal_type) == (kind, signal)


def test_the_context_is_passed_on_as_it_is_but_for_a_wrapping() -> None:
    """Decoders tell the kind by it; some services wrap it once more."""
    context = {"conditionType": "LogQueryCriteria", "condition": {"allOf": []}}
    for given_ in (context, {"context": context}):
        alert = translated(row(context=given_, monitorService="Log Alerts V2"))
        assert json.loads(bytes(alert.context)) == context
        assert alert.kind is Kind.LOG_SEARCH


def test_a_name_that_is_the_alerts_guid_is_not_the_rules() -> None:
    """Then the rule's name is the end of its id."""
    assert translated(row(name=GUID)).rule == "cpu high"


@pytest.mark.parametrize(
    "one",
    [
        None,
        [],
        {},
        {"id": ALERT_ID},
        row(monitorCondition="Strange"),
        {**row(), "id": f"{TARGET}/providers/Microsoft.AlertsManagement/alerts/Test_Alert"},
        {**row(), "id": f"{TARGET}/providers/Microsoft.CostManagement/alerts/{GUID}"},
        {**row(), "id": f"{ALERT_ID}/../../x"},
    ],
)
def test_what_is_no_alert_is_left_out(one: Any) -> None:
    """A row of another form does not stop the others."""
    assert read_listed(one) is None


def test_action_groups_are_found_wherever_they_stand() -> None:
    """The form of ``egressConfig`` is not described: any text that is an action group's id counts."""
    group = f"/subscriptions/{SUBSCRIPTION}/resourceGroups/RG/providers/microsoft.insights/actionGroups/AG"
    assert action_groups_in({"displayConfig": [{"rootJsonNode": group}, 1, None, f"x{group}"]}) == {group.lower()}
    assert action_groups_in(None) == frozenset()


@pytest.mark.skipif(not SAMPLES.is_dir(), reason="the official samples are not beside this checkout")
@pytest.mark.parametrize("name", ["alertsmanagement-getbyid.json", "alertsmanagement-changestate-acknowledged.json"])
def test_official_samples_are_read(name: str) -> None:
    """The samples' alerts become notifications that the decoder understands."""
    body = json.loads((SAMPLES / name).read_text("utf-8"))["responses"]["200"]["body"]
    alert = translated(body)
    assert alert.id.lower() == ALERT_ID.lower()
    assert alert.rule == "cpu alert"
    assert alert.monitoring_service == "Application Insights"


texts = st.text(max_size=30) | st.none() | st.integers() | st.booleans()
contexts = st.none() | st.dictionaries(st.text(max_size=10), texts, max_size=4)


@settings(max_examples=150, deadline=None)
@given(
    said=st.fixed_dictionaries(
        {},
        optional=dict.fromkeys(
            ("severity", "signalType", "monitorService", "targetResource", "sourceCreatedId", "alertRule",
             "startDateTime", "lastModifiedDateTime", "monitorConditionResolvedDateTime", "description"),
            texts,
        ),
    ),
    condition=st.sampled_from(["Fired", "Resolved", "fired"]),
    context=contexts,
    name=st.text(max_size=20),
)  # fmt: skip
def test_whatever_the_api_says_the_decoder_understands(
    said: dict[str, Any], condition: str, context: Any, name: str
) -> None:
    """A strange value costs that value, never the alert; and the same alert always gives the same bytes."""
    one = row(name=name, context=context, **{**said, "monitorCondition": condition})
    listed = read_listed(one)
    assert listed is not None
    for told in conditions(listed):
        body = body_of(listed, told)
        alert = decode(body)
        assert alert.id == ALERT_ID
        assert alert.condition is told
        assert FETCHED in alert.warnings
        assert body_of(listed, told) == body


@settings(max_examples=100, deadline=None)
@given(
    start=st.datetimes(min_value=datetime(2000, 1, 1), max_value=datetime(2100, 1, 1)),  # noqa: DTZ001 - UTC below
    lasts=st.integers(0, 10**7),
)
def test_times_survive_to_the_microsecond(start: datetime, lasts: int) -> None:
    """Event times decide what is old: they are those of Azure."""
    at = start.replace(tzinfo=UTC)
    over = at + timedelta(seconds=lasts)
    one = row(
        monitorCondition="Resolved",
        startDateTime=at.isoformat(),
        monitorConditionResolvedDateTime=over.isoformat(),
    )
    assert translated(one).event_at == at
    assert translated(one, Condition.RESOLVED).event_at == over
