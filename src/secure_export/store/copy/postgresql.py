"""A PostgreSQL database as one side of a copy, in one session."""

from collections.abc import AsyncIterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

import asyncpg

from secure_export.errors import SettingsError, StoreUnavailable
from secure_export.store.copy.others import become_the_only_copy, who_works_with
from secure_export.store.copy.positions import kept, told
from secure_export.store.copy.side import Finished, Found, Position, Unfinished
from secure_export.store.copy.tables import DIGEST, FINISHED, POSITION, TABLES, UNFINISHED, Row, Table, query
from secure_export.store.instants import micros
from secure_export.store.migrations import still_to_apply
from secure_export.store.postgresql.alert_table import problem_key, searched_text
from secure_export.store.postgresql.connect import connect
from secure_export.store.postgresql.desk_cis import relation_key
from secure_export.store.postgresql.migrate import applied_migrations, known_migrations, migrate
from secure_export.store.postgresql.outages import store_errors
from secure_export.store.postgresql.partitions import day_of
from secure_export.store.postgresql.place import Place

# No step goes on longer in a tool (settings: step_timeout_seconds).
_LONGEST_STEP = timedelta(minutes=10)
_AT_ONCE = 100
_MOST_PARTITIONS = 1000
_KEEP = "INSERT INTO cursors (name, value) VALUES ($1, $2) ON CONFLICT (name) DO UPDATE SET value = excluded.value"
# A stronger setting stays.
_DURABLE = """
SELECT set_config('synchronous_commit', 'on', false) WHERE current_setting('synchronous_commit') IN ('off', 'local')
"""
_END_LEASES = """
UPDATE lanes SET due_at = least(due_at, greatest($1::bigint, coalesce(
    (SELECT started_at FROM steps WHERE steps.lane = lanes.key AND finished_at IS NULL AND kind <> 'look'), 0
) + $2::bigint)) WHERE state = 'claimed'
"""
_FENCING = """
SELECT greatest($1::bigint, (SELECT coalesce(max(token), 0) FROM lanes), (SELECT coalesce(max(token), 0) FROM steps), 1)
"""
_LAST = "SELECT coalesce(pg_sequence_last_value('{}'), 0)"
_VERSION = """
INSERT INTO desk_cmdb_version (one, version) VALUES ($1, $2) ON CONFLICT (one) DO UPDATE SET version = excluded.version
"""


