"""Which processes deliver from a database file, so that one that starts knows whether those before it are gone."""

import asyncio
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from urllib.parse import quote

try:
    import fcntl
except ImportError:  # not a POSIX system
    fcntl = None  # type: ignore[assignment] # not on Windows

_AGAIN_SECONDS = 0.02


class Deliverers:
    """A lock for each connection, which all processes that deliver for it share for as long as they live.

    The system takes it back when a process ends, however it ends. Whoever gets it alone knows that there is no other;
    it is kept alone until what follows from that is written, so that nobody can begin in between.

    Args:
        path: The database file; the locks are files beside it.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._files: dict[str, int] = {}

    @asynccontextmanager
    async def joining(self, connection: str) -> AsyncIterator[bool]:
        """Join those who deliver for a connection when the block ends; gives whether there is nobody else."""
        if connection in self._files or (file := self._opened(connection)) is None:
            yield False
            return
        try:
            yield _locked(file, fcntl.LOCK_EX)
            # Others have it alone only for a moment, and no event tells of another process.
            while not _locked(file, fcntl.LOCK_SH):  # noqa: ASYNC110 - see above
                await asyncio.sleep(_AGAIN_SECONDS)
        except BaseException:
            os.close(file)
            raise
        self._files[connection] = file

    def _opened(self, connection: str) -> int | None:
        """Open a connection's lock; None where there are none: nobody is known to be gone then, and leases decide."""
        if fcntl is None:
            return None
        name = f"{self._path.name}-delivering-{quote(connection, safe='')}"
        file = os.open(self._path.with_name(name), os.O_CREAT | os.O_RDWR, 0o600)
        try:
            _locked(file, fcntl.LOCK_UN)
        except OSError:
            os.close(file)
            return None
        return file

    def leave(self) -> None:
        """Deliver no more."""
        while self._files:
            os.close(self._files.popitem()[1])


def _locked(file: int, how: int) -> bool:
    try:
        fcntl.flock(file, how | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
