"""Whatever happens to lanes, every accepted notification is folded exactly once."""

import asyncio
from dataclasses import replace
from random import Random

import pytest
from tests.conformance.store_suite.conftest import OpenStore
from tests.conformance.store_suite.samples import LEASE, NOW, at, claim, entry, item, unreadable

from secure_export.delivery.contract import Change, ClaimedLane, Release
from secure_export.errors import LostLane
from secure_export.store.open import Store


class _World:
    """Owners that fold, stall, wait and park at random, while notifications come."""

    def __init__(self, stores: tuple[Store, ...], chance: Random) -> None:
        self.stores = stores
        self.chance = chance
        self.seconds = 0.0
        self.accepted: list[int] = []
        self.folded: list[int] = []
        self.held: list[ClaimedLane] = []

    @property
    def store(self) -> Store:
        return self.chance.choice(self.stores)

    async def act(self) -> None:
        await self.chance.choice((self.append, self.append, self.claim, self.finish, self.finish, self.time))()

    async def append(self) -> None:
        keys = [f"alert:{self.chance.randrange(6)}" for _ in range(self.chance.randrange(1, 5))]
        receipts = await asyncio.gather(
            *(self.store.journal.append(entry(key, received_at=at(self.seconds))) for key in keys)
        )
        self.accepted += [receipt.notification for receipt in receipts]
        if self.chance.random() < 0.2:
            await self.replay()

    async def replay(self) -> None:
        receipt = await self.store.journal.append(unreadable())
        again = entry(f"alert:{self.chance.randrange(6)}")
        await self.store.actions.replay(receipt.notification, entry=again, by="test", now=at(self.seconds))
        self.accepted.append(receipt.notification)

    async def claim(self) -> None:
        now, limit = at(self.seconds), self.chance.randrange(1, 4)
        self.held += await claim(self.store.lanes, now=now, limit=limit, pending_limit=self.chance.randrange(1, 4))

    async def finish(self) -> None:
        if not self.held:
            return
        lane = self.held.pop(self.chance.randrange(len(self.held)))
        fold = [p.notification for p in lane.pending][: self.chance.randrange(4)]
        release = self.chance.choice(
            (Release(), Release(parked="refused"), Release(wake_at=at(self.seconds + 20), waiting="later"))
        )
        seen = max((p.notification for p in lane.pending), default=0)
        try:
            await self.store.lanes.save(
                lane, Change(folded=fold, release=replace(release, seen=seen)), now=at(self.seconds)
            )
        except LostLane:
            return
        self.folded += fold

    async def time(self) -> None:
        self.seconds += self.chance.choice((1, 10, LEASE.total_seconds()))

    async def drain(self) -> None:
        """Retry what is parked, let time pass, and fold everything."""
        store = self.stores[0]
        for row in (await store.records.lanes(state="parked")).rows:
            await store.actions.retry(row["key"], by="test", now=at(self.seconds))
        self.seconds += 10 * LEASE.total_seconds()
        while lanes := await claim(store.lanes, now=at(self.seconds)):
            for lane in lanes:
                fold = [p.notification for p in lane.pending]
                await store.lanes.save(lane, Change(folded=fold, release=Release(seen=max(fold, default=0))), now=NOW)
                self.folded += fold


@pytest.mark.parametrize("seed", range(12))
async def test_every_accepted_notification_is_folded_exactly_once(open_again: OpenStore, seed: int) -> None:
    """Two processes, stalled owners, waits, parked lanes and replays in any order lose nothing and repeat nothing."""
    world = _World((await open_again(), await open_again()), Random(seed))  # noqa: S311 - a test that can be repeated
    for _ in range(60):
        await world.act()
    await world.drain()
    assert sorted(world.folded) == sorted(world.accepted)
    assert (await world.store.records.lanes()).rows == []
    assert (await world.store.records.counts())["ready"] == 0


async def test_a_work_item_survives_its_lane(open_again: OpenStore) -> None:
    """What was saved is there for another process, and after a restart."""
    first = await open_again()
    await first.journal.append(entry())
    (lane,) = await claim(first.lanes)
    one = item()
    await first.lanes.save(lane, Change(item=one), now=NOW)
    await first.close()
    second = await open_again()
    (again,) = await claim(second.lanes, now=lane.lease_until)
    assert again.item == one
