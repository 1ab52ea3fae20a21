"""What went wrong with a request decides whether it may be made again: surely not sent, or in doubt."""

import asyncio
import gzip
import socket
from collections.abc import Callable
from typing import Any

import aiohttp
import pytest
from tests.unit.itsm.loopback import GOOD, Reply, tool

from secure_export.itsm.http import AnswerLost, Http, HttpSettings, NotSent
from secure_export.itsm.http_errors import Circumstances, told

SECRETS = {"sysparm_query": "geheim=1"}
HEADERS = {"Authorization": "Basic Z2VoZWlt"}


@pytest.fixture(params=[False, True], ids=["asyncio", "uvloop"])
def anyio_backend(request: pytest.FixtureRequest) -> tuple[str, dict[str, Any]]:
    """The program runs on uvloop where there is one; both must tell faults apart in the same way."""
    return "asyncio", {"use_uvloop": request.param}


async def fault(http: Http, method: str = "POST") -> NotSent | AnswerLost:
    """Make a request that fails, and give the error."""
    try:
        await http.request(method, "/api/now/geheimnis", query=SECRETS, headers=HEADERS, json={"password": "geheim"})
    except (NotSent, AnswerLost) as error:
        shown = f"{error} {error!r} {error.__cause__}"
        assert "geheim" not in shown.lower()
        assert "Z2V" not in shown
        return error
    finally:
        await http.close()
    raise AssertionError("the request was answered")


def free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


async def test_who_refuses_connections_got_nothing() -> None:
    """Nobody listens: surely nothing was sent."""
    error = await fault(Http(HttpSettings(url=f"http://127.0.0.1:{free_port()}")))
    assert isinstance(error, NotSent)
    assert "cannot be reached" in error.reason


async def test_a_name_that_nobody_knows_got_nothing() -> None:
    """A name that cannot be resolved: surely nothing was sent."""
    error = await fault(Http(HttpSettings(url="https://tool.invalid", request_timeout_seconds=10)))
    assert isinstance(error, NotSent)
    assert "tool.invalid" in error.reason


