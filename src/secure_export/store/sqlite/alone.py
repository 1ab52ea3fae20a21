"""A database file for one process alone: nobody else may have it open, to read or to write."""

import sqlite3
from pathlib import Path

from secure_export.errors import NotFound, StoreUnavailable
from secure_export.store.sqlite.connect import connect_to_write

_PATIENCE_SECONDS = 2.0
_PAGES_BETWEEN_CHECKPOINTS = 4000


class InUse(StoreUnavailable):
    """Another process has the file open."""


def connect_alone(path: Path, *, make: bool = False) -> sqlite3.Connection:
    """Open a file that no other process has open, and let nobody else open it until the connection is closed.

    Every process that works with the file keeps a lock on it for as long as it has it open (SQLite docs, "Write-Ahead
    Logging", section 8), so that one that runs is found whatever it does, and one that starts meanwhile waits and gives
    up.

    Args:
        path: The file.
        make: Whether to make it where there is none.

    Raises:
        NotFound: There is no such file.
        InUse: Somebody has it open.
    """
    if not make and not path.exists():
        raise NotFound(f"there is no {path}; name the file of a store")
    try:
        return _alone(path)
    except sqlite3.OperationalError as error:
        if (error.sqlite_errorcode & 0xFF) not in {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED}:
            raise
        raise InUse(f"another process has {path} open; stop the service that works with it, then try again") from error


def _alone(path: Path) -> sqlite3.Connection:
    connection = connect_to_write(path, patience_seconds=_PATIENCE_SECONDS)
    try:
        connection.execute("PRAGMA locking_mode=EXCLUSIVE")
        connection.execute(f"PRAGMA wal_autocheckpoint={_PAGES_BETWEEN_CHECKPOINTS}")
        connection.execute("BEGIN EXCLUSIVE")
        connection.execute("COMMIT")
    except BaseException:
        connection.close()
        raise
    return connection
