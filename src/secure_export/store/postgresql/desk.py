"""The desk's records in PostgreSQL."""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import TypeVar

from secure_export.cmdb.contract import ConfigurationItem
from secure_export.cmdb.drafts import CiDraft, PutResult
from secure_export.itsm.desk.contract import CiPage, IncidentPage, PeoplesChanges, Relation
from secure_export.itsm.desk.incident import Addition, Incident, IncidentDetails, IncidentDraft, IncidentState
from secure_export.itsm.desk.people_changes import Action
from secure_export.store.desk_filters import Wanted
from secure_export.store.postgresql import desk_cis, desk_incidents, desk_lists
from secure_export.store.postgresql.connect import Connection
from secure_export.store.postgresql.database import Database

T = TypeVar("T")

_DRAFTS_AT_A_TIME = 500


class PostgresDesk:
    """Keeps ``secure_export.itsm.desk.contract.DeskRecords`` in a PostgreSQL database.

    Args:
        database: The database, migrated.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    async def incident_by_key(self, connection: str, key: str) -> Incident | None:
        """See ``Incidents.incident_by_key``."""
        return await self._database.read(lambda db: desk_incidents.by_key(db, connection, key))

    async def open_incident(self, draft: IncidentDraft, *, now: datetime) -> Incident:
        """See ``Incidents.open_incident``."""
        return await desk_incidents.open_incident(self._database, draft, now)

    async def add(self, connection: str, key: str, addition: Addition, *, now: datetime) -> Incident | None:
        """See ``Incidents.add``."""
        return await self._database.write(lambda db: desk_incidents.add(db, connection, key, addition, now))

    async def act(self, number: str, action: Action, *, by: str, now: datetime) -> Incident:
        """See ``Incidents.act``."""
        return await self._database.write(lambda db: desk_incidents.act(db, number, action, by, now))

    async def change_counter(self) -> int:
        """See ``Incidents.change_counter``."""
        return await self._database.write(desk_incidents.change_counter)

    async def changed_since(self, connection: str, position: int, *, limit: int) -> PeoplesChanges:
        """See ``Incidents.changed_since``."""
        return await self._database.write(lambda db: desk_incidents.changed_since(db, connection, position, limit))

    async def incident(self, number: str, *, timeline_limit: int = 500) -> IncidentDetails:
        """See ``Incidents.incident``."""
        return await self._database.read_list(lambda db: desk_lists.details(db, number, timeline_limit))

    async def incidents(  # noqa: PLR0913 - as the contract has it
        self,
        *,
        connection: str | None = None,
        states: Collection[IncidentState] = (),
        ci: str | None = None,
        search: str | None = None,
        cursor: str | None = None,
        limit: int = 100,
    ) -> IncidentPage:
        """See ``Incidents.incidents``."""
        wanted = Wanted(connection, frozenset(states), ci, search, cursor, limit)
        return await self._database.read_list(lambda db: desk_lists.incidents(db, wanted))

    async def forget_incidents(self, *, before: datetime, limit: int) -> int:
        """See ``Incidents.forget_incidents``."""
        return await self._database.write(lambda db: desk_incidents.forget(db, before, limit))

    async def put_cis(self, drafts: Sequence[CiDraft], *, now: datetime) -> PutResult:
        """See ``Cis.put_cis``; many are put some at a time, so that alerts are taken in between."""
        result = PutResult()
        for start in range(0, len(drafts), _DRAFTS_AT_A_TIME):
            some = drafts[start : start + _DRAFTS_AT_A_TIME]
            result += await self._put(some, now)
        return result

    async def list_cis(self, *, search: str | None = None, cursor: str | None = None, limit: int = 100) -> CiPage:
        """See ``Cis.list_cis``."""
        return await self._database.read_list(lambda db: desk_lists.cis(db, search, cursor, limit))

    async def cis(self, ids: Sequence[str]) -> Sequence[ConfigurationItem]:
        """See ``Cis.cis``."""
        return await self._database.read(lambda db: desk_cis.by_ids(db, ids))

    async def cis_by_resource_ids(self, resource_ids: Sequence[str]) -> Sequence[ConfigurationItem]:
        """See ``Cis.cis_by_resource_ids``."""
        return await self._database.read(lambda db: desk_cis.by_resource_ids(db, resource_ids))

    async def cis_by_names(self, names: Sequence[str]) -> Sequence[ConfigurationItem]:
        """See ``Cis.cis_by_names``."""
        return await self._database.read(lambda db: desk_cis.by_names(db, names))

    async def relations(self, ci: str) -> Sequence[Relation]:
        """See ``Cis.relations``."""
        return await self._database.read_list(lambda db: desk_cis.relations(db, ci))

    async def cmdb_version(self) -> int:
        """See ``Cis.cmdb_version``."""
        return await self._database.read(desk_cis.version)

    async def try_out(self) -> None:
        """See ``DeskRecords.try_out``."""
        await self._database.write(_try_to_write)

    async def _put(self, drafts: Sequence[CiDraft], now: datetime) -> PutResult:
        return await self._database.write(lambda db: desk_cis.put(db, drafts, now))


async def _try_to_write(db: Connection) -> None:
    """Read, change a row, and take the change back."""
    await desk_incidents.change_counter(db)
    await db.execute("SAVEPOINT trial")
    await db.execute("UPDATE desk_cmdb_version SET version = version + 1")
    await db.execute("ROLLBACK TO SAVEPOINT trial")
