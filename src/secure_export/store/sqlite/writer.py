"""One thread that writes, so that many small changes share one commit."""

import asyncio
import queue
import sqlite3
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import structlog

from secure_export.errors import StoreUnavailable
from secure_export.store.sqlite.connect import connect_to_write, empty_wal, store_errors

log = structlog.get_logger(__name__)

Job = Callable[[sqlite3.Connection], Any]
Done = Callable[[Any, BaseException | None], None]

_JOBS_AT_ONCE = 256
_WAL_BYTES_ALLOWED = 256 * 1024 * 1024
_BATCHES_BETWEEN_LOOKS = 64


@dataclass(frozen=True, slots=True)
class _Submitted:
    job: Job
    done: Done


class Writer:
    """Runs jobs in transactions: all that wait share one; if one fails, each gets a transaction of its own.

    A job may therefore run twice, and must not leave anything behind but what it wrote through its connection.

    Args:
        path: The database file.
        loop: Where ``done`` is called.
        waiting_limit: How many jobs may wait before further ones are refused.
    """

    def __init__(self, path: Path, loop: asyncio.AbstractEventLoop, *, waiting_limit: int) -> None:
        self._connection = connect_to_write(path)
        self._loop = loop
        self._waiting_limit = waiting_limit
        self._waiting = 0
        self._closed = False
        self._queue: queue.SimpleQueue[_Submitted | None] = queue.SimpleQueue()
        self._wal = path.with_name(path.name + "-wal")
        self._batches = 0
        self._thread = threading.Thread(target=self._run, name="store writer", daemon=True)
        self._thread.start()

    def submit(self, job: Job, done: Done) -> None:
        """Have a job run; ``done(result, error)`` is called on the loop after its commit or its failure.

        Raises:
            StoreUnavailable: Too many jobs wait, or the store is closed.
        """
        if self._closed:
            raise StoreUnavailable("the store is closed")
        if self._waiting >= self._waiting_limit:
            raise StoreUnavailable("too many changes wait for the disk; try again shortly")
        self._waiting += 1
        self._queue.put(_Submitted(job, done))

    def close(self) -> None:
        """Run what waits, then let go of the file; blocks until then."""
        self._closed = True
        self._queue.put(None)
        self._thread.join()

    def _run(self) -> None:
        while batch := self._next_batch():
            results = self._run_batch(batch)
            self._loop.call_soon_threadsafe(self._deliver, batch, results)
            self._bound_wal()
        self._connection.close()

    def _next_batch(self) -> list[_Submitted]:
        """Wait for a job and take all that wait with it; empty when the store closes."""
        first = self._queue.get()
        batch: list[_Submitted] = []
        while first is not None:
            batch.append(first)
            if len(batch) >= _JOBS_AT_ONCE or self._queue.empty():
                return batch
            first = self._queue.get()
        if batch:
            self._queue.put(None)
        return batch

    def _run_batch(self, batch: Sequence[_Submitted]) -> list[tuple[Any, BaseException | None]]:
        try:
            return [(result, None) for result in self._transaction(batch)]
        except Exception as error:  # noqa: BLE001 - handed to those who wait
            if len(batch) == 1:
                return [(None, error)]
        return [self._run_batch([one])[0] for one in batch]

    def _transaction(self, batch: Sequence[_Submitted]) -> list[Any]:
        with store_errors():
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                results = [one.job(self._connection) for one in batch]
                self._connection.execute("COMMIT")
            except BaseException:
                if self._connection.in_transaction:
                    self._connection.execute("ROLLBACK")
                raise
            return results

    def _deliver(self, batch: Sequence[_Submitted], results: Sequence[tuple[Any, BaseException | None]]) -> None:
        self._waiting -= len(batch)
        for one, (result, error) in zip(batch, results, strict=True):
            one.done(result, error)

    def _bound_wal(self) -> None:
        """Stop for a whole checkpoint when readers or a slow disk let the log grow beyond its bound."""
        self._batches += 1
        if self._batches % _BATCHES_BETWEEN_LOOKS:
            return
        try:
            if self._wal.stat().st_size > _WAL_BYTES_ALLOWED:
                empty_wal(self._connection)
        except (sqlite3.Error, OSError) as error:
            log.warning("checkpoint failed", reason=str(error))
