"""One thread that writes, so that many small changes share one commit."""

import asyncio
import queue
import sqlite3
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter
from typing import Any, Protocol

import structlog

from secure_export.errors import StoreUnavailable
from secure_export.store.sqlite.connect import connect_to_write, is_full, is_outage, restart_wal, store_errors

log = structlog.get_logger(__name__)

Job = Callable[[sqlite3.Connection], Any]
Result = tuple[Any, BaseException | None]

_TASKS_AT_ONCE = 256


class Bulk(Protocol):
    """How things of one kind are written many at a time."""

    def write(self, connection: sqlite3.Connection, things: Sequence[Any]) -> Sequence[Any]:
        """Write them all, and give a result for each; what is raised undoes all of them."""
        ...

    def undone(self) -> None:
        """Forget what is only true if earlier writes stayed: they did not."""
        ...

    def committed(self, results: Sequence[Any]) -> None:
        """What was written is on disk; called on the loop."""
        ...


@dataclass(slots=True)
class _Task:
    """Something to write: a job, or a thing for the bulk.

    Attributes:
        job: What to run; None for a thing.
        thing: What the bulk is given.
        future: Told what came of it.
    """

    job: Job | None
    thing: Any
    future: asyncio.Future[Any]


class Writer:
    """Writes all that waits in one transaction; what fails takes nothing else with it.

    A job runs within a savepoint, so that its failure undoes it alone. When the transaction itself fails, halves of
    it are tried: a task may therefore run several times, and must leave nothing behind but what it wrote through its
    connection.

    Args:
        path: The database file.
        loop: Where futures live.
        bulk: Writes things.
        waiting_limit: How many tasks may wait before further ones are refused.

    Attributes:
        on_commit: Told, in the writer's thread, how many seconds each transaction took to be on disk.
    """

    def __init__(self, path: Path, loop: asyncio.AbstractEventLoop, *, bulk: Bulk, waiting_limit: int) -> None:
        self._connection = connect_to_write(path)
        self._loop = loop
        self._bulk = bulk
        self._waiting_limit = waiting_limit
        self._waiting = 0
        self._closed = False
        self._queue: queue.SimpleQueue[_Task | None] = queue.SimpleQueue()
        self._restart_asked = False
        self.on_commit: Callable[[float], None] = lambda _: None
        self._thread = threading.Thread(target=self._run, name="store writer", daemon=True)
        self._thread.start()

    def submit(self, job: Job | None, thing: Any = None) -> asyncio.Future[Any]:
        """Have a job run, or a thing written; the future is told after the commit, or why it failed.

        Raises:
            StoreUnavailable: Too many tasks wait, or the store is closed.
        """
        if self._closed:
            raise StoreUnavailable("the store is closed")
        if self._waiting >= self._waiting_limit:
            raise StoreUnavailable("too many changes wait for the disk; try again shortly")
        self._waiting += 1
        future: asyncio.Future[Any] = self._loop.create_future()
        self._queue.put(_Task(job, thing, future))
        return future

    def ask_wal_restart(self) -> None:
        """Have the write-ahead log started again after the next batch; any thread may ask."""
        self._restart_asked = True

    def close(self) -> None:
        """Write what waits, then let go of the file; blocks until then."""
        self._closed = True
        self._queue.put(None)
        self._thread.join()

    def _run(self) -> None:
        try:
            while batch := self._next_batch():
                things = [one for one in batch if one.job is None]
                jobs = [one for one in batch if one.job is not None]
                results = self._write(things, jobs)
                self._loop.call_soon_threadsafe(self._deliver, things, jobs, results)
                self._start_wal_again()
        except RuntimeError as error:
            log.warning("writer stopped: nobody is left to tell", reason=str(error))
        finally:
            self._connection.close()

    def _next_batch(self) -> list[_Task]:
        """Wait for a task and take all that wait with it; empty when the store closes."""
        first = self._queue.get()
        batch: list[_Task] = []
        while first is not None:
            batch.append(first)
            if len(batch) >= _TASKS_AT_ONCE or self._queue.empty():
                return batch
            first = self._queue.get()
        if batch:
            self._queue.put(None)
        return batch

    def _write(self, things: Sequence[_Task], jobs: Sequence[_Task]) -> list[Result]:
        """Write a batch; the results are those of the things, then those of the jobs."""
        try:
            return self._transaction(things, jobs)
        except Exception as error:  # noqa: BLE001 - handed to those who wait
            self._bulk.undone()
            count = len(things) + len(jobs)
            if count == 1 or not _is_about_one(error):
                return [(None, _for_each(error)) for _ in range(count)]
        if things and jobs:
            return self._write(things, ()) + self._write((), jobs)
        half = count // 2
        first = self._write(things[:half], jobs[:half])
        return first + self._write(things[half:], jobs[half:])

    def _transaction(self, things: Sequence[_Task], jobs: Sequence[_Task]) -> list[Result]:
        connection = self._connection
        with store_errors():
            began = perf_counter()
            connection.execute("BEGIN IMMEDIATE")
            try:
                results: list[Result] = []
                if things:
                    results = [(r, None) for r in self._bulk.write(connection, [one.thing for one in things])]
                results += [self._run_job(one) for one in jobs]
                connection.execute("COMMIT")
            except BaseException:
                if connection.in_transaction:
                    connection.execute("ROLLBACK")
                raise
            self.on_commit(perf_counter() - began)
            return results

    def _run_job(self, task: _Task) -> Result:
        connection, job = self._connection, task.job
        if job is None:
            raise TypeError("a thing is no job")
        connection.execute("SAVEPOINT job")
        try:
            result = job(connection)
        except Exception as error:
            if is_outage(error) or not connection.in_transaction:
                raise
            connection.execute("ROLLBACK TO job")
            connection.execute("RELEASE job")
            return None, error
        connection.execute("RELEASE job")
        return result, None

    def _deliver(self, things: Sequence[_Task], jobs: Sequence[_Task], results: Sequence[Result]) -> None:
        self._waiting -= len(results)
        for one, (result, error) in zip((*things, *jobs), results, strict=True):
            if one.future.done():
                continue
            if error is None:
                one.future.set_result(result)
            else:
                one.future.set_exception(error)
        self._bulk.committed([result for result, error in results[: len(things)] if error is None])

    def _start_wal_again(self) -> None:
        """Copy the last of the log and start it again, if a checkpoint asked for it and no reader is in the way."""
        if not self._restart_asked:
            return
        self._restart_asked = False
        try:
            restart_wal(self._connection)
        except sqlite3.Error as error:
            log.warning("checkpoint failed", reason=str(error))


def _is_about_one(error: BaseException) -> bool:
    """Whether a smaller transaction may work where this one failed: one task was wrong, or too big for the disk."""
    return not isinstance(error, StoreUnavailable) or is_full(error.__cause__)


def _for_each(error: Exception) -> Exception:
    """Give an error of its own to each who waits: raising one error many times would grow its traceback."""
    if not isinstance(error, StoreUnavailable):
        return error
    own = StoreUnavailable(*error.args)
    own.__cause__ = error.__cause__
    return own
