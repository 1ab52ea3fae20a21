"""A served stand-in, and clients that show what really comes over the wire."""

import asyncio
import base64
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import aiohttp

from secure_export.sandbox.servicenow.app import ServiceNowApp, servicenow_app
from secure_export.sandbox.servicenow.clock import Clock
from secure_export.sandbox.servicenow.demo_access import (
    INTEGRATION_USER,
    PASSWORD,
    open_doors,
)
from secure_export.sandbox.servicenow.instance import Instance
from secure_export.sandbox.servicenow.run import serving

NOON = datetime(2026, 11, 24, 12, 0, 0, tzinfo=UTC)
INCIDENTS = "/api/now/table/incident"


@dataclass(frozen=True)
class Seen:
    """What a client saw."""

    status: int
    headers: Any
    text: str
    json: Any = None


class Client:
    """Asks a served stand-in over a connection of its own each time; keeps no cookies."""

    def __init__(self, app: ServiceNowApp, url: str, session: aiohttp.ClientSession) -> None:
        self.app = app
        self.url = url
        self.session = session

    async def ask(self, method: str, path: str, user: str = INTEGRATION_USER, **more: Any) -> Seen:
        headers = dict(more.pop("headers", {}))
        if user:
            headers.setdefault("Authorization", basic(user, more.pop("password", PASSWORD)))
        async with self.session.request(method, self.url + path, headers=headers, **more) as answer:
            text = await answer.text()
            is_json = answer.content_type == "application/json"
            return Seen(answer.status, answer.headers, text, _json(text) if is_json else None)

    async def control(self, method: str, path: str, **order: Any) -> Any:
        seen = await self.ask(method, f"/control/{path}".rstrip("/"), user="", json=order or None)
        assert seen.status == 200, seen.text
        return seen.json

    async def incident(self, **values: Any) -> Any:
        seen = await self.ask("POST", INCIDENTS, json={"short_description": "A test", **values})
        assert seen.status == 201, seen.text
        return seen.json["result"]

    def incidents(self) -> int:
        return self.app.instance.tables.count("incident")


def basic(user: str, password: str) -> str:
    return "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()


def new_app(seed: int = 1) -> ServiceNowApp:
    clock = Clock()
    clock.freeze(NOON)
    app = servicenow_app(Instance(clock=clock, seed=seed))
    open_doors(app)
    return app


@asynccontextmanager
async def served(app: ServiceNowApp | None = None, **more: Any) -> AsyncIterator[Client]:
    connector = aiohttp.TCPConnector(force_close=True, ssl=more.pop("client_tls", True))
    async with (
        serving(app or new_app(), **more) as (running, url),
        aiohttp.ClientSession(connector=connector, cookie_jar=aiohttp.DummyCookieJar()) as session,
    ):
        yield Client(running, url, session)


async def raw(url: str, method: str, path: str, body: bytes = b"") -> tuple[bytes, BaseException | None]:
    """Ask by a bare socket: everything that arrives until the connection ends, and how it ended."""
    host, _, port = url.removeprefix("http://").partition(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    head = (
        f"{method} {path} HTTP/1.1\r\nHost: {host}\r\nAuthorization: {basic(INTEGRATION_USER, PASSWORD)}\r\n"
        f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\nConnection: close\r\n\r\n"
    )
    writer.write(head.encode() + body)
    received = b""
    try:
        while part := await reader.read(65_536):
            received += part
    except ConnectionError as problem:
        return received, problem
    finally:
        writer.close()
    return received, None


def _json(text: str) -> Any:

    try:
        return json.loads(text)
    except ValueError:
        return None
