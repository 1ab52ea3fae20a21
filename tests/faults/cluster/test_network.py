"""The suite's network: each kind of trouble is what its name says."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from tests.faults.cluster.network import Balancer, Link
from tests.program import free_port

SOON = 0.1
LONG = 10.0


class Echo:
    """A server that says back what it hears, and remembers it."""

    def __init__(self) -> None:
        self.heard = b""
        self.port = 0

    @asynccontextmanager
    async def running(self) -> AsyncIterator["Echo"]:
        server = await asyncio.start_server(self._answer, "127.0.0.1", 0)
        self.port = server.sockets[0].getsockname()[1]
        try:
            yield self
        finally:
            server.close()

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while data := await reader.read(1000):
                self.heard += data
                writer.write(data)
                await writer.drain()
        except OSError:
            pass
        finally:
            writer.close()


@pytest.fixture
async def echo() -> AsyncIterator[Echo]:
    async with Echo().running() as server:
        yield server


@pytest.fixture
async def link(echo: Echo) -> AsyncIterator[Link]:
    async with Link("node", echo.port, reads_http=False).running() as one:
        yield one


class Caller:
    """A node that talks by the link."""

    def __init__(self, streams: tuple[asyncio.StreamReader, asyncio.StreamWriter]) -> None:
        self._reader, self._writer = streams

    @classmethod
    async def of(cls, link: Link) -> "Caller":
        return cls(await asyncio.open_connection("127.0.0.1", link.port))

    async def says(self, text: bytes) -> None:
        self._writer.write(text)
        await self._writer.drain()

    async def hears(self, *, within: float = LONG) -> bytes | None:
        """Give what comes; empty: the connection has ended, or was reset; None: nothing within the time."""
        try:
            async with asyncio.timeout(within):
                return await self._reader.read(1000)
        except TimeoutError:
            return None
        except OSError:
            return b""

    def leaves(self) -> None:
        self._writer.close()


async def test_a_link_passes_on_what_both_sides_say(link: Link) -> None:
    """Without trouble nothing is different."""
    caller = await Caller.of(link)
    await caller.says(b"one")
    assert await caller.hears() == b"one"
    caller.leaves()


async def test_a_cut_ends_connections_and_lets_no_new_one_through_until_it_is_mended(link: Link, echo: Echo) -> None:
    """Connections are reset, and those that begin meanwhile, too."""
    before = await Caller.of(link)
    await before.says(b"one")
    assert await before.hears() == b"one"
    link.cut()
    assert await before.hears() == b""
    meanwhile = await Caller.of(link)
    assert await meanwhile.hears() == b""
    link.mend()
    after = await Caller.of(link)
    await after.says(b"two")
    assert await after.hears() == b"two"
    assert echo.heard == b"onetwo"
    for caller in (before, meanwhile, after):
        caller.leaves()


async def test_what_is_held_up_comes_later(link: Link) -> None:
    """A partition that heals: nothing is lost."""
    caller = await Caller.of(link)
    link.hold_up()
    await caller.says(b"one")
    assert await caller.hears(within=SOON) is None
    link.mend()
    assert await caller.hears() == b"one"
    caller.leaves()


@pytest.mark.parametrize("reset", [True, False], ids=["reset", "silent for ever"])
async def test_a_half_open_connection_says_nothing_any_more(link: Link, echo: Echo, *, reset: bool) -> None:
    """It stays silent after the link is mended, too, or is reset then; new ones work."""
    caller = await Caller.of(link)
    await caller.says(b"one")
    assert await caller.hears() == b"one"
    link.swallow()
    await caller.says(b"two")
    assert await caller.hears(within=SOON) is None
    link.mend(reset=reset)
    assert await caller.hears(within=LONG if reset else SOON) == (b"" if reset else None)
    after = await Caller.of(link)
    await after.says(b"three")
    assert await after.hears() == b"three"
    assert echo.heard == b"onethree"
    caller.leaves()
    after.leaves()


async def test_an_answer_is_lost_after_the_server_has_done_what_was_asked(link: Link, echo: Echo) -> None:
    """Only what is asked with the text in question meets it, and so many times."""
    link.lose_answers(1, after=(b"COMMIT",))
    first = await Caller.of(link)
    await first.says(b"BEGIN")
    assert await first.hears() == b"BEGIN"
    await first.says(b"COMMIT")
    assert await first.hears() == b""
    assert echo.heard == b"BEGINCOMMIT"
    second = await Caller.of(link)
    await second.says(b"COMMIT")
    assert await second.hears() == b"COMMIT"
    assert link.losses == 1
    first.leaves()
    second.leaves()


async def test_requests_are_read_as_they_come_in_pieces(echo: Echo) -> None:
    """The judge knows every request with its body, however the wire cuts it."""
    async with Link("delivery-1", echo.port, reads_http=True).running() as link:
        caller = await Caller.of(link)
        for piece in (b"POST /a?b=c HT", b"TP/1.1\r\ncontent-length: 4\r\n\r\nbo", b"dyGET /d HTTP/1.1\r\n\r\n"):
            await caller.says(piece)
            assert await caller.hears() == piece
        assert [(one.link, one.method, one.path, one.body, one.writes) for one in link.requests] == [
            ("delivery-1", "POST", "/a?b=c", b"body", True),
            ("delivery-1", "GET", "/d", b"", False),
        ]
        caller.leaves()


async def test_the_balancer_finds_a_node_that_is_there(echo: Echo, unused_port: int) -> None:
    """A node that is down is passed over."""
    async with Balancer("front", [unused_port, echo.port]).running() as front:
        for _ in range(8):
            caller = await Caller.of(front)
            await caller.says(b"one")
            assert await caller.hears() == b"one"
            caller.leaves()


@pytest.fixture
def unused_port() -> int:
    return free_port()
