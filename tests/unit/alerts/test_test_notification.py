"""Tests of an action group are recognised, and no real alert is taken for one."""

import pytest
from tests.unit.alerts.samples import SHARED, SUBSCRIPTION, alert, own, own_names, read, shared, shared_names

from secure_export.alerts import test_notification
from secure_export.alerts.decode import decode

GROUP = f"/subscriptions/{SUBSCRIPTION}/resourcegroups/test-RG/providers/microsoft.compute/virtualmachines/test-VM"
CANNED = {
    "alertRule": "test-metricAlertRule",
    "description": "Alert rule description",
    "alertTargetIDs": [GROUP],
    "configurationItems": ["test-VM"],
}


@pytest.mark.parametrize("name", own_names())
def test_samples_are_tests_only_when_they_are(name: str) -> None:
    """The canned bodies are marked, also with an id that is not known; all others are not."""
    assert read(name).is_test is name.startswith("common/test-")


@pytest.mark.skipif(not SHARED.exists(), reason="the shared payloads are not beside this checkout")
@pytest.mark.parametrize("name", [n for n in shared_names() if "-test-" in n or "test2026" in n])
def test_every_canned_body_that_was_seen_is_a_test(name: str) -> None:
    """All types, of 2022 and of 2026."""
    assert decode(shared(name)).is_test


def test_canned_names_are_enough_without_a_canned_id() -> None:
    """The live id may be any."""
    assert alert(None, **CANNED).is_test


@pytest.mark.parametrize(
    "change",
    [
        {"alertRule": "test-cpu", "description": "mine"},
        {"alertRule": "test-metricAlertRule", "alertTargetIDs": [], "configurationItems": [], "description": "mine"},
        {"alertRule": "cpu"},
        {"monitorCondition": "Resolved"},
    ],
)
def test_one_signal_alone_is_not_enough(change: dict[str, object]) -> None:
    """A rule that a person called ``test-cpu`` must be resolved like any other, so it is none."""
    assert not alert(None, **(CANNED | change)).is_test


def test_each_arrival_of_a_test_has_an_id_of_its_own() -> None:
    """Two tests with one canned id are two alerts."""
    ids = {test_notification.test_alert_id("/alerts/Test_Alert", lane) for lane in ("test:1", "test:2")}
    assert len(ids) == 2
    assert all(one.startswith("/alerts/Test_Alert") for one in ids)


def test_a_canned_body_is_a_test_in_slow_reading_too() -> None:
    """A byte order mark does not hide it."""
    assert decode(b"\xef\xbb\xbf" + own("common/test-metric-fired")).is_test
