"""What this program does to incidents: pure, and never against what people did."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from msgspec.structs import replace

from secure_export.itsm.desk.incident import (
    SERVICE,
    Addition,
    EventKind,
    FieldChange,
    Incident,
    IncidentCi,
    IncidentDraft,
    IncidentState,
    TimelineEvent,
)
from secure_export.workitems.work_item import Note

RESOLUTION_CODE = "resolved by monitoring"


@dataclass(frozen=True, slots=True)
class Changed:
    """An incident after a change.

    Attributes:
        incident: The incident as it now is.
        events: What the change adds to its timeline; empty when nothing changed.
        cis: The CIs that the change adds.
    """

    incident: Incident
    events: tuple[TimelineEvent, ...]
    cis: tuple[IncidentCi, ...] = ()


def opened(draft: IncidentDraft, *, number: str, now: datetime) -> Changed:
    """Open an incident as a draft says."""
    incident = Incident(
        number=number,
        connection=draft.connection,
        key=draft.key,
        title=draft.title,
        description=draft.description,
        state=IncidentState.NEW,
        impact=draft.impact,
        urgency=draft.urgency,
        priority=draft.priority,
        assignment_group=draft.assignment_group,
        assignee=draft.assignee,
        fields=draft.fields,
        resolution_code="",
        resolution="",
        opened_at=now,
        updated_at=now,
        resolved_at=None,
        closed_at=None,
        revision=draft.revision,
    )
    cis = _new_cis((), draft.cis)
    first = _event(now, EventKind.OPENED, _opening(cis))
    return Changed(incident, (first, *_note_events(draft.notes, 0, now)), cis)


def added(incident: Incident, present: Sequence[IncidentCi], addition: Addition, *, now: datetime) -> Changed:
    """Bring an addition in; a closed incident is final and stays as it is.

    Args:
        incident: The incident.
        present: The CIs it has.
        addition: What is added. What is there already is not added again, whatever was tried before.
        now: The time now.
    """
    if incident.state is IncidentState.CLOSED:
        return Changed(incident, ())
    cis = _new_cis(present, addition.cis)
    after = replace(incident, revision=max(incident.revision, addition.revision))
    events = []
    if addition.reopens and incident.state is IncidentState.RESOLVED:
        after = replace(after, state=IncidentState.IN_PROGRESS, resolution_code="", resolution="", resolved_at=None)
        change = FieldChange("state", incident.state.value, after.state.value)
        events.append(_event(now, EventKind.STATE, "Opened again", change))
    events += [*_note_events(addition.notes, incident.revision, now), *_ci_events(cis, now)]
    if addition.resolution is not None and incident.open:
        change = FieldChange("state", incident.state.value, IncidentState.RESOLVED.value)
        events.append(_event(now, EventKind.STATE, addition.resolution, change))
        after = replace(
            after,
            state=IncidentState.RESOLVED,
            resolution_code=RESOLUTION_CODE,
            resolution=addition.resolution,
            resolved_at=now,
        )
    return Changed(replace(after, updated_at=changed_at(incident, now)) if events else after, tuple(events), cis)


def changed_at(incident: Incident, now: datetime) -> datetime:
    """Say when an incident that is changed now was last changed: a clock that was set back makes it no older."""
    return max(incident.updated_at, now)


def _new_cis(present: Sequence[IncidentCi], wanted: Iterable[IncidentCi]) -> tuple[IncidentCi, ...]:
    """The CIs that are not there yet; the first of all is the primary one."""
    have = {ci.id for ci in present}
    new: dict[str, IncidentCi] = {}
    for ci in wanted:
        if ci.id not in have and ci.id not in new:
            new[ci.id] = replace(ci, primary=not have and not new)
    return tuple(new.values())


def _note_events(notes: Iterable[Note], held: int, now: datetime) -> list[TimelineEvent]:
    return [_event(now, EventKind.NOTE, note.text) for note in notes if note.revision > held]


def _ci_events(cis: Iterable[IncidentCi], now: datetime) -> list[TimelineEvent]:
    return [_event(now, EventKind.CONFIGURATION_ITEMS, f"{ci.name} was added: {ci.reason}") for ci in cis]


def _opening(cis: Sequence[IncidentCi]) -> str:
    if not cis:
        return "Opened from an alert; no configuration item is known."
    return "Opened from an alert on " + "; ".join(f"{ci.name} ({ci.reason})" for ci in cis) + "."


def _event(now: datetime, kind: EventKind, text: str, *changes: FieldChange) -> TimelineEvent:
    return TimelineEvent(at=now, by=SERVICE, kind=kind, text=text, changes=changes)
