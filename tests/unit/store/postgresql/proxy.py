"""A network between a program and a PostgreSQL server, which can be cut at a chosen moment."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

COMMIT = b"COMMIT\0"  # the end of a simple query (PostgreSQL docs, "Message Formats")


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
    """

    def __init__(self, port: int) -> None:
        self._server_port = port
        self.port = 0
        self.cut_before: bytes | None = None
        self.cut_after: bytes | None = None
        self.cuts = 0

    @asynccontextmanager
    async def running(self) -> AsyncIterator["Network"]:
        """Be there as long as the block runs."""
        server = await asyncio.start_server(self._connect, "127.0.0.1", 0)
        self.port = server.sockets[0].getsockname()[1]
        async with server:
            yield self
            server.close()

    async def _connect(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        upstream_reader, upstream_writer = await asyncio.open_connection("127.0.0.1", self._server_port)
        down = asyncio.create_task(_pass(upstream_reader, writer))
        try:
            while data := await reader.read(65536):
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

    def _is(self, what: bytes | None, data: bytes) -> bool:
        if what is None or what not in data:
            return False
        self.cut_before = self.cut_after = None
        self.cuts += 1
        return True


async def _pass(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with suppress(OSError):
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()
        writer.close()
