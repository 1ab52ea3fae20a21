"""What a process has of a connection's limits, and the turns that follow it."""

import asyncio

import pytest

from secure_export.itsm.change_queue import ChangeQueue
from secure_export.itsm.share import CallTurns, NoPlace, Share

FOREVER = float("inf")


class Seconds:
    """A clock that moves when it is told to."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


class Callers:
    """Calls that last until they are told to end."""

    def __init__(self, turns: CallTurns) -> None:
        self._turns = turns
        self.at_work: dict[int, asyncio.Event] = {}
        self.tasks: list[asyncio.Task[None]] = []

    async def come(self, count: int) -> None:
        first = len(self.tasks)
        self.tasks += [asyncio.create_task(self._call(first + number)) for number in range(count)]
        await settle()

    async def end(self, *numbers: int) -> None:
        for number in numbers:
            self.at_work[number].set()
        await settle()

    async def _call(self, number: int) -> None:
        async with self._turns:
            self.at_work[number] = asyncio.Event()
            try:
                await self.at_work[number].wait()
            finally:
                del self.at_work[number]


async def settle() -> None:
    for _ in range(6):
        await asyncio.sleep(0)


def has(share: Share, held: int, *, goal: int | None = None, of: int = 4, until: float = FOREVER) -> None:
    share.change(held=held, goal=held if goal is None else goal, of=of, until=until)


async def test_who_shares_with_nobody_has_the_whole() -> None:
    """A share that nobody hands out is all there is."""
    share = Share()
    callers = Callers(share.turns(3))
    await callers.come(5)
    assert list(callers.at_work) == [0, 1, 2]
    assert share.lanes(64) == 64
    await callers.end(0, 1, 2)
    await callers.end(3, 4)
    await asyncio.gather(*callers.tasks)


async def test_calls_follow_the_share_up_and_down() -> None:
    """More places let those in who wait, at once; fewer end nothing that is under way."""
    share = Share()
    turns = share.turns(8)
    callers = Callers(turns)
    has(share, 1)
    await callers.come(10)
    assert list(callers.at_work) == [0, 1]
    has(share, 3)
    await settle()
    assert list(callers.at_work) == [0, 1, 2, 3, 4, 5]
    has(share, 1)
    await callers.end(0, 1, 2, 3)
    assert list(callers.at_work) == [4, 5]
    await callers.end(4)
    assert list(callers.at_work) == [5, 6]
    for task in callers.tasks:
        task.cancel()
    await asyncio.gather(*callers.tasks, return_exceptions=True)
    assert turns.in_use == 0


async def test_without_a_place_a_call_is_refused_at_once() -> None:
    """Nobody waits for a place that may never come; those who wait already are told, too."""
    share = Share()
    callers = Callers(share.turns(4))
    has(share, 1)
    await callers.come(2)
    has(share, 0)
    with pytest.raises(NoPlace):
        await asyncio.wait_for(callers.tasks[1], 5)
    await callers.come(1)
    with pytest.raises(NoPlace):
        await asyncio.wait_for(callers.tasks[2], 5)
    await callers.end(0)
    await callers.tasks[0]


async def test_no_call_begins_after_the_time() -> None:
    """Who is not renewed makes no call: neither who comes, nor who waits and is let in by one that ends."""
    seconds = Seconds()
    share = Share(seconds=seconds)
    callers = Callers(share.turns(4))
    has(share, 1, until=110)
    await callers.come(2)
    seconds.now = 110
    assert not share.is_open
    assert share.lanes(64) == 0
    await callers.end(0)
    with pytest.raises(NoPlace):
        await asyncio.wait_for(callers.tasks[1], 5)
    has(share, 1, until=130)
    await callers.come(1)
    assert list(callers.at_work) == [2]
    await callers.end(2)


async def test_a_process_that_is_stopped_just_when_it_is_let_in_makes_no_call() -> None:
    """Between being let in and going on any time may pass: it is looked at the clock once more."""
    seconds = Seconds()
    share = Share(seconds=seconds)
    turns = share.turns(4)
    callers = Callers(turns)
    has(share, 1, until=110)
    await callers.come(2)
    callers.at_work[0].set()
    await asyncio.sleep(0)  # the first ends and lets the second in, which has not gone on yet
    seconds.now = 200
    with pytest.raises(NoPlace):
        await asyncio.wait_for(callers.tasks[1], 5)
    assert turns.in_use == 0


@pytest.mark.parametrize("when", ["waiting", "let in"])
async def test_one_who_gives_up_takes_no_turn_along(when: str) -> None:
    """Cancelled while it waits, or in the moment it is let in: the next one gets the turn."""
    share = Share()
    turns = share.turns(1)
    callers = Callers(turns)
    await callers.come(3)
    if when == "let in":
        callers.at_work[0].set()
        await asyncio.sleep(0)
    callers.tasks[1].cancel()
    await settle()
    if when == "waiting":
        await callers.end(0)
    assert list(callers.at_work) == [2]
    await callers.end(2)
    assert turns.in_use == 0


async def test_what_is_under_way_needs_its_places() -> None:
    """So many places as make the calls and the lanes at work allowed, whichever needs more."""
    share = Share()
    callers = Callers(share.turns(8))
    lanes = 0
    share.works(lambda: lanes, 64)
    has(share, 4)
    assert share.needed() == 0
    await callers.come(3)
    assert share.needed() == 2
    lanes = 33
    assert share.needed() == 3
    for held in range(5):
        has(share, held)
        assert (share.calls(8) >= 3 and share.lanes(64) >= 33) == (held >= 3)
    for task in callers.tasks:
        task.cancel()
    await asyncio.gather(*callers.tasks, return_exceptions=True)


async def test_places_that_go_to_others_are_used_for_what_is_still_worked_on_and_nothing_else() -> None:
    """Whoever always has more to do must come to give back: new calls are those of the lanes at work."""
    share = Share()
    callers = Callers(share.turns(4))
    lanes = 48
    share.works(lambda: lanes, 64)
    has(share, 4)
    await callers.come(20)
    has(share, 4, goal=1)
    assert share.lanes(64) == 16
    await callers.end(0, 1)
    assert list(callers.at_work) == [2, 3, 4]
    lanes = 10
    await callers.end(2, 3)
    assert list(callers.at_work) == [4]
    assert share.needed() == 1
    has(share, 4, goal=0)
    assert share.is_open
    lanes = 0
    assert not share.is_open
    await callers.end(4)
    await asyncio.gather(*callers.tasks, return_exceptions=True)


@pytest.mark.parametrize(("calls", "lanes", "places"), [(4, 64, 4), (8, 2, 2), (64, 512, 64), (1, 64, 1)])
def test_every_place_is_worth_a_call_and_a_lane(calls: int, lanes: int, places: int) -> None:
    """There are as many places as the smallest limit allows, and all shares together are never more than the whole."""
    share = Share()
    share.turns(calls)
    of = share.places(lanes)
    assert of == places
    has(share, 1, of=of)
    assert share.calls(calls) >= 1
    assert share.lanes(lanes) >= 1
    for split in range(of + 1):
        worth = []
        for held in (split, of - split):
            has(share, held, of=of)
            worth.append((share.calls(calls), share.lanes(lanes)))
        assert sum(c for c, _ in worth) <= calls
        assert sum(n for _, n in worth) <= lanes


async def test_who_waits_for_a_place_goes_on_when_there_is_one() -> None:
    """What is done by timer waits without asking again and again."""
    share = Share()
    has(share, 0)
    waiting = asyncio.create_task(share.opened())
    has(share, 0)
    await settle()
    assert not waiting.done()
    has(share, 1)
    await waiting


async def test_changes_on_their_way_follow_the_share() -> None:
    """The queue of changes is as long as suits the process's own part of the connections."""
    share, done = Share(), asyncio.Event()
    queue = ChangeQueue(4, share=share)
    queue.answered(1_000_000.0)  # so slow that one for each connection is enough
    has(share, 1)
    begun: list[int] = []

    async def change(number: int) -> None:
        async with queue.turn():
            begun.append(number)
            await done.wait()

    tasks = [asyncio.create_task(change(number)) for number in range(6)]
    await settle()
    assert begun == [0]
    has(share, 3)
    await settle()
    assert begun == [0, 1, 2]
    done.set()
    await asyncio.gather(*tasks)


async def test_a_step_that_was_stopped_for_long_makes_no_further_call() -> None:
    """The answer to its last call may come before its time limit strikes: by then another may work on the lane."""
    seconds = Seconds()
    share = Share(seconds=seconds)
    turns = share.turns(4)
    with share.calls_for(2.0):
        async with turns:
            seconds.now += 2.0  # stopped while the answer came
        with pytest.raises(NoPlace, match="had its time"):
            await turns.__aenter__()
    assert turns.in_use == 0
    async with turns:  # what is no part of the step goes on
        assert turns.in_use == 1


async def test_a_call_that_waited_too_long_for_its_turn_leaves_it_to_others() -> None:
    """Time is asked for again when the turn has come, and the turn is not kept."""
    seconds = Seconds()
    share = Share(seconds=seconds)
    turns = share.turns(1)
    callers = Callers(turns)
    await callers.come(1)

    async def late() -> None:
        with share.calls_for(2.0):
            await turns.__aenter__()

    waiting = asyncio.create_task(late())
    await settle()
    seconds.now += 3.0
    await callers.end(0)
    with pytest.raises(NoPlace, match="had its time"):
        await waiting
    assert turns.in_use == 0
