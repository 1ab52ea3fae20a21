"""Finds records by the keys that we wrote into them."""

from collections.abc import Sequence
from functools import partial

from secure_export.itsm.ended import Ended, unread
from secure_export.itsm.key_look_ups import KeyLookUps
from secure_export.itsm.servicenow.api.rows import Row, value
from secure_export.itsm.servicenow.api.table_api import Query, TableApi
from secure_export.itsm.servicenow.api.verdict import Ok
from secure_export.itsm.servicenow.tasks.canary import Canary, hidden, ignored
from secure_export.itsm.servicenow.tasks.kinds import Kind
from secure_export.itsm.servicenow.tasks.record import row_fields
from secure_export.workitems.outcome import TryLater

# With the fields that are asked for the URL stays below about 2,000 characters, a common limit of proxies.
_MOST_KEYS = 25
_KEY = "correlation_id"


class Sightings:
    """Looks for records of a connection.

    Args:
        api: The instance.
        canary: Says whether look-ups can be believed.
    """

    def __init__(self, api: TableApi, canary: Canary) -> None:
        self._api = api
        self._canary = canary
        self._look_ups: dict[str, KeyLookUps[Row]] = {}

    async def rows(self, kind: Kind, correlation_id: str) -> tuple[Row, ...]:
        """Give the records with a key, oldest first; none only if there surely is none.

        Raises:
            Ended: It cannot be told now.
        """
        rows = await self._of(kind).get(correlation_id)
        if rows is None:
            raise Ended(TryLater(hidden(kind.table)))
        if rows:
            self._canary.saw(kind.table, value(rows[0], "sys_id"), correlation_id)
        else:
            await self._canary.passes(kind.table)
        return rows

    def _of(self, kind: Kind) -> KeyLookUps[Row]:
        if kind.table not in self._look_ups:
            self._look_ups[kind.table] = KeyLookUps(
                partial(self._read, kind), _key, not_heeded=partial(self._not_heeded, kind), most=_MOST_KEYS
            )
        return self._look_ups[kind.table]

    async def _read(self, kind: Kind, keys: Sequence[str], limit: int) -> tuple[Sequence[Row], bool]:
        query = Query(key_query(_KEY, keys), row_fields(kind), limit=limit, display=True)
        told = await self._api.rows(kind.table, query)
        if not isinstance(told, Ok):
            raise Ended(unread(told, kind.table))
        return sorted(told.result, key=_age), told.total is not None and told.total > len(told.result)

    def _not_heeded(self, kind: Kind) -> Ended:
        self._canary.distrust(kind.table, ignored(kind.table))
        return Ended(TryLater(ignored(kind.table)))


def key_query(field: str, keys: Sequence[str]) -> str:
    """Write the encoded query for the records with some keys: by equality where it is one."""
    return f"{field}={keys[0]}" if len(keys) == 1 else f"{field}IN{','.join(keys)}"


def _key(row: Row) -> str:
    return value(row, _KEY)


def _age(row: Row) -> tuple[str, str]:
    """Orders records by when they were made; of the same second by their ids, so that everybody orders alike."""
    return value(row, "sys_created_on"), value(row, "sys_id")
