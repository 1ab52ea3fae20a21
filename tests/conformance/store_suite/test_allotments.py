"""What every store's places do: what a connection allows is handed out once, and never lost."""

import asyncio
from datetime import timedelta

import pytest
from tests.conformance.store_suite.conftest import OpenStore

from secure_export.delivery.contract import Allotment, PlacesAsked
from secure_export.store.open import Store

LEASE = timedelta(seconds=60)


async def renew(store: Store, keep: int = 0, *, places: int = 4, connection: str = "prod") -> Allotment:
    return await store.allotments.renew(connection, PlacesAsked(places=places, keep=keep, lease=LEASE))


async def test_the_only_process_has_all(store: Store) -> None:
    """At once, with one question."""
    assert await renew(store) == await renew(store, 4)
    assert (await renew(store, 4)).held == 4


async def test_nothing_is_held_twice(store: Store, open_again: OpenStore) -> None:
    """While one holds everything the others get nothing, however often and at the same time they ask."""
    await renew(store)
    others = [await open_again() for _ in range(3)]
    asked = await asyncio.gather(*(renew(other) for other in others * 3))
    assert {one.held for one in asked} == {0}


async def test_whoever_asks_at_the_same_time_gets_something_else(open_again: OpenStore) -> None:
    """Places are handed out once, among all processes."""
    processes = [await open_again() for _ in range(4)]
    held = [one.held for one in await asyncio.gather(*(renew(process, places=6) for process in processes))]
    assert 0 < sum(held) <= 6


async def test_connections_have_places_of_their_own(store: Store, open_again: OpenStore) -> None:
    """What one has is no matter to the other."""
    await renew(store, connection="prod")
    other = await open_again()
    assert (await renew(other, connection="test")).held == 4


async def test_what_was_left_is_free_at_once(store: Store, open_again: OpenStore) -> None:
    """Who ends in order leaves nothing behind, and may come again."""
    await renew(store)
    other = await open_again()
    assert (await renew(other)).held == 0
    await store.allotments.leave("prod")
    assert (await renew(other)).held == 4
    assert (await renew(store)).held == 0


async def test_who_holds_nothing_may_leave(store: Store, open_again: OpenStore) -> None:
    """Nothing of others is touched."""
    await store.allotments.leave("prod")
    await renew(store)
    other = await open_again()
    await other.allotments.leave("prod")
    assert (await renew(other)).held == 0


async def test_nobody_is_robbed(store: Store, open_again: OpenStore) -> None:
    """What a process keeps it keeps, though it is more than its share."""
    await renew(store)
    await renew(await open_again())
    assert (await renew(store, 4)).held == 4


@pytest.mark.parametrize("connection", ["prod", "a-b_c", "x" * 63])
async def test_any_connection_name_will_do(store: Store, connection: str) -> None:
    """Names are those that the configuration allows."""
    assert (await renew(store, connection=connection)).held == 4
