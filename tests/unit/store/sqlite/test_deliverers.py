"""Which processes deliver from a file. Locks are of open files, so that two stores are as two processes."""

from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest
from tests.conformance.store_suite.samples import NOW, claim, entry

from secure_export.errors import StoreUnavailable
from secure_export.store.sqlite.store import SqliteStore

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
