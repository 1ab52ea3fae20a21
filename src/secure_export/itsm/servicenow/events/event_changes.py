"""What people change in alerts (``em_alert``), asked for beside what they change in tasks.

Alerts are written by the jobs that process events, so that our own events come back as changes of the system's:
those of no person are passed over, and what a rule of the instance does is found by reading every open work item back.
"""

from typing import Final

from secure_export.itsm import cursor as cursors
from secure_export.itsm.change_pages import OVERLAP, Change, ChangePage
from secure_export.itsm.contract import Changes
from secure_export.itsm.cursor import Position, starting
from secure_export.itsm.remote_connector import Feed
from secure_export.itsm.servicenow.api.rows import Row, value
from secure_export.itsm.servicenow.api.table_api import Query
from secure_export.itsm.servicenow.api.verdict import Ok
from secure_export.itsm.servicenow.events.event_keeper import ALERTS
from secure_export.itsm.servicenow.keys import connection_prefix, work_item_key
from secure_export.itsm.servicenow.tasks.changes import change_of
from secure_export.itsm.servicenow.tasks.record import as_query
from secure_export.itsm.servicenow.tools import Tools

_KEY = "message_key"
_FIELDS = ("sys_id", _KEY, "sys_updated_on", "sys_updated_by", "sys_mod_count")
_LIMIT = 500
_NOBODY: Final = frozenset({"system", "guest", "event.processor"})


class ChangesOfBoth:
    """Tells of changes of tasks, and of alerts once work items are kept as events.

    Both parts keep their positions in one cursor, each by the names of its tables.

    Args:
        tasks: Tells of tasks.
        tools: What steps share.
    """

    def __init__(self, tasks: Feed, tools: Tools) -> None:
        self._tasks = tasks
        self._tools = tools
        self._prefix = connection_prefix(tools.connection)
        self._begun = False

    def begin(self) -> None:
        """Ask for changes of alerts from now on."""
        self._begun = True

    async def changes(self, cursor: str) -> Changes:
        """Say which work items people changed since a cursor; one that is none of ours starts from now on."""
        positions = cursors.read(cursor)
        position = positions.pop(ALERTS, None)
        told = await self._tasks.changes(cursors.write(positions) if positions or position is not None else cursor)
        if position is None and not self._begun:
            return told
        alerts, position = await self._of_alerts(position)
        known = cursors.read(told.cursor)
        if position is not None:
            known[ALERTS] = position
        keys = tuple(dict.fromkeys((*told.keys, *alerts.keys)))
        return Changes(keys, cursors.write(known) if known else told.cursor, told.more or alerts.more)

    async def _of_alerts(self, position: Position | None) -> tuple[Changes, Position | None]:
        """Read the next page of changed alerts, and say where to go on; where it was, if nothing could be read."""
        at = position or await self._now()
        if at is None:
            return Changes((), ""), None
        told = await self._page(at, _LIMIT)
        if told is None:
            return Changes((), ""), position
        changes = tuple(one for row in told.result if (one := self._change(row)) and one.at and one.at >= at.at)
        now = told.server_time or self._tools.clock()
        page = ChangePage(changes, full=len(told.result) >= _LIMIT, read=_LIMIT, now=now)
        keys = () if position is None else tuple(dict.fromkeys(page.news(at)))
        return Changes(keys, "", page.full), page.beyond(at)

    async def _now(self) -> Position | None:
        """Begin at the time of the instance's own clock; what changed a little before counts as told."""
        told = await self._page(starting(self._tools.clock()), 1)
        return starting((told.server_time or self._tools.clock()) - OVERLAP) if told is not None else None

    async def _page(self, at: Position, limit: int) -> Ok | None:
        told = await self._tools.api.rows(ALERTS, Query(self._query(at), _FIELDS, limit=limit, offset=at.offset))
        return told if isinstance(told, Ok) else None

    def _query(self, at: Position) -> str:
        return f"sys_updated_on>={as_query(at.at)}^{_KEY}STARTSWITH{self._prefix}^ORDERBYsys_updated_on^ORDERBYsys_id"

    def _change(self, row: Row) -> Change | None:
        key = work_item_key(self._tools.connection, value(row, _KEY))
        nobody = value(row, "sys_updated_by").casefold() in _NOBODY | self._tools.own.users
        return None if key is None else change_of(row, key, ours=nobody)
