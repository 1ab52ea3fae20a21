"""Work that one process at a time does, of all that deliver."""

import asyncio
from collections import Counter
from contextlib import suppress
from typing import Any

from tests.unit.delivery.scene import Scene, until

from secure_export.delivery.alone import Alone
from secure_export.delivery.contract import Allotment, PlacesAsked
from secure_export.delivery.place_keeper import Terms
from secure_export.delivery.place_keepers import PlaceKeepers
from secure_export.delivery.upkeep import Intervals, Upkeep
from secure_export.itsm.share import Share

FAST = Terms(between_renewals=0.001, soon=0.001)


class OnePlace:
    """Gives the place, or not, and remembers how much was to be kept of it."""

    def __init__(self, *, fair: int) -> None:
        self.fair = fair
        self.asked: list[PlacesAsked] = []
        self.names: set[str] = set()
        self.left = 0

    async def renew(self, connection: str, asked: PlacesAsked) -> Allotment:
        self.names.add(connection)
        self.asked.append(asked)
        return Allotment(max(asked.keep, self.fair), self.fair)

    async def leave(self, connection: str) -> None:
        self.names.discard(connection)
        self.left += 1


async def test_who_has_no_place_waits_and_who_is_at_work_keeps_it() -> None:
    """It goes to another when the work has ended, and not before; of one place there is never more."""
    allotments = OnePlace(fair=0)
    keepers = PlaceKeepers(allotments)
    keepers.terms = FAST
    alone = keepers.alone("timers")
    entered = asyncio.create_task(alone.__aenter__())
    await until(lambda: len(allotments.asked) >= 3)
    assert not entered.done()
    allotments.fair = 1
    await entered
    allotments.fair, seen = 0, len(allotments.asked)
    await until(lambda: len(allotments.asked) >= seen + 3)
    assert {one.keep for one in allotments.asked[seen + 1 :]} == {1}
    await alone.__aexit__(None, None, None)
    await until(lambda: allotments.asked[-1].keep == 0)
    assert {one.places for one in allotments.asked} == {1}
    assert allotments.names == {"alone:timers"}, "no connection can have this name"
    await keepers.close()
    assert allotments.names == set()


async def test_who_stands_back_leaves_the_place_and_comes_back_by_itself() -> None:
    """What is at work keeps the place until it has ended; then nothing is asked for until the time is over."""
    allotments = OnePlace(fair=1)
    keepers = PlaceKeepers(allotments)
    keepers.terms = FAST
    alone = keepers.alone("timers")
    async with alone:
        alone.stand_back(3600)
        seen = len(allotments.asked)
        await until(lambda: len(allotments.asked) >= seen + 3)
        assert {one.keep for one in allotments.asked[seen + 1 :]} == {1}
    await until(lambda: allotments.left >= 1)
    entered, seen = asyncio.create_task(alone.__aenter__()), len(allotments.asked)
    await until(lambda: allotments.left >= 4)
    assert (entered.done(), len(allotments.asked)) == (False, seen)
    alone.stand_back(0.01)
    await entered
    await keepers.close()


class Counting:
    """Counts what is asked of a store."""

    def __init__(self, store: Any) -> None:
        self._store = store
        self.calls: Counter[str] = Counter()

    def __getattr__(self, name: str) -> Any:
        self.calls[name] += 1
        return getattr(self._store, name)


async def test_everything_is_read_back_and_tried_again_by_one_process_alone(scene: Scene) -> None:
    """Each would have it done once more; only after its start each tries what is parked, for it may be mended."""
    share = Share()
    share.change(held=0, goal=0, of=1, until=0)
    store = Counting(scene.store.upkeep)
    timers = Upkeep(
        store,
        [scene.target],
        intervals=Intervals(expire=1, read_back=1, retry_parked=1, read_back_ended=1, bind_late=1, forget=1),
        alone=Alone(share),
        clock=scene.clock,
        sleep=lambda _: asyncio.sleep(0.001),
    )
    task = asyncio.create_task(timers.run())
    everybody, alone = {"wake_expired", "forget", "cursor", "unbound_names"}, {"open_keys", "ended_keys"}
    await until(lambda: all(store.calls[name] >= 3 for name in everybody))
    assert store.calls["retry_parked"] == 1
    assert not alone & store.calls.keys()
    share.change(held=1, goal=1, of=1, until=float("inf"))
    await until(lambda: all(store.calls[name] >= 3 for name in alone | {"retry_parked"}))
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task
