"""Reading bodies within bounds."""

import asyncio
from typing import Any

import pytest

from secure_export.intake.body import MAX_BODY_BYTES, Bodies, Gone, Limits, Overloaded, TooLarge, TooSlow


class Client:
    """Sends pieces when a test says so, and then nothing."""

    def __init__(self, *pieces: bytes, whole: bool = True) -> None:
        self._messages: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        for number, piece in enumerate(pieces, 1):
            self.send(piece, last=whole and number == len(pieces))

    def send(self, piece: bytes, *, last: bool) -> None:
        self._messages.put_nowait({"type": "http.request", "body": piece, "more_body": not last})

    def leave(self) -> None:
        self._messages.put_nowait({"type": "http.disconnect"})

    async def __call__(self) -> dict[str, Any]:
        return await self._messages.get()


async def settled() -> None:
    """Let every task that can go on do so."""
    for _ in range(10):
        await asyncio.sleep(0)


async def test_a_body_in_pieces_is_put_together_and_counted_until_it_is_given_back() -> None:
    """Bytes count as buffered for as long as intake holds them."""
    bodies = Bodies(Limits())
    bodies.enter()
    body = await bodies.read(Client(b"ab", b"", b"c"), None)
    assert body == b"abc"
    assert (bodies.in_flight, bodies.buffered_bytes) == (1, 3)
    bodies.leave(len(body))
    assert (bodies.in_flight, bodies.buffered_bytes) == (0, 0)


@pytest.mark.parametrize(
    ("declared", "pieces"),
    [
        (MAX_BODY_BYTES + 1, []),
        (None, [b"x" * MAX_BODY_BYTES, b"y"]),
        (5, [b"x" * (MAX_BODY_BYTES // 2)] * 3),
    ],
    ids=["announced", "not announced", "announced smaller"],
)
async def test_above_1_mib_is_too_large(declared: int | None, pieces: list[bytes]) -> None:
    """What is announced too large is not read; what turns out too large is given up there."""
    bodies = Bodies(Limits())
    with pytest.raises(TooLarge):
        await bodies.read(Client(*pieces, whole=False), declared)
    assert bodies.buffered_bytes == 0


async def test_exactly_1_mib_passes() -> None:
    """The bound itself is allowed."""
    assert len(await Bodies(Limits()).read(Client(b"x" * MAX_BODY_BYTES), MAX_BODY_BYTES)) == MAX_BODY_BYTES


async def test_a_body_that_does_not_come_is_given_up() -> None:
    """A client that stalls is answered, and its bytes no longer count."""
    bodies = Bodies(Limits(patience_seconds=0.01))
    with pytest.raises(TooSlow):
        await bodies.read(Client(b"abc", whole=False), 10)
    assert bodies.buffered_bytes == 0


async def test_a_trickle_is_given_up_too() -> None:
    """The time is for the whole body, not from piece to piece."""
    client = Client(b"a", whole=False)
    reading = asyncio.create_task(Bodies(Limits(patience_seconds=0.05)).read(client, None))
    while not reading.done():
        client.send(b"a", last=False)
        await asyncio.sleep(0.005)
    with pytest.raises(TooSlow):
        await reading


async def test_a_client_that_leaves_is_gone() -> None:
    """Nobody is there to be answered."""
    client = Client(b"abc", whole=False)
    client.leave()
    bodies = Bodies(Limits())
    with pytest.raises(Gone):
        await bodies.read(client, 10)
    assert bodies.buffered_bytes == 0


async def test_more_requests_than_allowed_are_overload() -> None:
    """And when one is answered, there is room for another."""
    bodies = Bodies(Limits(in_flight=2))
    bodies.enter()
    bodies.enter()
    with pytest.raises(Overloaded):
        bodies.enter()
    bodies.leave(0)
    bodies.enter()


async def test_more_bytes_than_allowed_are_overload() -> None:
    """All bodies together: memory stays bounded, whatever each of them does."""
    bodies = Bodies(Limits(buffered_bytes=10))
    held = await bodies.read(Client(b"1234567"), None)
    with pytest.raises(Overloaded):
        await bodies.read(Client(b"12", b"34"), None)
    assert bodies.buffered_bytes == 7
    bodies.leave(len(held))
    assert await bodies.read(Client(b"1234567890"), None) == b"1234567890"


async def test_slow_clients_make_room_for_others() -> None:
    """With all places taken by slow bodies, the slowest gives way, and the newcomer is read."""
    bodies = Bodies(Limits(reading=3, unhurried_seconds=0.0))
    slow = [Client(b"x", whole=False) for _ in range(3)]
    reading = [asyncio.create_task(bodies.read(one, None)) for one in slow]
    await settled()
    assert await bodies.read(Client(b"abc"), None) == b"abc"
    with pytest.raises(TooSlow):
        await reading[0]
    for client, task in zip(slow[1:], reading[1:], strict=True):
        client.send(b"y", last=True)
        assert await task == b"xy"


async def test_a_body_that_only_began_is_not_pushed_out() -> None:
    """Each has a second; until then newcomers are told to come back."""
    bodies = Bodies(Limits(reading=1, unhurried_seconds=60.0))
    client = Client(b"x", whole=False)
    reading = asyncio.create_task(bodies.read(client, None))
    await settled()
    with pytest.raises(Overloaded):
        await bodies.read(Client(b"abc"), None)
    client.send(b"y", last=True)
    assert await reading == b"xy"


async def test_a_time_out_around_it_is_not_taken_for_a_slow_body() -> None:
    """Somebody else's time-out passes through."""
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.01):
            await Bodies(Limits()).read(Client(b"x", whole=False), None)
