"""The HTTP server, inside the event loop that delivery shares (see ``docs/decisions/0003-http-server.md``)."""

import asyncio
import contextlib
import socket
from collections.abc import Callable, Generator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import uvicorn
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

HEAD_PATIENCE_SECONDS = 20.0
MAX_HEAD_BYTES = 64 * 1024
_BACKLOG = 2048
_CONNECTIONS = 8192
_GRACE_SECONDS = 10


@dataclass(frozen=True, slots=True)
class TlsFiles:
    """A certificate chain and its key, as PEM files."""

    certificate: Path
    key: Path


async def serve_asgi(  # noqa: PLR0913 - what a server is started with
    app: Any,
    host: str,
    port: int,
    *,
    stop: asyncio.Event,
    tls: TlsFiles | None = None,
    on_started: Callable[[int], None] | None = None,
    trusted_proxies: str = "",
) -> None:
    """Serve until ``stop`` is set; then take nothing new, answer what is under way, and return.

    ``on_started`` is called with the port once connections are taken; port 0 asks the system for a free one.

    Raises:
        OSError: The address cannot be listened on.
    """
    listener = _listen(host, port)
    config = uvicorn.Config(
        app,
        http=_PatientProtocol,
        ws="none",
        lifespan="off",
        log_config=None,
        access_log=False,
        server_header=False,
        limit_concurrency=_CONNECTIONS,
        timeout_keep_alive=75,
        timeout_graceful_shutdown=_GRACE_SECONDS,
        ssl_certfile=tls.certificate if tls else None,
        ssl_keyfile=tls.key if tls else None,
        proxy_headers=bool(trusted_proxies),
        forwarded_allow_ips=trusted_proxies,
    )
    server = _Server(config, stop)
    if on_started is not None:
        server.when_started = lambda: on_started(listener.getsockname()[1])
    sweeping = asyncio.create_task(_sweep(server.server_state.connections))
    try:
        await server.serve(sockets=[listener])
    finally:
        sweeping.cancel()
        listener.close()


class _Server(uvicorn.Server):
    """Leaves signals to the program and stops when it is told to."""

    def __init__(self, config: uvicorn.Config, stop: asyncio.Event) -> None:
        super().__init__(config)
        self._stop = stop
        self.when_started: Callable[[], None] = lambda: None

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.when_started()

    async def on_tick(self, counter: int) -> bool:
        return self._stop.is_set() or await super().on_tick(counter)

    @contextlib.contextmanager
    def capture_signals(self) -> Generator[None, None, None]:
        yield


class _PatientProtocol(HttpToolsProtocol):
    """Closes connections whose request head is endless; ``_sweep`` closes those where it does not come."""

    _head_bytes = 0
    _in_head = True
    waits_since: tuple[object, float] | None = None

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        if self._in_head:
            self._head_bytes += len(data)
            if self._head_bytes > MAX_HEAD_BYTES:
                self.transport.close()

    def on_message_begin(self) -> None:
        self._in_head = True
        self._head_bytes = 0
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        self._in_head = False
        super().on_headers_complete()

    def waits_for_head(self) -> bool:
        """Tell whether the next move is the client's and no keep-alive timer watches over it."""
        return self.timeout_keep_alive_task is None and (self.cycle is None or self.cycle.response_complete)


async def _sweep(connections: set[Any]) -> None:
    """Close connections that owe us a request head, or the rest of an answered request, for too long."""
    loop = asyncio.get_running_loop()
    while True:
        await asyncio.sleep(HEAD_PATIENCE_SECONDS / 4)
        for connection in [one for one in connections if isinstance(one, _PatientProtocol)]:
            if not connection.waits_for_head():
                connection.waits_since = None
            elif connection.waits_since is None or connection.waits_since[0] is not connection.cycle:
                connection.waits_since = (connection.cycle, loop.time())
            elif loop.time() - connection.waits_since[1] >= HEAD_PATIENCE_SECONDS:
                connection.transport.close()


def _listen(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    return socket.create_server((host, port), family=family, backlog=_BACKLOG)
