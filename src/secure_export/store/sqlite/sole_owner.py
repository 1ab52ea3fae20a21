"""Whether this process is the only one that delivers from a database file."""

import os
from pathlib import Path

try:
    import fcntl
except ImportError:  # a system without POSIX locks: nobody is ever known to be gone, and leases decide
    fcntl = None  # type: ignore[assignment]


class SoleOwner:
    """A lock that the system takes back when its process ends, however it ends.

    Args:
        path: The database file; the lock is a file beside it.
    """

    def __init__(self, path: Path) -> None:
        self._path = path.with_name(f"{path.name}-delivery")
        self._file: int | None = None

    def is_ours(self) -> bool:
        """Take the lock if nobody has it, and say whether it is ours: then every earlier owner of lanes is gone."""
        if self._file is None and fcntl is not None:
            file = os.open(self._path, os.O_CREAT | os.O_RDWR, 0o600)
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                os.close(file)
            else:
                self._file = file
        return self._file is not None

    def let_go(self) -> None:
        """Give the lock back."""
        if self._file is not None:
            os.close(self._file)
            self._file = None
