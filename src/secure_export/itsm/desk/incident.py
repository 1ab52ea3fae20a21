"""The desk's incidents, in the words of ITIL."""

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from typing import Final

import msgspec

from secure_export.workitems.work_item import Note

SERVICE: Final = "service"
"""The author of what this program does; every other author is a person."""


class IncidentState(StrEnum):
    """Where an incident stands. ``CLOSED`` is final."""

    NEW = "new"
    IN_PROGRESS = "in-progress"
    ON_HOLD = "on-hold"
    RESOLVED = "resolved"
    CLOSED = "closed"


OPEN_STATES: Final = frozenset({IncidentState.NEW, IncidentState.IN_PROGRESS, IncidentState.ON_HOLD})


class EventKind(StrEnum):
    """What a line of a timeline tells."""

    OPENED = "opened"
    NOTE = "note"
    COMMENT = "comment"
    ASSIGNMENT = "assignment"
    STATE = "state"
    PRIORITY = "priority"
    CONFIGURATION_ITEMS = "configuration-items"


class FieldChange(msgspec.Struct, frozen=True, array_like=True):
    """A field that changed, with its value before and after as text."""

    field: str
    old: str
    new: str


class TimelineEvent(msgspec.Struct, frozen=True, kw_only=True):
    """A line of an incident's timeline: who did what, and when.

    Attributes:
        at: When.
        by: Who: ``SERVICE``, or a person's name.
        kind: What the line tells; a person's words are of kind ``COMMENT``.
        text: The words, or a sentence about what happened.
        changes: The fields that changed.
    """

    at: datetime
    by: str
    kind: EventKind
    text: str
    changes: tuple[FieldChange, ...] = ()

    @property
    def by_person(self) -> bool:
        """Whether a person did it, and not this program."""
        return self.by != SERVICE


class IncidentCi(msgspec.Struct, frozen=True, kw_only=True):
    """A CI that an incident is about.

    Attributes:
        id: The CI's id in the CMDB.
        name: Its name when it was bound.
        rule: The rule that bound it.
        reason: Why, as a sentence.
        primary: Whether it is the first of the incident's CIs, the one that tools with a single CI field show.
    """

    id: str
    name: str
    rule: str
    reason: str
    primary: bool = False


class Incident(msgspec.Struct, frozen=True, kw_only=True):
    """An incident without its timeline and its CIs.

    Attributes:
        number: What people call it: ``INC0000001`` and so on; gaps may occur, repetitions may not.
        connection: The connection that its work item belongs to.
        key: ``WorkItem.key``: what finds it again.
        title: One line.
        description: Several lines.
        state: Where it stands.
        impact: 1 (high) to 3 (low).
        urgency: 1 (high) to 3 (low).
        priority: 1 (critical) to 5 (planning).
        assignment_group: Which group is to look at it; empty when none.
        assignee: Who works on it; empty when nobody.
        fields: Category and further fields by name.
        resolution_code: How it was resolved, in a word or two; empty while it is not.
        resolution: How it was resolved, in sentences; empty while it is not.
        opened_at: When it was opened.
        updated_at: When anything of it last changed.
        resolved_at: When it was resolved; None while it is not.
        closed_at: When it was closed; None while it is not.
        revision: The revision of ``WorkItem.desired`` that it holds.
    """

    number: str
    connection: str
    key: str
    title: str
    description: str
    state: IncidentState
    impact: int
    urgency: int
    priority: int
    assignment_group: str
    assignee: str
    fields: Mapping[str, str]
    resolution_code: str
    resolution: str
    opened_at: datetime
    updated_at: datetime
    resolved_at: datetime | None
    closed_at: datetime | None
    revision: int

    @property
    def open(self) -> bool:
        """Whether it still needs work."""
        return self.state in OPEN_STATES


class IncidentDetails(msgspec.Struct, frozen=True, kw_only=True):
    """An incident with its CIs (primary first) and its timeline (oldest first; only the newest lines of a long one)."""

    incident: Incident
    cis: tuple[IncidentCi, ...]
    timeline: tuple[TimelineEvent, ...]


class IncidentDraft(msgspec.Struct, frozen=True, kw_only=True):
    """What this program opens an incident with; the attributes are those of ``Incident``.

    Attributes:
        notes: Texts that are already owed to its timeline.
        cis: The CIs it is about, the most important first.
    """

    connection: str
    key: str
    title: str
    description: str
    impact: int
    urgency: int
    priority: int
    revision: int
    assignment_group: str = ""
    assignee: str = ""
    fields: Mapping[str, str] = {}
    notes: tuple[Note, ...] = ()
    cis: tuple[IncidentCi, ...] = ()


class Addition(msgspec.Struct, frozen=True, kw_only=True):
    """What this program adds to an incident that exists.

    Attributes:
        revision: The revision of ``WorkItem.desired`` that the incident then holds.
        notes: Texts for the timeline; those of a revision that the incident holds already are in it already.
        cis: CIs it is about; those it has stay.
        resolution: Why it is resolved; None: it is not resolved by this.
        reopens: Whether it is opened again by this if it is resolved.
    """

    revision: int
    notes: tuple[Note, ...] = ()
    cis: tuple[IncidentCi, ...] = ()
    resolution: str | None = None
    reopens: bool = False
