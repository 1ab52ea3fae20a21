"""The desk's records in each store: the same tests hold for all."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from tests.conformance.desk_records.samples import Desks
from tests.postgres import Server

from secure_export.itsm.desk.contract import DeskRecords
from secure_export.store.postgresql.database import Database as PostgresDatabase
from secure_export.store.postgresql.desk import PostgresDesk
from secure_export.store.postgresql.place import place_of
from secure_export.store.sqlite.database import Database
from secure_export.store.sqlite.desk import SqliteDesk


@pytest.fixture(params=["sqlite", "postgresql"])
async def desks(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Desks]:
    """Open a store of the desk's records twice."""
    if request.param == "sqlite":
        databases = [await Database.open(tmp_path / "desk.db") for _ in range(2)]
        yield Desks(SqliteDesk(databases[0]), SqliteDesk(databases[1]))
        for database in databases:
            await database.close()
        return
    server: Server = request.getfixturevalue("postgres")
    async with server.database() as name:
        place = place_of(server.url(name, pool_size="4"))
        opened = [await PostgresDatabase.open(place) for _ in range(2)]
        yield Desks(PostgresDesk(opened[0]), PostgresDesk(opened[1]))
        for one in opened:
            await one.close()


@pytest.fixture
async def desk(desks: Desks) -> DeskRecords:
    """Give one of the two."""
    return desks.first
