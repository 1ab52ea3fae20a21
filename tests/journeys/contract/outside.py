"""The outside of the real program, called as other programs call it."""

import http.client
import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import quote

from tests.journeys.contract.standing_in import Entra
from tests.program import Program

SUBSCRIPTION = "5b1f9a0e-3c52-4f0a-8f0e-6f6f1f3f7a11"
OTHER_SUBSCRIPTION = "c7a4d5a2-96c0-4b57-9f2c-0f0d1f6c2b22"
SAMPLES = Path(__file__).parents[3] / "../shared/payloads"
HAND_OVER_SECONDS = 15.0


class Answer(NamedTuple):
    status: int
    headers: dict[str, str]
    body: Any


def ask(program: Program, method: str, path: str, body: Any = None, token: str | None = None) -> Answer:
    raw = body if isinstance(body, bytes | None) else json.dumps(body).encode()
    headers = {"Content-Type": "application/json"} | ({"Authorization": f"Bearer {token}"} if token is not None else {})
    connection = http.client.HTTPConnection("127.0.0.1", program.port, timeout=15)
    try:
        connection.request(method, path, raw, headers)
        got = connection.getresponse()
        text, named = got.read(), {name.lower(): value for name, value in got.getheaders()}
    finally:
        connection.close()
    is_json = named.get("content-type", "").startswith("application/json")
    return Answer(got.status, named, json.loads(text) if is_json and text else text)


def alert(name: str, *, resolved: bool = False, subscription: str = SUBSCRIPTION, vm: str = "vm-a", rule: str = "cpu",
          **essentials: Any) -> dict[str, Any]:  # fmt: skip
    said = {
        "alertId": f"/subscriptions/{subscription}/providers/Microsoft.AlertsManagement/alerts/{name}",
        "alertRule": rule,
        "severity": "Sev2",
        "signalType": "Metric",
        "monitorCondition": "Resolved" if resolved else "Fired",
        "monitoringService": "Platform",
        "alertTargetIDs": [
            f"/subscriptions/{subscription}/resourcegroups/rg/providers/microsoft.compute/virtualmachines/{vm}"
        ],
        "configurationItems": [vm],
        "firedDateTime": "2026-03-02T10:00:00.1234567Z",
    }
    if resolved:
        said["resolvedDateTime"] = "2026-03-02T10:20:00.1234567Z"
    condition = {"metricName": "Percentage CPU", "operator": "GreaterThan", "threshold": "90", "metricValue": 97.5}
    context = {"conditionType": "SingleResourceMultipleMetricCriteria", "condition": {"allOf": [condition]}}
    return {
        "schemaId": "azureMonitorCommonAlertSchema",
        "data": {"essentials": said | essentials, "alertContext": context, "customProperties": None},
    }


class Service(NamedTuple):
    """A running service with everything that is asked of it again and again."""

    program: Program
    entra: Entra

    def post(self, body: Any, *, to: str = "desk", token: str | None = None) -> Answer:
        return ask(self.program, "POST", f"/v1/connections/{to}/alerts", body, token or self.entra.token())

    def take(self, body: Any, *, to: str = "desk") -> str:
        answer = self.post(body, to=to)
        assert answer.status == 202, answer
        status: str = answer.body["status"]
        return status

    def alert(self, name: str, wanted: Callable[[Any], bool], *, to: str = "desk", subscription: str = SUBSCRIPTION,
              seconds: float = 20.0) -> dict[str, Any]:  # fmt: skip
        """Ask for one alert until it is as wanted; one that was accepted just now may not be read yet."""
        told = alert(name, subscription=subscription)["data"]["essentials"]["alertId"]
        path = f"/api/v1/alerts/{quote(told, safe='')}?connection={to}"
        end = time.monotonic() + seconds
        while True:
            answer = ask(self.program, "GET", path)
            if answer.status == 200 and wanted(answer.body):
                found: dict[str, Any] = answer.body
                return found
            assert time.monotonic() < end, answer
            time.sleep(0.05)

    def work_item(self, name: str, *, to: str = "desk", subscription: str = SUBSCRIPTION) -> dict[str, Any]:
        """Give the settled work item that an alert went into."""
        of = self.alert(name, lambda a: a["work_item"] is not None, to=to, subscription=subscription)["work_item"]
        found: dict[str, Any] = self.program.wait_until(f"/api/v1/work-items/{of}", lambda w: not w["owed"])
        return found

    def state(self, name: str, *, to: str = "desk") -> str:
        state: str = self.work_item(name, to=to)["state"]
        return state
