"""Records entries, many at a time: the hot path's part of the store."""

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import suppress
from time import monotonic
from typing import Any, TypeAlias

from secure_export.errors import StoreUnavailable
from secure_export.intake.contract import Entry, Receipt
from secure_export.store.bodies import packed
from secure_export.store.instants import micros
from secure_export.store.keys import lane_key
from secure_export.store.postgresql.connect import Connection
from secure_export.store.postgresql.database import Database
from secure_export.store.postgresql.outages import is_about_room
from secure_export.store.postgresql.partitions import first_number_at
from secure_export.store.postgresql.texts import all_kept
from secure_export.store.postgresql.waking import ON_CONFLICT

_AT_ONCE = 256
_BYTES_AT_ONCE = 4 * 1024 * 1024
_BATCHES = 2
_WAITING_LIMIT = 4096
_SENDERS_REMEMBERED = 4096
_FULL_SECONDS = 60.0
_PATIENCE_SECONDS = 8.0  # Azure gives a webhook ten (Azure Monitor docs, action groups, before 2026)

_SENDER = "INSERT INTO senders (connection, caller) VALUES ($1, $2) ON CONFLICT DO NOTHING"
_SENDER_OF = "SELECT id FROM senders WHERE connection = $1 AND sha256(caller) = sha256($2) AND caller = $2"

# One statement, so that one answer tells of all. Keys and lanes are locked in order, so that batches of several
# processes cannot wait for each other in a circle; sorting also makes all keys be there before the first lane.
_APPEND = f"""
WITH arrived AS MATERIALIZED (
    SELECT place, first | (nextval('notification_numbers') & 1048575) AS id, received_at, sender, dedupe_key, packed,
        body, lane, connection, correlation_key, alert, reason
    FROM unnest($1::bigint[], $2::bigint[], $3::bigint[], $4::bytea[], $5::boolean[], $6::bytea[], $7::bytea[],
        $8::text[], $9::text[], $10::text[], $11::text[])
    WITH ORDINALITY AS given (first, received_at, sender, dedupe_key, packed, body, lane, connection, correlation_key,
        alert, reason, place)
), fresh AS (
    INSERT INTO notification_keys (key, notification)
    SELECT dedupe_key, id FROM arrived WHERE dedupe_key IS NOT NULL ORDER BY dedupe_key, place
    ON CONFLICT DO NOTHING RETURNING notification
), news AS MATERIALIZED (
    SELECT * FROM arrived WHERE dedupe_key IS NULL OR id IN (SELECT notification FROM fresh)
), recorded AS (
    INSERT INTO notifications (id, received_at, sender, packed, body)
    SELECT id, received_at, sender, packed, body FROM news WHERE lane IS NOT NULL ORDER BY id
), unreadable AS (
    INSERT INTO quarantine (notification, received_at, sender, packed, body, reason, since)
    SELECT id, received_at, sender, packed, body, reason, received_at FROM news WHERE lane IS NULL
), marked AS (
    INSERT INTO lanes (key, connection, correlation_key, state, due_at)
    SELECT DISTINCT ON (lane) lane, connection, correlation_key, 'ready', received_at
    FROM news WHERE lane IS NOT NULL ORDER BY lane, place
    {ON_CONFLICT}
), waiting AS (
    INSERT INTO pending (lane, notification, alert) SELECT lane, id, alert FROM news WHERE lane IS NOT NULL
)
SELECT place, id FROM news
"""  # noqa: S608 - constants
# Writes an empty message into the log, so that it is answered once the standby has all before it: a primary that comes
# back after a crash shows what it had not yet handed on, and to call that a duplicate is to acknowledge it.
_KNOWN = """
SELECT key, notification FROM notification_keys, pg_logical_emit_message(true, 'secure-export', '')
WHERE key = ANY($1::bytea[])
"""


_Waiting: TypeAlias = "tuple[Entry, asyncio.Future[Receipt]]"


