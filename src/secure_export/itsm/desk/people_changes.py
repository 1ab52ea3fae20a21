"""What people do to incidents: pure, and every change a line of the timeline."""

from dataclasses import dataclass
from datetime import datetime

from msgspec.structs import replace

from secure_export.errors import SecureExportError
from secure_export.itsm.desk.incident import (
    SERVICE,
    EventKind,
    FieldChange,
    Incident,
    IncidentState,
    TimelineEvent,
)
from secure_export.itsm.desk.service_changes import Changed, changed_at
from secure_export.workitems.priority import priority

RESOLUTION_CODE = "solved"

_NEXT = {
    IncidentState.NEW: {
        IncidentState.IN_PROGRESS,
        IncidentState.ON_HOLD,
        IncidentState.RESOLVED,
        IncidentState.CLOSED,
    },
    IncidentState.IN_PROGRESS: {IncidentState.ON_HOLD, IncidentState.RESOLVED, IncidentState.CLOSED},
    IncidentState.ON_HOLD: {IncidentState.IN_PROGRESS, IncidentState.RESOLVED, IncidentState.CLOSED},
    IncidentState.RESOLVED: {IncidentState.IN_PROGRESS, IncidentState.CLOSED},
    IncidentState.CLOSED: set(),
}


class ActionRefused(SecureExportError):  # noqa: N818 - reads as what it says
    """An incident cannot be changed in that way; nothing was changed."""


@dataclass(frozen=True, slots=True)
class Comment:
    """Say something about the incident."""

    text: str


@dataclass(frozen=True, slots=True)
class Assign:
    """Say who is to work on it; None leaves a part as it is, an empty text takes it away."""

    group: str | None = None
    assignee: str | None = None


@dataclass(frozen=True, slots=True)
class SetState:
    """Take it up, put it on hold, resolve it, reopen it (resolved to in progress) or close it.

    Attributes:
        state: The state it is to have.
        resolution: How it was resolved, when it is resolved or closed by this.
        resolution_code: The same in a word or two.
    """

    state: IncidentState
    resolution: str = ""
    resolution_code: str = RESOLUTION_CODE


@dataclass(frozen=True, slots=True)
class Rate:
    """Change impact or urgency (1 high to 3 low); the priority follows. None leaves one as it is."""

    impact: int | None = None
    urgency: int | None = None


Action = Comment | Assign | SetState | Rate


def acted(incident: Incident, action: Action, *, by: str, now: datetime) -> Changed:
    """Do what a person wants; asking for what is already so changes nothing.

    Raises:
        ActionRefused: It cannot be done, with what to do instead.
    """
    if not by.strip() or by == SERVICE:
        raise ActionRefused("a change needs the name of the person who makes it")
    if incident.state is IncidentState.CLOSED:
        raise ActionRefused(f"{incident.number} is closed, which is final; open a new incident if the problem is back")
    match action:
        case Comment(text):
            return _commented(incident, text, by, now)
        case Assign():
            return _assigned(incident, action, by, now)
        case SetState():
            return _moved(incident, action, by, now)
        case Rate():
            return _rated(incident, action, by, now)


def _commented(incident: Incident, text: str, by: str, now: datetime) -> Changed:
    if not text.strip():
        raise ActionRefused("a comment needs words")
    event = TimelineEvent(at=now, by=by, kind=EventKind.COMMENT, text=text.strip())
    return Changed(replace(incident, updated_at=changed_at(incident, now)), (event,))


def _assigned(incident: Incident, action: Assign, by: str, now: datetime) -> Changed:
    group = incident.assignment_group if action.group is None else action.group.strip()
    assignee = incident.assignee if action.assignee is None else action.assignee.strip()
    after = replace(incident, assignment_group=group, assignee=assignee)
    who = " of ".join(part for part in (assignee, group) if part)
    return _told(
        incident, after, EventKind.ASSIGNMENT, f"Assigned to {who}" if who else "Assigned to nobody", by=by, now=now
    )


def _moved(incident: Incident, action: SetState, by: str, now: datetime) -> Changed:
    if action.state is incident.state:
        return Changed(incident, ())
    if action.state not in _NEXT[incident.state]:
        allowed = ", ".join(sorted(state.value for state in _NEXT[incident.state]))
        raise ActionRefused(
            f"{incident.number} is {incident.state.value} and cannot become {action.state.value}; possible: {allowed}"
        )
    after = _in_state(incident, action, now)
    text = action.resolution or f"Set to {action.state.value}"
    return _told(incident, after, EventKind.STATE, text, by=by, now=now)


def _in_state(incident: Incident, action: SetState, now: datetime) -> Incident:
    """The incident in its new state, with the times and the resolution that belong to it."""
    after = replace(incident, state=action.state)
    if action.state in (IncidentState.RESOLVED, IncidentState.CLOSED):
        if incident.open:
            after = replace(
                after, resolved_at=now, resolution=action.resolution, resolution_code=action.resolution_code
            )
        return replace(after, closed_at=now) if action.state is IncidentState.CLOSED else after
    return replace(after, resolved_at=None, resolution="", resolution_code="")


def _rated(incident: Incident, action: Rate, by: str, now: datetime) -> Changed:
    impact = incident.impact if action.impact is None else action.impact
    urgency = incident.urgency if action.urgency is None else action.urgency
    try:
        computed = priority(impact, urgency)
    except ValueError as error:
        raise ActionRefused(str(error)) from error
    if (impact, urgency) == (incident.impact, incident.urgency):
        return Changed(incident, ())
    after = replace(incident, impact=impact, urgency=urgency, priority=computed)
    return _told(incident, after, EventKind.PRIORITY, f"Priority is {computed} now", by=by, now=now)


def _told(  # noqa: PLR0913 - what a line of a timeline consists of
    before: Incident, after: Incident, kind: EventKind, text: str, *, by: str, now: datetime
) -> Changed:
    """The change with its line in the timeline, or nothing when nothing changed."""
    names = ("state", "assignment_group", "assignee", "impact", "urgency", "priority")
    pairs = ((name, str(getattr(before, name)), str(getattr(after, name))) for name in names)
    changes = tuple(FieldChange(name, old, new) for name, old, new in pairs if old != new)
    if not changes:
        return Changed(before, ())
    event = TimelineEvent(at=now, by=by, kind=kind, text=text, changes=changes)
    return Changed(replace(after, updated_at=changed_at(before, now)), (event,))
