"""Statements that people's lists and pages need."""

import sqlite3
from typing import Any

from secure_export.errors import NotFound
from secure_export.itsm.desk.contract import CiPage, IncidentPage
from secure_export.itsm.desk.incident import IncidentDetails
from secure_export.store.desk_filters import Wanted, ci_filters, incident_filters
from secure_export.store.desk_rows import (
    CI_COLUMNS,
    INCIDENT_COLUMNS,
    ci_of,
    event_of,
    incident_of,
    row_of_number,
)
from secure_export.store.filters import Filters
from secure_export.store.paging import cursor_after, rows_on_page
from secure_export.store.sqlite.desk_incidents import cis_of

_TIMELINE = """
SELECT at, author, kind, text, changes FROM (
    SELECT * FROM desk_events WHERE incident = ? ORDER BY id DESC LIMIT ?
) ORDER BY id
"""


def details(db: sqlite3.Connection, number: str, timeline_limit: int) -> IncidentDetails:
    """Give an incident with its CIs and its timeline."""
    row_id = row_of_number(number)
    row = db.execute(f"SELECT {INCIDENT_COLUMNS} FROM desk_incidents WHERE id = ?", (row_id,)).fetchone()  # noqa: S608 - constants
    if row is None:
        raise NotFound(f"there is no incident {number}")
    timeline = tuple(event_of(line) for line in db.execute(_TIMELINE, (row_id, timeline_limit)))
    return IncidentDetails(incident=incident_of(row), cis=tuple(cis_of(db, row_id)), timeline=timeline)


def incidents(db: sqlite3.Connection, wanted: Wanted) -> IncidentPage:
    """List incidents, newest first."""
    filters = incident_filters(wanted, number="printf('INC%07d', id)", like="LIKE")
    rows, next_cursor = _page(db, f"{INCIDENT_COLUMNS} FROM desk_incidents", filters, wanted.limit)
    return IncidentPage(tuple(incident_of(row) for row in rows), next_cursor)


def cis(db: sqlite3.Connection, search: str | None, cursor: str | None, limit: int) -> CiPage:
    """List CIs, newest first."""
    filters = ci_filters(search, cursor, like="LIKE")
    rows, next_cursor = _page(db, f"{CI_COLUMNS} FROM desk_cis", filters, limit)
    return CiPage(tuple(ci_of(row) for row in rows), next_cursor)


def _page(db: sqlite3.Connection, what: str, filters: Filters, limit: int) -> tuple[list[Any], str | None]:
    size = rows_on_page(limit)
    sql = f"SELECT {what} WHERE {filters.where} ORDER BY id DESC LIMIT ?"
    rows = db.execute(sql, (*filters.values, size + 1)).fetchall()
    return rows[:size], cursor_after(rows[size - 1][0]) if len(rows) > size else None
