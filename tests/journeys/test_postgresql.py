"""Several processes of the real program on one PostgreSQL."""

import json
from pathlib import Path

import pytest
from tests.postgres import Server
from tests.program import Program

pytestmark = pytest.mark.journey

SUBSCRIPTION = "0f4c8a77-5d21-4b6e-9c13-a8e2d7b4f650"
ALERTS = 40


ALERT = {
    "alertId": f"/subscriptions/{SUBSCRIPTION}/providers/Microsoft.AlertsManagement/alerts/1",
    "alertRule": "queue depth",
    "severity": "Sev2",
    "signalType": "Metric",
    "monitorCondition": "Fired",
    "monitoringService": "Platform",
    "firedDateTime": "2026-05-04T10:00:00Z",
}


async def test_roles_apart_on_one_postgresql_bring_each_alert_to_one_closed_incident(
    tmp_path: Path, entra: str, postgres: Server
) -> None:
    """One process takes alerts in, two deliver, one of those is killed in the middle: nothing is lost or made twice."""
    async with postgres.database(migrated=False) as name:
        programs = []
        for folder in ("intake", "delivery-1", "delivery-2"):
            (tmp_path / folder).mkdir()
            programs.append(Program(tmp_path / folder, entra, store=postgres.url(name)))
        intake, doomed, other = programs
        try:
            intake.start("--role", "intake,console")
            doomed.start("--role", "delivery", ready=False)
            other.start("--role", "delivery", ready=False)
            data = {"essentials": ALERT, "alertContext": None}
            body = json.dumps({"schemaId": "azureMonitorCommonAlertSchema", "data": data})
            (intake.folder / "alert.json").write_text(body, encoding="utf-8")
            send = ("send", "alert.json", "--url", intake.webhook, "--token-from", entra, "--count", str(ALERTS))
            for resolve in ((), ("--resolve",)):
                ran = intake.run(*send, *resolve, "--json")
                assert {one["result"] for one in json.loads(ran.out)} == {"delivered"}
                if not resolve:
                    doomed.kill()
            intake.wait_until("/api/v1/lanes", lambda answer: not answer["items"])
            items = intake.rows("work-items", "list")
            assert len(items) == ALERTS
            assert {(item["state"], item["owed"]) for item in items} == {("resolved", False)}
            assert len({item["number"] for item in items}) == ALERTS
        finally:
            for program in programs:
                program.stop()
