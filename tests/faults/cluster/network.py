"""The network between a node and what it calls: a TCP proxy that cuts, holds up, swallows, and loses answers."""

import asyncio
import random
import socket
import struct
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from typing import Self

from tests.faults.cluster.requests_seen import Request, RequestReader

_PIECE = 65536
_RESET = struct.pack("ii", 1, 0)  # SO_LINGER: whoever closes sends RST and keeps nothing


class Link:
    """Passes bytes on in both directions, until told otherwise.

    Args:
        name: Whose calls go by it, and to what.
        port: Where the called one listens on the loopback address.
        reads_http: Whether requests are to be kept in ``requests``.

    Attributes:
        port: Where the node connects.
        server_port: Where connections are passed on to; another one holds for new connections.
        delay: How many seconds each piece waits.
        requests: The HTTP requests that came by, with the time at which their last byte came.
        losses: How many answers were lost.
    """

    def __init__(self, name: str, port: int, *, reads_http: bool) -> None:
        self.name = name
        self.port = 0
        self.server_port = port
        self.delay = 0.0
        self.requests: list[Request] = []
        self.losses = 0
        self._reads_http = reads_http
        self._open: set[_Connection] = set()
        self._is_cut = False
        self._is_deaf = False
        self._flows = asyncio.Event()
        self._flows.set()
        self._to_lose = 0
        self._lose_after: tuple[bytes, ...] = ()

    @asynccontextmanager
    async def running(self) -> AsyncIterator[Self]:
        """Be there as long as the block runs."""
        server = await asyncio.start_server(self._connect, "127.0.0.1", 0)
        self.port = server.sockets[0].getsockname()[1]
        try:
            yield self
        finally:
            server.close()
            self.mend()
            self._reset_all()
            await server.wait_closed()

    def cut(self) -> None:
        """Reset every connection, and each new one at once."""
        self._is_cut = True
        self._reset_all()

    def hold_up(self) -> None:
        """Let nothing through, but lose nothing: it comes when the link is mended."""
        self._flows.clear()

    def swallow(self) -> None:
        """Make every connection half-open: it stays, and nothing comes out of it any more, also afterwards."""
        self._is_deaf = True
        for one in self._open:
            one.is_deaf = True

    def lose_answers(self, times: int, *, after: tuple[bytes, ...]) -> None:
        """Reset the next connections that answer to one of these texts: what was asked is done, and nobody hears it."""
        self._to_lose, self._lose_after = times, after

    def mend(self, *, reset: bool = True) -> None:
        """Let everything through again.

        Args:
            reset: Whether half-open connections are reset, as a firewall does that knows nothing of them; else they
                stay silent for as long as the node believes in them.
        """
        self._is_cut = self._is_deaf = False
        self.delay, self._to_lose = 0.0, 0
        self._flows.set()
        if reset:
            for one in [one for one in self._open if one.is_deaf]:
                one.reset()

    async def _upstream(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        return await asyncio.open_connection("127.0.0.1", self.server_port)

    def _reset_all(self) -> None:
        for one in list(self._open):
            one.reset()

    async def _connect(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        connection = _Connection(writer)
        if self._is_cut:
            connection.reset()
            return
        connection.is_deaf = self._is_deaf
        self._open.add(connection)
        try:
            await self._flows.wait()
            upstream = await self._upstream()
            connection.ends.append(upstream[1])
            await self._pass_both(connection, (reader, writer), upstream)
        except OSError:
            connection.reset()
        finally:
            self._open.discard(connection)
            connection.close()

    async def _pass_both(
        self,
        connection: "_Connection",
        node: tuple[asyncio.StreamReader, asyncio.StreamWriter],
        server: tuple[asyncio.StreamReader, asyncio.StreamWriter],
    ) -> None:
        """Pass on until one side closes; a half-open connection stays until the node gives it up."""
        up = asyncio.create_task(self._pass_up(connection, node[0], server[1]))
        down = asyncio.create_task(self._pass_down(connection, server[0], node[1]))
        try:
            await asyncio.wait((up, down), return_when=asyncio.FIRST_COMPLETED)
            if connection.is_deaf:
                await up
        finally:
            for task in (up, down):
                task.cancel()
            await asyncio.wait((up, down))

    async def _pass_up(
        self, connection: "_Connection", reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        seen = RequestReader(self.name, self.requests) if self._reads_http else None
        with suppress(OSError):
            while data := await reader.read(_PIECE):
                if seen is not None:
                    seen.feed(data, time.time())
                if self._to_lose and any(text in data for text in self._lose_after):
                    self._to_lose -= 1
                    connection.loses_answer = True
                await self._write(connection, writer, data)

    async def _pass_down(
        self, connection: "_Connection", reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        with suppress(OSError):
            while data := await reader.read(_PIECE):
                if connection.loses_answer:
                    self.losses += 1
                    connection.reset()
                    return
                await self._write(connection, writer, data)

    async def _write(self, connection: "_Connection", writer: asyncio.StreamWriter, data: bytes) -> None:
        if self.delay:
            await asyncio.sleep(self.delay)
        await self._flows.wait()
        if not connection.is_deaf:
            writer.write(data)
            await writer.drain()


class Balancer(Link):
    """Passes each connection on to one of several nodes by chance; to another one where that takes none.

    Args:
        name: What it is called.
        ports: Where the nodes listen.
    """

    def __init__(self, name: str, ports: Sequence[int]) -> None:
        super().__init__(name, ports[0], reads_http=False)
        self._ports = list(ports)

    async def _upstream(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        *others, last = random.sample(self._ports, len(self._ports))
        for port in others:
            with suppress(OSError):
                return await asyncio.open_connection("127.0.0.1", port)
        return await asyncio.open_connection("127.0.0.1", last)


class _Connection:
    """One connection of a node, and the one that it is passed on by."""

    def __init__(self, writer: asyncio.StreamWriter) -> None:
        self.ends = [writer]
        self.is_deaf = False
        self.loses_answer = False

    def reset(self) -> None:
        """End it at once, and say so to both sides."""
        for end in self.ends:
            with suppress(OSError):
                end.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
            end.transport.abort()

    def close(self) -> None:
        """End it in order."""
        for end in self.ends:
            end.close()
