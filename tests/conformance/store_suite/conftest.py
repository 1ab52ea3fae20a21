"""Runs the suite against every store there is.

A further implementation adds its name to ``IMPLEMENTATIONS`` and a way to open it to ``_place``; no test changes.
"""

from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest
from tests.conformance.store_suite.samples import NOW

from secure_export.store.open import Store
from secure_export.store.sqlite.store import SqliteStore

IMPLEMENTATIONS = ("sqlite",)

OpenStore = Callable[[], Awaitable[Store]]


def _place(name: str, folder: Path) -> OpenStore:
    """Give what opens a store that is empty at first; each call opens the same data again."""
    if name == "sqlite":
        return lambda: SqliteStore.open(folder / "store.db", clock=lambda: NOW)
    raise LookupError(name)


@pytest.fixture(params=IMPLEMENTATIONS)
async def open_again(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[OpenStore]:
    """Open the test's store once more, as another process beside the first would."""
    place = _place(request.param, tmp_path)
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
