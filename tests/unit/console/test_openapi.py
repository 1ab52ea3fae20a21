"""The API's description is true: real answers of a service with every kind of alert are as it says."""

import re
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

import pytest
from jsonschema import Draft202012Validator
from tests.unit.console.standins import Answer, Asker
from tests.unit.console.whole import Whole, fill, whole_service


@pytest.fixture
async def whole(tmp_path: Path) -> AsyncIterator[Whole]:
    """A service that took in every sample."""
    async with whole_service(tmp_path) as whole:
        await fill(whole)
        yield whole


class Described:
    """Asks, and holds each answer against the description."""

    def __init__(self, asker: Asker, document: dict[str, Any]) -> None:
        self.document = document
        self.asked: set[tuple[str, str]] = set()
        self._asker = asker

    async def ask(self, method: str, path: str, query: str = "", body: bytes = b"", **names: str) -> Any:
        address = re.sub(r"\{(\w+)\}", lambda found: quote(names[found[1]], safe=""), path)
        answer = await self._asker.ask(method, f"/api/v1{address}", query=query, body=body)
        self.check(method, path, answer)
        return answer.json()

    def check(self, method: str, path: str, answer: Answer) -> None:
        operation = self.document["paths"][f"/api/v1{path}"][method.lower()]
        schema = operation["responses"][str(answer.status)]["content"]["application/json"]["schema"]
        validator = Draft202012Validator({**schema, "components": self.document["components"]})
        assert [error.message for error in validator.iter_errors(answer.json())] == [], (method, path)
        if answer.status == 200:
            self.asked.add((method.lower(), f"/api/v1{path}"))


async def test_real_answers_are_as_described(whole: Whole) -> None:
    """Every operation of the description is asked for real, in lists each item, and each answer fits its schema."""
    asker = Asker(whole.app())
    api = Described(asker, (await asker.get("/api/v1/openapi.json")).json())
    alerts = await api.ask("GET", "/alerts", "limit=1000")
    items = await api.ask("GET", "/work-items", "limit=1000")
    assert len(alerts["items"]) > 30
    assert {item["state"] for item in items["items"]} == {"open", "resolved"}
    for alert in alerts["items"]:
        await api.ask("GET", "/alerts/{id}", urlencode({"connection": alert["connection"]}), id=alert["id"])
    for item in items["items"]:
        await api.ask("GET", "/work-items/{id}", id=item["id"])
    lane = (await api.ask("GET", "/lanes"))["items"][0]
    assert await api.ask("POST", "/lanes/{key}/retry", key=lane["key"]) == {"retried": 1}
    for kept in (await api.ask("GET", "/quarantine"))["items"]:
        await api.ask("GET", "/quarantine/{id}", id=str(kept["id"]))
        assert "not understood" in (await api.ask("POST", "/quarantine/{id}/replay", id=str(kept["id"])))["error"]
    for ci in (await api.ask("GET", "/cis"))["items"]:
        await api.ask("GET", "/cis/{id}", id=ci["id"])
    for incident in (await api.ask("GET", "/desk/incidents"))["items"]:
        await api.ask("GET", "/desk/incidents/{number}", number=incident["number"])
    number = incident["number"]
    bodies = {
        "comment": b'{"text": "x"}',
        "assign": b'{"group": "g"}',
        "rate": b'{"impact": 1}',
        "state": b'{"state": "closed"}',
    }
    for what, body in bodies.items():
        await api.ask("POST", f"/desk/incidents/{{number}}/{what}", body=body, number=number)
    described = {(method, path) for path, methods in api.document["paths"].items() for method in methods}
    assert described - api.asked == {("post", "/api/v1/quarantine/{id}/replay")}


async def test_troubles_are_as_described(whole: Whole) -> None:
    """400, 401, 404 and 409 have the described form."""
    asker = Asker(whole.app())
    api = Described(asker, (await asker.get("/api/v1/openapi.json")).json())
    await api.ask("GET", "/alerts", "limit=0")
    await api.ask("GET", "/alerts", "cursor=rubbish")
    await api.ask("GET", "/alerts/{id}", id="/none")
    await api.ask("POST", "/lanes/{key}/retry", key="none")
    number = (await api.ask("GET", "/desk/incidents"))["items"][0]["number"]
    await api.ask("POST", "/desk/incidents/{number}/comment", body=b"{}", number=number)
    api.check("GET", "/alerts", await asker.get("/api/v1/alerts", host="evil.example"))


async def test_the_description_is_complete_in_itself(whole: Whole) -> None:
    """Every reference leads to a schema, every schema is one, path parameters are described, ids are unique."""
    document = (await Asker(whole.app()).get("/api/v1/openapi.json")).json()
    assert document["openapi"].startswith("3.1")
    schemas = document["components"]["schemas"]
    for schema in schemas.values():
        Draft202012Validator.check_schema(schema)
    references = set(re.findall(r"#/components/schemas/(\w+)", str(document)))
    assert references <= set(schemas)
    ids = []
    for path, methods in document["paths"].items():
        for operation in methods.values():
            ids.append(operation["operationId"])
            named = {p["name"] for p in operation["parameters"] if p["in"] == "path"}
            assert named == set(re.findall(r"\{(\w+)\}", path))
    assert len(ids) == len(set(ids))
