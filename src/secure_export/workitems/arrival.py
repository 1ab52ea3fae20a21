"""What fold works on: an arriving notification, and what is known of its alert."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from secure_export.alerts.alert import Ending
from secure_export.workitems.work_item import Content, WhenPeopleEnd


@dataclass(frozen=True, slots=True)
class Arrival:
    """A notification as policy reads it.

    Attributes:
        notification: Its id in our store.
        alert_id: Which alert it speaks about.
        problem: What fires and ends (``Alert.problem``).
        ending: How a problem of this kind ends.
        fired: Whether Azure's condition is Fired; with ``ended`` too, its content says that the problem is over.
        ended: Whether it says the problem is over.
        event_at: When that happened by Azure's clock, or when we received it where Azure does not say.
        received_at: When we received it.
        content: What the route makes of it.
        close_after: How long a work item lives when nothing else ends it; None: until a person ends it.
        record_short_lived: Whether an alert that ended before its work item was made is still recorded in the tool.
        reopen_within: For how long after its resolve a work item is opened again when its problem fires again; None: a
            new problem always gets a new work item.
        when_people_end: What is done when a person resolves the work item in the tool while the alert still fires.
    """

    notification: int
    alert_id: str
    problem: str
    ending: Ending
    fired: bool
    ended: bool
    event_at: datetime
    received_at: datetime
    content: Content
    close_after: timedelta | None = None
    record_short_lived: bool = True
    reopen_within: timedelta | None = None
    when_people_end: WhenPeopleEnd = WhenPeopleEnd.LEAVE


@dataclass(frozen=True, slots=True)
class AlertState:
    """What is known of one alert so far.

    Attributes:
        alert_id: Which alert.
        problem: What fires and ends.
        fired_at: The event time of its firing; None when only its end was seen.
        ended_at: The event time of its end; None while it fires.
        work_item: The work item it went into; None when it went into none.
        reasons: What became of its notifications, and why; newest last.
    """

    alert_id: str
    problem: str
    fired_at: datetime | None
    ended_at: datetime | None
    work_item: str | None
    reasons: tuple[str, ...] = ()

    @property
    def firing(self) -> bool:
        """Whether it fired and has not ended."""
        return self.fired_at is not None and self.ended_at is None
