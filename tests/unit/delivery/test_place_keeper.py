"""How one process keeps its places in one connection."""

import asyncio
from datetime import timedelta

import pytest
from tests.unit.delivery.scene import ManualClock
from tests.unit.delivery.tool import Tool

from secure_export.delivery.connection import Target
from secure_export.delivery.contract import Allotment, PlacesAsked
from secure_export.delivery.place_keeper import PlaceKeeper, Terms
from secure_export.delivery.place_keepers import PlaceKeepers
from secure_export.errors import StoreUnavailable
from secure_export.itsm.share import Share
from secure_export.policy.decide import Policy
from secure_export.policy.settings import RouteSettings

TERMS = Terms(window=15, margin=5, between_renewals=3, soon=0.5)


class Seconds:
    """A clock that moves when it is told to."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


class Store:
    """Answers what it is told to, after a while, and remembers what it was asked."""

    def __init__(self, seconds: Seconds) -> None:
        self._seconds = seconds
        self.takes = 0.0
        self.answer = Allotment(4, 4)
        self.away = False
        self.asked: list[PlacesAsked] = []
        self.left = 0

    async def renew(self, connection: str, asked: PlacesAsked) -> Allotment:
        self.asked.append(asked)
        self._seconds.now += self.takes
        if self.away:
            raise StoreUnavailable("away")
        return self.answer

    async def leave(self, connection: str) -> None:
        self.left += 1
        if self.away:
            raise StoreUnavailable("away")


class Scene:
    """A keeper with what it works with."""

    def __init__(self) -> None:
        self.seconds = Seconds()
        self.store = Store(self.seconds)
        self.share = Share(seconds=self.seconds)
        self.lanes = 0
        self.share.works(lambda: self.lanes, 64)
        self.told: list[int] = []
        self.keeper = PlaceKeeper(
            "prod",
            self.share,
            places=4,
            longest_call_seconds=30,
            allotments=self.store,
            told=lambda _, held: self.told.append(held),
            terms=TERMS,
            seconds=self.seconds,
        )


async def test_before_the_first_renewal_nothing_is_called() -> None:
    """A process that begins to deliver has nothing until it is told so."""
    scene = Scene()
    assert not scene.share.is_open
    await scene.keeper.renew()
    assert scene.share.is_open
    assert scene.told == [0, 4]


async def test_calls_begin_for_so_long_after_the_renewal_was_sent() -> None:
    """However long the answer took: others count from when it could first be seen, which is no sooner."""
    scene = Scene()
    scene.store.takes = 4.0
    await scene.keeper.renew()
    scene.seconds.now = 100.0 + TERMS.window - 0.01
    assert scene.share.is_open
    scene.seconds.now = 100.0 + TERMS.window
    assert not scene.share.is_open
    assert scene.store.asked[0].lease == timedelta(seconds=15 + 30 + 5)


async def test_without_the_store_nothing_is_made_longer() -> None:
    """A renewal that failed is none, and what was held is still held when the store is back."""
    scene = Scene()
    await scene.keeper.renew()
    scene.store.away = True
    scene.seconds.now += 10
    with pytest.raises(StoreUnavailable):
        await scene.keeper.renew()
    scene.seconds.now += 5
    assert not scene.share.is_open
    scene.store.away = False
    await scene.keeper.renew()
    assert scene.store.asked[-1].keep == 4
    assert scene.share.is_open


async def test_a_place_is_given_back_when_what_was_under_way_there_has_ended() -> None:
    """Until then it is kept, and no further lane begins on it; nobody is told before it is out of use."""
    scene = Scene()
    await scene.keeper.renew()
    scene.lanes = 40
    scene.store.answer = Allotment(4, 1)
    await scene.keeper.renew()
    assert scene.share.lanes(64) == 16
    scene.store.answer = Allotment(3, 1)
    await scene.keeper.renew()
    scene.lanes = 10
    scene.store.answer = Allotment(1, 1)
    await scene.keeper.renew()
    assert [asked.keep for asked in scene.store.asked] == [0, 4, 3, 1]
    assert scene.told == [0, 4, 3, 1]


async def test_a_place_that_was_given_back_in_doubt_is_not_used_again() -> None:
    """The store may have heard of it, and have given it to another."""
    scene = Scene()
    await scene.keeper.renew()
    scene.store.answer = Allotment(4, 1)
    await scene.keeper.renew()
    scene.store.away = True
    with pytest.raises(StoreUnavailable):
        await scene.keeper.renew()
    assert scene.share.held == 1


async def test_places_that_last_need_no_renewal() -> None:
    """The embedded store gives them until the process ends."""
    scene = Scene()
    scene.store.answer = Allotment(4, 4, lasts=True)
    await scene.keeper.renew()
    scene.seconds.now += 1_000_000
    assert scene.share.is_open


async def test_trouble_with_places_is_told_until_it_has_passed() -> None:
    """Without places nothing is delivered; to hold none, because others do, is no trouble."""
    scene = Scene()
    scene.store.answer = Allotment(0, 0)
    told: list[str | None] = []
    troubles: list[Exception | None] = [None, StoreUnavailable("away"), KeyError("x"), None]

    async def renew(*_: object) -> Allotment:
        told.append(await scene.keeper.ready())
        if (trouble := troubles.pop(0)) is not None:
            raise trouble
        return scene.store.answer

    async def sleep(_: float) -> None:
        if not troubles:
            told.append(await scene.keeper.ready())
            raise asyncio.CancelledError

    scene.store.renew = renew  # type: ignore[assignment,method-assign] # it fails in ways of its own
    scene.keeper._sleep = sleep
    with pytest.raises(asyncio.CancelledError):
        await scene.keeper.run()
    assert told == [None, None, "away", "keeping places failed (KeyError); the log says more", None]


async def test_a_keeper_that_has_ended_is_told() -> None:
    """Nothing would be delivered any more, without a word."""
    scene = Scene()
    keepers = PlaceKeepers(scene.store)
    assert await keepers.ready() is None
    keepers.begin([Target("prod", Policy(RouteSettings()), Tool(ManualClock()), share=scene.share)])
    await asyncio.sleep(0)
    assert await keepers.ready() is None
    (task,) = keepers._tasks
    task.cancel()
    await asyncio.wait([task])
    assert "has ended" in str(await keepers.ready())
    await keepers.close()
    assert await keepers.ready() is None


@pytest.mark.parametrize("away", [False, True], ids=["store there", "store away"])
async def test_who_ends_gives_everything_back_if_it_can(*, away: bool) -> None:
    """Nothing is called any more in any case; without the store the lease ends by itself."""
    scene = Scene()
    await scene.keeper.renew()
    scene.store.away = away
    await scene.keeper.leave()
    assert not scene.share.is_open
    assert scene.store.left == 1
