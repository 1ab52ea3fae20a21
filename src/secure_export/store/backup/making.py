"""Copies a SQLite database that may be in use into one file."""

import sqlite3
from collections.abc import Callable
from contextlib import closing
from datetime import datetime
from pathlib import Path

from secure_export.errors import NotFound, SettingsError
from secure_export.store.backup.files import check_free, flush, only_one_in, partial_of, put_in_place, remove
from secure_export.store.backup.verified import check_ours
from secure_export.store.instants import rfc3339
from secure_export.store.sqlite.connect import connect_to_write, store_errors

Told = Callable[[int, int], None]

BACKED_UP_AT = "store:backed-up-at"
# "SexB": tells a backup from other SQLite files (SQLite docs, "PRAGMA application_id").
APPLICATION_ID = 0x53657842
_PAGES_AT_ONCE = 2048


def back_up(database: Path, file: Path, told: Told, *, now: datetime, replace: bool = False) -> int:
    """Copy a database, as it is at one moment, into a file that is whole under its name or not there.

    The service may work meanwhile. It must not be in this process: closing the database here would take the locks away
    that it holds on it (docs/decisions/0006-embedded-store.md).

    Args:
        database: The database.
        file: Where to.
        told: Told how many pages of how many are copied.
        now: The time now.
        replace: Whether a file that is there is replaced.

    Returns:
        How many bytes the backup has.

    Raises:
        NotFound: There is no such database.
        FileThere: The file is there already.
        SettingsError: The database is damaged, or is none of this program.
        StoreUnavailable: Disk or database cannot be used now, or another backup goes to the same folder.
    """
    file = file.resolve()  # what a symbolic link names is replaced, not the link
    if not database.is_file():
        raise NotFound(f"there is no {database}; start the service once, or name another configuration")
    check_free(file, replace=replace)
    if file == database.resolve():
        raise SettingsError("a backup in the place of the database itself is none; name another file")
    partial = partial_of(file)
    with store_errors(), only_one_in(file.parent):
        remove(partial)
        try:
            _copy(database, partial, told, now)
            flush(partial)
            put_in_place(partial, file, replace=replace)
        finally:
            remove(partial)
    return file.stat().st_size


def _copy(database: Path, partial: Path, told: Told, now: datetime) -> None:
    with closing(connect_to_write(database)) as source, closing(connect_to_write(partial)) as target:
        target.execute("PRAGMA synchronous=OFF")  # the whole file is flushed at the end
        copy_pages(source, target, told)
        check_ours(target, database)
        target.execute("PRAGMA journal_mode=DELETE")
        target.execute(f"PRAGMA application_id={APPLICATION_ID}")
        target.execute(
            "INSERT INTO cursors (name, value) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value",
            (BACKED_UP_AT, rfc3339(now)),
        )


def copy_pages(source: sqlite3.Connection, target: sqlite3.Connection, told: Told) -> None:
    """Copy all pages, some at a time.

    A transaction is held meanwhile: without one, whatever another process writes makes SQLite begin again from the
    first page (SQLite docs, "Online Backup API"), and under load it would never end.
    """
    source.execute("BEGIN")
    source.execute("SELECT count(*) FROM sqlite_schema").fetchone()
    try:
        source.backup(target, pages=_PAGES_AT_ONCE, sleep=0, progress=lambda _, left, all_: told(all_ - left, all_))
    finally:
        source.execute("ROLLBACK")
