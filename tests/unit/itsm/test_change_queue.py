"""Changes wait for their turn, so that steps that were begun end in time."""

import asyncio

import pytest

from secure_export.itsm.change_queue import ChangeQueue, NoTurn


async def _many(queue: ChangeQueue, count: int, done: asyncio.Event) -> tuple[list[asyncio.Task[None]], list[int]]:
    begun: list[int] = []

    async def change(number: int) -> None:
        async with queue.turn():
            begun.append(number)
            await done.wait()

    tasks = [asyncio.create_task(change(number)) for number in range(count)]
    for _ in range(3):
        await asyncio.sleep(0)
    return tasks, begun


@pytest.mark.parametrize(("seconds", "most"), [(0.1, 64), (1.0, 12), (3.0, 4), (30.0, 4)])
async def test_the_slower_the_answers_the_fewer_changes_are_on_their_way(seconds: float, most: int) -> None:
    """A fast tool gets all at once, so that readings behind them gather; a slow one as many as it answers soon."""
    queue, done = ChangeQueue(4), asyncio.Event()
    for _ in range(200):
        queue.answered(seconds)
    tasks, begun = await _many(queue, 64, done)
    assert len(begun) == most
    done.set()
    await asyncio.gather(*tasks)
    assert begun == list(range(64))


async def test_a_turn_that_does_not_come_in_time_is_no_turn() -> None:
    """The change was not begun then, and its place is nobody's."""
    queue, done = ChangeQueue(1, longest_wait_seconds=0.01), asyncio.Event()
    queue.answered(1000)
    tasks, begun = await _many(queue, 3, done)
    told = await asyncio.wait_for(asyncio.gather(*tasks[1:], return_exceptions=True), 5)
    assert [type(one) for one in told] == [NoTurn, NoTurn]
    assert begun == [0]
    done.set()
    await tasks[0]
    async with asyncio.timeout(5), queue.turn():
        pass


async def test_one_who_gives_up_takes_nobodys_turn() -> None:
    """A step whose time is over is cancelled, waiting or just let in: the next is let in."""
    queue, done = ChangeQueue(1), asyncio.Event()
    queue.answered(1000)
    tasks, begun = await _many(queue, 4, done)
    tasks[1].cancel()
    tasks[0].cancel()
    await asyncio.sleep(0)
    tasks[2].cancel()
    done.set()
    await asyncio.wait_for(asyncio.gather(*tasks, return_exceptions=True), 5)
    assert begun[-1] == 3
