"""Statements that read and change the desk's incidents: on the way of every alert."""

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime
from typing import Any

from msgspec import structs

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
from secure_export.store.postgresql.connect import Connection
from secure_export.store.postgresql.database import Database
from secure_export.store.postgresql.texts import all_kept

_BY_KEY = f"SELECT {INCIDENT_COLUMNS} FROM desk_incidents WHERE key = $1 AND connection = $2"  # noqa: S608 - constants
_BY_ID = f"SELECT {INCIDENT_COLUMNS} FROM desk_incidents WHERE id = $1"  # noqa: S608 - constants
# Events get their numbers while the lock is held that all who write share; see below.
_OPEN = """
WITH writing AS MATERIALIZED (
    SELECT pg_advisory_xact_lock_shared(1397310822, 1)
), made AS (
    INSERT INTO desk_incidents (
        connection, key, title, description, state, impact, urgency, priority, assignment_group, assignee, fields,
        resolution_code, resolution, opened_at, updated_at, revision
    )
    SELECT $1::text, $2::bytea, $3::text, $4::text, 'new', $5::integer, $6::integer, $7::integer, $8::text, $9::text,
        $10::text, '', '', $11::bigint, $12::bigint, $13::integer
    FROM writing WHERE NOT EXISTS (SELECT 1 FROM desk_incidents WHERE key = $2::bytea AND connection = $1::text)
    ON CONFLICT (key, connection) DO NOTHING
    RETURNING id
), bound AS (
    INSERT INTO desk_incident_cis (incident, position, ci, name, rule, reason)
    SELECT made.id, position - 1, ci, name, rule, reason
    FROM made, unnest($14::text[], $15::text[], $16::text[], $17::text[])
        WITH ORDINALITY AS given (ci, name, rule, reason, position)
), told AS (
    INSERT INTO desk_events (incident, at, author, by_person, kind, text, changes)
    SELECT made.id, at, author, by_person, kind, text, changes
    FROM made, unnest($18::bigint[], $19::text[], $20::boolean[], $21::text[], $22::text[], $23::text[])
        WITH ORDINALITY AS given (at, author, by_person, kind, text, changes, position)
    ORDER BY position
)
SELECT id FROM made
"""
_UPDATE = """
UPDATE desk_incidents SET
    state = $1, impact = $2, urgency = $3, priority = $4, assignment_group = $5, assignee = $6, resolution_code = $7,
    resolution = $8, updated_at = $9, resolved_at = $10, closed_at = $11, revision = $12
WHERE id = $13
"""
_INSERT_EVENT = """
INSERT INTO desk_events (incident, at, author, by_person, kind, text, changes) VALUES ($1, $2, $3, $4, $5, $6, $7)
"""
_INSERT_CI = """
INSERT INTO desk_incident_cis (incident, position, ci, name, rule, reason) VALUES ($1, $2, $3, $4, $5, $6)
"""
_CIS = "SELECT position, ci, name, rule, reason FROM desk_incident_cis WHERE incident = $1 ORDER BY position"
_PEOPLES = """
SELECT desk_events.id, desk_incidents.connection, desk_incidents.key
FROM desk_events JOIN desk_incidents ON desk_incidents.id = desk_events.incident
WHERE desk_events.by_person AND desk_events.id > $1 AND desk_events.id <= $2
ORDER BY desk_events.id
LIMIT $3
"""
# Ids grow with time, so that the first young one ends the search; of those that stay open few are old.
_OLD = """
DELETE FROM desk_incidents WHERE id IN (
    SELECT id FROM desk_incidents
    WHERE id < coalesce((SELECT min(id) FROM desk_incidents WHERE opened_at >= $1), 9223372036854775807)
        AND state IN ('resolved', 'closed') AND updated_at < $1
    ORDER BY id LIMIT $2)
"""
# Events get their numbers in the order of writing and are seen in the order of committing. All who write hold one
# lock together; who reads the latest number waits until it has the lock alone: then every number below it is decided.
_I_WRITE = "SELECT pg_advisory_xact_lock_shared(1397310822, 1)"
_NOBODY_WRITES = "SELECT pg_advisory_xact_lock(1397310822, 1)"
_LATEST = "SELECT max(id) FROM desk_events"


async def by_key(db: Connection, connection: str, key: str) -> Incident | None:
    """Find the incident of a work item."""
    row = await db.fetchrow(_BY_KEY, bytes.fromhex(key), connection)
    return incident_of(row) if row else None


