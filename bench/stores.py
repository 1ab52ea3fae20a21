"""The stores that are measured: a SQLite file, and a PostgreSQL of its own."""

import asyncio
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import asyncpg

from bench.postgres import postgres_running
from secure_export.store.open import is_postgresql, open_store, sqlite_path


class Kind(StrEnum):
    """Which store."""

    SQLITE = "sqlite"
    POSTGRESQL = "postgresql"

    @property
    def shown(self) -> str:
        """What it is called in tables."""
        return {Kind.SQLITE: "SQLite", Kind.POSTGRESQL: "PostgreSQL"}[self]


@dataclass(frozen=True)
class Place:
    """Where a store is.

    Attributes:
        url: As the setting has it.
        pid: PostgreSQL's first process; None: the store is a file.
    """

    url: str
    pid: int | None = None

    @property
    def pids(self) -> tuple[int, ...]:
        """The database's first process, if it has any."""
        return () if self.pid is None else (self.pid,)

    def mib(self) -> float:
        """Say how large everything kept is, indexes included; a database's log of changes is not."""
        if is_postgresql(self.url):
            return float(self.fetch("SELECT pg_database_size(current_database())")[0][0]) / 2**20
        path = sqlite_path(self.url)
        return sum(one.stat().st_size for one in path.parent.glob(f"{path.name}*")) / 2**20

    def fetch(self, sql: str) -> list[Any]:
        """Ask the database itself; gives rows as tuples."""
        return [tuple(row.values()) for row in self._ask(sql)]

    def rows(self, table: str) -> list[dict[str, Any]]:
        """Read a table, each row by the names of its columns."""
        return self._ask(f"SELECT * FROM {table}")  # noqa: S608 - names out of the program

    def _ask(self, sql: str) -> list[dict[str, Any]]:
        if not is_postgresql(self.url):
            with closing(sqlite3.connect(sqlite_path(self.url))) as file:
                file.row_factory = sqlite3.Row
                return [dict(row) for row in file.execute(sql)]

        async def ask() -> list[dict[str, Any]]:
            connection = await connected(self.url)
            try:
                return [dict(row) for row in await connection.fetch(sql)]
            finally:
                await connection.close()

        return asyncio.run(ask())


@contextmanager
def store_running(kind: Kind, folder: Path) -> Iterator[Place]:
    """Have an empty store of a kind, with the tables of the program, while the block runs.

    Args:
        kind: Which.
        folder: Where a file may be made.
    """
    if kind is Kind.SQLITE:
        yield _made(Place(f"sqlite:///{folder / 'store.db'}"))
        return
    with postgres_running() as server:
        yield _made(Place(server.url, server.pid))


async def connected(url: str) -> Any:
    """Connect to PostgreSQL as the owner, without any limit of time."""
    parts = urlsplit(url)
    options = {name: values[0] for name, values in parse_qs(parts.query).items()}
    return await asyncpg.connect(
        host=options["host"], port=int(options["port"]), user=parts.username, database=parts.path[1:]
    )


def _made(place: Place) -> Place:
    async def make() -> None:
        store = await open_store(place.url)
        await store.close()

    asyncio.run(make())
    return place
