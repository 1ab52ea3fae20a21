"""Alerts in the schemas from before the common one are understood, and somebody is told to switch it on."""

from datetime import UTC, datetime

import pytest
from tests.unit.alerts.samples import SUBSCRIPTION, own, own_names, read

from secure_export.alerts.alert import Condition
from secure_export.alerts.decode import decode

LEGACY = [name for name in own_names() if name.startswith("legacy/")]


@pytest.mark.parametrize("name", LEGACY)
def test_a_legacy_alert_is_marked_and_warned_about(name: str) -> None:
    """The warning is something that an administrator can act on."""
    found = read(name)
    assert found.is_legacy_schema
    assert "common alert schema" in found.warnings[0]
    assert "/legacy/" in found.id
    assert found.id.startswith("/subscriptions/")


@pytest.mark.parametrize("name", LEGACY)
def test_the_same_body_has_the_same_id(name: str) -> None:
    """A retry is no other alert."""
    assert read(name).id == read(name).id


@pytest.mark.parametrize(
    ("activated", "deactivated"),
    [
        ("legacy/metric-activated", "legacy/metric-deactivated"),
        ("legacy/metric-dynamic-activated", "legacy/metric-dynamic-deactivated"),
        ("legacy/classic-metric-activated", "legacy/classic-metric-resolved"),
    ],
)
def test_activated_and_deactivated_are_one_problem(activated: str, deactivated: str) -> None:
    """Rule and resource make the problem, whatever the case of their ids; the later event ends it."""
    on, off = read(activated), read(deactivated)
    assert on.problem == off.problem
    assert on.id != off.id
    assert (on.condition, off.condition) == (Condition.FIRED, Condition.RESOLVED)
    assert (on.ended, off.ended) == (False, True)
    assert on.event_at is not None
    assert off.event_at is not None
    assert on.event_at < off.event_at


def test_time_series_of_one_rule_are_problems_of_their_own() -> None:
    """The end of one dimension value does not end another's."""
    sent = own("legacy/metric-activated").replace(b'"dimensions": []', b'"dimensions": [{"name": "Db", "value": "@@"}]')
    assert decode(sent.replace(b"@@", b"a")).problem != decode(sent.replace(b"@@", b"b")).problem


def test_every_event_of_a_rule_has_its_own_id() -> None:
    """A second firing is not taken for a repetition of the first."""
    sent = own("legacy/metric-activated")
    later = sent.replace(b"2026-02-13T09:35", b"2026-02-13T21:35")
    assert decode(sent).id != decode(later).id
    assert decode(sent).problem == decode(later).problem


def test_a_metric_alert_has_what_the_common_schema_would_tell() -> None:
    """Rule, severity, resource, time and properties."""
    found = read("legacy/metric-activated")
    assert (found.rule, found.severity, found.monitoring_service) == ("orders-dtu", "Sev2", "Platform")
    assert found.configuration_items == ("orders",)
    assert found.targets[0].endswith("/databases/orders")
    assert found.fired_at == datetime(2026, 2, 13, 9, 35, 12, 970368, UTC)
    assert found.custom_properties == {"team": "data"}


def test_a_log_search_has_an_id_for_each_interval_and_dimension() -> None:
    """The next interval of the same rule is another alert."""
    sent = own("legacy/log-analytics-metric-measurement")
    assert decode(sent).id != decode(sent.replace(b"T13:15:24Z", b"T14:15:24Z")).id
    assert decode(sent).id != decode(sent.replace(b"batch-06", b"batch-07")).id


def test_the_next_months_budget_notification_is_another_alert() -> None:
    """The body has no time; the amount spent differs."""
    sent = own("legacy/budget")
    assert decode(sent).id != decode(sent.replace(b"812.4", b"803.9")).id


def test_an_event_without_an_id_is_told_by_what_it_says() -> None:
    """Early samples have neither event id nor time."""
    sent = own("legacy/activity-administrative").replace(b'"eventDataId"', b'"ignored"')
    assert decode(sent).id == decode(sent).id != decode(sent.replace(b"ops.team", b"other.team")).id


def test_a_subscription_cannot_be_slipped_into_an_id() -> None:
    """The made-up id begins with one subscription and nothing that the body adds to it."""
    sent = own("legacy/budget").replace(SUBSCRIPTION.encode(), b"a/subscriptions/b")
    assert decode(sent).id.startswith("/subscriptions/a-subscriptions-b/legacy/")
