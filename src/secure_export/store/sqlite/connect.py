"""Connections to the database file, and what their errors mean."""

import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from secure_export.errors import StoreUnavailable

_BUSY_TIMEOUT_SECONDS = 10.0
_RESTART_PATIENCE_MILLISECONDS = 20
_STATEMENTS_KEPT = 256
_WRITER_CACHE_KIB = 64 * 1024


def connect_to_write(path: Path, *, patience_seconds: float | None = None) -> sqlite3.Connection:
    """Open for writing; a commit is on disk when it returns (SQLite docs, "PRAGMA synchronous").

    The file is made readable for its owner only. Checkpoints are not automatic: see ``checkpoints``.
    """
    _make_private(path)
    connection = _connect(f"{path.absolute().as_uri()}?mode=rw", patience_seconds)
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("PRAGMA synchronous=FULL")
    connection.execute("PRAGMA wal_autocheckpoint=0")
    connection.execute("PRAGMA foreign_keys=ON")
    connection.execute(f"PRAGMA cache_size=-{_WRITER_CACHE_KIB}")
    return connection


def connect_to_read(path: Path) -> sqlite3.Connection:
    """Open for reading only."""
    connection = _connect(f"{path.absolute().as_uri()}?mode=ro")
    connection.execute("PRAGMA query_only=ON")
    return connection


def restart_wal(connection: sqlite3.Connection) -> None:
    """Copy everything from the write-ahead log into the database file and start the log again.

    Readers that are in the way are waited for only shortly; the log then grows until the next time.
    """
    connection.execute(f"PRAGMA busy_timeout={_RESTART_PATIENCE_MILLISECONDS}")
    try:
        connection.execute("PRAGMA wal_checkpoint(RESTART)").fetchone()
    finally:
        connection.execute(f"PRAGMA busy_timeout={_BUSY_TIMEOUT_SECONDS * 1000:.0f}")


@contextmanager
def store_errors() -> Iterator[None]:
    """Turn what disk and database complain about into ``StoreUnavailable``; a wrong statement stays what it is."""
    try:
        yield
    except (sqlite3.DatabaseError, OSError) as error:
        if not is_outage(error):
            raise
        raise StoreUnavailable(f"the database cannot be used now: {error}; check its disk and permissions") from error


def is_outage(error: BaseException) -> bool:
    """Whether an error is about the state of disk or database, rather than about what was asked."""
    if isinstance(error, sqlite3.IntegrityError | sqlite3.ProgrammingError | sqlite3.DataError):
        return False
    if _code(error) == sqlite3.SQLITE_ERROR:
        return False
    return isinstance(error, sqlite3.DatabaseError | OSError)


def is_full(error: BaseException | None) -> bool:
    """Whether the disk had no room for a change (SQLite docs, "Result and error codes", SQLITE_FULL)."""
    return _code(error) == sqlite3.SQLITE_FULL


def _code(error: BaseException | None) -> int | None:
    """Give SQLite's primary result code, the low byte of what it reports."""
    code: int | None = getattr(error, "sqlite_errorcode", None)
    return None if code is None else code & 0xFF


def _make_private(path: Path) -> None:
    """Make the file, for its owner only, where there is none.

    One that is there must not be opened here: closing it again would take away every lock that this process holds on
    it, and the next process that closes the database would delete the write-ahead log that this one still writes to
    (SQLite docs, "How To Corrupt An SQLite Database File", section 2.2).
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with suppress(FileExistsError):
        os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600))


def _connect(uri: str, patience_seconds: float | None = None) -> sqlite3.Connection:
    return sqlite3.connect(
        uri,
        uri=True,
        timeout=_BUSY_TIMEOUT_SECONDS if patience_seconds is None else patience_seconds,
        isolation_level=None,
        check_same_thread=False,
        cached_statements=_STATEMENTS_KEPT,
    )
