"""What people change in incidents, asked for again and again: nothing is passed over, and little is told twice.

``Last Modified Date`` has whole seconds, and is set before a change is committed, which takes as long as workflow does.
So each question goes back a little behind the one before, and what was told already is known by what the incident
looked like. Times are those of the server's own clock.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from secure_export.itsm import cursor as cursors
from secure_export.itsm.bmc_helix.api import qualification
from secure_export.itsm.bmc_helix.api.entry_api import Page, Query
from secure_export.itsm.bmc_helix.api.verdict import Ok, Refused
from secure_export.itsm.bmc_helix.forms import INCIDENT, NUMBER
from secure_export.itsm.bmc_helix.rows import Row, time_of, value
from secure_export.itsm.bmc_helix.tools import Tools
from secure_export.itsm.contract import Changes
from secure_export.itsm.cursor import Position, starting
from secure_export.itsm.record_keys import connection_prefix, work_item_key

_CHANGED = "Last Modified Date"
_BY = "Last Modified By"
_LOOKS = (NUMBER, _CHANGED, _BY, "Status", "Status_Reason", "Assignee", "Assigned Group", "Resolution", "Priority")
_LIMIT = 200
_OVERLAP = timedelta(seconds=90)
_CLOCK_IS_WRONG = timedelta(minutes=10)


@dataclass(frozen=True, slots=True)
class _Page:
    """A page of changes.

    Attributes:
        rows: Those of our incidents, oldest first.
        full: Whether there may be more behind it.
        now: The server's clock.
        read: How many incidents it had.
    """

    rows: tuple[Row, ...]
    full: bool
    now: datetime
    read: int


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
            begun = await self._begin()
            return Changes((), cursor if begun is None else cursors.write({INCIDENT: begun}))
        page = await self._page(position)
        if page is None:
            return Changes((), cursor)
        keys = self._news(page.rows, position)
        beyond = _beyond(position, page, self._seen(page.rows))
        return Changes(tuple(dict.fromkeys(keys)), cursors.write({INCIDENT: beyond}), page.full)

    async def try_out(self) -> str:
        """Say why changes cannot be asked for; empty when they can."""
        page = await self._page(starting(self._tools.clock()))
        return self._trouble if page is None else ""

    async def _begin(self) -> Position | None:
        """Begin at the server's time now: what changed in this very second counts as told."""
        first = await self._page(starting(self._tools.clock()), limit=1)
        if first is None:
            return None
        position = starting(first.now)
        page = await self._page(position)
        return None if page is None else replace(position, seen=self._seen(page.rows))

    async def _page(self, position: Position, *, limit: int = _LIMIT) -> _Page | None:
        """Read a page; None when the server gives none."""
        query = Query(
            self._text(position.at),
            (self._key_field, *_LOOKS),
            limit=limit,
            offset=position.offset,
            sort=f"{_CHANGED}.asc,{NUMBER}.asc",
        )
        told = await self._tools.api.entries(INCIDENT, query)
        if not isinstance(told, Ok) or not isinstance(told.body, Page):
            self._trouble = _denied(told.reason) if isinstance(told, Refused) else getattr(told, "reason", "no records")
            return None
        rows = tuple(row for row in told.body.rows if self._key(row))
        if any((at := time_of(row, _CHANGED)) is not None and at < position.at for row in rows):
            self._trouble = _denied(f"it passes over the condition on {_CHANGED}")
            return None
        self._trouble = ""
        now = told.server_time or self._tools.clock()
        return _Page(rows, told.body.more, now, len(told.body.rows))

    def _text(self, at: datetime) -> str:
        terms = [qualification.since(_CHANGED, at), qualification.begins(self._key_field, self._prefix)]
        if self._tools.settings.login.isprintable():
            terms.append(qualification.differs(_BY, self._tools.settings.login))
        return qualification.together(*terms)

    def _key(self, row: Row) -> str | None:
        return work_item_key(self._tools.connection, value(row, self._key_field).strip().lower())

    def _is_ours(self, row: Row) -> bool:
        return value(row, _BY).casefold() == self._us

    def _news(self, rows: Sequence[Row], position: Position) -> list[str]:
        told = (row for row in rows if _token(row) not in position.seen and not self._is_ours(row))
        return [key for row in told if (key := self._key(row)) is not None]

    def _seen(self, rows: Sequence[Row]) -> dict[str, datetime]:
        changed = ((row, time_of(row, _CHANGED)) for row in rows if not self._is_ours(row))
        return {_token(row): at for row, at in changed if at is not None}


def _beyond(position: Position, page: _Page, seen: dict[str, datetime]) -> Position:
    """Where to go on behind a page."""
    told = replace(position, seen={**position.seen, **seen})
    if page.full and page.read:
        last = max((at for row in page.rows if (at := time_of(row, _CHANGED))), default=None)
        return told.next_page(last, page.read)
    if position.since > page.now + _CLOCK_IS_WRONG:
        told = replace(told, since=page.now - _OVERLAP)
    return told.caught_up((page.now - _OVERLAP).replace(microsecond=0))


def _token(row: Row) -> str:
    """A short word for what an incident looked like: two changes within a second differ in what we read of it."""
    looks = "\0".join(value(row, name) for name in _LOOKS)
    return hashlib.sha256(looks.encode("utf-8", "surrogatepass")).hexdigest()[:16]


def _denied(why: str) -> str:
    return (
        f"what people change cannot be asked for ({why}): it is found by reading every open incident back once an "
        f"hour. Let the integration user read {_CHANGED} and {_BY} on {INCIDENT}"
    )
