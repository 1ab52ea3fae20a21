"""What can be said about a store from outside: how big it is, how old, and how current."""

import sqlite3
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from secure_export.errors import NotFound
from secure_export.store.copy.tables import TABLES
from secure_export.store.instants import instant_or_none
from secure_export.store.postgresql.connect import connect
from secure_export.store.postgresql.migrate import applied_migrations as applied_in_postgresql
from secure_export.store.postgresql.outages import store_errors as postgresql_errors
from secure_export.store.postgresql.place import Place
from secure_export.store.sqlite.connect import connect_to_write, store_errors
from secure_export.store.sqlite.migrate import applied_migrations

_SIDE_FILES = ("", "-wal")
_TIMES = "SELECT min(received_at), max(received_at) FROM notifications"
_SHOWN = ("notifications", "quarantine", "lanes", "work_items", "alerts", "steps", "desk_incidents", "desk_cis")


@dataclass(frozen=True, slots=True)
class Description:
    """A store.

    Attributes:
        engine: The database and its version.
        place: Where it is.
        size_bytes: How much it takes on disk, without what PostgreSQL logs.
        migration: The name of the last migration; empty where there is none.
        counts: How many rows the main tables have.
        oldest_notification: When the oldest was received.
        newest_notification: When the newest was received.
    """

    engine: str
    place: str
    size_bytes: int
    migration: str
    counts: dict[str, int]
    oldest_notification: datetime | None
    newest_notification: datetime | None

    @property
    def bytes_per_alert(self) -> int | None:
        """What an alert takes, all that belongs to it included."""
        alerts = self.counts.get("alerts", 0)
        return self.size_bytes // alerts if alerts else None


def describe_sqlite(path: Path) -> Description:
    """Describe a file.

    Raises:
        NotFound: There is none.
        StoreUnavailable: It cannot be read now.
    """
    if not path.is_file():
        raise NotFound(f"there is no {path}; start the service once, or name another configuration")
    with store_errors(), closing(connect_to_write(path)) as connection:
        connection.execute("PRAGMA query_only=ON")
        applied = applied_migrations(connection)
        counts = {} if not applied else {name: _count(connection, name) for name in _SHOWN}
        oldest, newest = connection.execute(_TIMES).fetchone() if applied else (None, None)
        sizes = [path.with_name(path.name + ending) for ending in _SIDE_FILES]
        return Description(
            engine=f"SQLite {sqlite3.sqlite_version}",
            place=str(path),
            size_bytes=sum(file.stat().st_size for file in sizes if file.exists()),
            migration=applied[-1][1] if applied else "",
            counts=counts,
            oldest_notification=instant_or_none(oldest),
            newest_notification=instant_or_none(newest),
        )


async def describe_postgresql(place: Place) -> Description:
    """Describe a database.

    Raises:
        StoreUnavailable: It cannot be reached.
    """
    connection = await connect(place, limits=False)
    try:
        with postgresql_errors():
            applied = await applied_in_postgresql(connection)
            counts = {} if not applied else {name: await connection.fetchval(_count_sql(name)) for name in _SHOWN}
            ((oldest, newest),) = await connection.fetch(_TIMES) if applied else [(None, None)]
            version: Any = connection.get_server_version()
            return Description(
                engine=f"PostgreSQL {version.major}.{version.minor}",
                place=str(place),
                size_bytes=await connection.fetchval("SELECT pg_database_size(current_database())"),
                migration=applied[-1][1] if applied else "",
                counts=counts,
                oldest_notification=instant_or_none(oldest),
                newest_notification=instant_or_none(newest),
            )
    finally:
        connection.terminate()


def _count(connection: sqlite3.Connection, name: str) -> int:
    reading = next(table.sqlite for table in TABLES if table.name == name)
    return int(connection.execute(f"SELECT count(*) FROM {reading.of} WHERE {reading.where}").fetchone()[0])  # noqa: S608 - names of our own


def _count_sql(name: str) -> str:
    return f"SELECT count(*) FROM {name}"  # noqa: S608 - as above
