"""Statements that people's lists and pages need."""

from typing import Any

from secure_export.errors import NotFound
from secure_export.itsm.desk.contract import CiPage, IncidentPage
from secure_export.itsm.desk.incident import IncidentDetails
from secure_export.store.desk_filters import Wanted, ci_filters, incident_filters
from secure_export.store.desk_rows import CI_COLUMNS, INCIDENT_COLUMNS, ci_of, event_of, incident_of, row_of_number
from secure_export.store.filters import Filters
from secure_export.store.paging import cursor_after, rows_on_page
from secure_export.store.postgresql.connect import Connection
from secure_export.store.postgresql.desk_incidents import cis_of
from secure_export.store.postgresql.numbered import numbered

_BY_ID = f"SELECT {INCIDENT_COLUMNS} FROM desk_incidents WHERE id = $1"  # noqa: S608 - constants
_TIMELINE = """
SELECT at, author, kind, text, changes FROM (
    SELECT * FROM desk_events WHERE incident = $1 ORDER BY id DESC LIMIT $2
) AS newest ORDER BY id
"""
# lpad would cut a longer number.
_NUMBER = "'INC' || CASE WHEN id < 10000000 THEN lpad(id::text, 7, '0') ELSE id::text END"


async def details(db: Connection, number: str, timeline_limit: int) -> IncidentDetails:
    """Give an incident with its CIs and its timeline."""
    row_id = row_of_number(number)
    row = await db.fetchrow(_BY_ID, row_id)
    if row is None:
        raise NotFound(f"there is no incident {number}")
    timeline = tuple(event_of(line) for line in await db.fetch(_TIMELINE, row_id, timeline_limit))
    return IncidentDetails(incident=incident_of(row), cis=tuple(await cis_of(db, row_id)), timeline=timeline)


async def incidents(db: Connection, wanted: Wanted) -> IncidentPage:
    """List incidents, newest first."""
    filters = incident_filters(wanted, number=_NUMBER, like="ILIKE")
    rows, next_cursor = await _page(db, f"{INCIDENT_COLUMNS} FROM desk_incidents", filters, wanted.limit)
    return IncidentPage(tuple(incident_of(row) for row in rows), next_cursor)


async def cis(db: Connection, search: str | None, cursor: str | None, limit: int) -> CiPage:
    """List CIs, newest first."""
    filters = ci_filters(search, cursor, like="ILIKE")
    rows, next_cursor = await _page(db, f"{CI_COLUMNS} FROM desk_cis", filters, limit)
    return CiPage(tuple(ci_of(row) for row in rows), next_cursor)


async def _page(db: Connection, what: str, filters: Filters, limit: int) -> tuple[list[Any], str | None]:
    size = rows_on_page(limit)
    sql = f"SELECT {what} WHERE {filters.where} ORDER BY id DESC LIMIT ?"
    rows = await db.fetch(numbered(sql), *filters.values, size + 1)
    return rows[:size], cursor_after(rows[size - 1][0]) if len(rows) > size else None
