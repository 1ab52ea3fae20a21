"""The Batch API: several calls in one, one after the other, each with its own outcome (servicenow-facts 7.1)."""

import base64
import binascii
import time
from collections.abc import Iterator
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, Final
from urllib.parse import unquote, urlsplit

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from secure_export.sandbox.reply import Reply, json_reply
from secure_export.sandbox.servicenow.call import Call
from secure_export.sandbox.servicenow.caller import caller
from secure_export.sandbox.servicenow.errors import SnowError, bad_body
from secure_export.sandbox.servicenow.instance import Instance
from secure_export.sandbox.servicenow.rest import answer, json_object, versioned
from secure_export.sandbox.wire import Scope, perform

MOST_CALLS: Final = "sandbox.batch.max_calls"
_MOST_INPUT: Final = "glide.rest.batch.max.inputSize"
_MOST_OUTPUT: Final = "glide.rest.batch.max.outputSize"
_OUTPUT_HEADER: Final = "x-batchrequest-max-output-size"
_MEGABYTE: Final = 1_000_000
_QUOTA_SECONDS: Final = 30.0
_EVERY_CALL: Final = 1_000_000


@dataclass(frozen=True, slots=True)
class Item:
    """One call of a batch.

    Attributes:
        sys_id: What the client calls it.
        call: The call itself.
        wants_headers: Whether the answer tells headers.
    """

    sys_id: str
    call: Call
    wants_headers: bool


def routes(instance: Instance) -> list[Route]:
    """Give the route of the Batch API."""

    async def batch(request: Request) -> Response:
        caller(request)
        return answer(await _Batch(instance, request, await json_object(request)).run())

    return versioned("now", "batch", batch, "POST")


class _Batch:
    """One batch being worked through."""

    def __init__(self, instance: Instance, request: Request, document: dict[str, Any]) -> None:
        setting = instance.properties.number
        self._request = request
        self._id = str(document.get("batch_request_id", ""))
        self._items = list(_read(document))
        self._most_calls = setting(MOST_CALLS, _EVERY_CALL)
        self._most_input = setting(_MOST_INPUT, 5 * _MEGABYTE)
        asked = request.headers.get(_OUTPUT_HEADER, "")
        most = setting(_MOST_OUTPUT, 10 * _MEGABYTE)
        self._most_output = min(most, int(asked)) if asked.isdecimal() else most

    async def run(self) -> dict[str, Any]:
        """Make the calls until one of the limits is reached; what is left is told as unserviced."""
        serviced: list[dict[str, Any]] = []
        began = time.monotonic()
        while len(serviced) < min(len(self._items), self._most_calls):
            item = self._items[len(serviced)]
            if time.monotonic() - began > _QUOTA_SECONDS or len(item.call.body) > self._most_input:
                break
            started = time.perf_counter()
            reply = await self._reply(item.call)
            if len(reply.body) > self._most_output:
                break
            serviced.append(_serviced(item, reply, time.perf_counter() - started))
        return {
            "batch_request_id": self._id,
            "serviced_requests": serviced,
            "unserviced_requests": [item.sys_id for item in self._items[len(serviced) :]],
        }

    async def _reply(self, call: Call) -> Reply:
        if call.path.rstrip("/").endswith("/batch"):
            return json_reply(400, SnowError(400, "Invalid request", "A batch may not hold a batch.").as_json())
        try:
            return await perform(self._request.app, self._scope(call), call.body)
        except SnowError as refusal:
            return json_reply(refusal.status, refusal.as_json())

    def _scope(self, call: Call) -> Scope:
        """Give the scope of a call made by the same user through the same application."""
        outer = self._request.scope
        headers = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in call.headers.items()]
        return {
            "type": "http",
            "asgi": outer.get("asgi", {"version": "3.0"}),
            "http_version": outer.get("http_version", "1.1"),
            "method": call.method,
            "scheme": outer.get("scheme", "http"),
            "path": call.path,
            "raw_path": call.path.encode(),
            "root_path": "",
            "query_string": call.query.encode("latin-1"),
            "headers": [(b"host", self._request.headers.get("host", "localhost").encode("latin-1")), *headers],
            "client": outer.get("client"),
            "server": outer.get("server"),
            "state": dict(outer.get("state", {})),
        }


def _read(document: dict[str, Any]) -> Iterator[Item]:
    items = document.get("rest_requests")
    if not isinstance(items, list):
        raise SnowError(400, "Invalid request", "rest_requests is required.")
    for item in items:
        if not isinstance(item, dict) or not item.get("url") or "id" not in item:
            raise SnowError(400, "Invalid request", "Each of rest_requests needs id, method and url.")
        yield Item(str(item["id"]), _call(item), wants_headers=item.get("exclude_response_headers") is not True)


def _call(item: dict[str, Any]) -> Call:
    parts = urlsplit("/" + str(item["url"]).lstrip("/"))
    named = item.get("headers") or []
    headers = {str(one.get("name", "")).lower(): str(one.get("value", "")) for one in named if isinstance(one, dict)}
    # The host is that of the batch, and a body is as long as it is; who makes the calls stands in the scope.
    own = {name: value for name, value in headers.items() if name not in {"", "host"}}
    body = _decoded(item.get("body") or "")
    return Call(
        str(item.get("method", "GET")).upper(),
        unquote(parts.path),
        parts.query,
        own | {"content-length": str(len(body))},
        body,
    )


def _decoded(text: object) -> bytes:
    try:
        return base64.b64decode("".join(str(text).split()), validate=True)
    except binascii.Error:
        raise bad_body() from None


def _serviced(item: Item, reply: Reply, seconds: float) -> dict[str, Any]:
    headers = [{"name": name, "value": value} for name, value in reply.headers] if item.wants_headers else []
    return {
        "id": item.sys_id,
        "body": base64.b64encode(reply.body).decode(),
        "status_code": reply.status,
        "status_text": HTTPStatus(reply.status).phrase,
        "headers": headers,
        "execution_time": round(seconds * 1000),
    }