class Appender:
    """Collects entries that come side by side and records them together.

    While batches are under way the next one grows: under load a batch has many entries, and a lone one does not wait.

    Args:
        database: The database.
        ready: Told when entries made lanes ready.
    """

    def __init__(self, database: Database, ready: Callable[[], None]) -> None:
        self._database = database
        self._ready = ready
        self._waiting: deque[_Waiting] = deque()
        self._count = 0
        self._tasks: set[asyncio.Task[None]] = set()
        self._senders: dict[tuple[str, bytes], int] = {}
        self._closed = False
        self._full: tuple[str, float] | None = None

    @property
    def full(self) -> str | None:
        """Why the latest batch could not be kept, if the database lacked room for it and that was lately.

        A small write may work all the same, in the room that is left. Other errors meet any write.
        """
        if self._full is None or monotonic() - self._full[1] > _FULL_SECONDS:
            return None
        return self._full[0]

    def append(self, entry: Entry) -> asyncio.Future[Receipt]:
        """Have an entry recorded; the future is told once it is on disk.

        Raises:
            StoreUnavailable: Too many entries wait, or the store is closed.
        """
        if self._closed:
            raise StoreUnavailable("the store is closed")
        if self._count >= _WAITING_LIMIT:
            raise StoreUnavailable("too many notifications wait for the database; try again shortly")
        future: asyncio.Future[Receipt] = asyncio.get_running_loop().create_future()
        self._waiting.append((entry, future))
        self._count += 1
        if len(self._tasks) < _BATCHES:
            task = asyncio.create_task(self._write_all())
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
        return future

    async def close(self) -> None:
        """Record what waits."""
        self._closed = True
        while self._tasks:
            await asyncio.wait(self._tasks)

    async def _write_all(self) -> None:
        await asyncio.sleep(0)  # what comes in the same turn of the loop goes along
        while self._waiting:
            batch = self._next_batch()
            results = await self._recorded(batch)
            self._tell(batch, results)
            if isinstance(results[-1], StoreUnavailable):
                # Those who wait would only hear the same, one batch after the other.
                waiting, self._waiting = list(self._waiting), deque()
                self._tell(waiting, [_own(results[-1]) for _ in waiting])
            if any(isinstance(result, Receipt) and result.status == "accepted" for result in results):
                self._ready()

    async def _recorded(self, batch: Sequence[_Waiting]) -> list[Receipt | Exception]:
        """Record a batch. Who waits hears in time that it takes too long: what is kept later is then a duplicate."""
        recording = asyncio.ensure_future(self._record([entry for entry, _ in batch]))  # noqa: RUF006 - it is kept below
        while not (await asyncio.wait((recording,), timeout=_PATIENCE_SECONDS))[0]:
            late = [*batch, *self._waiting]
            self._count -= len(self._waiting)
            self._waiting.clear()
            for _, future in late:
                if not future.done():
                    future.set_exception(StoreUnavailable("the database does not answer in time; try again shortly"))
        return recording.result()

    def _tell(self, waiting: Sequence[_Waiting], results: Sequence[Receipt | Exception]) -> None:
        self._count -= len(waiting)
        for (_, future), result in zip(waiting, results, strict=True):
            if future.done():
                continue
            if isinstance(result, Exception):
                future.set_exception(result)
            else:
                future.set_result(result)

    def _next_batch(self) -> list[_Waiting]:
        batch: list[_Waiting] = []
        size = 0
        while self._waiting and len(batch) < _AT_ONCE and size < _BYTES_AT_ONCE:
            batch.append(self._waiting.popleft())
            size += len(batch[-1][0].body)
        return batch

    async def _record(self, entries: Sequence[Entry]) -> list[Receipt | Exception]:
        """Record a batch; where it cannot be because of one entry, halves of it are tried."""
        try:
            return await self._try_to_record(entries)
        except StoreUnavailable as error:
            if is_about_room(error.__cause__):
                self._full = (str(error), monotonic())
            return [_own(error) for _ in entries]
        except Exception as error:  # noqa: BLE001 - handed to those who wait
            if len(entries) == 1:
                return [error]
        half = len(entries) // 2
        return await self._record(entries[:half]) + await self._record(entries[half:])

    async def _try_to_record(self, entries: Sequence[Entry]) -> list[Receipt | Exception]:
        senders = await self._senders_of(entries)
        columns = [list(column) for column in zip(*map(_row, entries, senders), strict=True)]
        for texts in (7, 8, 9, 10):
            columns[texts] = all_kept(columns[texts])
        keys = [entry.dedupe_key for entry in entries if entry.dedupe_key is not None]

        news = {row[0] - 1: row[1] for row in await self._database.write_at_once(_APPEND, *columns)}
        self._full = None
        known = await self._known(keys) if len(news) < len(entries) else {}
        return [_receipt(entry, news.get(place), known) for place, entry in enumerate(entries)]

    async def _known(self, keys: Sequence[bytes]) -> dict[bytes, int]:
        """Read which notifications said the same before, and are kept for good; none where that cannot be known now."""
        with suppress(StoreUnavailable):
            rows = await self._database.write_at_once(_KNOWN, keys)
            return {bytes(row[0]): row[1] for row in rows}
        return {}

    async def _senders_of(self, entries: Sequence[Entry]) -> list[int]:
        """Find or write down who sends to which connection; that stays, whatever becomes of the entries."""
        if len(self._senders) >= _SENDERS_REMEMBERED:
            self._senders.clear()
        for pair in {(entry.connection, entry.caller) for entry in entries}:
            if pair not in self._senders:
                self._senders[pair] = await self._sender(*pair)
        return [self._senders[entry.connection, entry.caller] for entry in entries]

    async def _sender(self, connection: str, caller: bytes) -> int:
        async def job(db: Connection) -> int:
            await db.execute(_SENDER, connection, caller)
            return int(await db.fetchval(_SENDER_OF, connection, caller) or 0)

        return await self._database.write(job)


def _row(entry: Entry, sender: int) -> tuple[Any, ...]:
    is_frame, body = packed(entry.body)
    key = entry.correlation_key
    return (
        first_number_at(entry.received_at),
        micros(entry.received_at),
        sender,
        entry.dedupe_key,
        is_frame,
        body,
        None if key is None else lane_key(entry.connection, key),
        entry.connection,
        key,
        entry.alert_id,
        entry.quarantine_reason or "no reason was given",
    )


def _receipt(entry: Entry, number: int | None, known: dict[bytes, int]) -> Receipt | Exception:
    if number is not None:
        return Receipt(number, "quarantined" if entry.correlation_key is None else "accepted")
    there = known.get(entry.dedupe_key or b"")
    if there is None:
        return StoreUnavailable("what said the same was forgotten, or cannot be read, at this moment; send it again")
    return Receipt(there, "duplicate")


def _own(error: StoreUnavailable) -> StoreUnavailable:
    """Give an error of its own to each who waits: raising one error many times would grow its traceback."""
    own = type(error)(*error.args)
    own.__cause__ = error.__cause__
    return own
