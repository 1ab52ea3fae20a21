"""Work items, alerts and outcomes as the database keeps them, and back: pure."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

import msgspec

from secure_export.cmdb.rules import CAN_BIND_LATER
from secure_export.cmdb.subjects import subject_of, wanted_names, wanted_resource_ids
from secure_export.store.instants import instant_or_none, micros, micros_or_none
from secure_export.store.keys import lane_key
from secure_export.workitems.arrival import AlertState
from secure_export.workitems.outcome import Done, Outcome, Refused, TryLater, Unclear
from secure_export.workitems.peoples_act import peoples_act
from secure_export.workitems.work_item import State, ToolState, WorkItem

UNCLEAR = "unclear"
NOTHING_NEW = "nothing had changed"
OWNER_GONE = "its owner stopped or stalled before it had an answer"


def _as_dict(value: Any) -> dict[Any, Any]:
    """Give a mapping that is no dictionary as one."""
    if isinstance(value, Mapping):
        return dict(value)
    raise TypeError(f"{type(value).__name__} cannot be kept")


_encode = msgspec.json.Encoder(enc_hook=_as_dict).encode
_work_item_decoder = msgspec.json.Decoder(WorkItem)
_texts_decoder = msgspec.json.Decoder(tuple[str, ...])


@dataclass(frozen=True, slots=True)
class WorkItemColumns:
    """What a work item is looked for by.

    Attributes:
        state: ``open`` or ``resolved``.
        owed: Whether it is owed.
        open_in_tool: Whether the tool last said that it is open.
        unbound: How many of its bindings have no CI.
        expires_at: ``close_at`` while time may end it.
        ended_at: When nothing more happened to it; None while something may.
        number: What people call it in the tool; None while the tool has not told it.
        act: What people did with it there; None: nothing that is known.
    """

    state: str
    owed: bool
    open_in_tool: bool
    unbound: int
    expires_at: int | None
    ended_at: int | None
    number: str | None
    act: str | None


def work_item_document(item: WorkItem) -> bytes:
    """Give a work item as it is kept."""
    return _encode(item)


def work_item(document: bytes) -> WorkItem:
    """Give back a kept work item."""
    return _work_item_decoder.decode(document)


def work_item_columns(item: WorkItem) -> WorkItemColumns:
    """Say what a work item is looked for by."""
    ends_by_time = item.desired.state is State.OPEN and not item.over
    return WorkItemColumns(
        state=item.desired.state.value,
        owed=item.owed,
        open_in_tool=item.confirmed is not None and item.confirmed.state is ToolState.OPEN,
        unbound=sum(b.id is None and b.rule in CAN_BIND_LATER for b in item.desired.content.bindings),
        expires_at=micros_or_none(item.close_at) if ends_by_time else None,
        ended_at=micros(_ended_at(item)) if item.over and not item.left_open else None,
        number=(item.confirmed.number or None) if item.confirmed is not None else None,
        act=peoples_act(item),
    )


WORK_ITEM_COLUMNS = (
    "id, lane, generation, tool_key, connection, correlation_key, state, owed, open_in_tool, unbound, expires_at, "
    "ended_at, number, act, document"
)


def work_item_row(item: WorkItem) -> tuple[Any, ...]:
    """Give a work item as it is kept, in the order of ``WORK_ITEM_COLUMNS``."""
    columns = work_item_columns(item)
    return (
        item.id,
        lane_key(item.connection, item.correlation_key),
        item.generation,
        item.key,
        item.connection,
        item.correlation_key,
        columns.state,
        columns.owed,
        columns.open_in_tool,
        columns.unbound,
        columns.expires_at,
        columns.ended_at,
        columns.number,
        columns.act,
        work_item_document(item),
    )


def is_as_it_was(before: WorkItem | None, after: WorkItem | None) -> bool:
    """Whether a work item is the same as when its lane was claimed, but for when the tool last told of it."""
    return after is None or (before is not None and _timeless(before) == _timeless(after))


def missing_names(item: WorkItem) -> frozenset[str]:
    """Say which names and resource ids, in lower case, an open work item's unbound CIs may appear under."""
    if item.over or item.desired.state is not State.OPEN:
        return frozenset()
    subjects = [s for binding in item.desired.content.bindings if (s := subject_of(binding)) is not None]
    return frozenset((*wanted_names(subjects), *wanted_resource_ids(subjects)))


def texts_document(texts: tuple[str, ...]) -> str:
    """Give texts as they are kept."""
    return _encode(texts).decode()


def texts(document: str) -> tuple[str, ...]:
    """Give back kept texts."""
    return _texts_decoder.decode(document)


ALERT_STATE_COLUMNS = "alert_id, problem, fired_at, ended_at, work_item, reasons"
AlertStateRow = tuple[str, str | None, int | None, int | None, str | None, str]


def alert_state_row(state: AlertState) -> AlertStateRow:
    """Give an alert's state as it is kept, in the order of ``ALERT_STATE_COLUMNS``."""
    return (
        state.alert_id,
        None if state.problem == state.alert_id else state.problem,
        micros_or_none(state.fired_at),
        micros_or_none(state.ended_at),
        state.work_item,
        texts_document(state.reasons),
    )


def alert_state(row: AlertStateRow) -> AlertState:
    """Give back a kept alert's state."""
    alert_id, problem, fired_at, ended_at, item, reasons = row
    return AlertState(
        alert_id=alert_id,
        problem=alert_id if problem is None else problem,
        fired_at=instant_or_none(fired_at),
        ended_at=instant_or_none(ended_at),
        work_item=item,
        reasons=texts(reasons),
    )


def outcome_row(outcome: Outcome) -> tuple[str, str]:
    """Give the name of an outcome, and its reason."""
    match outcome:
        case Done():
            return "done", ""
        case TryLater(reason):
            return "try-later", reason
        case Refused(reason):
            return "refused", reason
        case Unclear(reason):
            return UNCLEAR, reason


def decoded(document: bytes | str) -> Any:
    """Give the JSON value of a document."""
    return msgspec.json.decode(document)


def _timeless(item: WorkItem) -> WorkItem:
    told = item.confirmed
    return item if told is None else replace(item, confirmed=replace(told, at=item.created_at))


def _ended_at(item: WorkItem) -> datetime:
    if item.resolved_at is not None:
        return item.resolved_at
    return item.confirmed.at if item.confirmed is not None else item.created_at
