"""What people change in incidents: asked for by ``Last Modified Date``, and told by what the incident looks like."""

from datetime import datetime

from secure_export.itsm import cursor as cursors
from secure_export.itsm.bmc_helix.api import qualification
from secure_export.itsm.bmc_helix.api.entry_api import Page, Query
from secure_export.itsm.bmc_helix.api.verdict import Ok, Refused
from secure_export.itsm.bmc_helix.forms import INCIDENT, NUMBER
from secure_export.itsm.bmc_helix.rows import Row, time_of, value
from secure_export.itsm.bmc_helix.tools import Tools
from secure_export.itsm.change_pages import Change, ChangePage, beginning, token
from secure_export.itsm.contract import Changes
from secure_export.itsm.cursor import Position, starting
from secure_export.itsm.record_keys import connection_prefix, work_item_key

_CHANGED = "Last Modified Date"
_BY = "Last Modified By"
_LOOKS = (NUMBER, _CHANGED, _BY, "Status", "Status_Reason", "Assignee", "Assigned Group", "Resolution", "Priority")
_LIMIT = 200


class ChangeFeed:
    """Asks which work items people changed.

    Args:
        tools: What steps share.
    """

    def __init__(self, tools: Tools) -> None:
        self._tools = tools
        self._key_field = tools.settings.key_field
        self._prefix = connection_prefix(tools.connection)
        self._us = tools.settings.login.casefold()
        self._trouble = ""

    @property
    def trouble(self) -> str:
        """Why the last question was not answered; empty when it was."""
        return self._trouble

    async def changes(self, cursor: str) -> Changes:
        """Say which work items changed since a cursor; one that is none of ours starts from now on."""
        position = cursors.read(cursor).get(INCIDENT)
        if position is None:
            begun = await beginning(self._page, self._tools.clock())
            return Changes((), cursor if begun is None else cursors.write({INCIDENT: begun}))
        page = await self._page(position)
        if page is None:
            return Changes((), cursor)
        position, keys = page.beyond(position), page.news(position)
        return Changes(tuple(dict.fromkeys(keys)), cursors.write({INCIDENT: position}), page.full)

    async def try_out(self) -> str:
        """Say why changes cannot be asked for; empty when they can."""
        page = await self._page(starting(self._tools.clock()))
        return self._trouble if page is None else ""

    async def _page(self, position: Position, limit: int | None = None) -> ChangePage | None:
        """Read a page; None when the server gives none."""
        query = Query(
            self._text(position.at),
            (self._key_field, *_LOOKS),
            limit=limit or _LIMIT,
            offset=position.offset,
            sort=f"{_CHANGED}.asc,{NUMBER}.asc",
        )
        told = await self._tools.api.entries(INCIDENT, query)
        if not isinstance(told, Ok) or not isinstance(told.body, Page):
            self._trouble = _denied(told.reason) if isinstance(told, Refused) else getattr(told, "reason", "no records")
            return None
        changes = tuple(change for row in told.body.rows if (change := self._change(row)) is not None)
        if any(one.at is not None and one.at < position.at for one in changes):
            self._trouble = _denied(f"it passes over the condition on {_CHANGED}")
            return None
        self._trouble = ""
        return ChangePage(
            changes, full=told.body.more, read=len(told.body.rows), now=told.server_time or self._tools.clock()
        )

    def _change(self, row: Row) -> Change | None:
        key = work_item_key(self._tools.connection, value(row, self._key_field).strip().lower())
        if key is None:
            return None
        # Two changes within a second differ in what we read of the incident.
        looks = "\0".join(value(row, name) for name in _LOOKS)
        return Change(key, time_of(row, _CHANGED), token(looks), ours=value(row, _BY).casefold() == self._us)

    def _text(self, at: datetime) -> str:
        terms = [qualification.since(_CHANGED, at), qualification.begins(self._key_field, self._prefix)]
        if self._tools.settings.login.isprintable():
            terms.append(qualification.differs(_BY, self._tools.settings.login))
        return qualification.together(*terms)


def _denied(why: str) -> str:
    return (
        f"what people change cannot be asked for ({why}): it is found by reading every open incident back once an "
        f"hour. Let the integration user read {_CHANGED} and {_BY} on {INCIDENT}"
    )
