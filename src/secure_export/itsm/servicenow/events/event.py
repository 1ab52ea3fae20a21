"""Work items as events of Event Management, and how the alerts are read that events become: pure.

An event is an insert and nothing else; what lasts is the alert (``em_alert``) that all events of one ``message_key``
share. So an event can be sent again without harm if it says the same, and everything that must be known later is
written into the event's ``additional_info``, which the alert takes over: the revision, and the latest notes, each under
a key of a ring. Whether an instance puts a newer event's information in the place of the older one's or adds it to
that, the alert ends up with the same, and never with more than its field holds.
Tables and fields: ServiceNow documentation, "Event field format for event collection" and "Pushing events to the
instance using web service API".
"""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Final

from secure_export.alerts.resource_id import parse
from secure_export.workitems.work_item import Binding, Confirmed, Note, ToolState, WorkItem

EventRecord = dict[str, str]
"""One record of ``em_event`` as it is posted."""

ALERT_FIELDS: Final = (
    *("sys_id", "number", "message_key", "state", "severity", "description", "additional_info", "acknowledged"),
    *("assigned_to", "assignment_group", "incident", "sys_created_on", "sys_updated_on", "sys_updated_by"),
)
REVISION: Final = "secure_export_revision"
RESOLUTION: Final = "resolution"
CIS: Final = "configuration_item_ids"
NOTE: Final = "note_"
CLEAR: Final = "0"
MOST_INFO: Final = 4000
MOST_DESCRIPTION: Final = 4000
MOST_NAME: Final = 100

_CLOSED = "Closed"
_CLOSING = "Closing"
_NEW = "New"
_CI = "cmdb_ci"
_MOST_IDS = 20
_RING = 20
_NOTES_OF_AN_EVENT = 10
_MOST_NOTE = 300
_MOST_VALUE = 400
# "Azure Monitor integration": the published table. Budgets and test notifications may come without a severity.
_SEVERITY = {"Sev0": "1", "Sev1": "2", "Sev2": "4", "Sev3": "4", "Sev4": "5"}
_SEVERITY_OF_NONE = "4"
_FROM_ROUTE = frozenset({"node", "type", "resource", "metric_name", "event_class", "ci_type", "severity"})
_ESSENTIAL = frozenset({REVISION, "object_id"})
_OURS = frozenset({"message_key", "source", "resolution_state", "time_of_event", "description", "additional_info"})

ClassOf = Callable[[str], str | None]
"""Gives the CMDB's class for an Azure resource id; None where it is not known."""


@dataclass(frozen=True, slots=True)
class Origin:
    """What all events of a connection have in common.

    Attributes:
        event_class: Which source instance they come from; alerts are made of events without a node only if it is given.
        source: The name of the monitoring software.
        link: Gives the address of our page about a work item; empty where the console has no known address.
        class_of: The CMDB's class for an Azure resource id; None where it is not known.
    """

    event_class: str
    source: str = "Azure Monitor"
    link: Callable[[WorkItem], str] = field(default=lambda _: "")
    class_of: ClassOf = field(default=lambda _: None)


@dataclass(frozen=True, slots=True)
class EmAlert:
    """An alert of Event Management (``em_alert``) as it was read.

    Attributes:
        sys_id: Its key.
        number: What people call it.
        key: Its ``message_key``.
        state: ``Open``, ``Reopen``, ``Flapping`` or ``Closed``.
        severity: 0 (clear) to 5 (OK).
        description: Its text.
        info: Its ``additional_info``; empty when that is no JSON object.
        acknowledged: Whether a person has seen it.
        assignment: Who has it, as people read it.
        incident: The number of the incident that was made of it; empty when none.
        created_at: When it was made.
        updated_at: When it was last changed.
        updated_by: By whom.
    """

    sys_id: str
    number: str
    key: str
    state: str
    severity: str = ""
    description: str = ""
    info: Mapping[str, str] = field(default_factory=dict)
    acknowledged: bool = False
    assignment: str = ""
    incident: str = ""
    created_at: datetime | None = None
    updated_at: datetime | None = None
    updated_by: str = ""

    @property
    def closed(self) -> bool:
        """Whether it is over."""
        return self.state == _CLOSED

    @property
    def revision(self) -> int:
        """The revision of ours that its last event had; 0 when that is not to be read."""
        text = self.info.get(REVISION, "")
        return int(text) if text.isascii() and text.isdigit() else 0


