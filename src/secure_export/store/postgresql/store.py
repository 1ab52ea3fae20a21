"""The store on one PostgreSQL database, for any number of processes."""

from collections.abc import Callable
from contextlib import AsyncExitStack, suppress
from functools import cached_property

from secure_export.clock import Clock
from secure_export.errors import StoreUnavailable
from secure_export.itsm.desk.contract import DeskRecords
from secure_export.store.copy.tables import UNFINISHED
from secure_export.store.copy.unfinished import check_finished
from secure_export.store.instants import micros
from secure_export.store.postgresql.actions import PostgresActions
from secure_export.store.postgresql.allotments import PostgresAllotments
from secure_export.store.postgresql.announcing import Announcing
from secure_export.store.postgresql.appender import Appender
from secure_export.store.postgresql.common_time import CommonTime
from secure_export.store.postgresql.connect import connect
from secure_export.store.postgresql.database import Database
from secure_export.store.postgresql.desk import PostgresDesk
from secure_export.store.postgresql.journal import PostgresJournal
from secure_export.store.postgresql.lanes import PostgresLanes
from secure_export.store.postgresql.migrate import known_migrations, migrate
from secure_export.store.postgresql.outages import LockTimeout, store_errors
from secure_export.store.postgresql.partitions import make_partitions
from secure_export.store.postgresql.place import Place
from secure_export.store.postgresql.presence import Presence
from secure_export.store.postgresql.records import PostgresRecords
from secure_export.store.postgresql.upkeep import PostgresUpkeep

_TRIED_AT = """
INSERT INTO cursors (name, value) VALUES ('store:tried-at', $1) ON CONFLICT (name) DO UPDATE SET value = excluded.value
"""


class PostgresStore:
    """Everything that is kept, in one database that any number of processes use.

    Args:
        database: The database, migrated.
        clock: The time; None: the database's.

    Attributes:
        clock: The time that all processes on this database share.
        journal: What intake needs.
        lanes: What delivery needs.
        allotments: What of a connection's limits each process has.
        upkeep: What timers need.
        records: What doors look at.
        actions: What operators do.
    """

    def __init__(self, database: Database, clock: Clock | None = None) -> None:
        self._database = database
        self._common_time = CommonTime(database)
        self.clock: Clock = clock or self._common_time
        self._announcing = Announcing(database)
        self._presence = Presence(database.place, self._announcing)
        self._appender = Appender(database, self._announcing.ready)
        self.journal = PostgresJournal(self._appender)
        self.lanes = PostgresLanes(database, self._announcing, self._presence)
        self.allotments = PostgresAllotments(database)
        self.upkeep = PostgresUpkeep(database, self._announcing.ready)
        self.records = PostgresRecords(database, self.clock)
        self.actions = PostgresActions(database, self._announcing.ready)

    @classmethod
    async def open(cls, place: Place, *, clock: Clock | None = None) -> "PostgresStore":
        """Open a database, brought up to date where needed.

        Raises:
            StoreUnavailable: It cannot be reached.
            SettingsError: It does not fit this program, or lacks something that the role may not make.
        """
        await bring_up_to_date(place)
        store = cls(await Database.open(place), clock)
        try:
            await store._begin(asks_time=clock is None)
        except BaseException:
            await store.close()
            raise
        return store

    @cached_property
    def desk(self) -> DeskRecords:
        """What the embedded desk keeps."""
        return PostgresDesk(self._database)

    def watch_commits(self, told: Callable[[float], None]) -> None:
        """Have somebody told how many seconds each transaction takes to be on disk."""
        self._database.watch_commits(told)

    async def ready(self) -> str | None:
        """Try to write, and say what is wrong; None when nothing is."""
        tried_at = str(micros(self.clock()))
        try:
            await self._database.write(lambda db: db.execute(_TRIED_AT, tried_at))
        except StoreUnavailable as error:
            return str(error)
        return self._appender.full

    async def _begin(self, *, asks_time: bool) -> None:
        """Do what comes before the first use; partitions that cannot be made now are not missed (``partitions``)."""
        if asks_time:
            await self._common_time.begin()
        with suppress(LockTimeout):
            await make_partitions(self._database, self.clock())

    async def close(self) -> None:
        """Finish what was begun, and let go of the database: of all of it, also where a part complains."""
        async with AsyncExitStack() as last_first:
            last_first.push_async_callback(self._database.close)
            last_first.push_async_callback(self._presence.close)
            last_first.push_async_callback(self._announcing.close)
            last_first.push_async_callback(self._appender.close)
            last_first.push_async_callback(self._common_time.close)


async def bring_up_to_date(place: Place) -> int:
    """Apply the migrations that a database lacks; how many were applied.

    Raises:
        StoreUnavailable: It cannot be reached, or somebody holds what is to be changed.
        SettingsError: It does not fit this program, or lacks something that the role may not make.
    """
    connection = await connect(place, limits=False)
    try:
        with store_errors():
            applied = await migrate(connection, known_migrations(), through_pooler=place.through_pooler)
            check_finished(await connection.fetchval("SELECT value FROM cursors WHERE name = $1", UNFINISHED))
            return applied
    finally:
        with store_errors():
            await connection.close(timeout=5)
