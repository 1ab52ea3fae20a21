"""Puts a backup in the place of a SQLite database."""

import sqlite3
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from secure_export.errors import SettingsError
from secure_export.store.backup.files import (
    belongs_as,
    check_free,
    flush,
    only_one_in,
    partial_of,
    put_in_place,
    remove,
    remove_side_files,
)
from secure_export.store.backup.looking import look_before_all
from secure_export.store.backup.making import BACKED_UP_AT, Told, copy_pages
from secure_export.store.backup.verified import open_ours
from secure_export.store.sqlite.alone import connect_alone
from secure_export.store.sqlite.connect import connect_to_write, store_errors
from secure_export.store.sqlite.migrate import known_migrations, migrate


@dataclass(frozen=True, slots=True)
class Restored:
    """What was put in place.

    Attributes:
        made_at: When the backup was made; empty for a file that is a mere copy of a database.
        migrations: How many migrations it lacked, which were applied.
        to_look_at: How many work items are read back from their tools before anything is done about them.
    """

    made_at: str
    migrations: int
    to_look_at: int


def restore(file: Path, database: Path, told: Told, *, now: datetime, replace: bool = False) -> Restored:
    """Put a backup in the place of a database; the backup itself stays as it is.

    Args:
        file: The backup.
        database: Its place.
        told: Told how many pages of how many are copied.
        now: The time now.
        replace: Whether a database that is there is replaced.

    Raises:
        NotFound: There is no such backup.
        FileThere: There is a database already.
        SettingsError: The file is no whole backup of this program.
        InUse: A service works with the database.
        StoreUnavailable: Disk or database cannot be used now, or another restoration is under way.
    """
    database = database.resolve()  # what a symbolic link names is replaced, not the link
    if file.resolve() == database:
        raise SettingsError("the backup is the database itself; name another file")
    check_free(database, replace=replace)
    partial = partial_of(database)
    with store_errors(), closing(open_ours(file)) as backup, only_one_in(database.parent):
        _let_go(database)
        remove(partial)
        try:
            restored = _prepared(backup, partial, told, now)
            belongs_as(partial, database)
            flush(partial)
            # At once before the change of files: nobody is to begin with the old one meanwhile.
            _let_go(database)
            put_in_place(partial, database, replace=replace)
        finally:
            remove(partial)
    return restored


def _prepared(backup: sqlite3.Connection, partial: Path, told: Told, now: datetime) -> Restored:
    """Write a copy that a service can begin with."""
    with closing(connect_to_write(partial)) as target:
        target.execute("PRAGMA synchronous=OFF")  # the whole file is flushed at the end
        copy_pages(backup, target, told)
        # The copy brought the mode along that the backup has.
        target.execute("PRAGMA journal_mode=DELETE")
        made_at = target.execute("SELECT value FROM cursors WHERE name = ?", (BACKED_UP_AT,)).fetchone()
        migrations = migrate(target, known_migrations())
        to_look_at = look_before_all(target, now=now)
        target.execute("DELETE FROM cursors WHERE name = ?", (BACKED_UP_AT,))
        target.execute("PRAGMA application_id=0")
    return Restored(made_at[0] if made_at else "", migrations, to_look_at)


def _let_go(database: Path) -> None:
    """See to it that nobody works with the database that is there, and that nothing of it is left beside it.

    What is left of its write-ahead log would be taken for that of the one which comes in its place (SQLite docs, "How
    To Corrupt An SQLite Database File", section 1.4).
    """
    if not database.exists():
        remove_side_files(database)
        return
    try:
        with closing(connect_alone(database)) as old:
            old.execute("PRAGMA journal_mode=DELETE")
    except sqlite3.DatabaseError as error:
        if getattr(error, "sqlite_errorcode", 0) & 0xFF not in {sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_CORRUPT}:
            raise
    remove_side_files(database)