class PostgresSide:
    """A database that is copied from or to.

    Args:
        name: What to call it.
        connection: A session with it.
        is_in_use: Who else uses it, where that was found and is put up with.

    Attributes:
        numbers_by_time: Whether numbers of notifications begin with the time.
    """

    numbers_by_time = True

    def __init__(self, name: str, connection: "asyncpg.Connection[Any]", *, is_in_use: str | None = None) -> None:
        self.name = name
        self.is_in_use = is_in_use
        self._connection = connection
        self._days: set[int] = set()

    @classmethod
    async def source(cls, place: Place, *, although_in_use: bool) -> "PostgresSide":
        """Connect to a database to copy from.

        Args:
            place: Where it is.
            although_in_use: Whether to read it, as it is at this moment, while others work with it.

        Raises:
            StoreUnavailable: It cannot be reached, or others work with it.
            SettingsError: It is not of the form that this program needs.
        """
        side = cls(str(place), await connect(place, limits=False))
        try:
            await side._become_source(although_in_use=although_in_use)
        except BaseException:
            await side.close()
            raise
        return side

    @classmethod
    async def target(cls, place: Place) -> "PostgresSide":
        """Connect to a database to copy to, brought up to date where needed.

        One that others work with is given only if it is a finished copy, and then nothing is written to it.

        Raises:
            StoreUnavailable: It cannot be reached, or others work with it.
            SettingsError: It does not fit this program, or the role may not make what it lacks.
        """
        side = cls(str(place), await connect(place, limits=False))
        try:
            await side._become_target()
        except BaseException:
            await side.close()
            raise
        return side

    async def rows(self, table: Table, after: Position | None, *, by_time: bool) -> AsyncIterator[Found]:
        """See ``Source.rows``; all numbers begin with the time here."""
        reading = table.postgresql
        width = len(reading.order)
        marks = () if after is None else tuple(f"${number}" for number in range(1, width + 1))
        sql = query(table, reading, by_time=by_time, marks=marks)
        with store_errors():
            async with self._transaction():
                async for row in self._connection.cursor(sql, *(after or ()), prefetch=_AT_ONCE):
                    plain = tuple(int(value) if isinstance(value, bool) else value for value in row)
                    yield Found(plain[:width], plain[width:])

    async def count(self, table: Table) -> int:
        """See ``Source.count``."""
        reading = table.postgresql
        with store_errors():
            sql = f"SELECT count(*) FROM {reading.of} WHERE {reading.where}"  # noqa: S608 - names of our own
            return int(await self._connection.fetchval(sql))

    async def highest(self) -> Mapping[str, int]:
        """See ``Source.highest``."""
        found = {}
        with store_errors():
            for table in TABLES:
                if table.identity is not None:
                    found[table.name] = await self._connection.fetchval(_highest_of(table))
            found["fencing"] = await self._connection.fetchval(_LAST.format("fencing_tokens"))
            found["notification_numbers"] = await self._connection.fetchval(_LAST.format("notification_numbers"))
        return found

    async def close(self) -> None:
        """See ``Source.close``."""
        self._connection.terminate()

    async def unfinished(self) -> Unfinished | None:
        """See ``Target.unfinished``."""
        source = await self._kept(UNFINISHED)
        if source is None:
            return None
        return Unfinished(source, {name: told(value) for name, value in (await self._kept_under(POSITION)).items()})

    async def finished(self) -> Finished | None:
        """See ``Target.finished``."""
        source = await self._kept(FINISHED)
        return None if source is None else Finished(source, await self._kept_under(DIGEST))

    async def is_empty(self) -> bool:
        """See ``Target.is_empty``."""
        for table in TABLES:
            if table.name != "desk_cmdb_version" and await self.count(table):
                return False
        with store_errors():
            return bool(await self._connection.fetchval("SELECT sum(version) = 0 FROM desk_cmdb_version"))

    async def begin(self, source: str) -> None:
        """See ``Target.begin``."""
        with store_errors():
            await self._connection.execute(_KEEP, UNFINISHED, source)

    async def write(self, table: Table, rows: Sequence[Row], reached: Position | None) -> None:
        """See ``Target.write``."""
        with store_errors():
            async with self._connection.transaction():
                if rows:
                    await self._write(table, rows)
                await self._connection.execute(_KEEP, f"{POSITION}{table.name}", kept(reached))

    async def finish(self, copied: Finished, highest: Mapping[str, int], *, now: datetime) -> None:
        """See ``Target.finish``."""
        with store_errors():
            async with self._connection.transaction():
                await self._count_on(highest)
                longest = _LONGEST_STEP // timedelta(microseconds=1)
                await self._connection.execute(_END_LEASES, micros(now), longest)
                await self._connection.execute("DELETE FROM cursors WHERE starts_with(name, 'store-copy:')")
                await self._connection.execute(_KEEP, FINISHED, copied.source)
                digests = [(f"{DIGEST}{name}", digest) for name, digest in copied.digests.items()]
                await self._connection.executemany(_KEEP, digests)
            await self._connection.execute("ANALYZE")

    async def _become_source(self, *, although_in_use: bool) -> None:
        await check_up_to_date(self._connection, self.name)
        self.is_in_use = await who_works_with(self._connection, self.name)
        if self.is_in_use and not although_in_use:
            raise StoreUnavailable(self.is_in_use)
        await self._begin_to_read(locked=not although_in_use)

    async def _become_target(self) -> None:
        with store_errors():
            await become_the_only_copy(self._connection, self.name)
            await migrate(self._connection, known_migrations())
            await self._connection.execute(_DURABLE)
        self.is_in_use = await who_works_with(self._connection, self.name)
        if self.is_in_use is None:
            await self._check_rights()
        elif await self.finished() is None:
            raise StoreUnavailable(self.is_in_use)

    async def _write(self, table: Table, rows: Sequence[Row]) -> None:
        if table.name == "desk_cmdb_version":
            await self._connection.executemany(_VERSION, rows)
            return
        if table.name in {"notifications", "alert_notifications"}:
            await self._make_partitions({day_of(row[0]) for row in rows})
        flags = [place for place, name in enumerate(table.columns) if name in table.flags]
        columns, more = _DERIVED.get(table.name, ((), lambda _: ()))
        records = [(*_with_flags(row, flags), *more(row)) for row in rows]
        await self._connection.copy_records_to_table(
            table.name, records=records, columns=(*table.columns, *columns), timeout=None
        )

    async def _make_partitions(self, days: set[int]) -> None:
        """Make the partitions of days; what comes beyond very many goes where notifications of other times are."""
        for day in sorted(days - self._days)[: max(0, _MOST_PARTITIONS - len(self._days))]:
            await self._connection.execute("SELECT make_partitions($1, $1)", day)
            self._days.add(day)

    async def _count_on(self, highest: Mapping[str, int]) -> None:
        """Let all sequences go on behind the highest numbers of the source."""
        for table in TABLES:
            if table.identity is not None:
                sequence = f"pg_get_serial_sequence('{table.name}', '{table.identity}')"
                last = highest[table.name]
                await self._connection.execute(f"SELECT setval({sequence}, $1, $2)", max(last, 1), last > 0)
        token = await self._connection.fetchval(_FENCING, highest["fencing"])
        await self._connection.execute("SELECT setval('fencing_tokens', $1)", token)
        # Their last bits tell notifications of one millisecond apart.
        numbers = max(highest["notification_numbers"], 1)
        await self._connection.execute("SELECT setval('notification_numbers', $1)", numbers)

    async def _begin_to_read(self, *, locked: bool) -> None:
        """See the database as it is at one moment; locked, so that nobody writes until the copy is over."""
        with store_errors():
            await self._connection.execute("BEGIN ISOLATION LEVEL REPEATABLE READ")
            if locked:
                # Who runs the service may not lock the audit log; all that is written there comes with something else.
                names = ", ".join(table.name for table in TABLES if table.name != "audit_log")
                await self._connection.execute("SET LOCAL lock_timeout = '3s'")
                await self._connection.execute(f"LOCK TABLE {names} IN SHARE MODE")

    def _transaction(self) -> Any:
        """Give a block within which a cursor lives."""
        return _Nothing() if self._connection.is_in_transaction() else self._connection.transaction()

    async def _check_rights(self) -> None:
        """See to it that the role may set sequences, which takes more than running the service."""
        with store_errors():
            may = await self._connection.fetchval("SELECT has_sequence_privilege('fencing_tokens', 'UPDATE')")
        if not may:
            raise SettingsError(
                f"the role may not set the sequences of {self.name}; copy with the role that owns the tables"
            )

    async def _kept(self, name: str) -> str | None:
        with store_errors():
            value: str | None = await self._connection.fetchval("SELECT value FROM cursors WHERE name = $1", name)
        return value

    async def _kept_under(self, prefix: str) -> dict[str, str]:
        """Give all that is kept under names that begin so, by the rest of their names."""
        with store_errors():
            rows = await self._connection.fetch("SELECT name, value FROM cursors WHERE starts_with(name, $1)", prefix)
        return {name.removeprefix(prefix): value for name, value in rows}