async def open_incident(database: Database, draft: IncidentDraft, now: datetime) -> Incident:
    """Insert an incident, or give the one that the key has; one statement, because it is on the way of every alert."""
    new = opened(draft, number="", now=now)
    cis = _columns(4, (row[2:] for row in incident_ci_rows(0, 0, new.cis)), texts=(0, 1, 2, 3))
    events = _columns(6, (event_row(0, event)[1:] for event in new.events), texts=(1, 3, 4, 5))
    rows = await database.write_at_once(_OPEN, *new_incident_row(draft, now), *cis, *events)
    if rows:
        return structs.replace(new.incident, number=number_of(rows[0][0]))
    return await database.read(lambda db: _only(db, _BY_KEY, bytes.fromhex(draft.key), draft.connection))


def _columns(count: int, rows: Iterable[Sequence[Any]], *, texts: Collection[int]) -> list[list[Any]]:
    """Give rows by column, texts as they are kept."""
    columns: list[list[Any]] = [list(column) for column in zip(*rows, strict=True)] or [[] for _ in range(count)]
    return [list(all_kept(column)) if number in texts else column for number, column in enumerate(columns)]


async def add(db: Connection, connection: str, key: str, addition: Addition, now: datetime) -> Incident | None:
    """Bring an addition in, and read the incident back."""
    await db.execute(_I_WRITE)
    row = await db.fetchrow(f"{_BY_KEY} FOR UPDATE", bytes.fromhex(key), connection)
    if row is None:
        return None
    present = await cis_of(db, row[0]) if addition.cis else []
    before = incident_of(row)
    changed = added(before, present, addition, now=now)
    if changed.incident == before and not changed.events:
        return before
    await _insert_cis(db, row[0], len(present), changed.cis)
    await _write(db, row[0], changed)
    return await _only(db, _BY_ID, row[0])


async def act(db: Connection, number: str, action: Action, by: str, now: datetime) -> Incident:
    """Do what a person wants, and read the incident back."""
    row_id = row_of_number(number)
    await db.execute(_I_WRITE)
    row = await db.fetchrow(f"{_BY_ID} FOR UPDATE", row_id)
    if row is None:
        raise NotFound(f"there is no incident {number}")
    changed = acted(incident_of(row), action, by=by, now=now)
    if changed.events:
        await _write(db, row_id, changed)
    return await _only(db, _BY_ID, row_id)


async def cis_of(db: Connection, row_id: int) -> list[IncidentCi]:
    """Give the CIs of an incident, the primary one first."""
    return [incident_ci_of(row) for row in await db.fetch(_CIS, row_id)]


async def change_counter(db: Connection) -> int:
    """Give the number of the latest change, once every earlier one can be seen; within a transaction."""
    await db.execute(_NOBODY_WRITES)
    return await db.fetchval(_LATEST) or 0


async def changed_since(db: Connection, connection: str, position: int, limit: int) -> PeoplesChanges:
    """Say which incidents of a connection people changed; those of other connections only move the position."""
    latest = await change_counter(db)
    rows = await db.fetch(_PEOPLES, position, latest, limit)
    keys = dict.fromkeys(bytes(key).hex() for _, name, key in rows if name == connection)
    more = len(rows) == limit
    return PeoplesChanges(tuple(keys), rows[-1][0] if more else latest, more)


async def forget(db: Connection, before: datetime, limit: int) -> int:
    """Delete incidents that are over and did not change since; how many were deleted."""
    status = await db.execute(_OLD, micros(before), limit)
    return int(status.rpartition(" ")[2])


async def _only(db: Connection, query: str, *values: object) -> Incident:
    (row,) = await db.fetch(query, *values)
    return incident_of(row)


async def _write(db: Connection, row_id: int, changed: Changed) -> None:
    await db.execute(_UPDATE, *changed_incident_row(changed.incident), row_id)
    await _insert_events(db, row_id, changed.events)


async def _insert_events(db: Connection, row_id: int, events: Iterable[TimelineEvent]) -> None:
    await db.executemany(_INSERT_EVENT, [event_row(row_id, event) for event in events])


async def _insert_cis(db: Connection, row_id: int, first: int, cis: Iterable[IncidentCi]) -> None:
    if rows := incident_ci_rows(row_id, first, cis):
        await db.executemany(_INSERT_CI, rows)
