"""Rows of the desk's tables, and what they say."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any, Final

import msgspec

from secure_export.cmdb.contract import ConfigurationItem
from secure_export.errors import NotFound
from secure_export.itsm.desk.incident import (
    EventKind,
    FieldChange,
    Incident,
    IncidentCi,
    IncidentDraft,
    IncidentState,
    TimelineEvent,
)
from secure_export.store.instants import instant, instant_or_none, micros, micros_or_none
from secure_export.store.row import Row

INCIDENT_COLUMNS: Final = (
    "id, connection, key, title, description, state, impact, urgency, priority, assignment_group, assignee, fields, "
    "resolution_code, resolution, opened_at, updated_at, resolved_at, closed_at, revision"
)
CI_COLUMNS: Final = "id, name, class_name, resource_id, attributes"

_texts_from_json = msgspec.json.Decoder(dict[str, str]).decode
_changes_from_json = msgspec.json.Decoder(tuple[FieldChange, ...]).decode
_INCIDENT_NUMBER = "INC"
_CI_ID = "CI"


def to_json(value: Any) -> str:
    """Write a value as compact JSON."""
    return msgspec.json.encode(value).decode()


def sorted_json(attributes: Mapping[str, str]) -> str:
    """Write attributes as compact JSON, those of the same name always in the same place."""
    return to_json(dict(sorted(attributes.items())))


def number_of(row_id: int) -> str:
    """Give the number of the incident in this row."""
    return f"{_INCIDENT_NUMBER}{row_id:07d}"


def row_of_number(number: str) -> int:
    """Give the row of an incident.

    Raises:
        NotFound: This is no incident's number.
    """
    row = _row_of(number, _INCIDENT_NUMBER)
    if row is None:
        raise NotFound(f"there is no incident {number}; numbers look like {number_of(1)}")
    return row


def ci_id_of(row_id: int) -> str:
    """Give the id of the CI in this row."""
    return f"{_CI_ID}{row_id:07d}"


def row_of_ci(ci_id: str) -> int | None:
    """Give the row of a CI; None when this is no CI's id."""
    return _row_of(ci_id, _CI_ID)


def incident_of(row: Row) -> Incident:
    """Read the columns ``INCIDENT_COLUMNS``."""
    return Incident(
        number=number_of(row[0]),
        connection=row[1],
        key=row[2].hex(),
        title=row[3],
        description=row[4],
        state=IncidentState(row[5]),
        impact=row[6],
        urgency=row[7],
        priority=row[8],
        assignment_group=row[9],
        assignee=row[10],
        fields=_texts_from_json(row[11]),
        resolution_code=row[12],
        resolution=row[13],
        opened_at=instant(row[14]),
        updated_at=instant(row[15]),
        resolved_at=instant_or_none(row[16]),
        closed_at=instant_or_none(row[17]),
        revision=row[18],
    )


def new_incident_row(draft: IncidentDraft, now: datetime) -> tuple[Any, ...]:
    """Give a draft as it is kept: ``connection`` to ``fields``, the time of opening twice, and the revision."""
    at = micros(now)
    return (
        draft.connection,
        bytes.fromhex(draft.key),
        draft.title,
        draft.description,
        draft.impact,
        draft.urgency,
        draft.priority,
        draft.assignment_group,
        draft.assignee,
        to_json(draft.fields),
        at,
        at,
        draft.revision,
    )


def changed_incident_row(incident: Incident) -> tuple[Any, ...]:
    """Give what changes of an incident: state, rating, assignment, resolution, times and revision."""
    return (
        incident.state.value,
        incident.impact,
        incident.urgency,
        incident.priority,
        incident.assignment_group,
        incident.assignee,
        incident.resolution_code,
        incident.resolution,
        micros(incident.updated_at),
        micros_or_none(incident.resolved_at),
        micros_or_none(incident.closed_at),
        incident.revision,
    )


def event_row(row_id: int, event: TimelineEvent) -> tuple[Any, ...]:
    """Give ``incident, at, author, by_person, kind, text, changes``."""
    changes = to_json(event.changes) if event.changes else "[]"
    return (row_id, micros(event.at), event.by, event.by_person, event.kind.value, event.text, changes)


def incident_ci_rows(row_id: int, first: int, cis: Iterable[IncidentCi]) -> list[tuple[Any, ...]]:
    """Give ``incident, position, ci, name, rule, reason`` of CIs, the first of which has the position ``first``."""
    return [(row_id, first + place, ci.id, ci.name, ci.rule, ci.reason) for place, ci in enumerate(cis)]


def incident_ci_of(row: Row) -> IncidentCi:
    """Read ``position, ci, name, rule, reason``."""
    return IncidentCi(id=row[1], name=row[2], rule=row[3], reason=row[4], primary=row[0] == 0)


def event_of(row: Row) -> TimelineEvent:
    """Read ``at, author, kind, text, changes``."""
    changes = _changes_from_json(row[4])
    return TimelineEvent(at=instant(row[0]), by=row[1], kind=EventKind(row[2]), text=row[3], changes=changes)


def ci_of(row: Row) -> ConfigurationItem:
    """Read the columns ``CI_COLUMNS``."""
    attributes = _texts_from_json(row[4])
    return ConfigurationItem(ci_id_of(row[0]), row[1], row[2], row[3], attributes)


def _row_of(text: str, prefix: str) -> int | None:
    digits = text.strip().upper().removeprefix(prefix)
    longest = 18  # what surely fits into 64 bits
    return int(digits) if digits.isascii() and digits.isdigit() and len(digits) <= longest else None
