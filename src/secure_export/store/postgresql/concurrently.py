"""Applies migrations outside any transaction: indexes of tables with many rows, while others write to them.

``CREATE INDEX`` within a transaction keeps everybody from writing to the table until it is over, and Azure waits for an
answer for seconds only. ``CREATE INDEX CONCURRENTLY`` does not, but cannot be taken back (PostgreSQL docs, "Building
Indexes Concurrently"): when it fails, or its process ends, an index stays that is invalid. So such a file is applied
statement by statement, may be applied again from its beginning, and what is left of an index goes first.
"""

import re

import structlog

from secure_export.store.migrations import Migration
from secure_export.store.postgresql.connect import Connection

OUTSIDE = "-- outside a transaction"

log = structlog.get_logger(__name__)

_COMMENT = re.compile(r"^\s*--.*$", re.MULTILINE)
_END = re.compile(r";\s*$", re.MULTILINE)
_INDEX = re.compile(r"CREATE\s+(?:UNIQUE\s+)?INDEX\s+CONCURRENTLY\s+IF\s+NOT\s+EXISTS\s+(\w+)\s+ON\b", re.IGNORECASE)
_CONCURRENTLY = re.compile(r"\bCONCURRENTLY\b", re.IGNORECASE)
_DROP = re.compile(r"DROP\b", re.IGNORECASE)
_REPEATABLE = re.compile(r"\bIF\s+(?:NOT\s+)?EXISTS\b|^\s*ANALYZE\b", re.IGNORECASE)
# Nobody waits behind an index that is being made, so it may wait for transactions as long as those take.
_PATIENCE = ("lock_timeout", "statement_timeout")
_IS_LEFT = "SELECT 1 FROM pg_index WHERE indexrelid = to_regclass($1) AND NOT indisvalid"


async def apply_outside(connection: Connection, migration: Migration) -> None:
    """Apply a migration that is no transaction, whatever an earlier attempt left.

    Args:
        connection: A session that nobody else uses, and in which no transaction is open.
        migration: What to apply.
    """
    for name in _PATIENCE:
        await connection.execute(f"SET {name} = 0")
    try:
        for statement in statements_of(migration):
            await _apply(connection, migration, statement)
    finally:
        if not connection.is_closed():
            for name in _PATIENCE:
                await connection.execute(f"RESET {name}")


def statements_of(migration: Migration) -> list[str]:
    """Give a file's statements; each ends with a semicolon at the end of a line.

    Raises:
        ValueError: One of them is not to be repeated, or what an attempt at it leaves would not be found.
    """
    found = [text.strip() for text in _END.split(_COMMENT.sub("", migration.sql)) if text.strip()]
    for statement in found:
        if _REPEATABLE.search(statement) is None:
            raise ValueError(f"{migration.name}: what is applied outside a transaction must be repeatable: {statement}")
        if _CONCURRENTLY.search(statement) and not (_INDEX.match(statement) or _DROP.match(statement)):
            raise ValueError(
                f"{migration.name}: what an interrupted attempt leaves is found by the name in CREATE INDEX "
                f"CONCURRENTLY IF NOT EXISTS name ON, without quotes or schema: {statement}"
            )
    return found


async def _apply(connection: Connection, migration: Migration, statement: str) -> None:
    index = _INDEX.match(statement)
    if index is not None:
        log.info("making an index while others write: that may take long", index=index[1], migration=migration.name)
        if await connection.fetchval(_IS_LEFT, index[1]):
            await connection.execute(f"DROP INDEX CONCURRENTLY {index[1]}")
    await connection.execute(statement)
