"""Lanes in SQLite (``secure_export.delivery.contract.Lanes``)."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from secure_export.delivery.contract import Change, ClaimedLane, Known
from secure_export.errors import StoreUnavailable
from secure_export.store.instants import instant
from secure_export.store.sqlite import claiming, saving
from secure_export.store.sqlite.alert_table import read_known
from secure_export.store.sqlite.connect import store_errors
from secure_export.store.sqlite.database import Database
from secure_export.store.sqlite.deliverers import Deliverers


class SqliteLanes:
    """Lanes, claimed by one owner at a time.

    Args:
        database: The database, opened and migrated.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._deliverers = Deliverers(database.path)

    async def take_over(self, connection: str, *, now: datetime, patience: timedelta = timedelta(0)) -> int:
        """See ``Lanes.take_over``; while another process delivers from the same file, nobody is known to be gone."""
        with store_errors():
            async with self._deliverers.joining(connection) as alone:
                if not alone:
                    return 0
                return await self._database.write(
                    lambda db: claiming.take_over(db, connection, now=now, patience=patience)
                )

    def close(self) -> None:
        """Let other processes know that this one delivers no more."""
        self._deliverers.leave()

    async def claim(
        self, connection: str, *, limit: int, pending_limit: int, now: datetime, lease: timedelta
    ) -> Sequence[ClaimedLane]:
        """See ``Lanes.claim``."""
        self._database.signals.searching()
        until = now + lease
        taken = await self._database.write(
            lambda db: claiming.take(db, connection, limit=limit, now=now, lease_until=until)
        )
        if not taken:
            return ()
        try:
            return await self._database.read(
                lambda db: claiming.read_taken(db, connection, taken, pending_limit=pending_limit, lease_until=until)
            )
        except StoreUnavailable:
            await self._database.write(lambda db: claiming.give_up(db, taken, now=now))
            raise

    async def known(self, lane: ClaimedLane, *, alert_ids: Sequence[str], problems: Sequence[str]) -> Known:
        """See ``Lanes.known``."""
        item_id = lane.item.id if lane.item is not None else None
        return await self._database.read(lambda db: read_known(db, lane.connection, item_id, alert_ids, problems))

    async def save(self, lane: ClaimedLane, change: Change, *, now: datetime) -> None:
        """See ``Lanes.save``."""
        if await self._database.write(lambda db: saving.save(db, lane, change, now=now)):
            self._database.signals.ready()

    async def renew(self, lane: ClaimedLane, *, until: datetime) -> None:
        """See ``Lanes.renew``."""
        await self._database.write(lambda db: saving.renew(db, lane, until=until))

    async def next_due(self, connection: str) -> datetime | None:
        """See ``Lanes.next_due``."""
        row = await self._database.read(
            lambda db: db.execute(
                "SELECT min(due_at) FROM lanes WHERE connection = ? AND due_at IS NOT NULL", (connection,)
            ).fetchone()
        )
        return None if row[0] is None else instant(row[0])

    async def wait(self, *, timeout_seconds: float) -> None:
        """See ``Lanes.wait``."""
        await self._database.signals.wait(timeout_seconds=timeout_seconds)