async def test_a_connection_that_is_not_made_in_time_carried_nothing() -> None:
    """The queue of the listener is full, so that connecting hangs: the time-out is no doubt."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        address = listener.getsockname()
        fillers = [socket.socket() for _ in range(3)]
        for filler in fillers:
            filler.setblocking(False)
            filler.connect_ex(address)
        try:
            error = await fault(Http(HttpSettings(url=f"http://127.0.0.1:{address[1]}", request_timeout_seconds=0.2)))
        finally:
            for filler in fillers:
                filler.close()
    assert isinstance(error, NotSent)
    assert error.reason == f"no connection with 127.0.0.1:{address[1]} within 0.2 s"


async def test_a_tls_handshake_that_hangs_carried_nothing() -> None:
    """The tool takes the connection and says nothing: without TLS nothing was sent."""

    async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()
        writer.close()

    async with await asyncio.start_server(silent, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        error = await fault(Http(HttpSettings(url=f"https://127.0.0.1:{port}", request_timeout_seconds=0.2)))
    assert isinstance(error, NotSent)


async def test_a_tool_without_tls_got_nothing() -> None:
    """Plain HTTP where TLS is expected: the handshake fails before anything is sent."""

    async def plain(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(100)
        writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        writer.close()

    async with await asyncio.start_server(plain, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        error = await fault(Http(HttpSettings(url=f"https://127.0.0.1:{port}")))
    assert isinstance(error, NotSent)
    assert "TLS" in error.reason


async def _cut_off(writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{")
    await writer.drain()
    writer.transport.abort()


async def _trickle(writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n")
    for _ in range(100):
        writer.write(b" ")
        await writer.drain()
        await asyncio.sleep(0.02)


async def _silence(writer: asyncio.StreamWriter) -> None:
    await asyncio.sleep(2)


IN_DOUBT = {
    "closes after the request": (Reply(b"", closes=True), "closed the connection without an answer"),
    "resets after the request": (Reply(b"", resets=True), "127.0.0.1"),
    "half a head": (Reply(b"HTTP/1.1 201 Created\r\nContent-Ty", closes=True), "closed the connection"),
    "half a body": (Reply(b"HTTP/1.1 201 Created\r\nContent-Length: 99\r\n\r\n{", closes=True), "cut off"),
    "half a body, then a reset": (Reply(b"", before=_cut_off), "127.0.0.1"),
    "a chunk cut off": (
        Reply(b"HTTP/1.1 201 Created\r\nTransfer-Encoding: chunked\r\n\r\n20\r\n{\r\n", closes=True),
        "cut off",
    ),
    "no last chunk": (
        Reply(b"HTTP/1.1 201 Created\r\nTransfer-Encoding: chunked\r\n\r\n1\r\n{\r\n", closes=True),
        "cut off",
    ),
    "never answers": (Reply(b"", before=_silence), "did not answer completely within 0.5 s"),
    "trickles for ever": (Reply(b"", before=_trickle), "did not answer completely within 0.5 s"),
    "no HTTP": (Reply(b"220 mail.example.com ESMTP\r\n\r\n", closes=True), "not HTTP"),
    "a header that is none": (Reply(b"HTTP/1.1 200 OK\r\nbad header\r\n\r\n", closes=True), "not HTTP"),
    "a length that is none": (Reply(b"HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\n", closes=True), "not HTTP"),
    "an endless header": (Reply(b"HTTP/1.1 200 OK\r\nA: " + b"x" * 200_000, closes=True), "127.0.0.1"),
    "gzip that is none": (
        Reply(b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 4\r\n\r\nabcd"),
        "cannot be unpacked",
    ),
    "an encoding nobody asked for": (
        Reply(b"HTTP/1.1 200 OK\r\nContent-Encoding: br\r\nContent-Length: 4\r\n\r\nabcd"),
        "127.0.0.1",
    ),
}


@pytest.mark.parametrize("case", IN_DOUBT)
async def test_after_the_request_was_sent_everything_is_in_doubt(case: str) -> None:
    """The tool has read the whole request: whatever happens then, it may have done what it says."""
    reply, said = IN_DOUBT[case]
    async with tool(reply) as one:
        error = await fault(one.http(request_timeout_seconds=0.5 if "within 0.5 s" in said else 5))
        assert isinstance(error, AnswerLost)
        assert said in error.reason
        assert [(r.method, r.body) for r in one.requests] == [("POST", b'{"password":"geheim"}')]


async def test_a_tool_that_closes_at_once_leaves_doubt() -> None:
    """It takes the connection and closes it unread. We cannot see that from outside, so it counts as doubt."""
    async with tool(greets=False) as one:
        assert isinstance(await fault(one.http()), AnswerLost)


@pytest.mark.parametrize("method", ["POST", "PATCH", "PUT", "DELETE"])
async def test_a_write_is_never_made_twice(method: str) -> None:
    """Not even one that HTTP calls idempotent: the library would send PUT and DELETE again by itself."""
    async with tool(GOOD, Reply(b"", closes=True), GOOD) as one:
        http = one.http()
        await http.request("GET", "/")
        error = await fault(http, method)
        assert isinstance(error, AnswerLost)
        assert [r.method for r in one.requests] == ["GET", method]


async def test_a_reading_is_made_again_when_a_kept_connection_was_dead() -> None:
    """The tool closed what idled just as we asked: a GET changes nothing, so it is made again at once."""
    async with tool(GOOD, Reply(b"", closes=True), GOOD) as one:
        http = one.http()
        await http.request("GET", "/a")
        assert (await http.request("GET", "/b")).json() == {"result": "ok"}
        await http.close()
        assert [r.target for r in one.requests] == ["/a", "/b", "/b"]
        assert one.connections == 2


async def test_a_reading_outlives_all_kept_connections() -> None:
    """Each of them may be dead; a new one is the last that is tried."""
    async with tool(GOOD) as one:
        http = one.http(connections=3)
        one.replies = [Reply(before=_moment)]
        await asyncio.gather(*(http.request("GET", "/a") for _ in range(3)))
        one.replies = [*(Reply() for _ in range(3)), *(Reply(b"", closes=True) for _ in range(3)), Reply()]
        assert (await http.request("GET", "/b")).status == 200
        await http.close()
        assert one.connections == 4


async def _moment(writer: asyncio.StreamWriter) -> None:
    await asyncio.sleep(0.02)


async def test_a_reading_on_a_new_connection_is_made_once() -> None:
    """A tool that drops every request is not asked for ever."""
    async with tool(Reply(b"", closes=True)) as one:
        assert isinstance(await fault(one.http(), "GET"), AnswerLost)
        assert len(one.requests) == 1


async def test_a_connection_that_idles_closed_is_not_used() -> None:
    """Where we were told in time that it was closed, a write goes over a new one without any doubt."""
    async with tool() as one:
        http = one.http()
        await http.request("POST", "/a", json={})
        one.hang_up()
        await asyncio.sleep(0.05)
        assert (await http.request("POST", "/b", json={})).status == 200
        await http.close()


@pytest.mark.parametrize("packed", [False, True], ids=["20 MB", "a gzip bomb"])
async def test_a_huge_answer_is_not_read(packed: object) -> None:
    """More than the bound is not kept in memory, packed or not; what was asked may have been done."""
    if packed:
        body = gzip.compress(bytes(64 * 1024 * 1024), 9)
        head = b"Content-Encoding: gzip\r\n"
    else:
        body, head = bytes(20 * 1024 * 1024), b""
    data = b"HTTP/1.1 200 OK\r\n" + head + b"Content-Length: %d\r\n\r\n" % len(body) + body
    async with tool(Reply(data)) as one:
        error = await fault(one.http())
        assert isinstance(error, AnswerLost)
        assert error.reason.endswith("answered more than 1024 KiB")


async def test_after_closing_nothing_is_sent() -> None:
    """Requests that come later fail cleanly; closing twice is fine."""
    async with tool() as one:
        http = one.http()
        await http.request("GET", "/")
        await http.close()
        await http.close()
        error = await fault(http)
        assert isinstance(error, NotSent)
        assert len(one.requests) == 1


async def test_closing_ends_what_is_under_way() -> None:
    """A request under way when the program stops leaves doubt; one that waits for its turn was not sent."""
    async with tool(Reply(before=_silence)) as one:
        http = one.http(connections=1)
        tasks = [asyncio.create_task(fault(http)) for _ in range(2)]
        while not one.requests:  # noqa: ASYNC110 - it comes over a real socket
            await asyncio.sleep(0.01)
        await http.close()
        first, second = await asyncio.gather(*tasks)
        assert (type(first), type(second)) == (AnswerLost, NotSent)


@pytest.mark.parametrize("sent", [False, True])
def test_the_librarys_own_words_are_not_repeated(sent: object) -> None:
    """They may hold the whole address; the system's words for the same error number do not."""
    at = Circumstances("tool.example.com", "", 30, 1024)
    url = "https://tool.example.com/?q=geheim"
    for error in (
        aiohttp.ClientOSError(32, f"Can not write request body for {url}"),
        aiohttp.ClientConnectionError(url),
        aiohttp.InvalidURL(url),
        aiohttp.ConnectionTimeoutError(f"Connection timeout to host {url}"),
        ValueError(url),
    ):
        assert "geheim" not in str(told(error, at, sent=bool(sent)))


