"""Copies a store: table by table, in batches, from where an earlier attempt ended; then both sides are compared."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from secure_export.errors import SettingsError
from secure_export.store.copy.digest import Digest
from secure_export.store.copy.side import Finished, Found, Position, Source, Target
from secure_export.store.copy.tables import TABLES, Table

_ROWS_AT_ONCE = 2000
_BYTES_AT_ONCE = 4 * 1024 * 1024


class Watcher(Protocol):
    """Told how it goes."""

    def begun(self, what: str, rows: int) -> None:
        """Something of so many rows begins."""
        ...

    def done(self, rows: int) -> None:
        """So many more rows of it are done."""
        ...


@dataclass(frozen=True, slots=True)
class Compared:
    """One table on both sides.

    Attributes:
        table: Its name.
        source: How many rows the source has.
        target: How many rows the target has.
        source_digest: A digest of the source's rows.
        target_digest: A digest of the target's rows.
    """

    table: str
    source: int
    target: int
    source_digest: str
    target_digest: str

    @property
    def same(self) -> bool:
        """Whether both sides have the same."""
        return (self.source, self.source_digest) == (self.target, self.target_digest)


async def was_copied(source: Source, target: Target, watcher: Watcher) -> bool:
    """Tell whether an earlier call finished this copy, and the source is still what was copied.

    The source's rows are read again and compared with the digests that the target kept of them; the target is not,
    because a service may have gone on with it. This relies on no number that grows: a row that changed in its place is
    found as well. It takes as long as reading the source once; where it changed it ends at the first table in which
    that shows, and those in which it shows soonest, and which are small, come first.

    Args:
        source: From where.
        target: To where.
        watcher: Told how it goes.

    Raises:
        SettingsError: The source has changed since.
        StoreUnavailable: One of the two cannot be used now.
    """
    finished = await target.finished()
    if finished is None or finished.source != source.name or not finished.digests:
        return False
    for table in reversed(TABLES):
        watcher.begun(f"looking for changes in {table.name}", await source.count(table))
        digest = await _digest(source.rows(table, None, by_time=target.numbers_by_time), watcher)
        if digest.text != finished.digests.get(table.name):
            raise SettingsError(
                f"{target.name} is a finished copy of an older state of {source.name}, whose {table.name} have changed "
                "since; begin with an empty target"
            )
    return True


async def copy_store(source: Source, target: Target, watcher: Watcher, *, now: datetime) -> list[Compared]:
    """Copy everything, compare, and let a service begin on the copy if it is the same.

    Args:
        source: From where.
        target: To where.
        watcher: Told how it goes.
        now: The time now.

    Returns:
        The comparison. Where a table differs the target is not finished, and no service starts on it.

    Raises:
        SettingsError: The target has something already, be it a finished copy of the same source (``was_copied``).
        StoreUnavailable: One of the two cannot be used now; the same call goes on from there.
    """
    await _copy_all(source, target, await _begun(source, target), watcher)
    highest = await source.highest()
    compared = [await _compare(table, source, target, watcher) for table in TABLES]
    if all(one.same for one in compared):
        digests = {one.table: one.source_digest for one in compared}
        await target.finish(Finished(source.name, digests), highest, now=now)
    return compared


async def _begun(source: Source, target: Target) -> dict[str, Position | None]:
    """Begin, or find out how far an earlier attempt came."""
    unfinished = await target.unfinished()
    if unfinished is not None:
        if unfinished.source != source.name:
            raise SettingsError(
                f"{target.name} has an unfinished copy from {unfinished.source}; finish that one, or begin with an "
                "empty target"
            )
        return dict(unfinished.positions)
    if (finished := await target.finished()) is not None:
        raise SettingsError(
            f"{target.name} is a finished copy from {finished.source} already; begin with an empty target"
        )
    if not await target.is_empty():
        raise SettingsError(f"{target.name} has data of its own, which a copy would mix up; begin with an empty target")
    await target.begin(source.name)
    return {}


async def _copy_all(source: Source, target: Target, reached: Mapping[str, Position | None], watcher: Watcher) -> None:
    """Copy what an earlier attempt, if there was one, left to be copied."""
    goes_on = bool(reached)
    for table in TABLES:
        if table.name in reached and reached[table.name] is None:
            continue
        rows = await source.count(table)
        there = await target.count(table) if goes_on else 0
        watcher.begun(f"copying {table.name}, goes on at {there}" if goes_on else f"copying {table.name}", rows)
        if there:
            watcher.done(there)
        await _copy(table, source, target, reached.get(table.name), watcher)
        goes_on = goes_on and not rows


async def _copy(table: Table, source: Source, target: Target, after: Position | None, watcher: Watcher) -> None:
    rows = source.rows(table, after, by_time=target.numbers_by_time)
    async for batch in _batches(rows):
        await target.write(table, [one.row for one in batch], batch[-1].position)
        watcher.done(len(batch))
        await asyncio.sleep(0)  # files make nobody wait, and who wants to end this is to be heard
    await target.write(table, [], None)


async def _batches(rows: AsyncIterator[Found]) -> AsyncIterator[list[Found]]:
    """Put rows together, few where they are big."""
    batch: list[Found] = []
    size = 0
    async for one in rows:
        batch.append(one)
        size += sum(len(value) for value in one.row if isinstance(value, str | bytes))
        if len(batch) >= _ROWS_AT_ONCE or size >= _BYTES_AT_ONCE:
            yield batch
            batch, size = [], 0
    if batch:
        yield batch


async def _compare(table: Table, source: Source, target: Target, watcher: Watcher) -> Compared:
    watcher.begun(f"comparing {table.name}", await source.count(table) + await target.count(table))
    by_time = target.numbers_by_time
    here = await _digest(source.rows(table, None, by_time=by_time), watcher)
    there = await _digest(target.rows(table, None, by_time=by_time), watcher)
    return Compared(table.name, here.count, there.count, here.text, there.text)


async def _digest(rows: AsyncIterator[Found], watcher: Watcher) -> Digest:
    digest = Digest()
    done = 0
    async for one in rows:
        digest.add(one.row)
        if digest.count - done >= _ROWS_AT_ONCE:
            watcher.done(digest.count - done)
            done = digest.count
            await asyncio.sleep(0)  # as above
    watcher.done(digest.count - done)
    await asyncio.sleep(0)
    return digest
