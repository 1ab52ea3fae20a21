"""What the tests of the sandbox's Azure Monitor share: a clock, a receiver, a token end point."""

import asyncio
import socket
from collections.abc import AsyncGenerator
from datetime import UTC, datetime
from typing import Any

import aiohttp
import pytest
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from secure_export.sandbox import serving
from secure_export.sandbox.azure_monitor.estate import Estate, sample_estate

TENANT = "c0ffee00-7e57-4a11-9b5d-5a4db0c5ed01"


class Clock:
    """A clock that moves only by sleeping, and remembers how long each sleep was."""

    def __init__(self) -> None:
        self.now = 1000.0
        self.slept: list[float] = []

    def __call__(self) -> float:
        return self.now

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds
        await asyncio.sleep(0)


class Receiver:
    """A webhook that answers as told, 202 when told nothing, and keeps what it got."""

    def __init__(self, *statuses: int) -> None:
        self.url = ""
        self.statuses = list(statuses)
        self.bodies: list[bytes] = []
        self.headers: list[dict[str, str]] = []
        self.called = asyncio.Event()

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        request = Request(scope, receive)
        self.bodies.append(await request.body())
        self.headers.append(dict(request.headers))
        self.called.set()
        status = self.statuses.pop(0) if self.statuses else 202
        await Response(b'{"status": "accepted"}', status)(scope, receive, send)


class RawReceiver:
    """A server below HTTP, for what an application cannot do: it breaks off, or stalls where ``answer`` is None."""

    def __init__(self) -> None:
        self.url = ""
        self.calls = 0
        self.answer: bytes | None = None
        self.stalled: list[asyncio.StreamWriter] = []

    async def handle(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        self.calls += 1
        if self.answer is None:
            self.stalled.append(writer)
            return
        writer.write(self.answer)
        await writer.drain()
        writer.close()


class TokenEndpoint:
    """A token end point that counts and answers as told."""

    def __init__(self) -> None:
        self.url = ""
        self.forms: list[str] = []
        self.expires_in: Any = 3600
        self.status = 200

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        self.forms.append((await Request(scope, receive).body()).decode())
        body = {"access_token": f"token-{len(self.forms)}", "expires_in": self.expires_in}
        if self.status != 200:
            body = {"error": "invalid_client", "error_description": "AADSTS7000215: Invalid client secret provided."}
        await JSONResponse(body, self.status)(scope, receive, send)


@pytest.fixture
def clock() -> Clock:
    """Give a clock that nobody waits for."""
    return Clock()


@pytest.fixture
def estate() -> Estate:
    """Give the sandbox's estate."""
    return sample_estate(TENANT)


@pytest.fixture
def start() -> datetime:
    """Give a fixed time."""
    return datetime(2026, 5, 4, 9, 30, 7, 123456, tzinfo=UTC)


@pytest.fixture
async def receiver() -> AsyncGenerator[Receiver]:
    """Serve a webhook."""
    app = Receiver()
    async with serving.serving(app, name="a receiver") as running:
        app.url = f"{running.base_url}/hook"
        yield app


@pytest.fixture
async def tokens() -> AsyncGenerator[TokenEndpoint]:
    """Serve a token end point."""
    app = TokenEndpoint()
    async with serving.serving(app, name="a token end point") as running:
        app.url = f"{running.base_url}/token"
        yield app


@pytest.fixture
async def raw_receiver() -> AsyncGenerator[RawReceiver]:
    """Serve a webhook that never answers, until its test says otherwise."""
    raw = RawReceiver()
    server = await asyncio.start_server(raw.handle, "127.0.0.1", 0)
    raw.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/hook"
    yield raw
    for writer in raw.stalled:
        writer.close()
    server.close()
    await server.wait_closed()


@pytest.fixture
async def session() -> AsyncGenerator[aiohttp.ClientSession]:
    """Give a client."""
    async with aiohttp.ClientSession() as one:
        yield one


@pytest.fixture
def unused_port() -> int:
    """Give a port that nobody listens on."""
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        port: int = one.getsockname()[1]
        return port
