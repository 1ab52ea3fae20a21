"""Places of connections in PostgreSQL (``secure_export.delivery.contract.Allotments``)."""

import secrets
from collections import defaultdict
from collections.abc import Callable
from datetime import timedelta
from uuid import uuid4
from zlib import crc32

from secure_export.clock import steady_seconds
from secure_export.delivery.contract import Allotment, PlacesAsked
from secure_export.delivery.fair_shares import renewed
from secure_export.store.postgresql.connect import Connection
from secure_export.store.postgresql.database import Database
from secure_export.store.sightings import Renewed, Sightings

_NUMBER_BITS = 62
_MICROSECOND = timedelta(microseconds=1)
# Two renewals: who is quiet for longer is waited for, and is given nothing.
_LIVELY_SECONDS = 6.0
# One process at a time, so that all see what the one before left. The lock is let go with the transaction; one that is
# stopped in the middle of it must not keep the others from renewing in time.
ALONE = "SELECT set_config('idle_in_transaction_session_timeout', '3s', true), pg_advisory_xact_lock(1397310823, $1)"
_HOLDINGS = "SELECT holder, places, number, lease FROM allotments WHERE connection = $1"
_FREE = "DELETE FROM allotments WHERE connection = $1 AND holder = ANY($2::text[])"
_HOLD = """
INSERT INTO allotments (connection, holder, places, number, lease) VALUES ($1, $2, $3, $4, $5)
ON CONFLICT (connection, holder) DO UPDATE
SET places = excluded.places, number = excluded.number, lease = excluded.lease
"""


class PostgresAllotments:
    """Hands out the places of connections, with a row for each process that delivers.

    A process that is gone is not known by its session's lock here, as the owners of lanes are: a process that is cut
    off loses that lock, too, and goes on with its calls.

    Args:
        database: The database, migrated.
        seconds: A clock that never goes back.
    """

    def __init__(self, database: Database, *, seconds: Callable[[], float] = steady_seconds) -> None:
        self._database = database
        self._seconds = seconds
        self._holder = uuid4().hex
        self._sightings: defaultdict[str, Sightings] = defaultdict(Sightings)

    async def renew(self, connection: str, asked: PlacesAsked) -> Allotment:
        """See ``Allotments.renew``."""
        return await self._database.write(lambda db: self._renew(db, connection, asked))

    async def leave(self, connection: str) -> None:
        """See ``Allotments.leave``."""

        async def job(db: Connection) -> None:
            await db.execute(ALONE, lock_of(connection))
            await db.execute(_FREE, connection, [self._holder])

        await self._database.write(job)

    async def _renew(self, db: Connection, connection: str, asked: PlacesAsked) -> Allotment:
        await db.execute(ALONE, lock_of(connection))
        rows = await db.fetch(_HOLDINGS, connection)
        seen = {str(row[0]): Renewed(row[2], row[3] / 1_000_000) for row in rows if row[0] != self._holder}
        sightings, seconds = self._sightings[connection], self._seconds()
        over = sightings.over(seen, now=seconds)
        if over:
            await db.execute(_FREE, connection, over)
        holdings = {str(row[0]): int(row[1]) for row in rows if row[0] not in over}
        living = sightings.lively(now=seconds, within_seconds=_LIVELY_SECONDS)
        now = renewed(connection, self._holder, holdings, living=living, keep=asked.keep, places=asked.places)
        number = secrets.randbits(_NUMBER_BITS) + 1
        await db.execute(_HOLD, connection, self._holder, now.held, number, asked.lease // _MICROSECOND)
        return Allotment(now.held, now.fair)


def lock_of(connection: str) -> int:
    """Give the number of a connection's lock; two with the same one only wait for each other."""
    return crc32(connection.encode()) - 2**31
