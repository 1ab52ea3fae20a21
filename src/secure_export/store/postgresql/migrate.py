"""Brings a PostgreSQL database to the form that this program needs.

While one process migrates, others of the version before go on: every migration only adds. One that does not says so in
its first line, and then programs that do not know it refuse to start.

A migration is one transaction, which nobody else may wait behind for long: it makes tables, columns with constant
defaults, and indexes of tables that are new or stay small. An index of a table that grows is made in a file of its own
whose first line is ``-- outside a transaction``, by ``CREATE INDEX CONCURRENTLY IF NOT EXISTS`` (``concurrently``).
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from importlib.resources import files

import asyncpg
import structlog

from secure_export.errors import SettingsError, StoreUnavailable
from secure_export.store.migrations import Migration, migrations_in, still_to_apply
from secure_export.store.postgresql.concurrently import OUTSIDE, apply_outside
from secure_export.store.postgresql.connect import BEGIN, Connection

BREAKS_OLDER_PROGRAMS = "-- breaks older programs"

log = structlog.get_logger(__name__)

# Who waits for another process that migrates holds nothing meanwhile: making an index waits for all who do.
_LOCK = "SELECT pg_try_advisory_{}(1397310820, 1)"
_UNLOCK = "SELECT pg_advisory_unlock(1397310820, 1)"
_PATIENCE_WITH_PEERS_SECONDS = 60.0
_AGAIN_SECONDS = 0.1
# What waits for a table's lock makes everybody else wait behind it: running processes are not to notice.
_PATIENCE = "SET LOCAL lock_timeout = '3s'; SET LOCAL statement_timeout = 0"
_TABLE = """
CREATE TABLE IF NOT EXISTS migrations (
    number integer PRIMARY KEY,
    name text NOT NULL,
    checksum text NOT NULL,
    adds_only boolean NOT NULL,
    applied_at timestamptz NOT NULL DEFAULT now()
)
"""


def known_migrations() -> list[Migration]:
    """Give the migrations that this program brings along."""
    return migrations_in(files("secure_export.store.postgresql") / "migrations")


async def migrate(connection: Connection, migrations: Sequence[Migration], *, through_pooler: bool = False) -> int:
    """Apply what is missing, each in a transaction of its own unless its file says otherwise; how many were applied.

    Several processes may do this at the same time: a lock decides who goes first, and the others find nothing to do.

    Args:
        connection: A session with the database.
        migrations: What this program knows, in order.
        through_pooler: Whether the next transaction may be in another session, which keeps no lock in between.

    Raises:
        SettingsError: The database does not fit this program, or lacks something that the role may not make, or that is
            not made through a pooler.
        StoreUnavailable: Another process has migrated for a minute, and has not ended.
    """
    missing = await _missing(connection, migrations)
    applied = 0
    try:
        while missing:
            if not missing[0].sql.startswith(OUTSIDE):
                applied += await _apply_next(connection, migrations)
            elif through_pooler:
                raise SettingsError(
                    f"the database lacks {missing[0].name}, which is not applied through a pooler; run `secure-export "
                    "store migrate` once with a store.url that names the server itself, without pooler=transaction"
                )
            else:
                applied += await _apply_next_outside(connection, migrations)
            missing = await _missing(connection, migrations)
    except asyncpg.InsufficientPrivilegeError as error:
        names = ", ".join(one.name for one in missing)
        raise SettingsError(
            f"the database lacks {names}, and the role {await connection.fetchval('SELECT current_user')} may not "
            f"apply it ({error}); run `secure-export store migrate` once with the role that owns the tables"
        ) from error
    return applied


async def _missing(connection: Connection, migrations: Sequence[Migration]) -> list[Migration]:
    """Find out without a lock what is to be done."""
    if await connection.fetchval("SELECT to_regclass('migrations')") is None:
        return list(migrations)
    rows = await connection.fetch("SELECT number, name, checksum, adds_only FROM migrations ORDER BY number")
    applied = [(row[0], row[1], row[2]) for row in rows]
    newer = rows[len(migrations) :]
    return still_to_apply(migrations, applied[: len(migrations)] if all(row[3] for row in newer) else applied)


async def applied_migrations(connection: Connection) -> list[tuple[int, str, str]]:
    """Give number, name and checksum of the migrations that a database has, in order."""
    if await connection.fetchval("SELECT to_regclass('migrations')") is None:
        return []
    rows = await connection.fetch("SELECT number, name, checksum FROM migrations ORDER BY number")
    return [(row[0], row[1], row[2]) for row in rows]


async def _apply_next(connection: Connection, migrations: Sequence[Migration]) -> bool:
    await _begin_alone(connection)
    try:
        await connection.execute(_PATIENCE)
        if await connection.fetchval("SELECT to_regclass('migrations')") is None:
            await connection.execute(_TABLE)
        missing = await _missing(connection, migrations)
        is_next = bool(missing) and not missing[0].sql.startswith(OUTSIDE)
        if is_next:
            await connection.execute(missing[0].sql)
            await _note(connection, missing[0])
        await connection.execute("COMMIT")
    except BaseException:
        if not connection.is_closed():
            await connection.execute("ROLLBACK")
        raise
    return is_next


async def _begin_alone(connection: Connection) -> None:
    """Begin a transaction that holds the lock of those who migrate."""

    async def begins() -> bool:
        await connection.execute(BEGIN)
        if await connection.fetchval(_LOCK.format("xact_lock")):
            return True
        await connection.execute("ROLLBACK")
        return False

    await _until(begins)


async def _apply_next_outside(connection: Connection, migrations: Sequence[Migration]) -> bool:
    async with _alone(connection):
        missing = await _missing(connection, migrations)
        is_next = bool(missing) and missing[0].sql.startswith(OUTSIDE)
        if is_next:
            await apply_outside(connection, missing[0])
            await _note(connection, missing[0])
    return is_next


@asynccontextmanager
async def _alone(connection: Connection) -> AsyncIterator[None]:
    """Hold the lock of those who migrate in the session; the server takes it back when that ends."""

    async def locks() -> bool:
        return bool(await connection.fetchval(_LOCK.format("lock")))

    await _until(locks)
    try:
        yield
    finally:
        if not connection.is_closed():
            await connection.execute(_UNLOCK)


async def _until(locked: Callable[[], Awaitable[bool]]) -> None:
    """Try for the lock of those who migrate until a minute is over."""
    end = asyncio.get_running_loop().time() + _PATIENCE_WITH_PEERS_SECONDS
    told = False
    while not await locked():
        if not told:
            log.info("waiting for another process that migrates", at_most_seconds=_PATIENCE_WITH_PEERS_SECONDS)
            told = True
        if asyncio.get_running_loop().time() > end:
            raise StoreUnavailable(
                "another process has been migrating the database for a minute, and an index of a big table takes "
                "longer; wait until it is over, then try again"
            )
        await asyncio.sleep(_AGAIN_SECONDS)


async def _note(connection: Connection, migration: Migration) -> None:
    await connection.execute(
        "INSERT INTO migrations (number, name, checksum, adds_only) VALUES ($1, $2, $3, $4)",
        migration.number,
        migration.name,
        migration.checksum,
        not migration.sql.startswith(BREAKS_OLDER_PROGRAMS),
    )
