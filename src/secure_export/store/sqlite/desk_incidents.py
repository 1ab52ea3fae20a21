"""Statements that read and change the desk's incidents: on the way of every alert."""

import sqlite3
from collections.abc import Iterable
from datetime import datetime

from secure_export.errors import NotFound
from secure_export.itsm.desk.contract import PeoplesChanges
from secure_export.itsm.desk.incident import Addition, Incident, IncidentCi, IncidentDraft, TimelineEvent
from secure_export.itsm.desk.people_changes import Action, acted
from secure_export.itsm.desk.service_changes import Changed, added, opened
from secure_export.store.desk_rows import (
    INCIDENT_COLUMNS,
    changed_incident_row,
    event_row,
    incident_ci_of,
    incident_ci_rows,
    incident_of,
    new_incident_row,
    number_of,
    row_of_number,
)
from secure_export.store.instants import micros

_BY_KEY = f"SELECT {INCIDENT_COLUMNS} FROM desk_incidents WHERE key = ? AND connection = ?"  # noqa: S608 - constants
_BY_ID = f"SELECT {INCIDENT_COLUMNS} FROM desk_incidents WHERE id = ?"  # noqa: S608 - constants
_INSERT = """
INSERT INTO desk_incidents (
    connection, key, title, description, state, impact, urgency, priority, assignment_group, assignee, fields,
    resolution_code, resolution, opened_at, updated_at, revision
) VALUES (?, ?, ?, ?, 'new', ?, ?, ?, ?, ?, ?, '', '', ?, ?, ?)
ON CONFLICT (key, connection) DO NOTHING
RETURNING id
"""
_UPDATE = """
UPDATE desk_incidents SET
    state = ?, impact = ?, urgency = ?, priority = ?, assignment_group = ?, assignee = ?, resolution_code = ?,
    resolution = ?, updated_at = ?, resolved_at = ?, closed_at = ?, revision = ?
WHERE id = ?
"""
_INSERT_EVENT = "INSERT INTO desk_events (incident, at, author, by_person, kind, text, changes) VALUES (?,?,?,?,?,?,?)"
_INSERT_CI = "INSERT INTO desk_incident_cis (incident, position, ci, name, rule, reason) VALUES (?,?,?,?,?,?)"
_CIS = "SELECT position, ci, name, rule, reason FROM desk_incident_cis WHERE incident = ? ORDER BY position"
_PEOPLES = """
SELECT desk_events.id, desk_incidents.connection, desk_incidents.key
FROM desk_events JOIN desk_incidents ON desk_incidents.id = desk_events.incident
WHERE desk_events.by_person = 1 AND desk_events.id > ? AND desk_events.id <= ?
ORDER BY desk_events.id
LIMIT ?
"""
_OLDEST = "SELECT id, opened_at, updated_at, state FROM desk_incidents ORDER BY id"


def by_key(db: sqlite3.Connection, connection: str, key: str) -> Incident | None:
    """Find the incident of a work item."""
    row = db.execute(_BY_KEY, (bytes.fromhex(key), connection)).fetchone()
    return incident_of(row) if row else None


def open_incident(db: sqlite3.Connection, draft: IncidentDraft, now: datetime) -> Incident:
    """Insert an incident, or give the one that the key has."""
    new = db.execute(_INSERT, new_incident_row(draft, now)).fetchall()
    if not new:
        return incident_of(db.execute(_BY_KEY, (bytes.fromhex(draft.key), draft.connection)).fetchone())
    row_id: int = new[0][0]
    changed = opened(draft, number=number_of(row_id), now=now)
    _insert_cis(db, row_id, 0, changed.cis)
    _insert_events(db, row_id, changed.events)
    return changed.incident


def add(db: sqlite3.Connection, connection: str, key: str, addition: Addition, now: datetime) -> Incident | None:
    """Bring an addition in, and read the incident back."""
    row = db.execute(_BY_KEY, (bytes.fromhex(key), connection)).fetchone()
    if row is None:
        return None
    present = cis_of(db, row[0]) if addition.cis else []
    before = incident_of(row)
    changed = added(before, present, addition, now=now)
    if changed.incident == before and not changed.events:
        return before
    _insert_cis(db, row[0], len(present), changed.cis)
    _write(db, row[0], changed)
    return incident_of(db.execute(_BY_ID, (row[0],)).fetchone())


def act(db: sqlite3.Connection, number: str, action: Action, by: str, now: datetime) -> Incident:
    """Do what a person wants, and read the incident back."""
    row_id = row_of_number(number)
    row = db.execute(_BY_ID, (row_id,)).fetchone()
    if row is None:
        raise NotFound(f"there is no incident {number}")
    changed = acted(incident_of(row), action, by=by, now=now)
    if changed.events:
        _write(db, row_id, changed)
    return incident_of(db.execute(_BY_ID, (row_id,)).fetchone())


def cis_of(db: sqlite3.Connection, row_id: int) -> list[IncidentCi]:
    """Give the CIs of an incident, the primary one first."""
    return [incident_ci_of(row) for row in db.execute(_CIS, (row_id,))]


def change_counter(db: sqlite3.Connection) -> int:
    """Give the number of the latest change."""
    (latest,) = db.execute("SELECT max(id) FROM desk_events").fetchone()
    return latest or 0


def changed_since(db: sqlite3.Connection, connection: str, position: int, limit: int) -> PeoplesChanges:
    """Say which incidents of a connection people changed; those of other connections only move the position."""
    latest = change_counter(db)
    rows = db.execute(_PEOPLES, (position, latest, limit)).fetchall()
    keys = dict.fromkeys(key.hex() for _, name, key in rows if name == connection)
    more = len(rows) == limit
    return PeoplesChanges(tuple(keys), rows[-1][0] if more else latest, more)


def forget(db: sqlite3.Connection, before: datetime, limit: int) -> int:
    """Delete incidents that are over; ids grow with time, so the first young one ends the search."""
    line = micros(before)
    old: list[tuple[int]] = []
    for row_id, opened_at, updated_at, state in db.execute(_OLDEST):
        if opened_at >= line or len(old) >= limit:
            break
        if state in {"resolved", "closed"} and updated_at < line:
            old.append((row_id,))
    db.executemany("DELETE FROM desk_incidents WHERE id = ?", old)
    return len(old)


def _write(db: sqlite3.Connection, row_id: int, changed: Changed) -> None:
    db.execute(_UPDATE, (*changed_incident_row(changed.incident), row_id))
    _insert_events(db, row_id, changed.events)


def _insert_events(db: sqlite3.Connection, row_id: int, events: Iterable[TimelineEvent]) -> None:
    db.executemany(_INSERT_EVENT, [event_row(row_id, e) for e in events])


def _insert_cis(db: sqlite3.Connection, row_id: int, first: int, cis: Iterable[IncidentCi]) -> None:
    db.executemany(_INSERT_CI, incident_ci_rows(row_id, first, cis))
