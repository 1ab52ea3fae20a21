"""What an operator does (``secure_export.console.contract.Actions``)."""

from datetime import datetime
from functools import partial
from typing import Any

from secure_export.errors import NotFound, NotUnderstood
from secure_export.intake.contract import Entry
from secure_export.store.instants import micros
from secure_export.store.keys import lane_key
from secure_export.store.lane_objects import not_in_quarantine
from secure_export.store.postgresql.announcing import Ready
from secure_export.store.postgresql.connect import Connection
from secure_export.store.postgresql.database import Database
from secure_export.store.postgresql.waking import retry, wake

_RETRIED_AT_A_TIME = 200
_OF_KEY = "SELECT connection FROM lanes WHERE state IN ('waiting', 'parked') AND correlation_key = $1"
_NOT_AT_WORK = """
SELECT id, connection, correlation_key FROM lanes
WHERE id > $1 AND state IN ('waiting', 'parked') AND ($2::text IS NULL OR connection = $2) ORDER BY id LIMIT $3
"""
_OUT_OF_QUARANTINE = """
WITH gone AS (DELETE FROM quarantine WHERE notification = $1 RETURNING notification, received_at, sender, packed, body)
INSERT INTO notifications (id, received_at, sender, packed, body) SELECT * FROM gone RETURNING id
"""
_PENDING = "INSERT INTO pending (lane, notification, alert) VALUES ($1, $2, $3)"
_AUDIT = "INSERT INTO audit_log (at, by, action, subject) VALUES ($1, $2, $3, $4)"


class PostgresActions:
    """Changes what is kept, and writes down who did it.

    Args:
        database: The database, migrated.
        ready: Told when lanes became ready.
    """

    def __init__(self, database: Database, ready: Ready) -> None:
        self._database = database
        self._ready = ready

    async def retry(self, key: str, *, by: str, now: datetime) -> int:
        """See ``Actions.retry``."""
        count = await self._database.write(lambda db: _retry(db, key, by, now))
        self._ready()
        return count

    async def retry_all(self, *, connection: str | None, by: str, now: datetime) -> int:
        """See ``Actions.retry_all``; a part at a time, so that the service can write in between."""
        await self.audit(by=by, action="retry-all", subject=connection or "*", now=now)
        total = 0
        after: int | None = 0
        while after is not None:
            count, after = await self._database.write(partial(_retry_some, name=connection, after=after, now=now))
            total += count
            self._ready()
        return total

    async def replay(self, notification: int, *, entry: Any, by: str, now: datetime) -> int:
        """See ``Actions.replay``; the notification, which is on its way then.

        Raises:
            NotFound: It is not in quarantine.
            NotUnderstood: The entry names no lane; it stays in quarantine.
        """
        await self._database.write(lambda db: _replay(db, notification, entry, by, now))
        self._ready()
        return notification

    async def audit(self, *, by: str, action: str, subject: str, now: datetime) -> None:
        """See ``Actions.audit``."""
        await self._database.write(lambda db: _audit(db, by, action, subject, now))


async def _retry(connection: Connection, key: str, by: str, now: datetime) -> int:
    names = [row[0] for row in await connection.fetch(_OF_KEY, key)]
    retried = [await retry(connection, name, key, now=now) for name in names]
    if not any(retried):
        raise NotFound(f"no lane {key} is parked or waiting; list lanes to see which are")
    await _audit(connection, by, "retry", key, now)
    return sum(retried)


async def _retry_some(connection: Connection, name: str | None, after: int, now: datetime) -> tuple[int, int | None]:
    """Retry some lanes by number; how many, and after which number others may follow."""
    lanes = await connection.fetch(_NOT_AT_WORK, after, name, _RETRIED_AT_A_TIME)
    retried = [await retry(connection, of_connection, key, now=now) for _, of_connection, key in lanes]
    return sum(retried), lanes[-1][0] if len(lanes) == _RETRIED_AT_A_TIME else None


async def _replay(connection: Connection, notification: int, entry: Entry, by: str, now: datetime) -> None:
    if entry.correlation_key is None:
        raise NotUnderstood(entry.quarantine_reason or "it names no lane; it stays in quarantine")
    if await connection.fetchval(_OUT_OF_QUARANTINE, notification) is None:
        raise not_in_quarantine(notification)
    await wake(connection, entry.connection, [entry.correlation_key], now=now)
    key = lane_key(entry.connection, entry.correlation_key)
    await connection.execute(_PENDING, key, notification, entry.alert_id)
    await _audit(connection, by, "replay", str(notification), now)


async def _audit(connection: Connection, by: str, action: str, subject: str, now: datetime) -> None:
    await connection.execute(_AUDIT, micros(now), by, action, subject)
