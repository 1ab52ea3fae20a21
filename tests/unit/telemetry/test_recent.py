"""Asking once for all who want to know."""

import asyncio

import pytest

from secure_export.telemetry.recent import Recent


class Store:
    """Counts how often it is asked, and can be slow or broken."""

    def __init__(self) -> None:
        self.asked = 0
        self.now = 100.0
        self.open = asyncio.Event()
        self.open.set()
        self.fails = False
        self.recent = Recent(self.count, clock=lambda: self.now)

    async def count(self) -> int:
        self.asked += 1
        await self.open.wait()
        if self.fails:
            raise OSError("no route")
        return self.asked


async def test_an_answer_serves_for_a_second() -> None:
    """A thousand questions within a second are one, and the next second has its own."""
    store = Store()
    assert {await store.recent() for _ in range(1000)} == {1}
    store.now += 1
    assert await store.recent() == 2


async def test_who_asks_meanwhile_waits_for_the_same_answer() -> None:
    """However long it takes, nobody makes it be asked again; who goes away takes it from nobody."""
    store = Store()
    store.open.clear()
    first, second, third = (asyncio.create_task(store.recent()) for _ in range(3))
    await asyncio.sleep(0)
    store.now += 5
    first.cancel()
    await asyncio.sleep(0)
    store.open.set()
    assert list(await asyncio.gather(second, third, store.recent())) == [1, 1, 2]
    assert first.cancelled()


async def test_trouble_is_told_to_each_and_is_over_with_the_next_second() -> None:
    """What asking raised is raised for all who ask within the second, and asked for again after it."""
    store = Store()
    store.fails = True
    for _ in range(3):
        with pytest.raises(OSError, match="no route"):
            await store.recent()
    assert store.asked == 1
    store.fails = False
    store.now += 1
    assert await store.recent() == 2
