"""Files that are written beside their place and put there in one step."""

import os
from pathlib import Path

from secure_export.errors import SecureExportError

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


def put_in_place(partial: Path, path: Path, *, replace: bool) -> None:
    """Give a complete file its name, so that it is whole under it or not there, whatever happens meanwhile."""
    _sync(partial)
    check_free(path, replace=replace)
    partial.replace(path)
    _sync(path.parent)


def remove(path: Path) -> None:
    """Remove a database file with what SQLite keeps beside it."""
    path.unlink(missing_ok=True)
    remove_side_files(path)


def remove_side_files(path: Path) -> None:
    """Remove what SQLite keeps beside a database file that is to go."""
    for ending in _SIDE_FILES:
        path.with_name(f"{path.name}{ending}").unlink(missing_ok=True)


def _sync(path: Path) -> None:
    file = os.open(path, os.O_RDONLY)
    try:
        os.fsync(file)
    finally:
        os.close(file)
