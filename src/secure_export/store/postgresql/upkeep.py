"""What is done by timer, in PostgreSQL (``secure_export.delivery.contract.Upkeep``)."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from contextlib import suppress
from datetime import datetime, timedelta

from secure_export.alerts.alert import Condition
from secure_export.delivery.contract import MOST_ALERTS_TOLD, Retention, UntoldAct
from secure_export.store.instants import micros
from secure_export.store.keys import alert_key
from secure_export.store.postgresql.announcing import Ready
from secure_export.store.postgresql.connect import Connection
from secure_export.store.postgresql.database import Database
from secure_export.store.postgresql.desk_incidents import forget as forget_incidents
from secure_export.store.postgresql.forgetting import forget_notifications, forget_rest
from secure_export.store.postgresql.outages import LockTimeout
from secure_export.store.postgresql.partitions import drop_partitions, make_partitions
from secure_export.store.postgresql.texts import all_kept
from secure_export.store.postgresql.waking import retry, wake
from secure_export.store.postgresql.work_item_table import latest_of
from secure_export.store.rows import work_item_columns
from secure_export.store.untold import recorded_conditions, untold_act
from secure_export.workitems.peoples_act import PeoplesAct

_BETWEEN_WAKES_FOR_ONE_NAME = timedelta(minutes=10)

_EXPIRED = """
SELECT item.connection, item.correlation_key FROM work_items AS item
LEFT JOIN lanes ON lanes.key = item.lane
WHERE item.expires_at <= $1 AND (lanes.state IS NULL OR lanes.state IN ('waiting', 'parked'))
ORDER BY item.expires_at LIMIT $2
"""
_OF_TOOL_KEYS = """
SELECT correlation_key FROM work_items AS item
WHERE tool_key = ANY($1::text[]) AND connection = $2
    AND generation = (SELECT max(generation) FROM work_items WHERE lane = item.lane)
