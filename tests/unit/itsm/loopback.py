"""A tool on this machine that behaves as badly as a test asks."""

import asyncio
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import Any

from secure_export.itsm.http import Http, HttpSettings

GOOD = b'HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 15\r\n\r\n{"result":"ok"}'
NO_ANSWER = b""


@dataclass(frozen=True, slots=True)
class Received:
    """A request as it arrived."""

    method: str
    target: str
    headers: dict[str, str]
    body: bytes


@dataclass(slots=True)
class Reply:
    """What the tool sends after it has read a whole request."""

    data: bytes = GOOD
    closes: bool = False
    resets: bool = False
    before: Callable[[asyncio.StreamWriter], Awaitable[None]] | None = None


@dataclass(slots=True)
class Tool:
    """The tool: what it got, and what it does next. The last reply is given again and again."""

    replies: list[Reply]
    port: int = 0
    scheme: str = "http"
    greets: bool = True
    connections: int = 0
    requests: list[Received] = field(default_factory=list)
    open: set[asyncio.StreamWriter] = field(default_factory=set)

    @property
    def url(self) -> str:
        return f"{self.scheme}://localhost:{self.port}" if self.scheme == "https" else f"http://127.0.0.1:{self.port}"

    def http(self, *, max_answer_bytes: int = 1024 * 1024, **settings: Any) -> Http:
        return Http(
            HttpSettings(**{"url": self.url, "request_timeout_seconds": 5, **settings}),
            max_answer_bytes=max_answer_bytes,
        )

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        self.open.add(writer)
        with suppress(ConnectionError, ssl.SSLError):
            while self.greets and (received := await _read(reader)) is not None:
                self.requests.append(received)
                reply = self.replies[min(len(self.requests), len(self.replies)) - 1]
                if reply.before is not None:
                    await reply.before(writer)
                writer.write(reply.data)
                await writer.drain()
                if reply.resets:
                    writer.transport.abort()
                if reply.closes or reply.resets:
                    break
        self.open.discard(writer)
        writer.close()

    def hang_up(self) -> None:
        """Close what idles, as load balancers do."""
        for writer in list(self.open):
            writer.close()


async def _read(reader: asyncio.StreamReader) -> Received | None:
    try:
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
    except asyncio.IncompleteReadError:
        return None
    first, *lines = head.rstrip("\r\n").split("\r\n")
    method, target, _ = first.split(" ", 2)
    headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in lines)}
    body = await reader.readexactly(int(headers.get("content-length", "0")))
    return Received(method, target, headers, body)


@asynccontextmanager
async def tool(*replies: Reply | bytes, tls: ssl.SSLContext | None = None, greets: bool = True) -> AsyncIterator[Tool]:
    """Run a tool that gives these replies, one after the other."""
    some = [one if isinstance(one, Reply) else Reply(one) for one in replies] or [Reply()]
    it = Tool(some, scheme="https" if tls else "http", greets=greets)
    server = await asyncio.start_server(it.serve, "127.0.0.1", 0, ssl=tls, limit=2**20)
    it.port = server.sockets[0].getsockname()[1]
    try:
        yield it
    finally:
        server.close()
        it.hang_up()
        await server.wait_closed()
        await asyncio.sleep(0)
