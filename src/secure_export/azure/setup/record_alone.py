"""Lets one command at a time work with a record: two would each write over what the other made known."""

import fcntl
import os
import platform
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from secure_export.azure.setup.record import Record
from secure_export.clock import utc_now
from secure_export.errors import SecureExportError

_LONGEST_NOTE = 500


class RecordInUse(SecureExportError):  # noqa: N818 - reads as what it says
    """Another process works with the record; nothing was done."""

    def __init__(self, path: Path, note: str) -> None:
        super().__init__(
            f"{path} is in use: {note or 'another process'} works with it, and of two at once each would lose what "
            "the other made. Nothing was done; wait until it has ended, or end it, and run this again"
        )


@contextmanager
def record_alone(path: Path, doing: str) -> Iterator[Record]:
    """Read a record that no other process of this machine works with until the block ends.

    The system takes the lock back when a process ends, however it ends.

    Args:
        path: Where the record is; the lock is a file beside it.
        doing: The command that works with it, for people who come second.

    Raises:
        RecordInUse: Another process works with it.
        SettingsError: It is there, and is no such record.
    """
    place = path.with_name(f".{path.name}.lock")
    file = _locked(place, path)
    try:
        if file is not None:
            _leave_note(file, doing)
        yield Record(path)
    finally:
        if file is not None:
            with suppress(OSError):  # while it is ours: who waits for this very file looks whether it is still there
                place.unlink()
            os.close(file)


def _locked(place: Path, record: Path) -> int | None:
    """Give the open file that is locked; None where there can be no lock."""
    while True:
        try:
            file = _opened(place)
        except OSError:  # where nothing can be written there will be no record, either
            return None
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise RecordInUse(record, _note_in(file)) from None
        except OSError:  # a file system without locks
            os.close(file)
            return None
        if _is_at(place, file):
            return file
        os.close(file)  # who had it has just removed it, and the next may have made another


def _opened(place: Path) -> int:
    try:
        return os.open(place, os.O_RDWR | os.O_CREAT, 0o644)
    except PermissionError:  # another user's
        return os.open(place, os.O_RDONLY)


def _is_at(place: Path, file: int) -> bool:
    try:
        return os.path.samestat(os.fstat(file), place.stat())
    except FileNotFoundError:
        return False


def _leave_note(file: int, doing: str) -> None:
    note = f"'{doing}' (process {os.getpid()} on {platform.node()}, since {utc_now():%Y-%m-%d %H:%M:%S} UTC)"
    with suppress(OSError):
        os.truncate(file, 0)
        os.write(file, note.encode())


def _note_in(file: int) -> str:
    """Read who holds it, and close it."""
    try:
        return os.read(file, _LONGEST_NOTE).decode(errors="replace")
    except OSError:
        return ""
    finally:
        os.close(file)