def severity(azure: str | None) -> str:
    """Give the severity of a firing event for Azure's, by the table of ServiceNow's own integration."""
    return _SEVERITY.get(azure or "", _SEVERITY_OF_NONE)


def opening(item: WorkItem, key: str, origin: Origin, *, now: datetime) -> list[EventRecord]:
    """Say that the problem of a work item is there.

    Args:
        item: The work item.
        key: The ``message_key``.
        origin: What all events of the connection have in common.
        now: The time now; the events' time is that of the first firing, which is never later.
    """
    fired_at = min((one.at for one in item.unseen), default=item.created_at)
    content = item.desired.content
    text = content.description
    if not text.startswith(content.title):
        text = f"{content.title}\n\n{text}"
    said = {
        "severity": content.fields.get("severity") or severity(content.severity),
        "resolution_state": _NEW,
        "description": _cut(text, MOST_DESCRIPTION),
    }
    return _events(_About(item, key, origin, min(fired_at, now)), {}, said, said)


def more(item: WorkItem, key: str, origin: Origin, alert: EmAlert, *, now: datetime) -> list[EventRecord]:
    """Bring notes and CIs to an open alert; its severity and its text, which people may have changed, stay."""
    said = _as_it_is(alert, item)
    return _events(_About(item, key, origin, now), alert.info, said, said)


def again(item: WorkItem, key: str, origin: Origin, alert: EmAlert, *, now: datetime) -> list[EventRecord]:
    """Say that the problem of a closed alert is back; its severity and its text, which people may change, stay."""
    said = _as_it_is(alert, item)
    return _events(_About(item, key, origin, now), {**alert.info, RESOLUTION: ""}, said, said)


def ending(item: WorkItem, key: str, origin: Origin, alert: EmAlert, *, now: datetime) -> list[EventRecord]:
    """Say that the problem is over, and why."""
    info = {**alert.info, RESOLUTION: _cut(item.desired.resolution, _MOST_VALUE)}
    before = _as_it_is(alert, item)
    last = {"severity": CLEAR, "resolution_state": _CLOSING, "description": alert.description}
    return _events(_About(item, key, origin, now), info, before, last)


def notes_of(info: Mapping[str, str]) -> tuple[str, ...]:
    """Give the notes that an alert's additional information holds, oldest first."""
    told = sorted((_number(text), text.partition(" ")[2]) for name, text in info.items() if _is_note(name))
    return tuple(text for _, text in told if text)


def info_of(text: str) -> dict[str, str]:
    """Read additional information: a JSON object in a text; anything else counts as none."""
    try:
        read = json.loads(text)
    except ValueError:
        return {}
    return {str(name): str(value) for name, value in read.items()} if isinstance(read, dict) else {}


def alert_of(row: Mapping[str, str]) -> EmAlert:
    """Read a row of ``em_alert`` whose fields are texts; references are as people read them."""
    return EmAlert(
        sys_id=row.get("sys_id", ""),
        number=row.get("number", ""),
        key=row.get("message_key", ""),
        state=row.get("state", ""),
        severity=row.get("severity", ""),
        description=row.get("description", ""),
        info=info_of(row.get("additional_info", "")),
        acknowledged=row.get("acknowledged", "") == "true",
        assignment=row.get("assigned_to") or row.get("assignment_group") or "",
        incident=row.get("incident", ""),
        created_at=_instant(row.get("sys_created_on", "")),
        updated_at=_instant(row.get("sys_updated_on", "")),
        updated_by=row.get("sys_updated_by", ""),
    )


