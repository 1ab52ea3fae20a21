"""One client's connection: uvicorn's protocol, with bounds that a stranger cannot step over, and a shortcut.

uvicorn bounds neither how long a request's head may take nor how large it may be, nor how many requests a client may
send ahead of the answers.
"""

from asyncio import BaseTransport, CancelledError, Transport
from http import HTTPStatus
from typing import Any, cast

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle

from secure_export.server.quick import QuickCycle, Shortcut, Take, rendered
from secure_export.server.waiting import Waiting

MAX_HEAD_BYTES = 64 * 1024
MOST_AHEAD = 16


class _TurnedAway(Exception):  # noqa: N818 - ends the reading of a request, from within the parser
    """The client asks for more than it may."""


class Connection(HttpToolsProtocol):
    """A connection that ends itself when its client oversteps, and that ``Waiting`` ends when it takes too long."""

    def __init__(self, waiting: Waiting, shortcut: Shortcut | None, **known_to_uvicorn: Any) -> None:
        super().__init__(**known_to_uvicorn)
        self._waiting = waiting
        self._shortcut = shortcut
        self._take: Take | None = None
        self._held: list[bytes] = []
        self._received = 0
        self._shared = False
        self._head_bytes = 0
        self._ends = False
        self.in_head = False
        self._in_body = False

    @property
    def rests(self) -> bool:
        """Whether it is between two requests."""
        latest = self._latest()
        return latest is not None and latest.response_complete and not self.in_head and not self._in_body

    def connection_made(self, transport: BaseTransport) -> None:
        """Begin to wait for the first request."""
        super().connection_made(cast("Transport", transport))
        self._waiting.opened(self, len(self.connections))

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget it."""
        self._waiting.over(self)
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Read on, and end a head that is too large."""
        self._received = len(data)
        self._shared = False
        super().data_received(data)
        if self._take is not None:
            self._leave_shortcut()
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
        self._in_body = True
        self._check_bounds()
        self._waiting.over(self)
        latest = self._latest()
        # The shortcut does not wait for a client that does not read its answers; the application does.
        if self._shortcut is not None and not self.flow.write_paused and (latest is None or latest.response_complete):
            self._take = self._shortcut(self.parser.get_method(), self.url, self.headers)
        if self._take is None:
            super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        """Take a part of the body."""
        if self._take is None:
            super().on_body(body)
        else:
            self._held.append(body)

    def on_message_complete(self) -> None:
        """Go on with the whole request. What follows in the same piece is another one."""
        self._shared = True
        self._in_body = False
        if self._take is None:
            super().on_message_complete()
        else:
            self._answer_quickly(self._take)

    def on_response_complete(self) -> None:
        """Go on with a request that was sent ahead, or begin to wait: for another, or for the rest of this one.

        In place of uvicorn's, which starts a timer for each request.
        """
        self.server_state.total_requests += 1
        if self.transport.is_closing():
            return
        self.flow.resume_reading()
        if self.pipeline:
            self._start_asgi_task(*self.pipeline.pop())
        else:
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
            self.transport.write(rendered((status, _retry_after(status), b""), (), keep_alive=False))
        self.transport.close()

    def let_go(self) -> None:
        """End the connection without a word."""
        self.transport.close()

    def _check_bounds(self) -> None:
        """Turn away a request that is too much; raising ends the parser's work."""
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

    def _answer_quickly(self, take: Take) -> None:
        body = self._held[0] if len(self._held) == 1 else b"".join(self._held)
        self._take, self._held = None, []
        cycle = QuickCycle(keep_alive=self.parser.should_keep_alive())
        self.cycle = cast("RequestResponseCycle", cycle)
        task = self.loop.create_task(self._run_quickly(cycle, take, body))
        task.add_done_callback(self.tasks.discard)
        self.tasks.add(task)

    async def _run_quickly(self, cycle: QuickCycle, take: Take, body: bytes) -> None:
        try:
            answer = await take(body)
        except (Exception, CancelledError) as error:
            # A broken connection makes Azure send again; a task that was cancelled must say so.
            self.transport.close()
            if isinstance(error, CancelledError):
                raise
            self.logger.exception("a shortcut failed")
            return
        cycle.response_complete = True
        if self.transport.is_closing():
            return
        self.transport.write(rendered(answer, self.server_state.default_headers, keep_alive=cycle.keep_alive))
        if not cycle.keep_alive:
            self.transport.close()
        self.on_response_complete()

    def _leave_shortcut(self) -> None:
        """Hand a request whose body is still coming to the application, which knows how to wait."""
        held, self._take, self._held = self._held, None, []
        super().on_headers_complete()
        for part in held:
            super().on_body(part)

    def _latest(self) -> RequestResponseCycle | None:
        """Give what answers, or answered, the latest request; None before the first."""
        return self.cycle

    def _owes_an_answer(self) -> bool:
        """Whether the latest request came whole and has no answer yet."""
        latest = self._latest()
        return latest is not None and not latest.response_complete and not latest.more_body

    def _announces_body(self) -> bool:
        return any(
            name == b"transfer-encoding" or (name == b"content-length" and value != b"0")
            for name, value in self.headers
        )

    def _head_size(self) -> int:
        return len(self.url) + sum(len(name) + len(value) + len(b": \r\n") for name, value in self.headers)


def _retry_after(status: HTTPStatus) -> list[tuple[bytes, bytes]]:
    return [(b"retry-after", b"5")] if status is HTTPStatus.SERVICE_UNAVAILABLE else []
