"""What is kept, for doors that look (``secure_export.console.contract.Records``)."""

from typing import Any

from secure_export.clock import Clock
from secure_export.console.contract import Page
from secure_export.store.postgresql import alert_lists, lane_lists, work_item_lists
from secure_export.store.postgresql.database import Database


class PostgresRecords:
    """Reads what is kept. A filter's value or a cursor that cannot be is a ``ValueError``.

    Args:
        database: The database, migrated.
        clock: The time, for ages.
    """

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    async def alerts(  # noqa: PLR0913 - as the contract has it
        self,
        *,
        connection: str | None = None,
        condition: str | None = None,
        work_item: str | None = None,
        search: str | None = None,
        cursor: str | None = None,
        limit: int = 100,
    ) -> Page:
        """See ``Records.alerts``."""
        return await self._database.read_list(
            lambda db: alert_lists.list_alerts(
                db,
                name=connection,
                condition=condition,
                work_item_id=work_item,
                search=search,
                cursor=cursor,
                limit=limit,
            )
        )

    async def alert(self, alert_id: str, *, connection: str | None = None) -> dict[str, Any]:
        """See ``Records.alert``."""
        return await self._database.read_list(lambda db: alert_lists.one_alert(db, alert_id, connection))

    async def work_items(  # noqa: PLR0913 - as the contract has it
        self,
        *,
        connection: str | None = None,
        state: str | None = None,
        owed: bool | None = None,
        unbound: bool | None = None,
        cursor: str | None = None,
        limit: int = 100,
    ) -> Page:
        """See ``Records.work_items``."""
        return await self._database.read_list(
            lambda db: work_item_lists.list_work_items(
                db, name=connection, state=state, owed=owed, unbound=unbound, cursor=cursor, limit=limit
            )
        )

    async def work_item(self, item_id: str) -> dict[str, Any]:
        """See ``Records.work_item``."""
        return await self._database.read_list(lambda db: work_item_lists.one_work_item(db, item_id))

    async def lanes(
        self,
        *,
        connection: str | None = None,
        state: str | None = None,
        cursor: str | None = None,
        limit: int = 100,
    ) -> Page:
        """See ``Records.lanes``."""
        return await self._database.read_list(
            lambda db: lane_lists.list_lanes(db, name=connection, state=state, cursor=cursor, limit=limit)
        )

    async def quarantine(self, *, connection: str | None = None, cursor: str | None = None, limit: int = 100) -> Page:
        """See ``Records.quarantine``."""
        return await self._database.read_list(
            lambda db: lane_lists.list_quarantine(db, name=connection, cursor=cursor, limit=limit)
        )

    async def quarantined(self, notification: int) -> dict[str, Any]:
        """See ``Records.quarantined``."""
        return await self._database.read_list(lambda db: lane_lists.one_quarantined(db, notification))

    async def quarantined_body(self, notification: int) -> bytes:
        """See ``Records.quarantined_body``."""
        return await self._database.read_list(lambda db: lane_lists.quarantined_body(db, notification))

    async def counts(self) -> dict[str, int]:
        """See ``Records.counts``."""
        return await self._database.read_list(lambda db: lane_lists.count(db, now=self._clock()))
