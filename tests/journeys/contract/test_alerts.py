"""What becomes of alerts: in every order, by every connection, of every kind."""

from pathlib import Path
from typing import Any

import pytest
from tests.journeys.contract.outside import SAMPLES, SUBSCRIPTION, Service, alert
from tests.journeys.contract.standing_in import Entra
from tests.program import Program

pytestmark = pytest.mark.journey


def test_the_order_on_the_wire_does_not_matter(service: Service) -> None:
    """Fired then resolved, resolved then fired, a late duplicate: one work item, resolved, and never reopened."""
    service.take(alert("straight"))
    assert service.state("straight") == "open"
    service.take(alert("straight", resolved=True))
    service.take(alert("turned", resolved=True))
    service.take(alert("turned"))
    for name in ("straight", "turned"):
        settled = service.alert(name, lambda a: a["condition"] == "resolved" and a["work_item"] is not None)
        path = f"/api/v1/work-items/{settled['work_item']}"
        item = service.program.wait_until(path, lambda w: w["state"] == "resolved" and not w["owed"])
        assert item["resolved_at"] is not None
        assert service.program.json(f"/api/v1/desk/incidents/{item['number']}")["state"] == "resolved"
        assert service.take(alert(name)) == "duplicate"
        assert service.take(alert(name, description="sent by another group")) == "duplicate"
        assert service.program.json(path)["state"] == "resolved"


def test_one_alert_through_two_connections_is_a_work_item_in_each(service: Service) -> None:
    """A connection is a tool of its own: what one was told does not count for another."""
    assert service.take(alert("both")) == "accepted"
    assert service.take(alert("both"), to="by-rule") == "accepted"
    assert service.work_item("both")["id"] != service.work_item("both", to="by-rule")["id"]


@pytest.mark.parametrize(("connection", "shared"), [("by-ci", {"vm": "shared"}), ("by-rule", {"rule": "shared"})])
def test_alerts_that_share_a_key_share_a_work_item_until_it_is_closed(
    service: Service, connection: str, shared: dict[str, str]
) -> None:
    """It stays open until the last of its alerts resolved; the next one to fire opens another."""

    def one(name: str, *, resolved: bool = False) -> dict[str, Any]:
        named: dict[str, Any] = {"vm": f"vm-{name}", "rule": f"rule-{name}"} | shared
        return alert(f"{connection}-{name}", resolved=resolved, **named)

    for name in "ab":
        service.take(one(name), to=connection)
    first = service.work_item(f"{connection}-a", to=connection)
    assert service.work_item(f"{connection}-b", to=connection)["id"] == first["id"]
    service.take(one("a", resolved=True), to=connection)
    service.alert(f"{connection}-a", lambda a: a["condition"] == "resolved", to=connection)
    assert service.state(f"{connection}-a", to=connection) == "open"
    service.take(one("b", resolved=True), to=connection)
    service.program.wait_until(
        f"/api/v1/work-items/{first['id']}", lambda w: w["state"] == "resolved" and not w["owed"]
    )
    service.take(one("c"), to=connection)
    second = service.work_item(f"{connection}-c", to=connection)
    assert second["id"] != first["id"]
    assert second["number"] != first["number"]


def _event(name: str, sender: str, at: str, operation: str, **properties: str) -> dict[str, Any]:
    body = alert(name, vm="vm-health", monitoringService=sender, signalType="Activity Log", firedDateTime=at)
    body["data"]["alertContext"] = {
        "channels": "Admin",
        "correlationId": name,
        "eventTimestamp": at,
        "eventDataId": name,
        "level": "Warning",
        "operationName": operation,
        "properties": properties,
        "status": properties.get("stage", "Active"),
    }
    return body


def test_service_health_ends_by_a_later_event_of_the_same_tracking_id(service: Service) -> None:
    """Azure never says Resolved as a condition: the stage does, in another alert."""
    operation = "Microsoft.ServiceHealth/incident/action"
    for name, stage, minute in (("sh-1", "Active", "00"), ("sh-2", "Active", "10"), ("sh-3", "Resolved", "20")):
        body = _event(name, "ServiceHealth", f"2026-03-02T11:{minute}:00Z", operation,
                      title="Storage", service="Storage", region="West Europe", incidentType="Incident",
                      trackingId="ZKX1-LDZ", stage=stage)  # fmt: skip
        body["data"]["essentials"] |= {"alertTargetIDs": [f"/subscriptions/{SUBSCRIPTION}"], "configurationItems": None}
        service.take(body)
        item = service.work_item(name)
        assert item["id"] == service.work_item("sh-1")["id"], "one work item for one tracking id"
    assert service.state("sh-1") == "resolved"


def test_resource_health_ends_when_the_resource_is_available_and_begins_anew(service: Service) -> None:
    """Unavailable, Available, Unavailable: two work items, of which the first is resolved."""
    for name, now, minute in (
        ("rh-1", "Unavailable", "00"),
        ("rh-2", "Available", "10"),
        ("rh-3", "Unavailable", "20"),
    ):
        body = _event(
            name,
            "Resource Health",
            f"2026-03-02T12:{minute}:00Z",
            "Microsoft.Resourcehealth/healthevent/Activated/action",
            title="VM",
            currentHealthStatus=now,
            previousHealthStatus="Unknown",
            cause="PlatformInitiated",
        )
        service.take(body)
        service.work_item(name)
    assert service.work_item("rh-1")["id"] == service.work_item("rh-2")["id"]
    assert service.state("rh-1") == "resolved"
    assert service.work_item("rh-3")["id"] != service.work_item("rh-1")["id"]
    assert service.state("rh-3") == "open"


@pytest.mark.skipif(not SAMPLES.is_dir(), reason="the sample payloads are not beside the checkout")
def test_every_test_notification_is_shown(tmp_path: Path, standing_in: Entra) -> None:
    """The portal sends the same canned body each time: the second test is not swallowed as a duplicate."""
    service = Service(Program(tmp_path, standing_in.base), standing_in)
    service.program.start()
    try:
        body = (SAMPLES / "common/full-test2026-metric-static-threshold-fired.json").read_bytes()
        assert [service.take(body), service.take(body)] == ["accepted", "accepted"]
        page = service.program.wait_until(
            "/api/v1/work-items", lambda p: len(p["items"]) == 2 and not any(w["owed"] for w in p["items"])
        )
        assert len({item["number"] for item in page["items"]}) == 2
        assert all(one["is_test"] for one in service.program.json("/api/v1/alerts")["items"])
    finally:
        service.program.stop()
