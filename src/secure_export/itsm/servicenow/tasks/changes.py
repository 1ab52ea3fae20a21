"""What people change in tasks: asked for by ``sys_updated_on``, and told by the record's ``sys_mod_count``.

A change may be committed as long after its time as a transaction may last (60 s; ServiceNow documentation,
"Transaction quotas").
"""

import re
from collections.abc import Sequence
from datetime import datetime
from functools import partial

from secure_export.itsm import cursor as cursors
from secure_export.itsm.change_pages import Change, ChangePage, beginning, token
from secure_export.itsm.contract import Changes, CheckResult
from secure_export.itsm.cursor import Position, starting
from secure_export.itsm.servicenow.api.rows import Row, value
from secure_export.itsm.servicenow.api.table_api import Query
from secure_export.itsm.servicenow.api.verdict import Ok, Refused
from secure_export.itsm.servicenow.keys import connection_prefix, work_item_key
from secure_export.itsm.servicenow.tasks.kinds import INCIDENT
from secure_export.itsm.servicenow.tasks.record import as_query, time_of
from secure_export.itsm.servicenow.tools import Tools

_FIELDS = ("sys_id", "correlation_id", "sys_updated_on", "sys_updated_by", "sys_mod_count")
_LIMIT = 500
_SAFE_NAME = re.compile(r"[\w.@ -]{1,100}")


class ChangeFeed:
    """Asks which work items people changed.

    Args:
        tools: What steps share.
    """

    def __init__(self, tools: Tools) -> None:
        self._tools = tools
        self._prefix = connection_prefix(tools.connection)
        self._trouble = ""

    @property
    def trouble(self) -> str:
        """Why the last question was not answered; empty when it was."""
        return self._trouble

    async def changes(self, cursor: str) -> Changes:
        """Say which work items changed since a cursor; one that is none of ours starts from now on."""
        positions = cursors.read(cursor)
        keys: list[str] = []
        more = False
        for table in self._tables(positions):
            position = positions.get(table)
            if position is None:
                begun = await beginning(partial(self._page, table), self._tools.clock())
                if begun is not None:
                    positions[table] = begun
                continue
            page = await self._page(table, position)
            if page is None:
                continue
            keys += page.news(position)
            positions[table] = page.beyond(position)
            more = more or page.full
        return Changes(tuple(dict.fromkeys(keys)), cursors.write(positions) if positions else cursor, more)

    async def check(self) -> Sequence[CheckResult]:
        """Try whether changes can be asked for, in every table that is known to hold work items."""
        results: list[CheckResult] = []
        for table in self._tables({}):
            page = await self._page(table, starting(self._tools.clock()))
            detail = self._trouble if page is None else "what people change can be asked for"
            results.append(CheckResult(f"changes in {table}", passed=page is not None, detail=detail))
        return results

    def _tables(self, positions: dict[str, Position]) -> Sequence[str]:
        """Which tables hold work items, as far as is known."""
        known = {*positions, *self._tools.observed.tables}
        return sorted(known) or (INCIDENT.table,)

    async def _page(self, table: str, position: Position, limit: int | None = None) -> ChangePage | None:
        """Read a page; None when the instance gives none."""
        limit = limit or _LIMIT
        query = Query(self._query(position.at), _FIELDS, limit=limit, offset=position.offset)
        told = await self._tools.api.rows(table, query)
        if not isinstance(told, Ok):
            self._trouble = _denied(table, told.reason) if isinstance(told, Refused) else told.reason
            return None
        changes = tuple(change for row in told.result if (change := self._change(row)) is not None)
        if any(one.at is not None and one.at < position.at for one in changes):
            self._trouble = _denied(table, "it passes over the condition on sys_updated_on")
            return None
        self._trouble = ""
        return ChangePage(
            changes,
            full=len(told.result) >= limit if told.total is None else told.total > position.offset + limit,
            read=_LIMIT,
            now=told.server_time or self._tools.clock(),
        )

    def _change(self, row: Row) -> Change | None:
        key = work_item_key(self._tools.connection, value(row, "correlation_id"))
        return None if key is None else change_of(row, key, ours=self._tools.own.has(row))

    def _query(self, at: datetime) -> str:
        ours = "".join(f"^sys_updated_by!={user}" for user in self._tools.own.users if _SAFE_NAME.fullmatch(user))
        return (
            f"sys_updated_on>={as_query(at)}^correlation_idSTARTSWITH{self._prefix}{ours}"
            "^ORDERBYsys_updated_on^ORDERBYsys_id"
        )


def change_of(row: Row, key: str, *, ours: bool) -> Change:
    """Say how a record was changed: once for each ``sys_mod_count``."""
    looks = f"{value(row, 'sys_id')}:{value(row, 'sys_mod_count')}"
    return Change(key, time_of(row, "sys_updated_on"), token(looks), ours)


def _denied(table: str, why: str) -> str:
    return (
        f"what people change in {table} cannot be asked for ({why}): it is found by reading every open record back "
        f"once an hour. Allow the integration user range queries (query_range ACL) on {table}.sys_updated_on and "
        f"{table}.correlation_id"
    )
