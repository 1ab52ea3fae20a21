"""Makes lanes ready."""

from collections.abc import Sequence
from datetime import datetime

from secure_export.store.instants import micros
from secure_export.store.keys import lane_key
from secure_export.store.postgresql.connect import Connection
from secure_export.store.postgresql.texts import all_kept
from secure_export.store.postgresql.work_item_table import latest_of, put_work_item
from secure_export.workitems.settle import unpark

# A lane that an owner works on stays its own, and ready when it is given back. The row is locked also where nothing is
# to be changed: whoever claims or gives back the lane waits until what came for it can be seen.
ON_CONFLICT = """
ON CONFLICT (key) DO UPDATE SET
    state = CASE lanes.state WHEN 'claimed' THEN 'claimed' ELSE 'ready' END,
    due_at = CASE WHEN lanes.state IN ('claimed', 'ready') THEN lanes.due_at ELSE excluded.due_at END,
    reason = CASE WHEN lanes.state IN ('claimed', 'ready') THEN lanes.reason ELSE '' END,
    woken = lanes.state = 'claimed',
    look = lanes.look OR excluded.look
WHERE lanes.state IN ('waiting', 'parked')
    OR (lanes.state = 'claimed' AND NOT lanes.woken)
    OR (excluded.look AND NOT lanes.look)
"""
_WAKE = f"""
INSERT INTO lanes (key, connection, correlation_key, state, due_at, look)
SELECT key, $1, correlation_key, 'ready', $2, $3
FROM unnest($4::bytea[], $5::text[]) AS given (key, correlation_key) ORDER BY key
{ON_CONFLICT}
RETURNING key
"""  # noqa: S608 - constants
_LOCK_NOT_AT_WORK = "SELECT 1 FROM lanes WHERE key = $1 AND state IN ('waiting', 'parked') FOR UPDATE"


async def wake(
    connection: Connection, name: str, correlation_keys: Sequence[str], *, now: datetime, look: bool = False
) -> int:
    """Make lanes of the connection ``name`` ready.

    Args:
        connection: The database.
        name: The lanes' connection.
        correlation_keys: Which lanes of it.
        now: The time now.
        look: Whether to have their work items read back, too.

    Returns:
        Of how many anything changed.
    """
    lanes = {lane_key(name, one): one for one in correlation_keys}
    if not lanes:
        return 0
    rows = await connection.fetch(_WAKE, name, micros(now), look, list(lanes), all_kept(lanes.values()))
    return len(rows)


async def retry(connection: Connection, name: str, correlation_key: str, *, now: datetime) -> bool:
    """Make a parked or waiting lane ready, and let its work item be tried again at once; whether it was one."""
    key = lane_key(name, correlation_key)
    if await connection.fetchval(_LOCK_NOT_AT_WORK, key) is None:
        return False
    item = await latest_of(connection, key)
    if item is not None:
        await put_work_item(connection, unpark(item))
    return await wake(connection, name, [correlation_key], now=now) > 0
