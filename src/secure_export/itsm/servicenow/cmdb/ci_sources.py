"""Finds CIs by what the source that imported them calls them: ``sys_object_source``, an optional shortcut.

The form of its ``id`` is each import's own and has changed between versions (ServiceNow docs, "properties-id-
reconciliation"), so that a row counts only if its ``id`` is the very resource id.
"""

import re
from collections import defaultdict
from collections.abc import Mapping, Sequence

from secure_export.alerts.resource_id import normal_form
from secure_export.itsm.questions import in_turns
from secure_export.itsm.servicenow.api.rows import Row, value
from secure_export.itsm.servicenow.cmdb.tables import CmdbTables, any_of

SOURCES = "sys_object_source"
_CI_TABLE = re.compile(r"cmdb_ci[a-z0-9_]*|u_[a-z0-9_]+")
_SYS_ID = re.compile(r"[0-9a-f]{32}")
_ROWS_EACH = 5


class CiSources:
    """Looks up ``sys_object_source`` and the CIs that it names.

    Args:
        tables: Reads ServiceNow.
        fields: The columns of CIs to ask for.
    """

    def __init__(self, tables: CmdbTables, fields: Sequence[str]) -> None:
        self._tables = tables
        self._fields = tuple(fields)

    async def of(self, spelled: Mapping[str, Sequence[str]]) -> dict[str, list[Row]]:
        """Give the rows of CIs by resource id.

        Args:
            spelled: How each id, which is in normal form, may be written.

        Raises:
            NotReadable: The table, or one that it names, may not be read.
            CmdbUnavailable: There is no answer now.
        """
        named = await self._named(spelled)
        rows: dict[str, Row] = {}
        for table, ids in _by_table(named).items():
            for turn in in_turns([[one] for one in ids], ","):
                found = await self._tables.rows(table, any_of("sys_id", turn), self._fields, len(turn))
                rows |= {value(row, "sys_id"): row for row in found.rows}
        by_id: dict[str, list[Row]] = defaultdict(list)
        for resource_id, _, ci in named:
            if ci in rows:
                by_id[resource_id].append(rows[ci])
        return by_id

    async def _named(self, spelled: Mapping[str, Sequence[str]]) -> list[tuple[str, str, str]]:
        """Give resource id, table and ``sys_id`` of what the table has of these ids, each once."""
        named: dict[tuple[str, str, str], None] = {}
        for turn in in_turns(list(spelled.values()), ","):
            fields = ("id", "target_table", "target_sys_id")
            found = await self._tables.rows(SOURCES, any_of("id", turn), fields, _ROWS_EACH * len(turn))
            for row in found.rows:
                one = (normal_form(value(row, "id")), value(row, "target_table"), value(row, "target_sys_id"))
                if one[0] in spelled and _CI_TABLE.fullmatch(one[1]) and _SYS_ID.fullmatch(one[2]):
                    named[one] = None
        return list(named)


def _by_table(named: Sequence[tuple[str, str, str]]) -> dict[str, list[str]]:
    ids: dict[str, dict[str, None]] = defaultdict(dict)
    for _, table, ci in named:
        ids[table][ci] = None
    return {table: list(found) for table, found in ids.items()}