def that_counts(alerts: Sequence[EmAlert]) -> EmAlert | None:
    """Choose among the alerts of one key: the open one, or else the newest.

    A key has several when an event came after ``evt_mgmt.active_interval``: then the closed alert stays closed, and a
    new one is made.
    """
    epoch = datetime.min.replace(tzinfo=UTC)
    return max(alerts, key=lambda one: (not one.closed, one.created_at or epoch, one.sys_id), default=None)


def confirmed(alert: EmAlert, *, now: datetime, url: str, active_interval: timedelta | None) -> Confirmed:
    """Say what an alert tells of its work item.

    Args:
        alert: The alert.
        now: The time now.
        url: Where a person can open it.
        active_interval: For how long after its last change a closed alert is opened again by a new event
            (``evt_mgmt.active_interval``); None: not known.
    """
    return Confirmed(
        ref=alert.sys_id,
        number=alert.number,
        url=url,
        state=_state(alert, now, active_interval),
        revision=alert.revision,
        at=now,
        assignment=alert.assignment,
        ended_at=(alert.updated_at or now) if alert.closed else None,
        tool_state=_told(alert),
        resolution=alert.info.get(RESOLUTION, "") if alert.closed else "",
        changed_at=alert.updated_at,
    )


def _state(alert: EmAlert, now: datetime, active_interval: timedelta | None) -> ToolState:
    if not alert.closed:
        return ToolState.OPEN
    if active_interval is None or alert.updated_at is None or now - alert.updated_at <= active_interval:
        return ToolState.RESOLVED
    return ToolState.CLOSED


def _told(alert: EmAlert) -> str:
    """The alert's state in the tool's words, with what people and rules made of it."""
    said = [alert.state, "Acknowledged" if alert.acknowledged else "", alert.incident]
    return ", ".join(text for text in said if text)


@dataclass(frozen=True, slots=True)
class _About:
    """Whose events they are, and when."""

    item: WorkItem
    key: str
    origin: Origin
    at: datetime


def _as_it_is(alert: EmAlert, item: WorkItem) -> EventRecord:
    usual = severity(item.desired.content.severity)
    return {
        "severity": alert.severity if alert.severity not in {"", CLEAR} else usual,
        "resolution_state": _NEW,
        "description": alert.description,
    }


def _events(about: _About, info: Mapping[str, str], said: EventRecord, last: EventRecord) -> list[EventRecord]:
    """Make events of at most so many notes each: where many are owed, all but the last only bring notes.

    Args:
        about: Whose they are.
        info: The additional information that the alert has.
        said: What all but the last say.
        last: What the last says.
    """
    desired, known = about.item.desired, dict(info)
    what = _what(desired.content.bindings, about.origin, info)
    made: list[EventRecord] = []
    starts = range(0, max(len(desired.notes), 1), _NOTES_OF_AN_EVENT)
    for start in starts:
        notes = desired.notes[start : start + _NOTES_OF_AN_EVENT]
        is_last = start == starts[-1]
        known = _info(about, what, known, notes, desired.revision if is_last else notes[-1].revision)
        made.append(_record(about, what) | (last if is_last else said) | {"additional_info": _json(known)})
    return made


def _record(about: _About, what: "_What") -> EventRecord:
    """What every event of a work item says."""
    fields = about.item.desired.content.fields
    given = {name: _cut(text, MOST_NAME) for name, text in fields.items() if name in _FROM_ROUTE and text}
    return {
        "source": _cut(about.origin.source, MOST_NAME),
        "event_class": _cut(about.origin.event_class, MOST_NAME),
        "message_key": about.key,
        # A name is looked for among hosts of any subscription; type and object id say exactly what is meant.
        "node": "",
        "type": what.type,
        "resource": what.name,
        "metric_name": "",
        "ci_type": what.ci_type,
        "ci_identifier": what.identifier,
        **given,
        "time_of_event": about.at.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S"),
    }


