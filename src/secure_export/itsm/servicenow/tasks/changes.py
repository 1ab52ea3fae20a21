"""What people change in the instance, asked for again and again: nothing is passed over, and little is told twice.

``sys_updated_on`` has whole seconds, and is set before a change is committed, which may take as long as a transaction
may (60 s; ServiceNow documentation, "Transaction quotas"). So each question goes back a little behind the one before,
and what was told already is known by the record's ``sys_mod_count``. Times are those of the instance's own clock.
"""

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from secure_export.itsm import cursor as cursors
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
_OVERLAP = timedelta(seconds=90)
_CLOCK_IS_WRONG = timedelta(minutes=10)
_SAFE_NAME = re.compile(r"[\w.@ -]{1,100}")


@dataclass(frozen=True, slots=True)
class _Page:
    """A page of changes.

    Attributes:
        rows: Those of our records, oldest first.
        full: Whether there are more behind it.
        now: The instance's clock.
    """

    rows: tuple[Row, ...]
    full: bool
    now: datetime


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
                begun = await self._begin(table)
                if begun is not None:
                    positions[table] = begun
                continue
            page = await self._page(table, position)
            if page is None:
                continue
            keys += self._news(page.rows, position)
            positions[table] = _beyond(position, page, self._seen(page.rows))
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

    async def _begin(self, table: str) -> Position | None:
        """Begin at the instance's time now: what changed in this very second counts as told."""
        first = await self._page(table, starting(self._tools.clock()), limit=1)
        if first is None:
            return None
        position = starting(first.now)
        page = await self._page(table, position)
        return None if page is None else replace(position, seen=self._seen(page.rows))

    async def _page(self, table: str, position: Position, *, limit: int = _LIMIT) -> _Page | None:
        """Read a page; None when the instance gives none."""
        query = Query(self._query(position.at), _FIELDS, limit=limit, offset=position.offset)
        told = await self._tools.api.rows(table, query)
        if not isinstance(told, Ok):
            self._trouble = _denied(table, told.reason) if isinstance(told, Refused) else told.reason
            return None
        rows = [row for row in told.result if work_item_key(self._tools.connection, value(row, "correlation_id"))]
        if any((at := time_of(row, "sys_updated_on")) is not None and at < position.at for row in rows):
            self._trouble = _denied(table, "it passes over the condition on sys_updated_on")
            return None
        self._trouble = ""
        return _Page(
            rows=tuple(rows),
            full=len(told.result) >= limit if told.total is None else told.total > position.offset + limit,
            now=told.server_time or self._tools.clock(),
        )

    def _query(self, at: datetime) -> str:
        ours = "".join(f"^sys_updated_by!={user}" for user in self._tools.own.users if _SAFE_NAME.fullmatch(user))
        return (
            f"sys_updated_on>={as_query(at)}^correlation_idSTARTSWITH{self._prefix}{ours}"
            "^ORDERBYsys_updated_on^ORDERBYsys_id"
        )

    def _news(self, rows: Sequence[Row], position: Position) -> list[str]:
        told = (row for row in rows if _token(row) not in position.seen and not self._tools.own.has(row))
        keys = (work_item_key(self._tools.connection, value(row, "correlation_id")) for row in told)
        return [key for key in keys if key is not None]

    def _seen(self, rows: Sequence[Row]) -> dict[str, datetime]:
        changed = ((row, time_of(row, "sys_updated_on")) for row in rows if not self._tools.own.has(row))
        return {_token(row): at for row, at in changed if at is not None}


def _beyond(position: Position, page: _Page, seen: dict[str, datetime]) -> Position:
    """Where to go on behind a page."""
    told = replace(position, seen={**position.seen, **seen})
    if page.full:
        last = max((at for row in page.rows if (at := time_of(row, "sys_updated_on"))), default=None)
        return told.next_page(last, _LIMIT)
    if position.since > page.now + _CLOCK_IS_WRONG:
        told = replace(told, since=page.now - _OVERLAP)
    return told.caught_up((page.now - _OVERLAP).replace(microsecond=0))


def _token(row: Row) -> str:
    """A short word for one change of one record; ids of an instance may begin or end alike."""
    return hashlib.sha256(f"{value(row, 'sys_id')}:{value(row, 'sys_mod_count')}".encode()).hexdigest()[:16]


def _denied(table: str, why: str) -> str:
    return (
        f"what people change in {table} cannot be asked for ({why}): it is found by reading every open record back "
        f"once an hour. Allow the integration user range queries (query_range ACL) on {table}.sys_updated_on and "
        f"{table}.correlation_id"
    )
