"""The webhook over real sockets, by both of its ways in: what a client sees, and what it can do to others."""

import asyncio
import json
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from tests.unit.intake.doubles import OTHER_SUBSCRIPTION, SUBSCRIPTION, StandInGate, StandInJournal, alert_body

from secure_export.intake.app import Intake
from secure_export.intake.body import MAX_BODY_BYTES, Limits
from secure_export.intake.door import ConnectionDoor
from secure_export.server import serve_asgi
from secure_export.telemetry.metrics import Metrics

PATH = "/v1/connections/desk/alerts"
TOKEN = "Authorization: Bearer good"


@pytest.fixture
def anyio_backend() -> tuple[str, dict[str, Any]]:
    """Run on the loop that the program runs on."""
    return "asyncio", {"use_uvloop": True}


class Service:
    """A served intake between stand-ins."""

    def __init__(self, *, quick: bool, limits: Limits | None) -> None:
        self.gate = StandInGate(remembers=True)
        self.journal = StandInJournal()
        self.metrics = Metrics()
        self.refused = Counter[str]()
        door = ConnectionDoor(subscriptions=frozenset({SUBSCRIPTION}), tenants=None, correlate=lambda alert: alert.id)
        self.intake = Intake(self.gate, self.journal, {"desk": door}, self.metrics, limits=limits)
        self.shortcut = self.intake.shortcut if quick else None
        self.port = 0

    async def ask(self, *pieces: bytes) -> tuple[int, dict[str, str], Any]:
        """Send a request in pieces and give status, headers and body of the answer."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        try:
            for piece in pieces:
                writer.write(piece)
                await writer.drain()
            return await answer(reader)
        finally:
            writer.close()


async def answer(reader: asyncio.StreamReader) -> tuple[int, dict[str, str], Any]:
    """Read one answer."""
    async with asyncio.timeout(5):
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        status, *lines = head.rstrip().split("\r\n")
        headers = dict(line.lower().split(": ", 1) for line in lines)
        body = await reader.readexactly(int(headers["content-length"]))
    return int(status.split()[1]), headers, json.loads(body) if body else None


@asynccontextmanager
async def service(*, quick: bool = True, limits: Limits | None = None) -> AsyncIterator[Service]:
    """Run an intake while the block runs."""
    made, stop = Service(quick=quick, limits=limits), asyncio.Event()
    started: asyncio.Future[int] = asyncio.get_running_loop().create_future()
    serving = asyncio.create_task(
        serve_asgi(
            made.intake,
            "127.0.0.1",
            0,
            stop=stop,
            on_started=started.set_result,
            refused=lambda code: made.refused.update([code]),
            shortcut=made.shortcut,
        )
    )
    try:
        made.port = await asyncio.wait_for(started, 5)
        yield made
    finally:
        made.journal.open.set()
        stop.set()
        await asyncio.wait_for(serving, 15)


def request(
    body: bytes = b"", *headers: str, path: str = PATH, method: str = "POST", length: int | None = None
) -> bytes:
    """Make a request."""
    size = len(body) if length is None else length
    lines = [f"{method} {path} HTTP/1.1", "Host: x", f"Content-Length: {size}", *headers, "", ""]
    return "\r\n".join(lines).encode() + body


@pytest.mark.parametrize("quick", [True, False], ids=["shortcut", "application"])
@pytest.mark.parametrize(
    ("message", "status", "said"),
    [
        (request(alert_body(), TOKEN), 202, "accepted"),
        (request(alert_body(), TOKEN, path=PATH + "/"), 202, "accepted"),
        (request(alert_body(), TOKEN, path=PATH + "?code=1"), 202, "accepted"),
        (request(alert_body(), TOKEN, path="/v1/connections/d%65sk/alerts"), 202, "accepted"),
        (request(alert_body(), TOKEN, "Content-Encoding: identity"), 202, "accepted"),
        (request(b"garbage", TOKEN), 202, "quarantined"),
        (request(b"", TOKEN), 202, "quarantined"),
        (request(alert_body(), TOKEN, "Content-Encoding: gzip"), 202, "quarantined"),
        (request(alert_body(subscription=OTHER_SUBSCRIPTION), TOKEN), 403, None),
        (request(alert_body()), 401, None),
        (request(alert_body(), TOKEN, TOKEN), 401, None),
        (request(alert_body(), TOKEN, "Authorization: Bearer bad"), 401, None),
        (request(alert_body(), TOKEN, path="/v1/connections/none/alerts"), 404, None),
        (request(alert_body(), TOKEN, path="//v1/connections/desk/alerts"), 404, None),
        (request(alert_body(), TOKEN, path="/v1/connections/desk%2F/alerts"), 404, None),
        (request(alert_body(), TOKEN, method="PUT"), 405, None),
        (request(method="OPTIONS"), 405, None),
        (request(b"x" * (MAX_BODY_BYTES + 1), TOKEN), 413, None),
        (request(b"x" * 10, TOKEN, length=MAX_BODY_BYTES + 1), 413, None),
    ],
    ids=[
        "alert", "slash", "query", "encoded", "identity", "garbage", "empty", "gzip", "subscription", "no token",
        "twice", "two tokens", "unknown", "double slash", "encoded slash", "put", "options", "large", "announced large",
    ],
)  # fmt: skip
async def test_both_ways_answer_alike(*, quick: bool, message: bytes, status: int, said: str | None) -> None:
    """Whether a request comes in one piece or in many, through the shortcut or not: the same answer and record."""
    for cut in (len(message), len(message) - 1 if len(message) < 5000 else 4000, 60):
        async with service(quick=quick) as running:
            found, headers, body = await running.ask(message[:cut], message[cut:])
            assert found == status
            assert headers["content-type"] == "application/json"
            if said is None:
                assert running.journal.entries == []
                assert set(body) == {"error"}
            else:
                assert body == {"notification": "1", "status": said}
                assert len(running.journal.entries) == 1


@pytest.mark.parametrize("quick", [True, False], ids=["shortcut", "application"])
async def test_a_repetition_is_a_duplicate_and_trouble_is_503(*, quick: bool) -> None:
    """Also over one connection, one after the other."""
    async with service(quick=quick) as running:
        reader, writer = await asyncio.open_connection("127.0.0.1", running.port)
        for status, unavailable in (("accepted", False), ("", True), ("duplicate", False)):
            running.journal.unavailable = unavailable
            writer.write(request(alert_body(), TOKEN))
            found, headers, body = await answer(reader)
            assert (found, headers.get("retry-after")) == ((503, "5") if unavailable else (202, None))
            assert body.get("status", "") == status
        writer.close()


async def test_most_requests_take_the_shortcut() -> None:
    """The application is not asked for what the shortcut can answer."""
    async with service() as running:
        calls: list[object] = []
        original = running.intake._take

        def counted(scope: Any, receive: Any) -> Any:
            calls.append(scope)
            return original(scope, receive)

        running.intake._take = counted  # type: ignore[method-assign]
        await running.ask(request(alert_body(), TOKEN))
        assert calls == []
        message = request(alert_body(), TOKEN)
        reader, writer = await asyncio.open_connection("127.0.0.1", running.port)
        writer.write(message[:-5])
        while not calls:  # noqa: ASYNC110 - the server's side of a socket says nothing that could be waited for
            await asyncio.sleep(0.001)
        writer.write(message[-5:])
        assert (await answer(reader))[2]["status"] == "duplicate"
        writer.close()


async def test_a_refusal_reaches_a_client_before_its_body() -> None:
    """Expect: 100-continue is answered with the refusal, or with 100 and then 202."""
    async with service() as running:
        status, _, _ = await running.ask(request(b"", "Expect: 100-continue", length=100))
        assert status == 401
        body = alert_body()
        reader, writer = await asyncio.open_connection("127.0.0.1", running.port)
        writer.write(request(b"", TOKEN, "Expect: 100-continue", length=len(body)))
        assert await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), 5) == b"HTTP/1.1 100 Continue\r\n\r\n"
        writer.write(body)
        assert (await answer(reader))[0] == 202
        writer.close()


async def test_slow_bodies_do_not_hold_up_others() -> None:
    """With all places taken by clients that stall, an alert in one piece is taken at once; the stalled ones get 408."""
    async with service(limits=Limits(reading=5, unhurried_seconds=0.0, patience_seconds=0.3)) as running:
        stalled = [await asyncio.open_connection("127.0.0.1", running.port) for _ in range(8)]
        for _, writer in stalled:
            writer.write(request(b"{", TOKEN, length=1000))
        status, _, _ = await running.ask(request(alert_body(), TOKEN))
        assert status == 202
        message = request(alert_body("a2"), TOKEN)
        status, _, _ = await running.ask(message[:-1], message[-1:])
        assert status == 202
        for reader, writer in stalled:
            assert (await answer(reader))[0] == 408
            writer.close()


async def test_a_flood_with_a_stalled_disk_is_503_and_the_rest_is_answered_later() -> None:
    """Overload is told at once, for those in one piece and those that come slowly."""
    async with service(limits=Limits(in_flight=20)) as running:
        running.journal.open.clear()
        connections = [await asyncio.open_connection("127.0.0.1", running.port) for _ in range(50)]
        for number, (_, writer) in enumerate(connections):
            writer.write(request(alert_body(f"a{number}"), TOKEN))
        statuses = Counter[int]()
        waiting = {asyncio.create_task(answer(reader)) for reader, _ in connections}
        while statuses[503] < 30:
            done, waiting = await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED, timeout=5)
            statuses.update(task.result()[0] for task in done)
        running.journal.open.set()
        statuses.update([(await task)[0] for task in waiting])
        assert statuses == {202: 20, 503: 30}
        for _, writer in connections:
            writer.close()


async def test_half_an_alert_is_not_recorded() -> None:
    """A client that closes or resets in the middle leaves nothing behind, and the service goes on."""
    async with service() as running:
        message = request(alert_body(), TOKEN)
        for cut in (10, 100, len(message) - 1):
            _, writer = await asyncio.open_connection("127.0.0.1", running.port)
            writer.write(message[:cut])
            await writer.drain()
            await asyncio.sleep(0.005)
            writer.transport.abort()
        status, _, body = await running.ask(message)
        assert (status, body["notification"]) == (202, "1")


async def test_a_client_that_half_closes_is_answered() -> None:
    """A client may say that it sends no more before it reads the answer (``curl`` piped from a file does)."""
    async with service() as running:
        reader, writer = await asyncio.open_connection("127.0.0.1", running.port)
        writer.write(request(alert_body(), TOKEN, "Connection: close"))
        writer.write_eof()
        assert (await answer(reader))[0] == 202
        writer.close()


async def test_many_alerts_at_once_each_get_their_own_answer() -> None:
    """Answers do not get mixed up between connections."""
    async with service() as running:

        async def one(number: int) -> str:
            status, _, body = await running.ask(request(alert_body(f"a{number}"), TOKEN))
            assert status == 202
            entry = running.journal.entries[int(body["notification"]) - 1]
            assert f"alerts/a{number}".encode() in entry.body
            return str(body["notification"])

        numbers = await asyncio.gather(*(one(number) for number in range(100)))
        assert len(set(numbers)) == 100
