"""Reads the CMDB's tables through the Table API and the CMDB Meta API."""

import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any

from secure_export.itsm.cmdb_reading import CmdbUnavailable, NotReadable, Patience
from secure_export.itsm.servicenow.api.refusals import Cause, what_to_change
from secure_export.itsm.servicenow.api.table_api import Query, TableApi
from secure_export.itsm.servicenow.api.verdict import Ok, Refused, Verdict
from secure_export.itsm.servicenow.cmdb.tables import NOBODYS_ID, Found
from secure_export.itsm.verdict import Method, NotThere

_META = "/api/now/cmdb/meta"
_NO_RIGHTS = "give the integration user the role cmdb_read (or itil), or an ACL that lets it read this table"
_FOR_INCIDENTS = what_to_change(Cause.ACL, "")
_ABSENT = frozenset({Cause.TABLE})
_ALWAYS_THERE = "sys_user"


class CmdbReading:
    """What binding asks, answered by one instance; see ``cmdb_tables.CmdbTables``.

    Patience is counted for each table, and for the CMDB Meta API as a whole.

    Args:
        api: Calls the instance.
        monotonic: A clock in seconds that never goes back.
    """

    def __init__(self, api: TableApi, *, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._api = api
        self._patience = Patience[str](self._answers_otherwise, monotonic=monotonic)

    async def rows(self, table: str, query: str, fields: Sequence[str], limit: int) -> Found:
        """Give the rows of a table that an encoded query finds.

        Raises:
            NotReadable: The table does not exist or may not be read.
            CmdbUnavailable: There is no answer now.
        """
        found = await self._patiently(table, (table,), self._api.rows(table, Query(query, fields, limit, display=True)))
        return Found(tuple(found.result), found.total)

    async def columns(self, class_name: str) -> frozenset[str]:
        """Give the columns of a CI class, inherited ones too.

        Raises:
            NotReadable: There is no such class, or it may not be read.
            CmdbUnavailable: There is no answer now.
        """
        path = f"{_META}/{class_name}"
        told = await self._patiently(class_name, (_META, path), self._api.call(Method.GET, path))
        columns = _elements(told.result)
        if not columns:
            raise NotReadable(f"the CMDB Meta API tells no columns of {class_name}")
        return columns

    async def _patiently(self, table: str, keys: Sequence[str], question: Awaitable[Verdict]) -> Ok:
        """Give what a question brought.

        Args:
            table: What is asked about.
            keys: What the patience is counted for; it ends when any of them has failed for too long.
            question: What is asked.
        """
        try:
            found = _result(await question, table)
        except CmdbUnavailable as error:
            if await self._patience.is_lost(*keys):
                raise NotReadable(
                    f"{error}, time after time, while ServiceNow answers other questions: is the table so large that "
                    "the query needs an index (object_id, name)?"
                ) from error
            raise
        self._patience.answered(*keys)
        return found

    async def _answers_otherwise(self) -> bool:
        told = await self._api.rows(_ALWAYS_THERE, Query(f"sys_id={NOBODYS_ID}", ("sys_id",), limit=1))
        return isinstance(told, Ok | Refused | NotThere)


def _result(told: Verdict, table: str) -> Ok:
    match told:
        case Ok():
            return told
        case Refused(_, cause) if cause in _ABSENT:
            raise NotReadable(f"the instance has no table {table}", lacking_rights=False)
        case Refused(reason) | NotThere(reason):
            words = reason.removesuffix(f". {_FOR_INCIDENTS}")
            raise NotReadable(f"ServiceNow does not let us read {table} ({words}): {_NO_RIGHTS}", denied=table)
        case _:
            raise CmdbUnavailable(f"ServiceNow did not say what is in {table}: {told.reason}")


def _elements(result: Any) -> frozenset[str]:
    attributes = result.get("attributes") if isinstance(result, Mapping) else None
    if not isinstance(attributes, list):
        return frozenset()
    names = (one.get("element") for one in attributes if isinstance(one, Mapping))
    return frozenset(name for name in names if isinstance(name, str))
