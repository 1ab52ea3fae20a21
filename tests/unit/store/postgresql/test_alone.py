"""Work that one process at a time does, of several on one database."""

import asyncio

from tests.unit.store.postgresql.conftest import OpenStore

from secure_export.delivery.alone import Alone
from secure_export.delivery.place_keeper import Terms
from secure_export.delivery.place_keepers import PlaceKeepers

FAST = Terms(between_renewals=0.02, soon=0.01)


async def test_of_three_processes_one_at_a_time_works_and_another_goes_on_when_it_ends(open_store: OpenStore) -> None:
    """They take turns as they come and go, and are never two at it."""
    at_work: list[int] = []
    turns: list[int] = []

    async def work(number: int, alone: Alone) -> None:
        while True:
            async with alone:
                at_work.append(number)
                turns.append(number)
                assert at_work == [number]
                await asyncio.sleep(0.005)
                at_work.remove(number)
            await asyncio.sleep(0.005)

    async def until_some_of(numbers: set[int]) -> int:
        seen = len(turns)
        async with asyncio.timeout(20):
            while not (new := numbers & set(turns[seen:])):  # noqa: ASYNC110 - turns come by timer
                await asyncio.sleep(0.005)
        return new.pop()

    processes: dict[int, tuple[PlaceKeepers, asyncio.Task[None]]] = {}
    for number in range(3):
        keepers = PlaceKeepers((await open_store()).allotments)
        keepers.terms = FAST
        processes[number] = (keepers, asyncio.create_task(work(number, keepers.alone("timers"))))
    while processes:
        number = await until_some_of(set(processes))
        keepers, task = processes.pop(number)
        task.cancel()
        await asyncio.wait((task,))
        assert task.cancelled(), task.exception()
        at_work.clear()
        await keepers.close()
    assert set(turns) == {0, 1, 2}


async def test_who_cannot_do_it_stands_back_until_one_has_it_who_can(open_store: OpenStore) -> None:
    """However the lots fall; and when that one ends, the others try again by themselves."""
    tried: list[int] = []

    async def work(number: int, alone: Alone) -> None:
        while True:
            async with alone:
                tried.append(number)
            if number != 2:
                alone.stand_back(0.5)
            await asyncio.sleep(0.005)

    async def until_some_of(*numbers: int) -> None:
        seen = len(tried)
        async with asyncio.timeout(20):
            while not set(numbers) & set(tried[seen:]):  # noqa: ASYNC110 - turns come by timer
                await asyncio.sleep(0.005)

    processes: list[tuple[PlaceKeepers, asyncio.Task[None]]] = []
    for number in range(3):
        keepers = PlaceKeepers((await open_store()).allotments)
        keepers.terms = FAST
        processes.append((keepers, asyncio.create_task(work(number, keepers.alone("timers")))))
    await until_some_of(2)
    able, _ = processes[2]
    await able.close()
    await until_some_of(0, 1)
    for keepers, task in processes:
        task.cancel()
        await asyncio.wait((task,))
        assert task.cancelled(), task.exception()
        await keepers.close()
