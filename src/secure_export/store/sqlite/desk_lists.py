"""Statements that people's lists and pages need."""

import sqlite3
from dataclasses import dataclass
from typing import Any

from secure_export.errors import NotFound
from secure_export.itsm.desk.contract import CiPage, IncidentPage
from secure_export.itsm.desk.incident import OPEN_STATES, IncidentDetails, IncidentState
from secure_export.store.desk_rows import (
    CI_COLUMNS,
    INCIDENT_COLUMNS,
    ci_of,
    event_of,
    incident_of,
    row_of_number,
)
from secure_export.store.filters import Filters, literal
from secure_export.store.paging import cursor_after, rows_before, rows_on_page
from secure_export.store.sqlite.desk_incidents import cis_of

_OPEN = "state IN ('new', 'in-progress', 'on-hold')"  # word for word the condition of the index desk_incidents_open
_TIMELINE = """
SELECT at, author, kind, text, changes FROM (
    SELECT * FROM desk_events WHERE incident = ? ORDER BY id DESC LIMIT ?
) ORDER BY id
"""


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which incidents a list is to hold; see ``Incidents.incidents``."""

    connection: str | None
    states: frozenset[IncidentState]
    ci: str | None
    search: str | None
    cursor: str | None
    limit: int


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
    filters = _before(wanted.cursor)
    filters.equal("connection", wanted.connection)
    _of_states(filters, wanted.states)
    if wanted.ci is not None:
        filters.add("id IN (SELECT incident FROM desk_incident_cis WHERE ci = ?)", wanted.ci)
    if wanted.search:
        pattern = _containing(wanted.search)
        filters.add(r"(title LIKE ? ESCAPE '\' OR printf('INC%07d', id) LIKE ? ESCAPE '\')", pattern, pattern)
    rows, next_cursor = _page(db, f"{INCIDENT_COLUMNS} FROM desk_incidents", filters, wanted.limit)
    return IncidentPage(tuple(incident_of(row) for row in rows), next_cursor)


def cis(db: sqlite3.Connection, search: str | None, cursor: str | None, limit: int) -> CiPage:
    """List CIs, newest first."""
    filters = _before(cursor)
    if search:
        pattern = _containing(search.lower())
        columns = " OR ".join(rf"{column} LIKE ? ESCAPE '\'" for column in ("name_key", "class_name", "resource_id"))
        filters.add(f"({columns})", pattern, pattern, pattern)
    rows, next_cursor = _page(db, f"{CI_COLUMNS} FROM desk_cis", filters, limit)
    return CiPage(tuple(ci_of(row) for row in rows), next_cursor)


def _before(cursor: str | None) -> Filters:
    return Filters("id < ?", rows_before(cursor))


def _of_states(filters: Filters, states: frozenset[IncidentState]) -> None:
    if states and states <= OPEN_STATES:
        filters.add(_OPEN)
    if states and states != OPEN_STATES:
        filters.add(f"state IN ({', '.join('?' * len(states))})", *sorted(state.value for state in states))


def _page(db: sqlite3.Connection, what: str, filters: Filters, limit: int) -> tuple[list[Any], str | None]:
    size = rows_on_page(limit)
    sql = f"SELECT {what} WHERE {filters.where} ORDER BY id DESC LIMIT ?"
    rows = db.execute(sql, (*filters.values, size + 1)).fetchall()
    return rows[:size], cursor_after(rows[size - 1][0]) if len(rows) > size else None


def _containing(text: str) -> str:
    return f"%{literal(text)}%"
