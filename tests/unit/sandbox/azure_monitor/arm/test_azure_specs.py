"""The checker that holds requests and answers against the official descriptions: it finds what is wrong."""

import json
from pathlib import Path
from typing import Any

import pytest
from tests import azure_specs
from tests.azure_specs import SPECS, needs_specs, response_violations, violations
from tests.unit.sandbox.azure_monitor.arm.arm_requests import ALERTS, GROUP, RULES, group, processing_rule, webhook

pytestmark = needs_specs
# It groups by two essentials with a comma, where the description takes one; the others' description was not saved.
ODD = ("Alerts_Summary.json", "SmartDetector")


def _examples() -> list[Path]:
    found = SPECS.rglob("examples/*.json") if SPECS.is_dir() else ()
    return sorted(one for one in found if not one.name.startswith(ODD))


def _request(example: Path) -> tuple[str, str, Any]:
    """Build the request of an official example."""
    said = json.loads(example.read_text("utf-8"))["parameters"]
    for one in azure_specs._operations():
        named = [item["$ref"] for item in one.body.get("x-ms-examples", {}).values()]
        if any((one.file.parent / name).resolve() == example.resolve() for name in named):
            parameters = [azure_specs._resolved(item, one.file)[0] for item in one.body.get("parameters", [])]
            path = one.path.replace("{scope}", f"/{str(said.get('scope', '')).strip('/')}")
            query, body = [], None
            for item in parameters:
                value = said.get(item["name"])
                path = path.replace(f"{{{item['name']}}}", str(value))
                if item["in"] == "query" and value is not None:
                    query.append(f"{item['name']}={value if isinstance(value, str) else json.dumps(value)}")
                if item["in"] == "body":
                    body = said.get("body", value)
            return one.method.upper(), f"{path}?{'&'.join(query)}", body
    raise AssertionError(f"{example.name} belongs to no operation")


@pytest.mark.parametrize("example", _examples(), ids=lambda one: one.stem)
def test_the_official_examples_pass(example: Path) -> None:
    """Requests and answers, as they stand, but for the one that no description fits."""
    method, url, body = _request(example)
    if example.name == "Alerts_ChangeState.json":
        assert violations(method, url, body) == [
            "body: Additional properties are not allowed ('comment' was unexpected)"
        ]
    else:
        assert violations(method, url, body) == []
    for status, answer in json.loads(example.read_text("utf-8"))["responses"].items():
        assert response_violations(method, url, int(status), answer.get("body")) == []


@pytest.mark.parametrize(
    ("body", "text"),
    [
        (group(webhook(), SecurewebhookReceivers=[]), "SecurewebhookReceivers"),
        (group(webhook(objectid="x")), "objectid"),
        (group(webhook(useAadAuth="true")), "boolean"),
        (group(groupShortName="much too long"), "too long"),
        (group({"name": "x"}), "serviceUri"),
        ({**group(), "identity": {}}, "identity"),
        (None, "no body"),
    ],
)
def test_wrong_action_groups_are_found(body: Any, text: str) -> None:
    """Unknown members above all, which the descriptions let pass."""
    found = violations("PUT", f"http://127.0.0.1:1/arm{GROUP}", body)
    assert len(found) == 1
    assert text in found[0]


def test_a_right_request_is_left_alone() -> None:
    """Action groups and processing rules, whose actions have variants."""
    assert (
        violations("PUT", GROUP, group(webhook(useAadAuth=True, objectId="o", identifierUri="u", tenantId="t"))) == []
    )
    rule = processing_rule(
        "/subscriptions/x", conditions=[{"field": "Severity", "operator": "Equals", "values": ["Sev0"]}]
    )
    assert violations("PUT", f"{RULES}/x?api-version=2021-08-08", rule) == []


@pytest.mark.parametrize(
    ("method", "url", "text"),
    [
        ("GET", f"{ALERTS}?api-version=2019-03-01&timeRange=2d", "timeRange"),
        ("GET", f"{ALERTS}?api-version=2019-03-01&mood=1", "mood"),
        ("GET", f"{ALERTS}?api-version=2019-03-01&pageCount=many", "pageCount"),
        ("GET", ALERTS, "no api-version"),
        ("GET", f"{ALERTS}?api-version=2020-01-01", "not described"),
        ("POST", f"{ALERTS}/x/changestate?api-version=2019-03-01", "newState"),
        ("GET", "/subscriptions/x/nothing?api-version=2019-03-01", "no description"),
    ],
)
def test_wrong_addresses_are_found(method: str, url: str, text: str) -> None:
    """Versions, and parameters that are missing, unknown or of no known value."""
    found = violations(method, url)
    assert len(found) == 1
    assert text in found[0]


def test_wrong_answers_are_found() -> None:
    """A status that is not described, a missing body, a member that is none."""
    assert response_violations("GET", GROUP, 204) == ["204 is not described; these are: 200, default"]
    assert response_violations("GET", GROUP, 200) == ["no body where one is described"]
    assert response_violations("DELETE", GROUP, 200, {"a": 1}) == ["a body where none is described"]
    assert response_violations("GET", GROUP, 200, {"location": "Global", "extra": None, "more": 1})
    assert response_violations("GET", GROUP, 400, {"error": {"message": "x"}}) == ["an error without code or message"]
