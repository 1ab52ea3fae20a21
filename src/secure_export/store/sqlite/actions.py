"""What an operator does (``secure_export.console.contract.Actions``)."""

import sqlite3
from datetime import datetime
from functools import partial
from typing import Any

from secure_export.errors import NotFound, NotUnderstood
from secure_export.intake.contract import Entry
from secure_export.store.instants import micros
from secure_export.store.keys import lane_key
from secure_export.store.sqlite.database import Database
from secure_export.store.sqlite.waking import retry, wake

_RETRIED_AT_A_TIME = 200
_NOT_AT_WORK = """
SELECT id, connection, correlation_key FROM lanes
WHERE id > ? AND state IN ('waiting', 'parked') AND (? IS NULL OR connection = ?) ORDER BY id LIMIT ?
"""


class SqliteActions:
    """Changes what is kept, and writes down who did it.

    Args:
        database: The database, opened and migrated.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    async def retry(self, key: str, *, by: str, now: datetime) -> int:
        """See ``Actions.retry``."""
        count = await self._database.write(lambda db: _retry(db, key, by, now))
        self._database.signals.ready()
        return count

    async def retry_all(self, *, connection: str | None, by: str, now: datetime) -> int:
        """See ``Actions.retry_all``; a part at a time, so that the service can write in between."""
        await self.audit(by=by, action="retry-all", subject=connection or "*", now=now)
        total = 0
        after: int | None = 0
        while after is not None:
            count, after = await self._database.write(partial(_retry_some, name=connection, after=after, now=now))
            total += count
            self._database.signals.ready()
        return total

    async def replay(self, notification: int, *, entry: Any, by: str, now: datetime) -> int:
        """See ``Actions.replay``; the notification, which is on its way then.

        Raises:
            NotFound: It is not in quarantine.
            NotUnderstood: The entry names no lane; it stays in quarantine.
        """
        await self._database.write(lambda db: _replay(db, notification, entry, by, now))
        self._database.signals.ready()
        return notification

    async def audit(self, *, by: str, action: str, subject: str, now: datetime) -> None:
        """See ``Actions.audit``."""
        await self._database.write(lambda db: _audit(db, by, action, subject, now))


def _retry(connection: sqlite3.Connection, key: str, by: str, now: datetime) -> int:
    names = connection.execute(
        "SELECT connection FROM lanes WHERE state IN ('waiting', 'parked') AND correlation_key = ?", (key,)
    ).fetchall()
    if not names:
        raise NotFound(f"no lane {key} is parked or waiting; list lanes to see which are")
    for (name,) in names:
        retry(connection, name, key, now=now)
    _audit(connection, by, "retry", key, now)
    return len(names)


def _retry_some(connection: sqlite3.Connection, name: str | None, after: int, now: datetime) -> tuple[int, int | None]:
    """Retry some lanes by number; how many, and after which number others may follow."""
    lanes = connection.execute(_NOT_AT_WORK, (after, name, name, _RETRIED_AT_A_TIME)).fetchall()
    for _, of_connection, key in lanes:
        retry(connection, of_connection, key, now=now)
    return len(lanes), lanes[-1][0] if len(lanes) == _RETRIED_AT_A_TIME else None


def _replay(connection: sqlite3.Connection, notification: int, entry: Entry, by: str, now: datetime) -> None:
    if entry.correlation_key is None:
        raise NotUnderstood(entry.quarantine_reason or "it names no lane; it stays in quarantine")
    if not connection.execute("DELETE FROM quarantine WHERE notification = ?", (notification,)).rowcount:
        raise NotFound(f"notification {notification} is not in quarantine; list the quarantine to see what is")
    wake(connection, entry.connection, entry.correlation_key, now=now)
    connection.execute(
        "INSERT INTO pending (lane, notification, alert) SELECT id, ?, ? FROM lanes WHERE key = ?",
        (notification, entry.alert_id, lane_key(entry.connection, entry.correlation_key)),
    )
    _audit(connection, by, "replay", str(notification), now)


def _audit(connection: sqlite3.Connection, by: str, action: str, subject: str, now: datetime) -> None:
    connection.execute(
        "INSERT INTO audit_log (at, by, action, subject) VALUES (?, ?, ?, ?)", (micros(now), by, action, subject)
    )