async def test_closing_while_a_name_is_looked_up_is_no_cancellation(monkeypatch: pytest.MonkeyPatch) -> None:
    """The library gives the look-up up as if the task were cancelled; that would end the task of a lane."""
    looked_up = asyncio.Event()

    async def never(*_: object, **__: object) -> None:
        looked_up.set()
        await asyncio.Event().wait()

    monkeypatch.setattr(asyncio.get_running_loop(), "getaddrinfo", never, raising=True)
    http = Http(HttpSettings(url="https://tool.example.com"))
    task = asyncio.create_task(fault(http))
    await looked_up.wait()
    await http.close()
    assert isinstance(await task, NotSent)


UNSENDABLE: dict[str, Callable[[Http], Any]] = {
    "a line end in a header": lambda http: http.request("GET", "/", headers={"x-key": "geheim\r\nX: y"}),
    "a letter beyond ASCII in a header": lambda http: http.request("GET", "/", headers={"x-key": "geheim-ü"}),
    "a line end in a header's name": lambda http: http.request("GET", "/", headers={"geheim\n": "x"}),
    "a lone surrogate in JSON": lambda http: http.request("POST", "/", json={"geheim": "\ud800"}),
    "what JSON does not have": lambda http: http.request("POST", "/", json={"geheim": object()}),
    "a lone surrogate in a form": lambda http: http.request("POST", "/", form={"geheim": "\ud800"}),
    "a lone surrogate in a query": lambda http: http.request("GET", "/", query={"geheim": "\ud800"}),
    "a path that climbs": lambda http: http.request("GET", "/geheim/../x"),
    "a path that is none": lambda http: http.request("GET", "geheim"),
}


@pytest.mark.parametrize("case", UNSENDABLE)
async def test_what_cannot_be_written_down_is_not_sent(case: str) -> None:
    """It fails before a connection is made, and the reason does not repeat it."""
    async with tool() as one:
        http = one.http()
        with pytest.raises(NotSent) as caught:
            await UNSENDABLE[case](http)
        await http.close()
        assert "geheim" not in str(caught.value)
        assert one.connections == 0


async def test_an_answer_that_comes_too_late_is_nobodys() -> None:
    """After a time-out the connection is given up: its late answer does not become that of the next request."""

    async def late(writer: asyncio.StreamWriter) -> None:
        await asyncio.sleep(0.6)

    async with tool(Reply(b'HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\n"late"', before=late), GOOD) as one:
        http = one.http(connections=1)
        with pytest.raises(AnswerLost):
            await http.request("GET", "/a", timeout=0.4)
        await asyncio.sleep(0.25)
        assert (await http.request("GET", "/b")).json() == {"result": "ok"}
        await http.close()
