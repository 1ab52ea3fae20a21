"""The work item: a promise to the ITSM tool that is either kept or owed."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum


class State(StrEnum):
    """What a work item should be."""

    OPEN = "open"
    RESOLVED = "resolved"


class ToolState(StrEnum):
    """What a work item is in the tool. ``CLOSED`` is final there; ``GONE`` means that it no longer exists."""

    OPEN = "open"
    RESOLVED = "resolved"
    CLOSED = "closed"
    GONE = "gone"


class StepKind(StrEnum):
    """What can be asked of the tool."""

    LOOK = "look"
    CREATE = "create"
    UPDATE = "update"
    RESOLVE = "resolve"
    REOPEN = "reopen"


class WhenPeopleEnd(StrEnum):
    """What is done when a person resolves a work item in the tool while its alert still fires."""

    LEAVE = "leave"
    REOPEN = "reopen"


@dataclass(frozen=True, slots=True)
class Binding:
    """The configuration item that a work item is about, or why there is none.

    Attributes:
        id: The CI's id in the CMDB; None when nothing could be bound.
        name: The CI's name, or what the alert called the thing that was not found.
        rule: Which rule bound it or gave up, such as ``resource-id`` or ``name-ambiguous``.
        reason: A sentence for people.
        attributes: What the CMDB says of the CI that decisions use: ``environment``, ``business_criticality``,
            ``support_group``; empty when it says nothing or nothing was bound.
    """

    id: str | None
    name: str
    rule: str
    reason: str
    attributes: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Content:
    """What the work item says, ready for any tool.

    Attributes:
        title: One line.
        description: Plain text of several lines.
        impact: 1 (high) to 3 (low), as ITIL has it.
        urgency: 1 (high) to 3 (low).
        priority: 1 (critical) to 5 (planning), from impact and urgency.
        severity: Azure's ``Sev0`` to ``Sev4``, or None.
        work_item: The type the route asks for, such as ``incident``.
        assignment_group: Who should look at it, or None.
        bindings: The CIs it is about, and those that could not be bound.
        fields: Further fields of the tool by the tool's own names.
        reasons: Why all this is so.
    """

    title: str
    description: str
    impact: int
    urgency: int
    priority: int
    severity: str | None = None
    work_item: str = "incident"
    assignment_group: str | None = None
    bindings: tuple[Binding, ...] = ()
    fields: Mapping[str, str] = field(default_factory=dict)
    reasons: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Note:
    """A text for the work item's history, owed until a revision that holds it is confirmed."""

    revision: int
    text: str


@dataclass(frozen=True, slots=True)
class Desired:
    """What the work item should be now.

    Attributes:
        state: Open or resolved.
        content: What it says.
        revision: Grows with each change; what the tool has confirmed is compared with it.
        notes: Texts not yet known to be in the tool, oldest first.
        resolution: Why it is resolved; empty while open.
    """

    state: State
    content: Content
    revision: int = 1
    notes: tuple[Note, ...] = ()
    resolution: str = ""


@dataclass(frozen=True, slots=True)
class Firing:
    """A firing that the tool's record is not known to tell of.

    Attributes:
        alert_id: Which alert fired.
        at: The event time of the firing.
        revision: The revision that tells of it.
        content: What a work item made for it alone would say; None: what the work item says.
    """

    alert_id: str
    at: datetime
    revision: int
    content: Content | None = None


@dataclass(frozen=True, slots=True)
class Confirmed:
    """What the tool last told us.

    Attributes:
        ref: The tool's own key of the record (not the number people see).
        number: The number people see.
        url: Where a person can open it; empty when the tool has no page.
        state: Its state there.
        revision: The highest revision of ours known to be in the tool.
        at: When we were told.
        assignment: Who has it, as the tool writes it; empty when nobody or unknown.
        ended_at: When it was resolved or closed there; None while it is open, or when the tool does not say.
        remarks: What the tool did not take of what we wrote, or did differently: sentences for people, each of which
            becomes a reason of the work item, once.
        tool_state: Its state there in the tool's own word, such as ``On Hold``; empty when the tool has none.
        resolution: How it was resolved, as it is written there by people or by us; empty when nothing is.
        at_work: Whether its state is one of work that was begun, by the tool's own value, which is the same in every
            language; False also where the tool's word alone tells.
        changed_at: When the tool last changed it, by the tool's clock; None when the tool does not say. A record that
            was over and is open, and has an older one than before, comes from an old copy of the tool's data.
    """

    ref: str
    number: str
    url: str
    state: ToolState
    revision: int
    at: datetime
    assignment: str = ""
    ended_at: datetime | None = None
    remarks: tuple[str, ...] = ()
    tool_state: str = ""
    resolution: str = ""
    changed_at: datetime | None = None
    at_work: bool = False


