"""What is done by timer, in SQLite (``secure_export.delivery.contract.Upkeep``)."""

import sqlite3
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from secure_export.alerts.alert import Condition
from secure_export.delivery.contract import MOST_ALERTS_TOLD, Retention, UntoldAct
from secure_export.store.instants import micros
from secure_export.store.keys import alert_key
from secure_export.store.rows import work_item_columns
from secure_export.store.sqlite.database import Database
from secure_export.store.sqlite.desk_incidents import forget as forget_incidents
from secure_export.store.sqlite.forgetting import forget
from secure_export.store.sqlite.waking import retry, wake
from secure_export.store.sqlite.work_item_table import latest_of
from secure_export.store.untold import recorded_conditions, untold_act
from secure_export.workitems.peoples_act import PeoplesAct

_BETWEEN_WAKES_FOR_ONE_NAME = timedelta(minutes=10)

_EXPIRED = """
SELECT item.connection, item.correlation_key FROM work_items AS item
LEFT JOIN lanes ON lanes.key = item.lane
WHERE item.expires_at <= ? AND (lanes.state IS NULL OR lanes.state IN ('waiting', 'parked'))
ORDER BY item.expires_at LIMIT ?
"""
_OF_TOOL_KEY = """
SELECT correlation_key FROM work_items AS item
WHERE tool_key = ? AND connection = ?
    AND generation = (SELECT max(generation) FROM work_items WHERE lane = item.lane)
"""
_ENDED = """
SELECT tool_key, ended_at, seq FROM work_items INDEXED BY work_items_by_end
WHERE ended_at >= ?1 AND (ended_at > ?1 OR seq > ?2) AND connection = ?3
ORDER BY ended_at, seq LIMIT ?4
"""
_PARKED = """
SELECT id, key, correlation_key FROM lanes INDEXED BY lanes_parked
WHERE due_at IS NULL AND connection = ? AND id > ? ORDER BY id LIMIT ?
"""
_LACKING = """
SELECT item.correlation_key, missing_cis.work_item FROM missing_cis
JOIN work_items AS item ON item.seq = missing_cis.work_item
WHERE missing_cis.connection = ? AND missing_cis.name = ? AND missing_cis.woken_at <= ?
LIMIT ?
"""


_RECORDED = "SELECT alert_id, fired_at, ended_at FROM alerts WHERE key = ? AND connection = ?"
_UNTOLD = """
SELECT seq, id, connection, number, act FROM work_items INDEXED BY work_items_by_untold_act
WHERE act IS NOT NULL AND act_told IS NOT act AND seq > ? ORDER BY seq LIMIT ?
"""
_FIRING = """
SELECT coalesce(told_id, alert_id) FROM alerts
WHERE work_item = ? AND ended_at IS NULL AND fired_at IS NOT NULL ORDER BY seq LIMIT ?
"""


