"""One client's connection: uvicorn's protocol, with bounds that a stranger cannot step over.

uvicorn bounds neither how long a request's head may take nor how large it may be, nor how many requests a client may
send ahead of the answers.
"""

from asyncio import BaseTransport, Transport
from http import HTTPStatus
from typing import Any, cast

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle

from secure_export.server.waiting import Waiting

MAX_HEAD_BYTES = 64 * 1024
MOST_AHEAD = 16


class _TurnedAway(Exception):  # noqa: N818 - ends the reading of a request, from within the parser
    """The client asks for more than it may."""


class Connection(HttpToolsProtocol):
    """A connection that ends itself when its client oversteps, and that ``Waiting`` ends when it takes too long."""

    def __init__(self, waiting: Waiting, **known_to_uvicorn: Any) -> None:
        super().__init__(**known_to_uvicorn)
        self._waiting = waiting
        self._received = 0
        self._shared = False
        self._head_bytes = 0
        self._ends = False
        self.in_head = False

    @property
    def is_kept_alive(self) -> bool:
        """Whether it rests between two requests, with a timer of uvicorn's watching over it."""
        return self.timeout_keep_alive_task is not None

    def connection_made(self, transport: BaseTransport) -> None:
        """Begin to wait for the first request."""
        super().connection_made(cast("Transport", transport))
        self._waiting.opened(self, len(self.connections))

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget it."""
        self._waiting.over(self)
        super().connection_lost(exc)
        # uvicorn leaves the timer after a reset, and the timer keeps all of this in memory.
        self._unset_keepalive_if_required()

    def data_received(self, data: bytes) -> None:
        """Read on, and end a head that is too large."""
        self._received = len(data)
        self._shared = False
        super().data_received(data)
        # A head that began behind other requests in the same piece is counted from the next piece on.
        if self.in_head and not self._shared:
            self._head_bytes += self._received
            if self._head_bytes > MAX_HEAD_BYTES:
                self.turn_away(HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE, "head-too-large")

    def on_message_begin(self) -> None:
        """Begin to count the time and the size of a head."""
        self.in_head = True
        self._head_bytes = 0
        self._waiting.renew(self)
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        """Have the request answered, unless the client oversteps."""
        self.in_head = False
        may_be_large = self._shared or self._head_bytes + self._received > MAX_HEAD_BYTES
        if may_be_large and self._head_size() > MAX_HEAD_BYTES:
            self.turn_away(HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE, "head-too-large")
            raise _TurnedAway
        if len(self.pipeline) >= MOST_AHEAD:
            self.turn_away(HTTPStatus.BAD_REQUEST, "too-many-ahead")
            raise _TurnedAway
        if self.parser.should_upgrade() and self._announces_body():
            # httptools passes over the body then; better no alert than an empty one that is thought to be taken.
            self.turn_away(HTTPStatus.BAD_REQUEST, "upgrade-offered")
            raise _TurnedAway
        self._waiting.over(self)
        super().on_headers_complete()

    def on_message_complete(self) -> None:
        """Note that what follows in the same piece is another request."""
        self._shared = True
        super().on_message_complete()

    def on_response_complete(self) -> None:
        """Begin to wait for the next request, or for the rest of this one."""
        super().on_response_complete()
        if self.cycle.response_complete and not self.transport.is_closing():
            self._waiting.began(self)

    def send_400_response(self, msg: str) -> None:  # noqa: ARG002 - uvicorn's signature
        """Answer what is no HTTP."""
        self.turn_away(HTTPStatus.BAD_REQUEST, "not-http")

    def turn_away(self, status: HTTPStatus, code: str) -> None:
        """End the connection once earlier requests on it are answered; say why if it is not in the middle of them."""
        if self._ends:
            return
        self._ends = True
        self._waiting.refused(code)
        if self._owes_an_answer():
            self.cycle.keep_alive = False
            self.flow.pause_reading()
            return
        if not self.pipeline:
            self.transport.write(_parting(status))
        self.transport.close()

    def let_go(self) -> None:
        """End the connection without a word."""
        self.transport.close()

    def _owes_an_answer(self) -> bool:
        """Whether the latest request came whole and has no answer yet."""
        cycle: RequestResponseCycle | None = self.cycle
        return cycle is not None and not cycle.response_complete and not cycle.more_body

    def _announces_body(self) -> bool:
        return any(
            name == b"transfer-encoding" or (name == b"content-length" and value != b"0")
            for name, value in self.headers
        )

    def _head_size(self) -> int:
        return len(self.url) + sum(len(name) + len(value) + len(b": \r\n") for name, value in self.headers)


def _parting(status: HTTPStatus) -> bytes:
    retry = "Retry-After: 5\r\n" if status is HTTPStatus.SERVICE_UNAVAILABLE else ""
    return (
        f"HTTP/1.1 {status.value} {status.phrase}\r\n{retry}Content-Length: 0\r\nConnection: close\r\n\r\n"
    ).encode()
