"""Several calls in one (servicenow-facts 7.1)."""

import base64
import json
from typing import Any

import pytest
from tests.unit.sandbox.servicenow.apis import Answer, Apis

from secure_export.sandbox.servicenow import batch_api

INCIDENTS = "/api/now/table/incident"


def call(name: str, method: str = "GET", url: str = INCIDENTS, body: Any = None, **more: Any) -> dict[str, Any]:
    item = {"id": name, "method": method, "url": url, "headers": [{"name": "Accept", "value": "application/json"}]}
    if body is not None:
        item["body"] = base64.b64encode(json.dumps(body).encode()).decode()
        item["headers"] = [{"name": "Content-Type", "value": "application/json"}]
    return item | more


async def batch(apis: Apis, *calls: dict[str, Any], user: str = "azure.integration", **headers: str) -> Answer:
    document = {"batch_request_id": 7, "rest_requests": list(calls)}
    return await apis.post("/api/now/batch", document, user=user, headers=headers)


def body_of(serviced: dict[str, Any]) -> Any:
    return json.loads(base64.b64decode(serviced["body"]))


async def test_each_call_has_its_own_outcome() -> None:
    """A refusal of one leaves the others alone, and the id comes back as text."""
    apis = Apis(batch_api)
    answer = await batch(
        apis,
        call("a", "POST", body={"short_description": "One"}),
        call("b", "GET", f"{INCIDENTS}/none"),
        call("c", url=f"{INCIDENTS}?sysparm_query=short_description=One&sysparm_fields=short_description"),
        call("d", "GET", "/api/now/no_such_api"),
    )
    assert answer.status == 200
    assert answer.json["batch_request_id"] == "7"
    assert answer.json["unserviced_requests"] == []
    told = {one["id"]: one for one in answer.json["serviced_requests"]}
    assert [(one, told[one]["status_code"], told[one]["status_text"]) for one in "abc"] == [
        ("a", 201, "Created"),
        ("b", 404, "Not Found"),
        ("c", 200, "OK"),
    ]
    assert body_of(told["c"])["result"] == [{"short_description": "One"}]
    assert told["d"]["status_code"] >= 400
    assert isinstance(told["a"]["execution_time"], int)


async def test_calls_are_made_as_the_user_of_the_batch() -> None:
    """Whatever a call's own headers say; access rules hold for each call."""
    apis = Apis(batch_api)
    own = call("a", "POST", "/api/now/table/sys_properties", {"name": "x"})
    own["headers"].append({"name": "Authorization", "value": "Basic YWRtaW46YWRtaW4="})
    answer = await batch(apis, own, call("b", "POST", body={"short_description": "Mine"}))
    told = answer.json["serviced_requests"]
    assert [one["status_code"] for one in told] == [403, 201]
    assert body_of(told[1])["result"]["sys_created_by"] == "azure.integration"


async def test_headers_are_told_unless_excluded() -> None:
    """The Location of what was made is among them."""
    answer = await batch(
        Apis(batch_api),
        call("a", "POST", body={"short_description": "One"}),
        call("b", exclude_response_headers=True),
    )
    first, second = answer.json["serviced_requests"]
    assert "location" in {one["name"].lower() for one in first["headers"]}
    assert second["headers"] == []


async def test_what_is_left_after_a_limit_is_unserviced() -> None:
    """Nothing of it was done: the client must send it again."""
    apis = Apis(batch_api)
    apis.instance.properties.set("sandbox.batch.max_calls", "1")
    answer = await batch(apis, *(call(str(number), "POST", body={"short_description": "x"}) for number in range(3)))
    assert [one["id"] for one in answer.json["serviced_requests"]] == ["0"]
    assert answer.json["unserviced_requests"] == ["1", "2"]
    assert apis.instance.tables.count("incident") == 1


@pytest.mark.parametrize(
    ("properties", "headers"),
    [
        ({"glide.rest.batch.max.inputSize": "10"}, {}),
        ({"glide.rest.batch.max.outputSize": "10"}, {}),
        ({}, {"x-batchrequest-max-output-size": "10"}),
    ],
    ids=["input", "output", "header"],
)
async def test_an_item_that_is_too_large_ends_the_batch(properties: dict[str, str], headers: dict[str, str]) -> None:
    """It and what follows is unserviced."""
    apis = Apis(batch_api)
    for name, value in properties.items():
        apis.instance.properties.set(name, value)
    answer = await batch(apis, call("a", "POST", body={"short_description": "too long"}), call("b"), **headers)
    assert answer.json["unserviced_requests"] == ["a", "b"]


async def test_a_batch_holds_no_batch() -> None:
    """It would have no end."""
    answer = await batch(Apis(batch_api), call("a", "POST", "/api/now/v1/batch", {"rest_requests": []}))
    assert answer.json["serviced_requests"][0]["status_code"] == 400


@pytest.mark.parametrize(
    "document",
    [
        b"{",
        {},
        {"rest_requests": [{}]},
        {"rest_requests": ["x"]},
        {"rest_requests": [{"id": 1, "url": "/", "body": "?"}]},
    ],
)
async def test_a_batch_that_cannot_be_read_is_refused(document: Any) -> None:
    """Before any of its calls is made."""
    assert (await Apis(batch_api).post("/api/now/v1/batch", document)).status == 400


async def test_nobody_may_send_no_batch() -> None:
    """A batch needs a user."""
    assert (await batch(Apis(batch_api), call("a"), user="")).status == 401
