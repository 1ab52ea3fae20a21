"""The store on one SQLite file."""

import sqlite3
from collections.abc import Callable
from functools import cached_property
from pathlib import Path

from secure_export.clock import Clock, utc_now
from secure_export.errors import StoreUnavailable
from secure_export.itsm.desk.contract import DeskRecords
from secure_export.store.instants import micros
from secure_export.store.sqlite.actions import SqliteActions
from secure_export.store.sqlite.allotments import SqliteAllotments
from secure_export.store.sqlite.database import Database
from secure_export.store.sqlite.desk import SqliteDesk
from secure_export.store.sqlite.journal import SqliteJournal
from secure_export.store.sqlite.lanes import SqliteLanes
from secure_export.store.sqlite.records import SqliteRecords
from secure_export.store.sqlite.upkeep import SqliteUpkeep


class SqliteStore:
    """Everything that is kept, in one file that several processes may have open.

    Args:
        database: The database, opened and migrated.
        clock: The time.

    Attributes:
        clock: The time: processes that share a file share a machine, too.
        journal: What intake needs.
        lanes: What delivery needs.
        allotments: What of a connection's limits each process has.
        upkeep: What timers need.
        records: What doors look at.
        actions: What operators do.
    """

    def __init__(self, database: Database, clock: Clock = utc_now) -> None:
        self._database = database
        self.clock = clock
        self.journal = SqliteJournal(database)
        self.lanes = SqliteLanes(database)
        self.allotments = SqliteAllotments(database.path)
        self.upkeep = SqliteUpkeep(database)
        self.records = SqliteRecords(database, clock)
        self.actions = SqliteActions(database)

    @classmethod
    async def open(cls, path: Path, *, clock: Clock = utc_now) -> "SqliteStore":
        """Open a file, made and brought up to date where needed.

        Raises:
            StoreUnavailable: The file cannot be opened.
            SettingsError: The file does not fit this program.
        """
        return cls(await Database.open(path), clock)

    @cached_property
    def desk(self) -> DeskRecords:
        """What the embedded desk keeps."""
        return SqliteDesk(self._database)

    def watch_commits(self, told: Callable[[float], None]) -> None:
        """Have somebody told how many seconds each transaction takes to be on disk; called in any thread."""
        self._database.watch_commits(told)

    async def ready(self) -> str | None:
        """Try to write, and say what is wrong; None when nothing is."""
        tried_at = str(micros(self.clock()))
        try:
            await self._database.write(lambda db: _try_to_write(db, tried_at))
        except StoreUnavailable as error:
            return str(error)
        return None

    async def close(self) -> None:
        """Finish what was begun, and let go of the file."""
        await self._database.close()
        self.lanes.close()
        self.allotments.close()


def _try_to_write(connection: sqlite3.Connection, tried_at: str) -> None:
    connection.execute(
        "INSERT INTO cursors (name, value) VALUES ('store:tried-at', ?) "
        "ON CONFLICT (name) DO UPDATE SET value = excluded.value",
        (tried_at,),
    )
