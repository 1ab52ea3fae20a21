"""Asks a served stand-in, so that tests see what really comes over the wire."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import aiohttp
from yarl import URL


@dataclass(frozen=True)
class Seen:
    """What a client saw."""

    status: int
    headers: Any
    text: str
    json: Any = None


@asynccontextmanager
async def client_session(*, tls: Any = True) -> AsyncIterator[aiohttp.ClientSession]:
    """Give a session with a connection of its own for each request, and without cookies."""
    connector = aiohttp.TCPConnector(force_close=True, ssl=tls)
    async with aiohttp.ClientSession(connector=connector, cookie_jar=aiohttp.DummyCookieJar()) as session:
        yield session


async def asked(session: aiohttp.ClientSession, method: str, url: str | URL, **more: Any) -> Seen:
    """Ask, and read the answer whole."""
    async with session.request(method, url, **more) as answer:
        text = await answer.text()
        is_json = answer.content_type == "application/json"
        return Seen(answer.status, answer.headers, text, _json(text) if is_json else None)


async def control(session: aiohttp.ClientSession, url: str, method: str, path: str, order: Any) -> Any:
    """Give an order to the control API, which must take it."""
    seen = await asked(session, method, f"{url}/control/{path}".rstrip("/"), json=order or None)
    assert seen.status == 200, seen.text
    return seen.json


async def raw(
    url: str, method: str, path: str, body: bytes = b"", headers: str = ""
) -> tuple[bytes, BaseException | None]:
    """Ask by a bare socket: everything that arrives until the connection ends, and how it ended."""
    host, _, port = url.removeprefix("http://").partition(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    head = f"{method} {path} HTTP/1.1\r\nHost: {host}\r\n{headers}Content-Length: {len(body)}\r\n"
    writer.write((head + "Connection: close\r\n\r\n").encode() + body)
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
