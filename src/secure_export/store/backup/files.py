"""Files that are written beside their place and put there in one step."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from secure_export.errors import SecureExportError, StoreUnavailable

_SIDE_FILES = ("-wal", "-shm", "-journal")


class FileThere(SecureExportError):  # noqa: N818 - reads as what it says
    """A file is there already, and nobody said that it may be replaced."""


def partial_of(path: Path) -> Path:
    """Give the name under which a file is written before it is complete."""
    return path.with_name(f"{path.name}.partial")


def check_free(path: Path, *, replace: bool) -> None:
    """See to it that a file may be written.

    Raises:
        FileThere: There is one that nobody said may be replaced.
    """
    if path.is_dir():
        raise FileThere(f"{path} is a folder; name a file")
    if path.exists() and not replace:
        raise FileThere(f"{path} is there already; name another file, or say --force to replace it")


@contextmanager
def only_one_in(folder: Path) -> Iterator[None]:
    """Let nobody else write backups into a folder meanwhile: two would take each other's partial file for their own.

    Raises:
        StoreUnavailable: Another process does, or there is no such folder and none can be made. The system forgets the
            lock when the process ends, however it ends.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        opened = os.open(folder, os.O_RDONLY)
    except OSError as error:
        raise StoreUnavailable(
            f"the folder {folder} is not there and cannot be made, or cannot be read ({error.strerror}); make it, or "
            "name a file in another"
        ) from error
    try:
        with suppress(OSError):  # a network file system may have no such locks
            _lock(opened, folder)
        yield
    finally:
        os.close(opened)


def _lock(opened: int, folder: Path) -> None:
    try:
        fcntl.flock(opened, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        raise StoreUnavailable(
            f"another backup or restoration writes to {folder} now; wait until it is over, then try again"
        ) from error


def put_in_place(partial: Path, path: Path, *, replace: bool) -> None:
    """Give a flushed file its name, so that it is whole under it or not there, whatever happens meanwhile."""
    check_free(path, replace=replace)
    partial.replace(path)
    flush(path.parent)


def belongs_as(partial: Path, path: Path) -> None:
    """Let a file that root wrote belong to whom its place belongs: the service could not open root's."""
    if os.geteuid() == 0:
        before = (path if path.exists() else path.parent).stat()
        os.chown(partial, before.st_uid, before.st_gid)


def remove(path: Path) -> None:
    """Remove a database file with what SQLite keeps beside it."""
    path.unlink(missing_ok=True)
    remove_side_files(path)


def remove_side_files(path: Path) -> None:
    """Remove what SQLite keeps beside a database file that is to go."""
    for ending in _SIDE_FILES:
        path.with_name(f"{path.name}{ending}").unlink(missing_ok=True)


def flush(path: Path) -> None:
    """Have a file, or the names in a folder, on the disk; for a big file that may take long."""
    file = os.open(path, os.O_RDONLY)
    try:
        os.fsync(file)
    finally:
        os.close(file)
