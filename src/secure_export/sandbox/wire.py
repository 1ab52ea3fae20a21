"""Between ASGI and the connection: reads a body whole, writes an answer, cuts or resets the connection."""

import asyncio
import contextlib
import os
import socket
import struct
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any, Final

from secure_export.sandbox.reply import Reply
from secure_export.sandbox.serving import CONNECTION

Message = MutableMapping[str, Any]
Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

MOST_BODY: Final = 64 * 1024 * 1024
_LINGER: Final = struct.pack("ii", 1, 0)


class ClientGoneError(Exception):
    """The client closed the connection before its request was whole."""


class TooLargeError(Exception):
    """The body of a request is larger than the stand-in takes."""


async def read_body(receive: Receive) -> bytes:
    """Read the body of a request whole.

    Raises:
        ClientGoneError: It never became whole.
        TooLargeError: It is larger than 64 MiB.
    """
    parts: list[bytes] = []
    size = 0
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise ClientGoneError
        parts.append(message.get("body", b""))
        size += len(parts[-1])
        if size > MOST_BODY:
            raise TooLargeError
        if not message.get("more_body", False):
            return b"".join(parts)


async def perform(app: App, scope: Scope, body: bytes) -> Reply:
    """Let an application answer a request, and take the answer whole."""
    sent: list[bytes] = []
    start: Message = {"status": 500, "headers": []}
    requests = [{"type": "http.request", "body": body, "more_body": False}]

    async def receive() -> Message:
        return requests.pop() if requests else {"type": "http.disconnect"}

    async def send(message: Message) -> None:
        if message["type"] == "http.response.start":
            start.update(message)
        elif message["type"] == "http.response.body":
            sent.append(message.get("body", b""))

    await app(scope, receive, send)
    headers = tuple((name.decode("latin-1"), value.decode("latin-1")) for name, value in start["headers"])
    return Reply(start["status"], headers, b"".join(sent))


async def write(send: Send, reply: Reply) -> None:
    """Send an answer."""
    await send(_start(reply))
    await send({"type": "http.response.body", "body": reply.body})


async def write_half(send: Send, reply: Reply) -> None:
    """Send the head and the first half of the body of an answer, and leave it there."""
    if not any(name.lower() == "content-length" for name, _ in reply.headers):
        reply = reply.with_headers({"content-length": str(len(reply.body))})
    await send(_start(reply))
    await send({"type": "http.response.body", "body": reply.body[: len(reply.body) // 2], "more_body": True})


async def wait(seconds: float, receive: Receive) -> None:
    """Wait in real time, but not for a client that has gone."""
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            await gone(receive)


async def gone(receive: Receive) -> None:
    """Wait until the connection is closed; of a request that was read whole nothing else comes."""
    while (await receive())["type"] != "http.disconnect":
        pass


async def close(scope: Scope, receive: Receive) -> None:
    """Close the connection after what was written already, as a server does that dies in good order."""
    scope[CONNECTION].close()
    await gone(receive)


async def reset(scope: Scope, receive: Receive) -> None:
    """Reset the connection: the client sees a reset (RST), not an end, and nothing more of what was written."""
    transport: asyncio.Transport = scope[CONNECTION]
    _reset_on_close(transport.get_extra_info("socket").fileno())
    transport.abort()
    await gone(receive)


def certificate_of(scope: Scope) -> bytes | None:
    """Give the certificate that a client showed, in DER; None: none, or no TLS."""
    transport = scope.get(CONNECTION)
    tls = None if transport is None else transport.get_extra_info("ssl_object")
    return None if tls is None else tls.getpeercert(binary_form=True)


def _reset_on_close(descriptor: int) -> None:
    """Without lingering, closing a socket resets the connection (socket(7), SO_LINGER)."""
    with socket.socket(fileno=os.dup(descriptor)) as same:
        same.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _LINGER)


def _start(reply: Reply) -> Message:
    headers = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in reply.headers]
    return {"type": "http.response.start", "status": reply.status, "headers": headers}