@dataclass(frozen=True, slots=True)
class WorkItem:
    """One work item of one correlation key.

    Attributes:
        id: Ours, time-ordered.
        connection: Which tool.
        correlation_key: What its alerts share.
        generation: 1 for the key's first work item; a new problem after the end of one gets the next. It grows within
            a work item when the tool's record was over before it could tell of a firing.
        desired: What it should be.
        confirmed: What the tool last said it is; None while nothing is known to exist there.
        created_at: When the first notification was folded.
        resolved_at: When it was desired to be resolved.
        close_at: When time ends it if nothing else does; None: not by time, or not while an alert of it fires that
            Azure will end.
        hands_off: Why we leave it as it is in the tool (a person closed, reopened or deleted it); None: ours.
        doubt: A step was begun and its result is not known: look before anything else.
        attempts: Failed attempts since the last success.
        not_before: No attempt before this time.
        waiting: Why it waits; empty when it does not.
        parked: Why a person is needed; None when not parked.
        refusal: What the tool refused last, until it takes what is owed: it outlasts ``parked``, which ends whenever it
            is tried again.
        reasons: The decisions so far, newest last; bounded.
        lasting: How many of its alerts fire that have no time limit: ``close_at`` is None until they have ended.
        time_limit: The latest time limit among its alerts; None when none has one.
        unseen: The firings that the tool's record is not known to tell of, oldest first; bounded.
        begun: The revision that the last create of this generation was begun with; 0 before the first.
        reopening: Whether its record, which is resolved in the tool, is to be opened again there.
        when_people_end: What its route says is done when a person resolves it while its alert still fires.
        insisted: The revision with which it was opened again against the person who had resolved it; 0: it was not.
        reopened_in: The tool's word for the state that its record had after we opened it again; None: we did not.
    """

    id: str
    connection: str
    correlation_key: str
    generation: int
    desired: Desired
    confirmed: Confirmed | None
    created_at: datetime
    resolved_at: datetime | None = None
    close_at: datetime | None = None
    hands_off: str | None = None
    doubt: bool = False
    attempts: int = 0
    not_before: datetime | None = None
    waiting: str = ""
    parked: str | None = None
    reasons: tuple[str, ...] = ()
    lasting: int = 0
    time_limit: datetime | None = None
    unseen: tuple[Firing, ...] = ()
    begun: int = 0
    reopening: bool = False
    when_people_end: WhenPeopleEnd = WhenPeopleEnd.LEAVE
    insisted: int = 0
    refusal: str = ""
    reopened_in: str | None = None

    @property
    def key(self) -> str:
        """What is written into the tool to find this work item again: 32 hexadecimal digits.

        It depends only on what the work item is about, so that a store restored from an old backup finds the
        record that a later life of it created.
        """
        return tool_key(self.connection, self.correlation_key, self.generation)

    @property
    def owed(self) -> bool:
        """Whether the tool is not yet known to have what it should have."""
        if self.hands_off is not None:
            return False
        if self.confirmed is None or self.to_reopen:
            return True
        if self.desired.state is State.RESOLVED:
            return self.confirmed.state is ToolState.OPEN
        return self.confirmed.revision < self.desired.revision

    @property
    def to_reopen(self) -> bool:
        """Whether its record is resolved in the tool and has to be opened again."""
        return self.reopening and self.confirmed is not None and self.confirmed.state is ToolState.RESOLVED

    @property
    def left_open(self) -> bool:
        """Whether it is left to people and open in the tool: a person reopened it."""
        return self.hands_off is not None and self.confirmed is not None and self.confirmed.state is ToolState.OPEN

    @property
    def over(self) -> bool:
        """Whether nothing more happens to it by itself.

        A new problem of the same key then needs a new work item, unless a person left this one open.
        """
        return self.hands_off is not None or (self.desired.state is State.RESOLVED and not self.owed and not self.doubt)


def tool_key(connection: str, correlation_key: str, generation: int) -> str:
    """Make the key that finds a work item in the tool; see ``WorkItem.key``."""
    text = "\0".join((connection, correlation_key, str(generation)))
    return hashlib.blake2b(text.encode(), digest_size=16).hexdigest()
