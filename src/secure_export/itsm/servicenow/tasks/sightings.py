"""Finds records by the keys that we wrote into them: many look-ups in one call, and no answer that is not sure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from secure_export.itsm.gathered import Gathered
from secure_export.itsm.servicenow.api.ended import Ended, unread
from secure_export.itsm.servicenow.api.rows import Row, value
from secure_export.itsm.servicenow.api.table_api import Query, TableApi
from secure_export.itsm.servicenow.api.verdict import Ok
from secure_export.itsm.servicenow.tasks.canary import Canary, hidden, ignored
from secure_export.itsm.servicenow.tasks.kinds import Kind
from secure_export.itsm.servicenow.tasks.record import row_fields
from secure_export.workitems.outcome import TryLater

# With the fields that are asked for the URL stays below about 2,000 characters, a common limit of proxies.
_MOST_KEYS = 25
_AT_A_TIME = 2
_ROWS_FOR_EACH = 4
_LEAST_ROWS = 50
_KEY = "correlation_id"


@dataclass(frozen=True, slots=True)
class _Seen:
    """The records of one key, oldest first.

    Attributes:
        rows: Those that the instance shows.
        more: Whether the instance counts records beyond those that it shows.
    """

    rows: tuple[Row, ...]
    more: bool


class Sightings:
    """Looks for records of a connection.

    Args:
        api: The instance.
        canary: Says whether look-ups can be believed.
    """

    def __init__(self, api: TableApi, canary: Canary) -> None:
        self._api = api
        self._canary = canary
        self._gathered: dict[str, Gathered[str, _Seen]] = {}

    async def rows(self, kind: Kind, correlation_id: str) -> tuple[Row, ...]:
        """Give the records with a key, oldest first; none only if there surely is none.

        Raises:
            Ended: It cannot be told now.
        """
        seen = await self._of(kind).get(correlation_id)
        if seen is not None and seen.rows:
            self._canary.saw(kind.table, value(seen.rows[0], "sys_id"), correlation_id)
            return seen.rows
        if seen is None or seen.more:
            raise Ended(TryLater(hidden(kind.table)))
        await self._canary.passes(kind.table)
        return ()

    def _of(self, kind: Kind) -> Gathered[str, _Seen]:
        if kind.table not in self._gathered:

            async def fetch(keys: Sequence[str]) -> Mapping[str, _Seen]:
                return await self._fetch(kind, keys)

            self._gathered[kind.table] = Gathered(fetch, most=_MOST_KEYS, at_a_time=_AT_A_TIME)
        return self._gathered[kind.table]

    async def _fetch(self, kind: Kind, keys: Sequence[str]) -> Mapping[str, _Seen]:
        """Read the records of some keys; where some are hidden, each key by itself: one must not hold up all."""
        found = await self._read(kind, keys)
        if len(keys) == 1:
            return found
        unsure = [key for key, seen in found.items() if seen.more and not seen.rows]
        return found | {key: (await self._read(kind, [key]))[key] for key in unsure}

    async def _read(self, kind: Kind, keys: Sequence[str]) -> dict[str, _Seen]:
        text = f"{_KEY}={keys[0]}" if len(keys) == 1 else f"{_KEY}IN{','.join(keys)}"
        limit = max(_LEAST_ROWS, _ROWS_FOR_EACH * len(keys))
        told = await self._api.rows(kind.table, Query(text, row_fields(kind), limit=limit, display=True))
        if not isinstance(told, Ok):
            raise Ended(unread(told, kind.table))
        found: dict[str, list[Row]] = {key: [] for key in keys}
        for row in told.result:
            # Databases compare without regard to case and to blanks at the end.
            rows = found.get(value(row, _KEY).strip().lower())
            if rows is None:
                self._canary.distrust(kind.table, ignored(kind.table))
                raise Ended(TryLater(ignored(kind.table)))
            rows.append(row)
        more = told.total is not None and told.total > len(told.result)
        return {key: _Seen(tuple(sorted(rows, key=_age)), more) for key, rows in found.items()}


def _age(row: Row) -> tuple[str, str]:
    """Orders records by when they were made; of the same second by their ids, so that everybody orders alike."""
    return value(row, "sys_created_on"), value(row, "sys_id")
