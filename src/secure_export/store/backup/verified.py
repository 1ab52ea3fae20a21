"""Whether a file is a whole database of this program."""

import sqlite3
from pathlib import Path

from secure_export.errors import NotFound, SettingsError
from secure_export.store.copy.tables import UNFINISHED
from secure_export.store.copy.unfinished import check_finished
from secure_export.store.migrations import still_to_apply
from secure_export.store.sqlite.migrate import applied_migrations, known_migrations

_MOST_FAULTS = 3


def open_ours(path: Path) -> sqlite3.Connection:
    """Open a file to read it, and see to it that it is a whole database of this program.

    Raises:
        NotFound: There is no such file.
        SettingsError: It is something else, is damaged, or is newer than this program.
    """
    if not path.is_file():
        raise NotFound(f"there is no file {path}; name a backup")
    connection = sqlite3.connect(_uri(path), uri=True, isolation_level=None)
    try:
        check_ours(connection, path)
    except sqlite3.DatabaseError as error:
        connection.close()
        raise SettingsError(f"{path} is no whole database: {error}; name another backup") from error
    except BaseException:
        connection.close()
        raise
    return connection


def check_ours(connection: sqlite3.Connection, path: Path) -> None:
    """See to it that an open database is one of this program, and whole; raises as ``open_ours``."""
    applied = applied_migrations(connection)
    if not applied:
        raise SettingsError(f"{path} is no database of this program; name a file that `store backup` wrote")
    still_to_apply(known_migrations(), applied)
    faults = [row[0] for row in connection.execute(f"PRAGMA quick_check({_MOST_FAULTS})").fetchall()]
    if faults != ["ok"]:
        raise SettingsError(f"{path} is damaged: {'; '.join(map(str, faults))}; name another backup")
    unfinished = connection.execute("SELECT value FROM cursors WHERE name = ?", (UNFINISHED,)).fetchone()
    check_finished(unfinished[0] if unfinished else None)


def _uri(path: Path) -> str:
    """Name a file; one without a write-ahead log beside it may lie where nothing can be written."""
    alone = not path.with_name(f"{path.name}-wal").exists()
    return f"{path.absolute().as_uri()}?mode=ro{'&immutable=1' if alone else ''}"
