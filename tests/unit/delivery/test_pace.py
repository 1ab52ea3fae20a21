"""How fast a connection may be called."""

import asyncio
from collections.abc import Sequence
from itertools import pairwise

from hypothesis import example, given, settings
from hypothesis import strategies as st
from tests.unit.delivery.virtual_time import VirtualTime

from secure_export.delivery.pace import Pace

RATE = 4.0
PARTS = 4


def begun(pace: Pace, time: VirtualTime, after: Sequence[float]) -> list[float]:
    """Ask for steps, each so long after the one before, and say when they begin."""
    starts: list[float] = []

    async def step(at: float) -> None:
        await time.sleep(at)
        await pace.turn(time.sleep)
        starts.append(time.now)

    async def all_steps() -> None:
        at, tasks = 0.0, []
        for gap in after:
            at += gap
            tasks.append(asyncio.create_task(step(at)))
        await time.run(*tasks)

    asyncio.run(all_steps())
    return starts


def test_without_a_rate_nothing_waits() -> None:
    """No rate: as many steps as there are."""
    time = VirtualTime()
    pace = Pace(None, seconds=time)
    assert begun(pace, time, [0.0] * 100) == [0.0] * 100
    assert pace.wait_seconds() == 0.0


def test_steps_at_once_are_spread() -> None:
    """Four steps a second, asked for at once: one each quarter of a second."""
    time = VirtualTime()
    pace = Pace(4, seconds=time)
    assert begun(pace, time, [0.0] * 4) == [0.0, 0.25, 0.5, 0.75]
    assert pace.wait_seconds() == 0.25


async def test_those_who_wait_already_are_counted() -> None:
    """One who comes now would have to wait for all before it."""
    time = VirtualTime()
    pace = Pace(2, seconds=time)
    await pace.turn(time.sleep)
    tasks = [asyncio.create_task(pace.turn(time.sleep)) for _ in range(3)]
    await asyncio.sleep(0)
    assert pace.wait_seconds() == 2.0
    await time.run(*tasks)
    assert time.now == 1.5


async def test_one_who_gives_up_leaves_no_gap() -> None:
    """A step that is cancelled while it waits takes nobody's turn."""
    time = VirtualTime()
    pace = Pace(1, seconds=time)
    await pace.turn(time.sleep)
    tasks = [asyncio.create_task(pace.turn(time.sleep)) for _ in range(3)]
    await asyncio.sleep(0)
    for task in tasks[:2]:
        task.cancel()
    await time.run(*tasks)
    assert time.now == 1.0


def test_silence_saves_nothing_up() -> None:
    """After a long silence the first step is at once, and the second still waits: no burst."""
    time = VirtualTime()
    pace = Pace(2, seconds=time)
    assert begun(pace, time, [0.0, 3600.0, 0.0]) == [0.0, 3600.0, 3600.5]


@settings(max_examples=60, deadline=None)
@given(st.floats(0.1, 1000), st.lists(st.floats(0, 5), min_size=2, max_size=20))
def test_there_are_never_more_steps_than_the_rate_allows(rate: float, gaps: list[float]) -> None:
    """Whenever steps are asked for, two neighbours are at least one rate's gap apart, and none waits without need."""
    time = VirtualTime()
    starts = begun(Pace(rate, seconds=time), time, gaps)
    assert min(later - earlier for earlier, later in pairwise(starts)) >= 1 / rate - 1e-6
    asked, before = 0.0, float("-inf")
    for gap, start in zip(gaps, starts, strict=True):
        asked += gap
        assert abs(start - max(asked, before + 1 / rate)) < 1e-6
        before = start


def hand_out(paces: Sequence[Pace], parts: Sequence[int]) -> None:
    """Give each so many of four parts of the rate, as far as they go."""
    left = PARTS
    for pace, wanted in zip(paces, parts, strict=True):
        got = min(wanted, left)
        left -= got
        pace.have(got / PARTS)


@settings(max_examples=20, deadline=None)
@given(st.lists(st.tuples(st.floats(0, 0.3), st.lists(st.integers(0, 4), min_size=3, max_size=3)), max_size=30))
@example([(0.09, [4, 0, 0]), (0.09, [0, 4, 0]), (0.09, [0, 0, 4])] * 8)
def test_processes_together_keep_the_rate_whoever_has_which_part(changes: list[tuple[float, list[int]]]) -> None:
    """However parts of one rate change hands between busy processes, in any time there are as many steps as the rate
    allows in it, and one more for each process at most.
    """
    time = VirtualTime()
    paces = [Pace(RATE, seconds=time) for _ in range(3)]
    starts: list[float] = []

    async def busy(pace: Pace) -> None:
        while True:
            if pace.wait_seconds() > 0:
                await time.sleep(0.02)
                continue
            await pace.turn(time.sleep)
            starts.append(time.now)

    async def everything() -> None:
        hand_out(paces, [4, 0, 0])
        tasks = [asyncio.create_task(busy(pace)) for pace in paces]
        for seconds, parts in changes:
            await time.run(asyncio.create_task(time.sleep(seconds)))
            hand_out(paces, parts)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    asyncio.run(everything())
    for first, since in enumerate(starts):
        for last in range(first, len(starts)):
            assert last - first + 1 <= (starts[last] - since) * RATE + len(paces) + 1e-6
