"""Which processes deliver from a file. Locks are of open files, so that two stores are as two processes."""

from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import timedelta
from pathlib import Path

import pytest
from tests.conformance.store_suite.samples import NOW, claim, entry, item

from secure_export.delivery.contract import Change
from secure_export.errors import StoreUnavailable
from secure_export.store.sqlite.store import SqliteStore
from secure_export.workitems.work_item import StepKind

OpenStore = Callable[[], Awaitable[SqliteStore]]


@pytest.fixture
async def open_store(tmp_path: Path) -> AsyncIterator[OpenStore]:
    """Open the same file again, as another process would."""
    opened: list[SqliteStore] = []

    async def again() -> SqliteStore:
        opened.append(await SqliteStore.open(tmp_path / "store.db"))
        return opened[-1]

    yield again
    for store in opened:
        await store.close()


async def _claimed_by(store: SqliteStore) -> None:
    """Let a process deliver, and hold a lane."""
    await store.lanes.take_over("desk", now=NOW)
    await store.journal.append(entry())
    assert len(await claim(store.lanes)) == 1


async def test_what_the_dead_had_claimed_is_due_at_once(open_store: OpenStore) -> None:
    """Nobody else delivers, so whoever claimed it is gone: its lease need not end."""
    dead = await open_store()
    await _claimed_by(dead)
    await dead.close()
    store = await open_store()
    assert await store.lanes.take_over("desk", now=NOW) == 1
    assert len(await claim(store.lanes)) == 1


async def test_nothing_is_taken_from_the_living(open_store: OpenStore) -> None:
    """Not from the first that came, and not from one that came later and outlived the first."""
    first, second = await open_store(), await open_store()
    await first.lanes.take_over("desk", now=NOW)
    await _claimed_by(second)
    await first.close()
    third = await open_store()
    assert await third.lanes.take_over("desk", now=NOW) == 0
    assert await claim(third.lanes) == []


async def test_connections_are_asked_about_one_by_one(open_store: OpenStore) -> None:
    """A process that delivers for another connection, whatever it is called, is no owner of these lanes."""
    other, dead, store = await open_store(), await open_store(), await open_store()
    await other.lanes.take_over("a/../b", now=NOW)
    await _claimed_by(dead)
    await dead.close()
    assert await store.lanes.take_over("desk", now=NOW) == 1


async def test_a_process_that_asks_again_takes_nothing_from_itself(open_store: OpenStore) -> None:
    """Only before anything was claimed can it be told that all owners are gone."""
    store = await open_store()
    await _claimed_by(store)
    assert await store.lanes.take_over("desk", now=NOW) == 0


async def test_a_store_that_cannot_write_is_asked_again(open_store: OpenStore) -> None:
    """Nobody has joined before what follows from being alone is written."""
    dead = await open_store()
    await _claimed_by(dead)
    await dead.close()
    broken = await open_store()
    await broken.close()
    with pytest.raises(StoreUnavailable):
        await broken.lanes.take_over("desk", now=NOW)
    store = await open_store()
    assert await store.lanes.take_over("desk", now=NOW) == 1


async def test_what_the_dead_had_begun_in_a_tool_elsewhere_is_given_the_time_to_end(open_store: OpenStore) -> None:
    """A create may still run there though its process is gone: a look before that would not find it."""
    dead = await open_store()
    await dead.lanes.take_over("desk", now=NOW)
    await dead.journal.append(entry())
    (lane,) = await claim(dead.lanes)
    numbers = [one.notification for one in lane.pending]
    await dead.lanes.save(lane, Change(folded=numbers, item=item(), begin=StepKind.CREATE), now=NOW)
    await dead.close()
    store = await open_store()
    minute = timedelta(minutes=1)
    assert await store.lanes.take_over("desk", now=NOW, patience=minute) == 1
    assert not await claim(store.lanes, now=NOW + timedelta(seconds=59))
    assert len(await claim(store.lanes, now=NOW + minute)) == 1
