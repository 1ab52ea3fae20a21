"""Applies migrations to a SQLite database."""

import sqlite3
from collections.abc import Sequence
from importlib.resources import files

from secure_export.store.migrations import Migration, migrations_in, still_to_apply

_TABLE = """
CREATE TABLE IF NOT EXISTS migrations (
    number INTEGER PRIMARY KEY,
    name TEXT NOT NULL,
    checksum TEXT NOT NULL,
    applied_at TEXT NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%SZ', 'now'))
) STRICT
"""


def known_migrations() -> list[Migration]:
    """Give the migrations that this program brings along."""
    return migrations_in(files("secure_export.store.sqlite") / "migrations")


def migrate(connection: sqlite3.Connection, migrations: Sequence[Migration]) -> int:
    """Apply what is missing, each in a transaction of its own; how many were applied.

    Another process may do the same at the same time: the write lock decides who goes first, and the other finds
    nothing left to do.

    Raises:
        SettingsError: The database does not fit this program.
    """
    applied = 0
    if _is_current(connection, migrations):
        return applied
    while _apply_next(connection, migrations):
        applied += 1
    return applied


def _is_current(connection: sqlite3.Connection, migrations: Sequence[Migration]) -> bool:
    """Find out without the write lock, which a running service may hold, whether there is nothing to do."""
    if not connection.execute("SELECT 1 FROM sqlite_schema WHERE name = 'migrations'").fetchone():
        return False
    return not still_to_apply(migrations, applied_migrations(connection))


def applied_migrations(connection: sqlite3.Connection) -> list[tuple[int, str, str]]:
    """Give number, name and checksum of the migrations that a database has, in order."""
    if not connection.execute("SELECT 1 FROM sqlite_schema WHERE name = 'migrations'").fetchone():
        return []
    return connection.execute("SELECT number, name, checksum FROM migrations ORDER BY number").fetchall()


def _apply_next(connection: sqlite3.Connection, migrations: Sequence[Migration]) -> bool:
    connection.execute("BEGIN IMMEDIATE")
    try:
        connection.execute(_TABLE)
        missing = still_to_apply(migrations, applied_migrations(connection))
        if missing:
            _apply(connection, missing[0])
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise
    return bool(missing)


def _apply(connection: sqlite3.Connection, migration: Migration) -> None:
    for statement in _statements(migration.sql):
        connection.execute(statement)
    connection.execute(
        "INSERT INTO migrations (number, name, checksum) VALUES (?, ?, ?)",
        (migration.number, migration.name, migration.checksum),
    )


def _statements(sql: str) -> list[str]:
    """Split a file into its statements; ``executescript`` would commit before it starts."""
    statements, so_far = [], ""
    for line in sql.splitlines(keepends=True):
        so_far += line
        if sqlite3.complete_statement(so_far):
            statements.append(so_far)
            so_far = ""
    return statements
