"""Serves a stand-in over HTTP inside the running event loop, and says loudly that it is one."""

import asyncio
import contextlib
import ipaddress
import logging
import signal
import socket
import ssl
import sys
from collections.abc import AsyncGenerator, Callable, Generator, Iterable
from contextlib import AbstractAsyncContextManager
from typing import Any, TypedDict, Unpack

import uvicorn
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

CONNECTION = "secure_export.sandbox.connection"
"""Where the scope of a request holds the ``asyncio.Transport`` it came by, for stand-ins that misbehave there."""

_LOG = logging.getLogger("secure_export.sandbox")
_BACKLOG = 1024
_GRACE_SECONDS = 2
_TICK_SECONDS = 0.1
_POLL_SECONDS = 0.002


class NotLoopbackError(ValueError):
    """A stand-in was asked to listen where others than this machine could reach it."""


class Serving:
    """A stand-in that listens.

    Attributes:
        name: What it stands in for, such as ``Entra ID``.
        base_url: Where it is reached, without a trailing slash.
    """

    def __init__(self, name: str, base_url: str, server: "_Server", task: asyncio.Task[None]) -> None:
        self.name = name
        self.base_url = base_url
        self._server = server
        self._task = task

    async def stop(self) -> None:
        """Take nothing new, answer what is under way for at most two seconds, and close the listener."""
        self._server.stopping.set()
        await self._task

    async def wait(self) -> None:
        """Wait until it stops."""
        await asyncio.shield(self._task)


class Where(TypedDict, total=False):
    """Where a stand-in listens, and how; every part may be left out.

    Attributes:
        host: An address of this machine; 127.0.0.1 if not told otherwise.
        port: 0 asks the system for a free one.
        tls: Its certificate and what it asks of clients; None: plain HTTP.
    """

    host: str
    port: int
    tls: ssl.SSLContext | None


async def start(app: Any, *, name: str, own_date: bool = False, **where: Unpack[Where]) -> Serving:
    """Start to serve an ASGI application.

    Args:
        app: The application.
        name: What it stands in for; part of the warning.
        own_date: The application sets the ``Date`` header itself, such as by a clock of its own.
        where: Where it listens.

    Returns:
        The server, which takes connections already.

    Raises:
        NotLoopbackError: The address is not loopback.
        OSError: The address cannot be listened on.
    """
    host, tls = where.get("host", "127.0.0.1"), where.get("tls")
    refuse_other_machines(host)
    listener = _listen(host, where.get("port", 0))
    base_url = _base_url("http" if tls is None else "https", host, listener)
    server = _Server(_config(app, tls, own_date=own_date))
    task = asyncio.create_task(server.serve(sockets=[listener]), name=f"sandbox {name}")
    task.add_done_callback(lambda _: listener.close())
    await _until_started(server, task)
    _LOG.warning(
        "SANDBOX, NOT THE REAL THING: a stand-in for %s listens on %s. Trust nothing it signs.", name, base_url
    )
    return Serving(name, base_url, server, task)


@contextlib.asynccontextmanager
async def serving(app: Any, *, name: str, own_date: bool = False, **where: Unpack[Where]) -> AsyncGenerator[Serving]:
    """Serve an ASGI application for as long as the block lasts; see ``start``."""
    running = await start(app, name=name, own_date=own_date, **where)
    try:
        yield running
    finally:
        await running.stop()


def say(line: str) -> None:
    """Tell people something."""
    sys.stderr.write(line + "\n")


async def run(
    running: Serving,
    greeting: Iterable[str] = (),
    announce: Callable[[str], None] = say,
    during: AbstractAsyncContextManager[object] | None = None,
) -> None:
    """Say where a stand-in listens, and serve until the task is cancelled or a service manager says so; then stop it.

    Args:
        running: The stand-in.
        greeting: What people are told first, such as how to get in.
        announce: Told, line by line.
        during: What lasts as long as it runs.
    """
    for line in greeting:
        announce(line)
    async with during or contextlib.nullcontext():
        with _stopped_by_sigterm(running):
            announce(f"SANDBOX stand-in for {running.name}: {running.base_url} (nothing it says is real)")
            try:
                await running.wait()
            finally:
                await running.stop()


@contextlib.contextmanager
def _stopped_by_sigterm(running: Serving) -> Generator[None]:
    """Stop in order when a service manager says so."""
    loop, stops = asyncio.get_running_loop(), list[asyncio.Task[None]]()
    try:
        loop.add_signal_handler(signal.SIGTERM, lambda: stops.append(loop.create_task(running.stop())))
    except (NotImplementedError, RuntimeError):  # not on Windows, and not outside the main thread
        yield
        return
    try:
        yield
    finally:
        loop.remove_signal_handler(signal.SIGTERM)


def refuse_other_machines(host: str) -> None:
    """Refuse an address that others than this machine could reach.

    Raises:
        NotLoopbackError: The address is not loopback.
    """
    if not is_loopback(host):
        raise NotLoopbackError(
            f"A stand-in signs tokens for anyone who asks, so it listens on this machine only, not on {host!r}. "
            "Use 127.0.0.1."
        )


def is_loopback(host: str) -> bool:
    """Tell whether an address can be reached from this machine only; names other than localhost are not trusted."""
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return host.lower() == "localhost"


class _Server(uvicorn.Server):
    """Leaves signals to the program that runs it, and stops at once when told to."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.stopping = asyncio.Event()

    async def main_loop(self) -> None:
        counter = 0
        while not self.stopping.is_set() and not await self.on_tick(counter):
            counter = (counter + 1) % 864_000
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self.stopping.wait(), _TICK_SECONDS)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:  # noqa: ARG002 - uvicorn's argument
        for server in self.servers:
            server.close()
        for connection in list(self.server_state.connections):
            connection.shutdown()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_GRACE_SECONDS):
                while self.server_state.connections or self.server_state.tasks:  # noqa: ASYNC110 - uvicorn tells of it by no event
                    await asyncio.sleep(_POLL_SECONDS)
        for task in self.server_state.tasks:
            task.cancel()

    @contextlib.contextmanager
    def capture_signals(self) -> Generator[None, None, None]:
        yield


class _Protocol(HttpToolsProtocol):
    """Tells each request which connection it came by."""

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self.scope[CONNECTION] = self.transport  # type: ignore[literal-required] # a key of our own


def _config(app: Any, tls: ssl.SSLContext | None, *, own_date: bool) -> uvicorn.Config:
    return uvicorn.Config(
        app,
        http=_Protocol,
        ssl_context_factory=None if tls is None else lambda _config, _default: tls,
        date_header=not own_date,
        lifespan="off",
        ws="none",
        log_config=None,
        access_log=False,
        server_header=False,
        backlog=_BACKLOG,
        timeout_graceful_shutdown=_GRACE_SECONDS,
    )


async def _until_started(server: uvicorn.Server, task: asyncio.Task[None]) -> None:
    while not server.started:
        if task.done():
            await task
            raise OSError("The stand-in's server ended before it took connections.")
        await asyncio.sleep(_POLL_SECONDS)


def _listen(host: str, port: int) -> socket.socket:
    """Listen with a socket that says it is TCP: asyncio sends small answers without delay only on such."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((host.strip("[]"), port))
        listener.listen(_BACKLOG)
    except OSError:
        listener.close()
        raise
    return listener


def _base_url(scheme: str, host: str, listener: socket.socket) -> str:
    shown = f"[{host.strip('[]')}]" if ":" in host else host
    return f"{scheme}://{shown}:{listener.getsockname()[1]}"
