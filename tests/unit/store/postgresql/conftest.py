"""Stores on one PostgreSQL database, each as another process would open it."""

from collections.abc import AsyncIterator, Awaitable, Callable

import pytest
from tests.conformance.store_suite.samples import NOW
from tests.postgres import Server

from secure_export.store.postgresql.place import place_of
from secure_export.store.postgresql.store import PostgresStore

OpenStore = Callable[..., Awaitable[PostgresStore]]


@pytest.fixture
async def database(postgres: Server) -> AsyncIterator[str]:
    """Give the name of a database with empty tables."""
    async with postgres.database() as name:
        yield name


@pytest.fixture
async def open_store(postgres: Server, database: str) -> AsyncIterator[OpenStore]:
    """Open the test's database once more; options go into the URL."""
    opened: list[PostgresStore] = []

    async def open_it(**options: str) -> PostgresStore:
        place = place_of(postgres.url(database, **({"pool_size": "4"} | options)))
        opened.append(await PostgresStore.open(place, clock=lambda: NOW))
        return opened[-1]

    yield open_it
    for store in opened:
        await store.close()


@pytest.fixture
async def store(open_store: OpenStore) -> PostgresStore:
    """Give a store on the test's database."""
    return await open_store()
