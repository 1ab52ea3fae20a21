"""Moves what is committed from the write-ahead log into the database file, beside the writer and not within it."""

import sqlite3
import threading
from pathlib import Path

import structlog

from secure_export.store.sqlite.connect import connect_to_write

log = structlog.get_logger(__name__)

_EVERY_SECONDS = 0.5


class Checkpoints:
    """A thread that checkpoints now and then (SQLite docs, "PRAGMA wal_checkpoint"), without stopping writers.

    A passive checkpoint copies pages; the log starts again from its beginning with the next write after
    everything was copied.

    Args:
        path: The database file.
    """

    def __init__(self, path: Path) -> None:
        self._connection = connect_to_write(path)
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="store checkpoints", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Stop; blocks until a running checkpoint is done."""
        self._stop.set()
        self._thread.join()
        self._connection.close()

    def _run(self) -> None:
        while not self._stop.wait(_EVERY_SECONDS):
            try:
                self._connection.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchone()
            except sqlite3.Error as error:
                log.warning("checkpoint failed", reason=str(error))
