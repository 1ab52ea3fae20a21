"""Moves what is committed from the write-ahead log into the database file, beside the writer and not within it."""

import sqlite3
import threading
from collections.abc import Callable
from pathlib import Path

import structlog

from secure_export.store.sqlite.connect import connect_to_write

log = structlog.get_logger(__name__)

_EVERY_SECONDS = 0.5
_FRAMES_BEFORE_RESTART = 4000


class Checkpoints:
    """A thread that checkpoints now and then (SQLite docs, "PRAGMA wal_checkpoint"), without stopping writers.

    A passive checkpoint copies pages; the log starts again from its beginning only if a write finds everything
    copied. Under steady load it never does, so after each pass the writer is asked to copy the little that came
    meanwhile and to start the log again.

    Args:
        path: The database file.
        ask_restart: Called, in the thread, when the log is long and nearly all of it is copied.
    """

    def __init__(self, path: Path, ask_restart: Callable[[], None]) -> None:
        self._connection = connect_to_write(path)
        self._ask_restart = ask_restart
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
                self._pass()
            except sqlite3.Error as error:
                log.warning("checkpoint failed", reason=str(error))

    def _pass(self) -> None:
        _, frames, copied = self._connection.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchone()
        if frames == copied > _FRAMES_BEFORE_RESTART:
            self._ask_restart()
