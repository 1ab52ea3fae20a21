"""Reads the CMDB's tables through the Table API and the CMDB Meta API."""

from collections.abc import Mapping, Sequence
from typing import Any

from secure_export.itsm.servicenow.cmdb_tables import CmdbUnavailable, Found, NotReadable
from secure_export.itsm.servicenow.refusals import Cause
from secure_export.itsm.servicenow.table_api import Query, TableApi
from secure_export.itsm.servicenow.verdict import Method, NotThere, Ok, Refused, Verdict

_META = "/api/now/cmdb/meta"
_NO_RIGHTS = "give the integration user the role cmdb_read (or itil), or an ACL that lets it read this table"
_ABSENT = frozenset({Cause.TABLE})


class CmdbReading:
    """What binding asks, answered by one instance; see ``cmdb_tables.CmdbTables``.

    Args:
        api: Calls the instance.
    """

    def __init__(self, api: TableApi) -> None:
        self._api = api

    async def rows(self, table: str, query: str, fields: Sequence[str], limit: int) -> Found:
        """Give the rows of a table that an encoded query finds.

        Raises:
            NotReadable: The table does not exist or may not be read.
            CmdbUnavailable: There is no answer now.
        """
        told = await self._api.rows(table, Query(query, fields, limit, display=True))
        found = _result(told, table)
        return Found(tuple(found.result), found.total)

    async def columns(self, class_name: str) -> frozenset[str]:
        """Give the columns of a CI class, inherited ones too.

        Raises:
            NotReadable: There is no such class, or it may not be read.
            CmdbUnavailable: There is no answer now.
        """
        told = await self._api.call(Method.GET, f"{_META}/{class_name}")
        columns = _elements(_result(told, class_name).result)
        if not columns:
            raise NotReadable(f"the CMDB Meta API tells no columns of {class_name}")
        return columns


def _result(told: Verdict, table: str) -> Ok:
    match told:
        case Ok():
            return told
        case Refused(_, cause) if cause in _ABSENT:
            raise NotReadable(f"the instance has no table {table}", lacking_rights=False)
        case Refused(reason) | NotThere(reason):
            raise NotReadable(f"ServiceNow does not let us read {table} ({reason}): {_NO_RIGHTS}")
        case _:
            raise CmdbUnavailable(f"ServiceNow did not say what is in {table}: {told.reason}")


def _elements(result: Any) -> frozenset[str]:
    attributes = result.get("attributes") if isinstance(result, Mapping) else None
    if not isinstance(attributes, list):
        return frozenset()
    names = (one.get("element") for one in attributes if isinstance(one, Mapping))
    return frozenset(name for name in names if isinstance(name, str))