@dataclass(frozen=True, slots=True)
class _What:
    """What an event is about, as far as it is known."""

    name: str = ""
    type: str = ""
    ci_type: str = ""
    identifier: str = ""
    object_id: str = ""
    ids: tuple[str, ...] = ()


def _what(bindings: tuple[Binding, ...], origin: Origin, info: Mapping[str, str]) -> _What:
    """The first CI, or else the first resource; one that the alert has already stays the first."""
    kept = tuple(info.get(CIS, "").split())
    ids = tuple(dict.fromkeys((*kept, *(one.id for one in bindings if one.id is not None))))
    bound = next((one for one in bindings if one.id is not None and one.id == ids[0]), None)
    named = bound or next((one for one in bindings if one.id is None and one.name.startswith("/")), None)
    object_id = (bound.attributes.get("object_id", "") if bound else named.name if named else "") or info.get(
        "object_id", ""
    )
    resource = parse(object_id)
    kind = resource.type if resource else ""
    own_class = bound.attributes.get("sys_class_name", "") if bound else ""
    known = own_class or (origin.class_of(object_id) if object_id else "") or ""
    return _What(
        name=_cut(bound.name if bound else resource.name if resource else "", MOST_NAME),
        type=_cut(kind, MOST_NAME),
        ci_type=_cut(known or (_CI if ids else ""), MOST_NAME),
        identifier=json.dumps({"sys_id": ids[0]}) if ids else "",
        object_id=object_id,
        ids=ids,
    )


def _info(
    about: _About, what: _What, before: Mapping[str, str], notes: Sequence[Note], revision: int
) -> dict[str, str]:
    """Give additional information: what is there stays, so that a newer one may take the place of it."""
    content = about.item.desired.content
    own = {name: text for name, text in content.fields.items() if name not in _FROM_ROUTE | _OURS and text}
    said = {
        "object_id": what.object_id,
        "azure_severity": content.severity or "",
        "secure_export_url": about.origin.link(about.item),
        CIS: " ".join(what.ids[:_MOST_IDS]),
        **{name: _cut(text, _MOST_VALUE) for name, text in own.items()},
    }
    info = {**before, **{name: text for name, text in said.items() if text}, REVISION: str(revision)}
    return info | {
        f"{NOTE}{note.revision % _RING:02d}": f"{note.revision} {_cut(note.text, _MOST_NOTE)}" for note in notes
    }


def _json(info: dict[str, str]) -> str:
    """Write information as JSON that fits: the oldest notes are shortened first, as they stand in earlier events."""
    text = json.dumps(info, ensure_ascii=False)
    notes = sorted((name for name in info if _is_note(name)), key=lambda name: _number(info[name]))
    others = sorted((name for name in info if name not in _ESSENTIAL), key=lambda name: -len(info[name]))
    for name in (*notes, *others):
        if len(text) <= MOST_INFO:
            break
        info[name] = f"{_number(info[name])} …" if _is_note(name) else "…"
        text = json.dumps(info, ensure_ascii=False)
    return text


def _number(note: str) -> int:
    """The revision that a note of the ring begins with; 0 when a person wrote something else there."""
    text = note.partition(" ")[0]
    return int(text) if text.isascii() and text.isdigit() else 0


def _is_note(name: str) -> bool:
    return name.startswith(NOTE) and name[len(NOTE) :].isdigit()


def _cut(text: str, most: int) -> str:
    return text if len(text) <= most else f"{text[: most - 1]}…"


def _instant(text: str) -> datetime | None:
    try:
        return datetime.strptime(text, "%Y-%m-%d %H:%M:%S").replace(tzinfo=UTC)
    except ValueError:
        return None
