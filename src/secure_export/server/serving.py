"""Serves an ASGI application over HTTP/1.1, until it is told to stop."""

import asyncio
import contextlib
import logging
import resource
import socket
from collections.abc import Callable, Generator
from contextlib import suppress
from typing import Any

import uvicorn

from secure_export.server.connection import Connection
from secure_export.server.quick import Shortcut
from secure_export.server.tls import Certificate, TlsFiles
from secure_export.server.waiting import Waiting

MOST_CONNECTIONS = 8192
_FILES_BESIDES = 512
_BACKLOG = 2048
_HANDSHAKE_SECONDS = 10.0
_GRACE_SECONDS = 10.0
_LAST_SECONDS = 1.0
_LOOK_SECONDS = 0.01
_SECONDS_BETWEEN_TICKS = 1.0


async def serve_asgi(  # noqa: PLR0913 - what a server is started with
    app: Any,
    host: str,
    port: int,
    *,
    stop: asyncio.Event,
    tls: TlsFiles | None = None,
    on_started: Callable[[int], None] | None = None,
    trusted_proxies: str = "",
    refused: Callable[[str], None] | None = None,
    shortcut: Shortcut | None = None,
    most_connections: int = MOST_CONNECTIONS,
) -> None:
    """Serve until ``stop`` is set; then take nothing new, answer what is under way, and return.

    Args:
        app: The ASGI application.
        host: Where to listen; ``::`` takes IPv4 too.
        port: Where to listen; 0 asks the system for a free port.
        stop: Set it to end.
        tls: What to encrypt with; None: plain HTTP, for loopback and behind a proxy.
        on_started: Called with the port once connections are taken.
        trusted_proxies: Addresses or networks, with commas, whose ``X-Forwarded-For`` and ``-Proto`` are believed.
        refused: Told, by a constant name, why a connection was ended before its request came to the application.
        shortcut: Answers some requests without the application; see ``secure_export.server.quick``.
        most_connections: How many there may be; fewer where the system allows fewer open files.

    Raises:
        OSError: The address cannot be listened on.
        SettingsError: The certificate cannot be used.
    """
    certificate = Certificate(tls) if tls is not None else None
    waiting = Waiting(_at_most(most_connections), refused or _nobody, asyncio.get_running_loop().time)
    listener = _listen(host, port)
    server = _Server(_config(app, trusted_proxies), waiting, shortcut, certificate, stop)
    if on_started is not None:
        server.when_started = lambda: on_started(listener.getsockname()[1])
    timers = [asyncio.create_task(waiting.keep_sweeping())]
    if certificate is not None:
        timers.append(asyncio.create_task(certificate.keep_renewed()))
    try:
        await server.serve(sockets=[listener])
    finally:
        for timer in timers:
            timer.cancel()
        await asyncio.gather(*timers, return_exceptions=True)
        listener.close()


class _Server(uvicorn.Server):
    """Leaves signals to the program, stops when it is told to, and makes our own connections."""

    def __init__(
        self,
        config: uvicorn.Config,
        waiting: Waiting,
        shortcut: Shortcut | None,
        certificate: Certificate | None,
        stop: asyncio.Event,
    ) -> None:
        super().__init__(config)
        self._waiting = waiting
        self._shortcut = shortcut
        self._certificate = certificate
        self._stop = stop
        self.when_started: Callable[[], None] = lambda: None

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        tls: dict[str, Any] = {}
        if self._certificate is not None:
            tls = {"ssl": self._certificate.context, "ssl_handshake_timeout": _HANDSHAKE_SECONDS}
        loop = asyncio.get_running_loop()
        self.servers = [
            await loop.create_server(self._connection, sock=one, backlog=_BACKLOG, **tls) for one in sockets or []
        ]
        self.started = True
        self.when_started()

    async def main_loop(self) -> None:
        while not self._stop.is_set():
            await self.on_tick(0)
            with suppress(TimeoutError):
                await asyncio.wait_for(self._stop.wait(), _SECONDS_BETWEEN_TICKS)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:  # noqa: ARG002 - uvicorn's signature
        """Take nothing new, and give what is under way some time. Who is cut off then is told to come back."""
        for server in self.servers:
            server.close()
        state = self.server_state
        for connection in list(state.connections):
            connection.shutdown()
        with suppress(TimeoutError):
            await asyncio.wait_for(self._until_quiet(), _GRACE_SECONDS)
        if tasks := list(state.tasks):
            for task in tasks:
                task.cancel()
            await asyncio.wait(tasks, timeout=_LAST_SECONDS)
        for connection in list(state.connections):
            connection.transport.abort()

    async def _until_quiet(self) -> None:
        while self.server_state.connections or self.server_state.tasks:  # noqa: ASYNC110 - uvicorn says nothing when they end
            await asyncio.sleep(_LOOK_SECONDS)

    @contextlib.contextmanager
    def capture_signals(self) -> Generator[None, None, None]:
        yield

    def _connection(self) -> Connection:
        return Connection(
            self._waiting, self._shortcut, config=self.config, server_state=self.server_state, app_state={}
        )


def _config(app: Any, trusted_proxies: str) -> uvicorn.Config:
    # What it logs below errors is what strangers send; that is counted instead.
    logging.getLogger("uvicorn.error").setLevel(logging.ERROR)
    return uvicorn.Config(
        app,
        interface="asgi3",
        http="httptools",
        ws="none",
        lifespan="off",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=bool(trusted_proxies),
        forwarded_allow_ips=trusted_proxies,
    )


def _at_most(connections: int) -> int:
    """Let this process have as many files open as the system allows, and keep some for the store and for delivery."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != hard:
        with suppress(OSError, ValueError):
            resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
            soft = hard
    if soft == resource.RLIM_INFINITY:
        return connections
    return min(connections, max(_FILES_BESIDES, soft - _FILES_BESIDES))


def _listen(host: str, port: int) -> socket.socket:
    if ":" not in host:
        return socket.create_server((host, port), backlog=_BACKLOG)
    both = host == "::" and socket.has_dualstack_ipv6()
    return socket.create_server((host, port), family=socket.AF_INET6, backlog=_BACKLOG, dualstack_ipv6=both)


def _nobody(_code: str) -> None:
    """Leave it at that."""
