"""The JSON API, and what monitoring and browsers read."""

import json
from typing import Any
from urllib.parse import quote

import pytest
from prometheus_client.parser import text_string_to_metric_families
from tests.journeys.contract.outside import Service, alert, ask

pytestmark = pytest.mark.journey


WORK_ITEM: dict[str, Any] = {
    "id": str,
    "connection": str,
    "correlation_key": str,
    "state": str,
    "owed": bool,
    "number": str,
    "url": str,
    "configuration_items": list,
    "alerts": list,
    "severity": str,
    "created_at": str,
    "resolved_at": str | None,
}
ALERT: dict[str, Any] = {
    "id": str,
    "connection": str,
    "condition": str,
    "monitoring_service": str,
    "rule": str,
    "severity": str,
    "targets": list,
    "configuration_items": list,
    "fired_at": str,
    "resolved_at": str | None,
    "is_test": bool,
    "is_legacy_schema": bool,
    "work_item": str,
    "reasons": list,
}


def assert_has(found: dict[str, Any], members: dict[str, Any]) -> None:
    assert members.keys() <= found.keys(), members.keys() - found.keys()
    wrong = {name: found[name] for name, kind in members.items() if not isinstance(found[name], kind)}
    assert not wrong


def test_work_items_and_alerts_have_the_promised_members_everywhere(service: Service) -> None:
    """Lists and details, over HTTP and on the command line, give the same names and types."""
    assert service.take(alert("shape")) == "accepted"
    item = service.work_item("shape")
    assert_has(item, WORK_ITEM)
    assert item["state"] == "open"
    assert item["resolved_at"] is None
    one = service.alert("shape", lambda a: a["work_item"])
    assert_has(one, ALERT)
    assert one["id"] == alert("shape")["data"]["essentials"]["alertId"], "as Azure wrote it"
    assert item["alerts"] == [one["id"]]
    assert all(isinstance(reason, str) for reason in one["reasons"])
    for binding in (*item["configuration_items"], *one["configuration_items"]):
        assert_has(binding, {"id": str | None, "name": str, "rule": str, "reason": str})
    for path, members in (("alerts", ALERT), ("work-items", WORK_ITEM)):
        of_api = service.program.json(f"/api/v1/{path}?connection=desk&limit=1")["items"][0]
        of_command = json.loads(service.program.run(path, "list", "--json", "--limit", "1").out)[0]
        assert members.keys() <= of_api.keys()
        assert of_api.keys() == of_command.keys()


def test_lists_are_paged_by_cursor_while_they_grow(service: Service) -> None:
    """Every row that was there at the start comes once, newest first, whatever arrives meanwhile."""
    names = [f"page-{number}" for number in range(12)]
    for name in names:
        service.take(alert(name))
        service.work_item(name)
    for path in ("alerts", "work-items"):
        got, cursor, pages = list[str](), "", 0
        while True:
            page = service.program.json(f"/api/v1/{path}?connection=desk&limit=5{cursor}")
            got += [row["id"] for row in page["items"]]
            service.take(alert(f"later-{path}-{pages}"))
            pages += 1
            if page["next_cursor"] is None:
                break
            cursor = f"&cursor={quote(page['next_cursor'])}"
        assert pages > 2
        assert len(got) == len(set(got))
        ids = {alert(name)["data"]["essentials"]["alertId"] for name in names}
        assert path != "alerts" or ids <= set(got)


def test_the_api_describes_itself_and_names_what_is_wrong(service: Service) -> None:
    """The description has every promised address; wrong filters, limits and ids are errors and not empty lists."""
    described = service.program.json("/api/v1/openapi.json")["paths"]
    promised = {
        "get": ["alerts", "alerts/{id}", "work-items", "work-items/{id}", "lanes", "quarantine", "cis"],
        "post": ["lanes/{key}/retry", "quarantine/{id}/replay"],
    }
    for method, paths in promised.items():
        assert all(method in described[f"/api/v1/{path}"] for path in paths)
    for path, status in (
        ("alerts?condition=Fired", 400),
        ("work-items?state=closed", 400),
        ("work-items?limit=0", 400),
        ("work-items?cursor=nonsense", 400),
        ("alerts?nonsense=1", 400),
        ("alerts/none", 404),
        ("work-items/none", 404),
        ("quarantine/none", 404),
        ("nonsense", 404),
    ):
        answer = ask(service.program, "GET", f"/api/v1/{path}")
        assert answer.status == status, (path, answer)
        assert isinstance(answer.body["error"], str), path
    assert ask(service.program, "POST", "/api/v1/lanes/none/retry").status == 404


def test_health_metrics_and_console_are_there(service: Service) -> None:
    """Monitoring reads what it needs without a token, and a browser gets a page."""
    service.take(alert("counted"))
    assert ask(service.program, "GET", "/healthz").status == 200
    assert ask(service.program, "GET", "/readyz").status == 200
    text = ask(service.program, "GET", "/metrics").body.decode()
    families = {family.name for family in text_string_to_metric_families(text)}
    assert any(name.startswith("secure_export_notifications") for name in families)
    page = ask(service.program, "GET", "/")
    assert page.status == 200
    assert page.headers["content-type"].startswith("text/html")
