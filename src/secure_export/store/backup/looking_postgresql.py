"""What a PostgreSQL database is told that was restored by its own means: as ``looking``, and for the same reasons."""

from collections import defaultdict
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import datetime
from typing import Any

import asyncpg

from secure_export.store.backup.looking import REASON
from secure_export.store.instants import micros
from secure_export.store.postgresql.waking import wake
from secure_export.store.postgresql.work_item_table import put_work_item
from secure_export.store.restored import RESTORED_AT
from secure_export.store.rows import UNCLEAR, work_item
from secure_export.workitems.work_item import WorkItem

_AT_ONCE = 500
_CLOSE_STEPS = """
UPDATE steps SET finished_at = $1, outcome = $2, reason = $3 WHERE finished_at IS NULL RETURNING work_item, kind
"""
_LANES = """
UPDATE lanes SET look = true, owner = NULL, due_at = CASE state WHEN 'claimed' THEN $1::bigint ELSE due_at END,
    state = CASE state WHEN 'claimed' THEN 'ready' ELSE state END
"""
_NOT_OVER = """
SELECT seq, document FROM work_items AS item
WHERE seq > $1 AND (state = 'open' OR owed OR open_in_tool)
    AND generation = (SELECT max(generation) FROM work_items WHERE lane = item.lane)
ORDER BY seq LIMIT $2
"""
_KEEP = "INSERT INTO cursors (name, value) VALUES ($1, $2) ON CONFLICT (name) DO UPDATE SET value = excluded.value"


async def look_before_all(connection: "asyncpg.Connection[Any]", *, now: datetime) -> int:
    """See to it that everything is looked at before it is acted on; how many work items are woken for it."""
    woken = 0
    async with connection.transaction():
        steps = await connection.fetch(_CLOSE_STEPS, micros(now), UNCLEAR, REASON)
        begun = {seq for seq, kind in steps if kind != "look"}
        await connection.execute(_LANES, micros(now))
        async for seqs, items in _not_over(connection):
            keys = defaultdict(list)
            for seq, item in zip(seqs, items, strict=True):
                keys[item.connection].append(item.correlation_key)
                if seq in begun or item.confirmed is None:
                    await put_work_item(connection, replace(item, doubt=True))
            for name, correlation_keys in keys.items():
                await wake(connection, name, correlation_keys, now=now, look=True)
            woken += len(items)
        await connection.execute(_KEEP, RESTORED_AT, str(micros(now)))
    return woken


async def _not_over(connection: "asyncpg.Connection[Any]") -> AsyncIterator[tuple[list[int], list[WorkItem]]]:
    last = 0
    while rows := await connection.fetch(_NOT_OVER, last, _AT_ONCE):
        yield [row[0] for row in rows], [work_item(row[1]) for row in rows]
        last = rows[-1][0]
