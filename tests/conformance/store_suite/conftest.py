"""Runs the suite against every store there is.

A further implementation adds its name to ``IMPLEMENTATIONS`` and a way to open it to ``_place``; no test changes.
"""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from tests.conformance.store_suite.samples import NOW
from tests.postgres import Server

from secure_export.store.open import Store
from secure_export.store.postgresql.place import place_of
from secure_export.store.postgresql.store import PostgresStore
from secure_export.store.sqlite.store import SqliteStore

IMPLEMENTATIONS = ("sqlite", "postgresql")

OpenStore = Callable[[], Awaitable[Store]]


@asynccontextmanager
async def _place(name: str, request: pytest.FixtureRequest, folder: Path) -> AsyncIterator[OpenStore]:
    """Give what opens a store that is empty at first; each call opens the same data again."""
    if name == "sqlite":
        yield lambda: SqliteStore.open(folder / "store.db", clock=lambda: NOW)
        return
    server: Server = request.getfixturevalue("postgres")
    async with server.database() as database:
        place = place_of(server.url(database, pool_size="4"))
        yield lambda: PostgresStore.open(place, clock=lambda: NOW)


@pytest.fixture(params=IMPLEMENTATIONS)
async def open_again(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[OpenStore]:
    """Open the test's store once more, as another process beside the first would."""
    async with _place(request.param, request, tmp_path) as place:
        opened: list[Store] = []

        async def open_store() -> Store:
            opened.append(await place())
            return opened[-1]

        yield open_store
        for store in opened:
            await store.close()


@pytest.fixture
async def store(open_again: OpenStore) -> Store:
    """Give an empty store."""
    return await open_again()