"""
_OPEN = """
SELECT tool_key FROM work_items WHERE connection = $1 AND tool_key > $2 AND open_in_tool ORDER BY tool_key LIMIT $3
"""
_ENDED = """
SELECT tool_key, ended_at, seq FROM work_items
WHERE (ended_at, seq) > ($1, $2) AND ended_at IS NOT NULL AND connection = $3 ORDER BY ended_at, seq LIMIT $4
"""
_PARKED = """
SELECT id, key, correlation_key FROM lanes WHERE due_at IS NULL AND connection = $1 AND id > $2 ORDER BY id LIMIT $3
"""
_LACKING = """
SELECT item.correlation_key, missing_cis.work_item FROM missing_cis
JOIN work_items AS item ON item.seq = missing_cis.work_item
WHERE missing_cis.connection = $1 AND missing_cis.name = $2 AND missing_cis.woken_at <= $3
LIMIT $4
"""
_WOKEN_FOR = """
UPDATE missing_cis SET woken_at = $1 WHERE connection = $2 AND name = $3 AND work_item = ANY($4::bigint[])
"""
_NAMES = "SELECT DISTINCT name FROM missing_cis WHERE connection = $1 AND name > $2 ORDER BY name LIMIT $3"
_CURSOR = "SELECT value FROM cursors WHERE name = $1"
_KEEP_CURSOR = """
INSERT INTO cursors (name, value) VALUES ($1, $2) ON CONFLICT (name) DO UPDATE SET value = excluded.value
"""


_RECORDED = "SELECT alert_id, fired_at, ended_at FROM alerts WHERE key = ANY($1::bytea[]) AND connection = $2"
_UNTOLD = """
SELECT seq, id, connection, number, act FROM work_items
WHERE act IS NOT NULL AND act_told IS DISTINCT FROM act AND seq > $1 ORDER BY seq LIMIT $2
"""
_FIRING = """
SELECT item, coalesce(told_id, alert_id) FROM unnest($1::text[]) AS given (item)
CROSS JOIN LATERAL (
    SELECT told_id, alert_id FROM alerts
    WHERE work_item = item AND ended_at IS NULL AND fired_at IS NOT NULL ORDER BY seq LIMIT $2
) AS firing
"""
_TOLD = "UPDATE work_items SET act_told = $2 WHERE id = $1"


class PostgresUpkeep:
    """Wakes lanes by time, and forgets.

    Args:
        database: The database, migrated.
        ready: Told when lanes became ready.
    """

    def __init__(self, database: Database, ready: Ready) -> None:
        self._database = database
        self._ready = ready
        self._names_told: dict[str, str] = {}

    async def wake_expired(self, *, now: datetime, limit: int) -> int:
        """See ``Upkeep.wake_expired``; lanes that are ready or at work need no waking and do not count."""
        return self._told(await self._database.write(lambda db: _wake_expired(db, now, limit)))

    async def wake_for_look(self, connection: str, keys: Sequence[str], *, now: datetime) -> int:
        """See ``Upkeep.wake_for_look``."""
        return self._told(await self._database.write(lambda db: _wake_for_look(db, connection, keys, now)))

    async def open_keys(self, connection: str, *, after: str, limit: int) -> Sequence[str]:
        """See ``Upkeep.open_keys``."""
        rows = await self._database.read(lambda db: db.fetch(_OPEN, connection, after, limit))
        return [row[0] for row in rows]

    async def ended_keys(
        self, connection: str, *, since: datetime, after: str, limit: int
    ) -> tuple[Sequence[str], str]:
        """See ``Upkeep.ended_keys``."""
        return await self._database.read(lambda db: _ended_keys(db, connection, since, after, limit))

    async def retry_parked(self, connection: str, *, after: str, limit: int, now: datetime) -> tuple[int, str]:
        """See ``Upkeep.retry_parked``."""
        woken, following = await self._database.write(lambda db: _retry_parked(db, connection, after, limit, now))
        return self._told(woken), following

    async def wake_unbound(self, connection: str, names: Sequence[str], *, now: datetime, limit: int) -> int:
        """See ``Upkeep.wake_unbound``.

        A name that the CMDB has may still not bind (several have it); a lane is not woken for the same name again
        for ten minutes.
        """
        return self._told(await self._database.write(lambda db: _wake_unbound(db, connection, names, now, limit)))

    async def unbound_names(self, connection: str, *, limit: int) -> Sequence[str]:
        """See ``Upkeep.unbound_names``; where there are more than ``limit``, each call goes on where the last ended."""
        after = self._names_told.get(connection, "")
        names = await self._names(connection, after, limit)
        if after and len(names) < limit:
            rest = await self._names(connection, "", limit - len(names))
            names += [name for name in rest if name <= after]
        self._names_told[connection] = names[-1] if len(names) == limit else ""
        return names

    async def recorded(self, connection: str, alert_ids: Sequence[str]) -> Mapping[str, frozenset[Condition]]:
        """See ``Upkeep.recorded``."""
        keys = [alert_key(one) for one in alert_ids]
        rows = await self._database.read(lambda db: db.fetch(_RECORDED, keys, connection))
        return {alert_id.lower(): recorded_conditions(fired_at, ended_at) for alert_id, fired_at, ended_at in rows}

    async def untold_acts(self, *, after: int, limit: int) -> Sequence[UntoldAct]:
        """See ``Upkeep.untold_acts``."""
        return await self._database.read(lambda db: _untold_acts(db, after, limit))

    async def act_told(self, work_item: str, act: PeoplesAct) -> None:
        """See ``Upkeep.act_told``."""
        await self._database.write(lambda db: db.execute(_TOLD, work_item, act.value))

    async def cursor(self, name: str) -> str:
        """See ``Upkeep.cursor``."""
        return await self._database.read(lambda db: db.fetchval(_CURSOR, name)) or ""

    async def keep_cursor(self, name: str, value: str) -> None:
        """See ``Upkeep.keep_cursor``; a value that is kept already costs no write."""
        if await self.cursor(name) != value:
            await self._database.write(lambda db: db.execute(_KEEP_CURSOR, name, value))

    async def forget(self, retention: Retention, *, now: datetime, limit: int) -> int:
        """See ``Upkeep.forget``; partitions of the days to come are made first.

        A partition that others use at this moment is made or dropped the next time.
        """
        with suppress(LockTimeout):
            await make_partitions(self._database, now)
        dropped = 0
        with suppress(LockTimeout):
            dropped = await drop_partitions(self._database, now - retention.notifications)
        deleted = [
            await self._database.write(lambda db: forget_incidents(db, now - retention.work_items, limit)),
            await self._database.write(lambda db: forget_notifications(db, retention, now=now, limit=limit)),
            await self._database.write(lambda db: forget_rest(db, retention, now=now, limit=limit)),
        ]
        return dropped + sum(deleted)

    async def _names(self, connection: str, after: str, limit: int) -> list[str]:
        rows = await self._database.read(lambda db: db.fetch(_NAMES, connection, after, limit))
        return [row[0] for row in rows]

    def _told(self, woken: int) -> int:
        if woken:
            self._ready()
        return woken


async def _untold_acts(connection: Connection, after: int, limit: int) -> list[UntoldAct]:
    acts = await connection.fetch(_UNTOLD, after, limit)
    firing: dict[str, list[str]] = defaultdict(list)
    for item_id, alert_id in await connection.fetch(_FIRING, [row[1] for row in acts], MOST_ALERTS_TOLD):
        firing[item_id].append(alert_id)
    return [untold_act(tuple(row), firing[row[1]]) for row in acts]


async def _wake_expired(connection: Connection, now: datetime, limit: int) -> int:
    expired: dict[str, list[str]] = defaultdict(list)
    for name, correlation_key in await connection.fetch(_EXPIRED, micros(now), limit):
        expired[name].append(correlation_key)
    return sum([await wake(connection, name, keys, now=now) for name, keys in expired.items()])


async def _wake_for_look(connection: Connection, name: str, keys: Sequence[str], now: datetime) -> int:
    """Wake lanes by work item; one whose work item has a successor is of the past, and nobody looks at it."""
    rows = await connection.fetch(_OF_TOOL_KEYS, all_kept(keys), name)
    return await wake(connection, name, [row[0] for row in rows], now=now, look=True)


async def _ended_keys(
    connection: Connection, name: str, since: datetime, after: str, limit: int
) -> tuple[list[str], str]:
    """List by the time of the end, and by number among those of one moment."""
    ended_at, seq = (int(part) for part in after.split(":")) if after else (micros(since), 0)
    rows = await connection.fetch(_ENDED, ended_at, seq, name, limit)
    following = f"{rows[-1][1]}:{rows[-1][2]}" if len(rows) == limit else ""
    return [row[0] for row in rows], following


async def _retry_parked(connection: Connection, name: str, after: str, limit: int, now: datetime) -> tuple[int, str]:
    """Go through parked lanes by number: one that is parked anew meanwhile keeps its own, and is passed."""
    lanes = await connection.fetch(_PARKED, name, int(after or 0), limit)
    woken = 0
    for _, key, correlation_key in lanes:
        item = await latest_of(connection, key)
        if item is None or not work_item_columns(item).open_in_tool:
            woken += await retry(connection, name, correlation_key, now=now)
    return woken, str(lanes[-1][0]) if len(lanes) == limit else ""


async def _wake_unbound(connection: Connection, name: str, cis: Sequence[str], now: datetime, limit: int) -> int:
    before = micros(now - _BETWEEN_WAKES_FOR_ONE_NAME)
    woken: set[str] = set()
    for ci in cis:
        lacking = await connection.fetch(_LACKING, name, ci, before, limit - len(woken))
        await wake(connection, name, [row[0] for row in lacking], now=now)
        await connection.execute(_WOKEN_FOR, micros(now), name, ci, [row[1] for row in lacking])
        woken |= {row[0] for row in lacking}
        if len(woken) >= limit:
            break
    return len(woken)
