"""Requests that are answered without an ASGI cycle: the webhook's hot path.

An ASGI cycle costs as much as reading an alert does (``docs/decisions/0003-http-server.md``). A shortcut is offered a
request by its head; what it takes is answered by one coroutine from the whole body, and everything else goes on to the
ASGI application, which must be able to answer the same requests.
"""

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from typing import Any

from uvicorn.protocols.http.httptools_impl import STATUS_LINE

Headers = Sequence[tuple[bytes, bytes]]
WholeAnswer = tuple[int, Headers, bytes]
Take = Callable[[bytes], Coroutine[Any, Any, WholeAnswer]]
Shortcut = Callable[[bytes, bytes, Headers], Take | None]
"""Given method, target and headers (names in lower case): what answers the request, or None to leave it alone."""


class QuickCycle:
    """Stands where uvicorn keeps the cycle of the latest request, with what uvicorn asks of it."""

    __slots__ = ("disconnected", "keep_alive", "response_complete")
    message_event = asyncio.Event()
    more_body = False

    def __init__(self, *, keep_alive: bool) -> None:
        self.keep_alive = keep_alive
        self.response_complete = False
        self.disconnected = False


def rendered(answer: WholeAnswer, standard: Headers, *, keep_alive: bool) -> bytes:
    """Write an answer as it goes over the wire.

    Args:
        answer: Status, headers and body; neither length nor date among the headers.
        standard: Headers of every answer.
        keep_alive: Whether the connection stays open.
    """
    status, headers, body = answer
    lines = [STATUS_LINE[status]]
    for name, value in (*standard, *headers):
        lines += (name, b": ", value, b"\r\n")
    end = b"" if keep_alive else b"connection: close\r\n"
    lines += (b"content-length: %d\r\n" % len(body), end, b"\r\n", body)
    return b"".join(lines)