async def check_up_to_date(connection: "asyncpg.Connection[Any]", name: str) -> None:
    """See to it that a database has exactly the migrations of this program.

    Raises:
        SettingsError: It has not.
    """
    with store_errors():
        applied = await applied_migrations(connection)
    missing = still_to_apply(known_migrations(), applied)
    if missing:
        raise SettingsError(
            f"{name} lacks {', '.join(one.name for one in missing)}; bring it up to date with "
            "`secure-export store migrate`, then try again"
        )


class _Nothing:
    """A block in which nothing begins and nothing ends."""

    async def __aenter__(self) -> None:
        return None

    async def __aexit__(self, *_: object) -> None:
        return None


# What PostgreSQL keeps beside a row to find it by.
_DERIVED: dict[str, Any] = {
    "alerts": (("problem_key", "searched"), lambda row: (problem_key(row[5]), searched_text(row[3], row[11]))),
    "desk_ci_relations": (("key",), lambda row: (relation_key(row[1], row[2]),)),
}


def _with_flags(row: Row, places: Sequence[int]) -> list[Any]:
    values = list(row)
    for place in places:
        values[place] = bool(values[place])
    return values


def _highest_of(table: Table) -> str:
    return (
        f"SELECT greatest(coalesce(max({table.identity}), 0), coalesce(pg_sequence_last_value("  # noqa: S608 - names of our own
        f"pg_get_serial_sequence('{table.name}', '{table.identity}')::regclass), 0)) FROM {table.name}"
    )
