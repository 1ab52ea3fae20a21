"""Places of connections beside a SQLite file (``secure_export.delivery.contract.Allotments``)."""

import os
from pathlib import Path
from urllib.parse import quote

from secure_export.delivery.contract import Allotment, PlacesAsked
from secure_export.store.sqlite.connect import store_errors

try:
    import fcntl
except ImportError:  # not a POSIX system
    fcntl = None  # type: ignore[assignment] # not on Windows


class SqliteAllotments:
    """Gives all places of a connection to one process: the embedded store is for one.

    Whoever holds a lock of the system has them, without a lease and without a write; the system takes the lock back
    when the process ends, however it ends. A further process on the same file waits for that with no places.

    Args:
        path: The database file; the locks are files beside it.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._files: dict[str, int] = {}

    async def renew(self, connection: str, asked: PlacesAsked) -> Allotment:
        """See ``Allotments.renew``."""
        with store_errors():
            places = asked.places if connection in self._files or self._locked(connection) else 0
        return Allotment(places, places, lasts=True)

    async def leave(self, connection: str) -> None:
        """See ``Allotments.leave``."""
        if connection in self._files:
            os.close(self._files.pop(connection))

    def close(self) -> None:
        """Give everything back."""
        while self._files:
            os.close(self._files.popitem()[1])

    def _locked(self, connection: str) -> bool:
        """Take a connection's lock if nobody has it; where there are no locks a process counts as the only one."""
        if fcntl is None:
            return True
        name = f"{self._path.name}-calling-{quote(connection, safe='')}"
        file = os.open(self._path.with_name(name), os.O_CREAT | os.O_RDWR, 0o600)
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(file)
            return False
        except OSError:  # a file system without locks
            os.close(file)
            return True
        self._files[connection] = file
        return True