class SqliteUpkeep:
    """Wakes lanes by time, and forgets.

    Args:
        database: The database, opened and migrated.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._names_told: dict[str, str] = {}

    async def wake_expired(self, *, now: datetime, limit: int) -> int:
        """See ``Upkeep.wake_expired``; lanes that are ready or at work need no waking and do not count."""
        return self._told(await self._database.write(lambda db: _wake_expired(db, now, limit)))

    async def wake_for_look(self, connection: str, keys: Sequence[str], *, now: datetime) -> int:
        """See ``Upkeep.wake_for_look``."""
        return self._told(await self._database.write(lambda db: _wake_for_look(db, connection, keys, now)))

    async def open_keys(self, connection: str, *, after: str, limit: int) -> Sequence[str]:
        """See ``Upkeep.open_keys``."""
        rows = await self._database.read(
            lambda db: db.execute(
                "SELECT tool_key FROM work_items WHERE connection = ? AND tool_key > ? AND open_in_tool = 1 "
                "ORDER BY tool_key LIMIT ?",
                (connection, after, limit),
            ).fetchall()
        )
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
        names = await self._database.read(lambda db: _names(db, connection, after, limit))
        if after and len(names) < limit:
            rest = await self._database.read(lambda db: _names(db, connection, "", limit - len(names)))
            names += [name for name in rest if name <= after]
        self._names_told[connection] = names[-1] if len(names) == limit else ""
        return names

    async def recorded(self, connection: str, alert_ids: Sequence[str]) -> Mapping[str, frozenset[Condition]]:
        """See ``Upkeep.recorded``."""
        return await self._database.read(lambda db: _recorded(db, connection, alert_ids))

    async def untold_acts(self, *, after: int, limit: int) -> Sequence[UntoldAct]:
        """See ``Upkeep.untold_acts``."""
        return await self._database.read(lambda db: _untold_acts(db, after, limit))

    async def act_told(self, work_item: str, act: PeoplesAct) -> None:
        """See ``Upkeep.act_told``."""
        await self._database.write(
            lambda db: db.execute("UPDATE work_items SET act_told = ? WHERE id = ?", (act.value, work_item)).rowcount
        )

    async def cursor(self, name: str) -> str:
        """See ``Upkeep.cursor``."""
        row = await self._database.read(
            lambda db: db.execute("SELECT value FROM cursors WHERE name = ?", (name,)).fetchone()
        )
        return row[0] if row else ""

    async def keep_cursor(self, name: str, value: str) -> None:
        """See ``Upkeep.keep_cursor``; a value that is kept already costs no write."""
        if await self.cursor(name) == value:
            return
        await self._database.write(
            lambda db: (
                db.execute(
                    "INSERT INTO cursors (name, value) VALUES (?, ?) "
                    "ON CONFLICT (name) DO UPDATE SET value = excluded.value",
                    (name, value),
                ).rowcount
            )
        )

    async def forget(self, retention: Retention, *, now: datetime, limit: int) -> int:
        """See ``Upkeep.forget``."""
        incidents = await self._database.write(lambda db: forget_incidents(db, now - retention.work_items, limit))
        return incidents + await self._database.write(lambda db: forget(db, retention, now=now, limit=limit))

    def _told(self, woken: int) -> int:
        if woken:
            self._database.signals.ready()
        return woken


def _recorded(connection: sqlite3.Connection, name: str, alert_ids: Sequence[str]) -> dict[str, frozenset[Condition]]:
    rows = [row for one in alert_ids for row in connection.execute(_RECORDED, (alert_key(one), name))]
    return {alert_id.lower(): recorded_conditions(fired_at, ended_at) for alert_id, fired_at, ended_at in rows}


def _untold_acts(connection: sqlite3.Connection, after: int, limit: int) -> list[UntoldAct]:
    acts = connection.execute(_UNTOLD, (after, limit)).fetchall()
    firing = {row[1]: connection.execute(_FIRING, (row[1], MOST_ALERTS_TOLD)).fetchall() for row in acts}
    return [untold_act(row, [one[0] for one in firing[row[1]]]) for row in acts]


def _wake_expired(connection: sqlite3.Connection, now: datetime, limit: int) -> int:
    expired = connection.execute(_EXPIRED, (micros(now), limit)).fetchall()
    return sum(wake(connection, name, correlation_key, now=now) for name, correlation_key in expired)


def _wake_for_look(connection: sqlite3.Connection, name: str, keys: Sequence[str], now: datetime) -> int:
    """Wake lanes by work item; one whose work item has a successor is of the past, and nobody looks at it."""
    woken = 0
    for key in keys:
        row = connection.execute(_OF_TOOL_KEY, (key, name)).fetchone()
        woken += row is not None and wake(connection, name, row[0], now=now, look=True)
    return woken


def _ended_keys(
    connection: sqlite3.Connection, name: str, since: datetime, after: str, limit: int
) -> tuple[list[str], str]:
    """List by the time of the end, and by number among those of one moment."""
    ended_at, seq = (int(part) for part in after.split(":")) if after else (micros(since), 0)
    rows = connection.execute(_ENDED, (ended_at, seq, name, limit)).fetchall()
    following = f"{rows[-1][1]}:{rows[-1][2]}" if len(rows) == limit else ""
    return [row[0] for row in rows], following


def _retry_parked(connection: sqlite3.Connection, name: str, after: str, limit: int, now: datetime) -> tuple[int, str]:
    """Go through parked lanes by number: one that is parked anew meanwhile keeps its own, and is passed."""
    lanes = connection.execute(_PARKED, (name, int(after or 0), limit)).fetchall()
    woken = 0
    for _, key, correlation_key in lanes:
        item = latest_of(connection, key)
        if item is None or not work_item_columns(item).open_in_tool:
            woken += retry(connection, name, correlation_key, now=now)
    return woken, str(lanes[-1][0]) if len(lanes) == limit else ""


def _wake_unbound(connection: sqlite3.Connection, name: str, cis: Sequence[str], now: datetime, limit: int) -> int:
    before = micros(now - _BETWEEN_WAKES_FOR_ONE_NAME)
    woken: set[str] = set()
    for ci in cis:
        for correlation_key, seq in connection.execute(_LACKING, (name, ci, before, limit - len(woken))).fetchall():
            wake(connection, name, correlation_key, now=now)
            woken.add(correlation_key)
            connection.execute(
                "UPDATE missing_cis SET woken_at = ? WHERE connection = ? AND name = ? AND work_item = ?",
                (micros(now), name, ci, seq),
            )
        if len(woken) >= limit:
            break
    return len(woken)


def _names(connection: sqlite3.Connection, name: str, after: str, limit: int) -> list[str]:
    rows = connection.execute(
        "SELECT DISTINCT name FROM missing_cis WHERE connection = ? AND name > ? ORDER BY name LIMIT ?",
        (name, after, limit),
    )
    return [row[0] for row in rows]
