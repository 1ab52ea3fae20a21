"""What a person does with the real program, from configuration to ticket."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.program import Program

pytestmark = pytest.mark.journey

SUBSCRIPTION = "0f4c8a77-5d21-4b6e-9c13-a8e2d7b4f650"
VM = f"/subscriptions/{SUBSCRIPTION}/resourceGroups/Shop-RG/providers/Microsoft.Compute/virtualMachines/shop-web-01"


def alert(name: str, *, resolved: bool = False, subscription: str = SUBSCRIPTION) -> dict[str, Any]:
    essentials: dict[str, Any] = {
        "alertId": f"/subscriptions/{subscription}/providers/Microsoft.AlertsManagement/alerts/{name}",
        "alertRule": "shop web cpu",
        "severity": "Sev1",
        "signalType": "Metric",
        "monitorCondition": "Resolved" if resolved else "Fired",
        "monitoringService": "Platform",
        "alertTargetIDs": [VM.lower().replace(SUBSCRIPTION, subscription)],
        "configurationItems": ["shop-web-01"],
        "firedDateTime": "2026-05-04T10:00:00.1234567Z",
    }
    if resolved:
        essentials["resolvedDateTime"] = "2026-05-04T10:20:00.1234567Z"
    metric = {
        "metricName": "Percentage CPU",
        "metricNamespace": "Microsoft.Compute/virtualMachines",
        "operator": "GreaterThan",
        "threshold": "90",
        "timeAggregation": "Average",
        "dimensions": [],
        "metricValue": 97.5,
    }
    context = {
        "conditionType": "SingleResourceMultipleMetricCriteria",
        "condition": {"windowSize": "PT5M", "allOf": [metric]},
    }
    return {"schemaId": "azureMonitorCommonAlertSchema", "data": {"essentials": essentials, "alertContext": context}}


@pytest.fixture
def program(tmp_path: Path, entra: str) -> Iterator[Program]:
    made = Program(tmp_path, entra, subscriptions=(SUBSCRIPTION,))
    yield made
    made.stop()


def write(program: Program, name: str, value: Any) -> str:
    text = value if isinstance(value, str) else json.dumps(value)
    (program.folder / name).write_text(text, encoding="utf-8")
    return name


def send(program: Program, entra: str, file: str, *more: str) -> list[dict[str, Any]]:
    ran = program.run("send", file, "--url", program.webhook, "--token-from", entra, "--json", *more)
    results: list[dict[str, Any]] = json.loads(ran.out)
    return results


def test_an_alert_becomes_an_incident_on_its_ci_and_closes_when_it_resolves(program: Program, entra: str) -> None:
    """The main job, with the commands that a person would use."""
    cis = write(
        program,
        "cis.csv",
        f"name,resource_id,type,environment\nshop-web-01,{VM},microsoft.compute/virtualmachines,production\n",
    )
    assert "1 added" in program.run("cmdb", "import", cis).out
    assert program.run("check").code == 0
    program.start()
    fired = write(program, "fired.json", alert("1"))
    (first,) = send(program, entra, fired)
    assert first["result"] == "delivered"
    assert json.loads(first["answer"].split(" ", 1)[1])["status"] == "accepted"
    (again,) = send(program, entra, fired)
    assert json.loads(again["answer"].split(" ", 1)[1])["status"] == "duplicate"

    found = program.wait_until("/api/v1/work-items", lambda a: a["items"] and not a["items"][0]["owed"])
    (item,) = found["items"]
    assert item["state"] == "open"
    assert item["severity"] == "Sev1"
    assert [ci["name"] for ci in item["configuration_items"]] == ["shop-web-01"]
    assert item["configuration_items"][0]["rule"] == "resource-id"
    incident = program.json(f"/api/v1/desk/incidents/{item['number']}")
    assert "Percentage CPU" in incident["title"]
    assert incident["priority"] == 1, "urgent, on a production CI"

    send(program, entra, fired, "--resolve")
    program.wait_until(f"/api/v1/work-items/{item['id']}", lambda a: a["state"] == "resolved" and not a["owed"])
    assert program.json(f"/api/v1/desk/incidents/{item['number']}")["state"] == "resolved"
    shown = program.json("/api/v1/alerts")["items"][0]
    assert shown["condition"] == "resolved"
    assert shown["work_item"] == item["id"]
    assert shown["reasons"]


def test_lists_and_details_are_printed_for_people_and_programs(program: Program, entra: str) -> None:
    """Every list and every detail can be looked at while the service runs, as text and as JSON."""
    program.start()
    send(program, entra, write(program, "fired.json", alert("2")))
    item = program.wait_until("/api/v1/work-items", lambda a: a["items"] and not a["items"][0]["owed"])["items"][0]
    (row,) = program.rows("alerts", "list")
    assert row["id"].endswith("/alerts/2")
    assert program.run("alerts", "show", row["id"]).code == 0
    assert json.loads(program.run("alerts", "show", row["id"], "--json").out)["work_item"] == item["id"]
    assert item["number"] in program.run("work-items", "list").out
    assert json.loads(program.run("work-items", "show", item["id"], "--json").out)["steps"]
    assert "There are none." in program.run("lanes", "list").out


def test_what_cannot_be_understood_is_kept_shown_and_replayed(program: Program, entra: str) -> None:
    """A body from an authorised caller that makes no sense gets 202, waits in quarantine, and says why."""
    program.start()
    (sent,) = send(program, entra, write(program, "odd.json", {"hello": "world"}))
    answer = json.loads(sent["answer"].split(" ", 1)[1])
    assert answer["status"] == "quarantined"
    (row,) = program.rows("quarantine", "list")
    assert str(row["id"]) == answer["notification"]
    assert "hello" in program.run("quarantine", "show", str(row["id"])).out
    replayed = program.run("quarantine", "replay", str(row["id"]))
    assert replayed.code == 1
    assert "still not understood" in replayed.err


def test_an_alert_of_another_subscription_is_refused_and_the_log_says_what_to_change(
    program: Program, entra: str
) -> None:
    """A valid token of the tenant does not let an alert speak for a subscription that is not listed."""
    program.start()
    other = "99999999-5d21-4b6e-9c13-a8e2d7b4f650"
    (sent,) = send(program, entra, write(program, "other.json", alert("3", subscription=other)))
    assert sent["result"] == "dropped"
    assert "403" in sent["answer"]
    assert other not in sent["answer"]
    assert other in program.log.read_text()
    assert program.rows("alerts", "list") == []


def test_strangers_learn_nothing(program: Program) -> None:
    """Without a token every path of the webhook answers 401, whether the connection exists or not."""
    program.start()
    for path in ("/v1/connections/desk/alerts", "/v1/connections/nothing/alerts"):
        status, body = program.post(path, b"{}")
        assert status == 401
        assert b"desk" not in body


def test_an_accepted_alert_survives_a_power_cut(program: Program, entra: str) -> None:
    """What got a 202 becomes a work item after SIGKILL and a restart, once."""
    program.start("--role", "intake")
    file = write(program, "fired.json", alert("4"))
    results = send(program, entra, file, "--count", "20")
    assert {r["result"] for r in results} == {"delivered"}
    program.kill()
    program.start()
    program.wait_until("/api/v1/lanes", lambda a: not a["items"])
    assert len(program.rows("work-items", "list")) == 20


def test_the_service_ends_in_order(program: Program) -> None:
    """SIGTERM ends the service with exit code 0, and its log says so."""
    program.start()
    assert program.stop() == 0
    assert "service stopped" in program.log.read_text()


def test_ready_tells_what_is_wrong(tmp_path: Path) -> None:
    """Without signing keys the service runs and says what it waits for; the webhook answers 503, never 401."""
    program = Program(tmp_path, "http://127.0.0.1:9")
    program.start(ready=False)
    try:
        program_is_up(program)
        status, body = program.get("/readyz")
        assert status == 503
        assert "signing_keys" in json.loads(body)["checks"]
    finally:
        program.stop()


def program_is_up(program: Program) -> None:
    import time  # noqa: PLC0415 - only here

    for _ in range(400):
        try:
            if program.get("/healthz")[0] == 200:
                return
        except OSError:
            time.sleep(0.05)
    raise AssertionError(program.log.read_text())


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["serve", "--config", "none.toml"], "secure-export init"),
        (["alerts", "show", "nothing"], "nothing"),
        (["lanes", "retry", "nothing"], "nothing"),
        (["work-items", "show", "nothing"], "nothing"),
        (["quarantine", "show", "12345"], "12345"),
        (["cmdb", "import", "none.csv"], "none.csv"),
    ],
)
def test_errors_are_one_line_that_says_what_to_do(program: Program, arguments: list[str], said: str) -> None:
    """What goes wrong is told in a line on standard error, with exit code 1 and no traceback."""
    ran = program.run(*arguments)
    assert ran.code == 1
    assert said in ran.err
    assert "Traceback" not in ran.err
    assert len(ran.err.strip().splitlines()) == 1


def test_wrong_usage_exits_2(program: Program) -> None:
    """A command line that makes no sense exits 2."""
    assert program.run("serve", "--nonsense").code == 2
    assert program.run("serve", "--role", "cook").code == 2
    assert program.run("nonsense").code == 2


def test_init_writes_a_configuration_that_check_understands(program: Program) -> None:
    """The file that init writes is read as it is; it does not overwrite one that is there."""
    assert program.run("init", "new.toml", "--subscription", SUBSCRIPTION).code == 0
    assert SUBSCRIPTION in (program.folder / "new.toml").read_text()
    assert program.run("init", "new.toml").code == 1


def test_explain_needs_nothing_and_touches_nothing(program: Program) -> None:
    """A dry run shows the ticket with its reasons, without store or service."""
    ran = program.run("explain", write(program, "fired.json", alert("5")), "--config", "secure-export.toml", "--json")
    explained = json.loads(ran.out)
    assert explained["accepted"] == "yes"
    assert explained["title"]
    assert explained["reasons"]
    assert not (program.folder / "store.db").exists()
