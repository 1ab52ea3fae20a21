"""Brings a PostgreSQL database to the form that this program needs.

While one process migrates, others of the version before go on: every migration only adds. One that does not says so in
its first line, and then programs that do not know it refuse to start.
"""

from collections.abc import Sequence
from importlib.resources import files

import asyncpg

from secure_export.errors import SettingsError
from secure_export.store.migrations import Migration, migrations_in, still_to_apply
from secure_export.store.postgresql.connect import BEGIN, Connection

BREAKS_OLDER_PROGRAMS = "-- breaks older programs"

_LOCK = "SELECT pg_advisory_xact_lock(1397310820, 1)"
# What waits for a table's lock makes everybody else wait behind it: running processes are not to notice.
_PATIENCE = "SET LOCAL lock_timeout = '3s'; SET LOCAL statement_timeout = 0"
# Nobody waits behind those who wait for another process that migrates.
_PATIENCE_WITH_PEERS = "SET LOCAL lock_timeout = '60s'"
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


async def migrate(connection: Connection, migrations: Sequence[Migration]) -> int:
    """Apply what is missing, each in a transaction of its own; how many were applied.

    Several processes may do this at the same time: a lock decides who goes first, and the others find nothing to do.

    Raises:
        SettingsError: The database does not fit this program, or lacks something that the role may not make.
    """
    missing = await _missing(connection, migrations)
    applied = 0
    try:
        while missing:
            applied += await _apply_next(connection, migrations)
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
    await connection.execute(f"{BEGIN}; {_PATIENCE_WITH_PEERS}")
    try:
        await connection.execute(_LOCK)
        await connection.execute(_PATIENCE)
        if await connection.fetchval("SELECT to_regclass('migrations')") is None:
            await connection.execute(_TABLE)
        missing = await _missing(connection, migrations)
        if missing:
            await _apply(connection, missing[0])
        await connection.execute("COMMIT")
    except BaseException:
        if not connection.is_closed():
            await connection.execute("ROLLBACK")
        raise
    return bool(missing)


async def _apply(connection: Connection, migration: Migration) -> None:
    await connection.execute(migration.sql)
    await connection.execute(
        "INSERT INTO migrations (number, name, checksum, adds_only) VALUES ($1, $2, $3, $4)",
        migration.number,
        migration.name,
        migration.checksum,
        not migration.sql.startswith(BREAKS_OLDER_PROGRAMS),
    )
