"""A served stand-in, and clients that show what really comes over the wire."""

import base64
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any

import aiohttp
from tests.unit.sandbox import asking
from tests.unit.sandbox.asking import Seen, asked, client_session, control

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
        return await asked(self.session, method, self.url + path, headers=headers, **more)

    async def control(self, method: str, path: str, **order: Any) -> Any:
        return await control(self.session, self.url, method, path, order)

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
    tls = more.pop("client_tls", True)
    async with serving(app or new_app(), **more) as (running, url), client_session(tls=tls) as session:
        yield Client(running, url, session)


async def raw(url: str, method: str, path: str, body: bytes = b"") -> tuple[bytes, BaseException | None]:
    """Ask by a bare socket as the integration user; see ``asking.raw``."""
    headers = f"Authorization: {basic(INTEGRATION_USER, PASSWORD)}\r\nContent-Type: application/json\r\n"
    return await asking.raw(url, method, path, body, headers)
