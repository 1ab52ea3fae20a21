"""A network between a program and a PostgreSQL server, which can be cut at a chosen moment."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

COMMIT = b"COMMIT\0"  # the end of a simple query (PostgreSQL docs, "Message Formats")
_END_SECONDS = 1.0


class Network:
    """Passes bytes on, until it is told to cut a connection.

    Args:
        port: The server's port on the loopback address.

    Attributes:
        port: Where the program connects.
        cut_before: A connection whose program sends this is cut before the server gets it; None: none.
        cut_after: A connection whose program sends this is cut when the server has answered, before the answer
            arrives; None: none.
        cuts: How many connections were cut.
        silent: Whether bytes are swallowed, as when a machine on the way is gone: nobody is told of it. Connections
            that were there then stay as they are, also when this is over.
    """

    def __init__(self, port: int) -> None:
        self._server_port = port
        self.port = 0
        self.cut_before: bytes | None = None
        self.cut_after: bytes | None = None
        self.cuts = 0
        self._silent = False
        self._dead: set[asyncio.Task[None]] = set()
        self._over = asyncio.Event()
        self._tasks: set[asyncio.Task[None]] = set()

    @property
    def silent(self) -> bool:
        """See the class."""
        return self._silent

    @silent.setter
    def silent(self, silent: bool) -> None:
        self._silent = silent
        if silent:
            self._dead |= self._tasks

    @asynccontextmanager
    async def running(self) -> AsyncIterator["Network"]:
        """Be there as long as the block runs."""
        server = await asyncio.start_server(self._connect, "127.0.0.1", 0)
        self.port = server.sockets[0].getsockname()[1]
        async with server:
            yield self
            server.close()
            self._over.set()
            if self._tasks:
                await asyncio.wait(self._tasks, timeout=_END_SECONDS)

    async def _connect(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        upstream_reader, upstream_writer = await asyncio.open_connection("127.0.0.1", self._server_port)
        down = asyncio.create_task(self._pass(upstream_reader, writer, task))
        try:
            while data := await reader.read(65536):
                if self._silent or task in self._dead:
                    down.cancel()
                    await self._over.wait()
                    break
                if self._is(self.cut_before, data):
                    break
                is_last = self._is(self.cut_after, data)
                if is_last:
                    down.cancel()
                    await asyncio.wait((down,))
                upstream_writer.write(data)
                await upstream_writer.drain()
                if is_last:
                    await upstream_reader.read(65536)
                    break
        finally:
            down.cancel()
            for one in (writer, upstream_writer):
                one.close()
            await asyncio.wait((down,))

    async def _pass(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, task: "asyncio.Task[None]"
    ) -> None:
        with suppress(OSError):
            while data := await reader.read(65536):
                if self._silent or task in self._dead:
                    await self._over.wait()
                    break
                writer.write(data)
                await writer.drain()
            writer.close()

    def _is(self, what: bytes | None, data: bytes) -> bool:
        if what is None or what not in data:
            return False
        self.cut_before = self.cut_after = None
        self.cuts += 1
        return True
