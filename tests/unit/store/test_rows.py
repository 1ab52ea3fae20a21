"""Work items, alerts and outcomes keep everything on their way into the database and back."""

import dataclasses
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from types import MappingProxyType, UnionType
from typing import Any, Union, get_args, get_origin, get_type_hints

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from secure_export.store.rows import (
    alert_state,
    alert_state_row,
    missing_names,
    outcome_row,
    texts,
    texts_document,
    work_item,
    work_item_columns,
    work_item_document,
)
from secure_export.workitems.arrival import AlertState
from secure_export.workitems.outcome import Done, Outcome, Refused, TryLater, Unclear
from secure_export.workitems.work_item import (
    Binding,
    Confirmed,
    Content,
    Desired,
    State,
    ToolState,
    WorkItem,
)

NOW = datetime(2026, 3, 2, 9, 19, 5, 117_123, tzinfo=UTC)
TEXT = st.text(max_size=12)
MAYBE_TEXT = st.none() | TEXT
TIMES = st.datetimes(datetime(1970, 1, 1), datetime(2200, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001 - the strategy adds the zone
ITEM = WorkItem(
    id="i",
    connection="desk",
    correlation_key="alert:a",
    generation=1,
    desired=Desired(State.OPEN, Content("t", "d", 2, 2, 3)),
    confirmed=None,
    created_at=NOW,
)
CONFIRMED = Confirmed("ref", "INC1", "", ToolState.OPEN, 1, NOW)


def in_tool(one: WorkItem, state: ToolState) -> WorkItem:
    return replace(one, confirmed=replace(CONFIRMED, state=state))


def over(one: WorkItem) -> WorkItem:
    desired = replace(one.desired, state=State.RESOLVED)
    return in_tool(replace(one, desired=desired, resolved_at=NOW), ToolState.RESOLVED)


def _values(kind: Any) -> st.SearchStrategy[Any]:
    """Give values of a type as the work item's classes name it; a member that is added later is tried as well."""
    origin, inner = get_origin(kind), get_args(kind)
    if dataclasses.is_dataclass(kind) and isinstance(kind, type):
        return st.builds(kind, **{name: _values(hint) for name, hint in get_type_hints(kind).items()})
    if origin in {Union, UnionType}:
        return st.one_of(*map(_values, inner))
    if origin is tuple:
        return st.lists(_values(inner[0]), max_size=2).map(tuple)
    if origin is Mapping:
        return st.dictionaries(TEXT, TEXT, max_size=2)
    simple = {str: TEXT, datetime: TIMES, int: st.integers(-5, 2**40), type(None): st.none()}
    return simple[kind] if kind in simple else st.from_type(kind)


@settings(max_examples=60)
@given(_values(WorkItem))
def test_work_items_come_back_as_they_were(one: WorkItem) -> None:
    """Every member of a work item is kept, whatever is in it."""
    assert work_item(work_item_document(one)) == one


def test_work_items_of_earlier_versions_can_be_read() -> None:
    """What was kept before a member was added has its default: nobody's store has to be made anew."""
    document = msgspec.json.decode(work_item_document(over(ITEM)))
    for name in ("remarks", "tool_state", "resolution", "changed_at"):
        del document["confirmed"][name]
    for name in ("reopening", "when_people_end", "insisted"):
        del document[name]
    assert work_item(msgspec.json.encode(document)) == over(ITEM)


def test_any_mapping_can_be_kept() -> None:
    """Attributes need not stand in a dictionary."""
    content = replace(ITEM.desired.content, fields=MappingProxyType({"u_team": "shop"}))
    one = replace(ITEM, desired=replace(ITEM.desired, content=content))
    assert work_item(work_item_document(one)).desired.content.fields == {"u_team": "shop"}


@settings(max_examples=100)
@given(
    st.builds(
        AlertState,
        alert_id=TEXT,
        problem=TEXT,
        fired_at=st.none() | TIMES,
        ended_at=st.none() | TIMES,
        work_item=MAYBE_TEXT,
        reasons=st.lists(TEXT, max_size=4).map(tuple),
    )
)
def test_alerts_come_back_as_they_were(state: AlertState) -> None:
    """Every member of an alert's state is kept, and the reasons are text that JSON functions can read."""
    assert alert_state(alert_state_row(state)) == state
    assert texts(texts_document(state.reasons)) == state.reasons


def test_an_alert_that_is_its_own_problem_needs_no_second_text() -> None:
    """The problem is written down only where several alerts share it."""
    assert alert_state_row(AlertState("a", "a", None, None, None))[1] is None
    assert alert_state_row(AlertState("a", "p", None, None, None))[1] == "p"


@pytest.mark.parametrize(
    ("outcome", "row"),
    [
        (Done(None), ("done", "")),
        (Done(CONFIRMED), ("done", "")),
        (TryLater("busy", NOW), ("try-later", "busy")),
        (Refused("no"), ("refused", "no")),
        (Unclear("?"), ("unclear", "?")),
    ],
)
def test_outcomes_have_names(outcome: Outcome, row: tuple[str, str]) -> None:
    """Each outcome of the closed set is kept by its name."""
    assert outcome_row(outcome) == row


def test_an_open_work_item_is_found_by_its_time() -> None:
    """Time ends what is open; what is resolved or left to people is not looked for any more."""
    due = replace(ITEM, close_at=NOW + timedelta(hours=1))
    assert work_item_columns(due).expires_at == 1_772_446_745_117_123
    assert work_item_columns(over(due)).expires_at is None
    assert work_item_columns(replace(due, hands_off="a person closed it")).expires_at is None
    assert work_item_columns(ITEM).expires_at is None


@pytest.mark.parametrize(
    ("one", "is_open"),
    [
        (ITEM, False),
        (in_tool(ITEM, ToolState.OPEN), True),
        (in_tool(ITEM, ToolState.CLOSED), False),
        (in_tool(ITEM, ToolState.GONE), False),
        (replace(in_tool(ITEM, ToolState.OPEN), hands_off="a person reopened it"), True),
    ],
)
def test_what_is_read_back(one: WorkItem, *, is_open: bool) -> None:
    """What the tool last called open is read back by timer, that which people reopened too."""
    assert work_item_columns(one).open_in_tool is is_open


@pytest.mark.parametrize(
    ("one", "ended"),
    [
        (ITEM, False),
        (in_tool(ITEM, ToolState.OPEN), False),
        (over(ITEM), True),
        (replace(over(ITEM), doubt=True), False),
        (replace(in_tool(ITEM, ToolState.OPEN), hands_off="a person reopened it"), False),
        (replace(in_tool(ITEM, ToolState.GONE), hands_off="deleted in the tool"), True),
    ],
)
def test_only_what_is_over_counts_as_ended(one: WorkItem, *, ended: bool) -> None:
    """Retention is counted from the end; what is open, owed, in doubt or left open has none."""
    assert (work_item_columns(one).ended_at is not None) is ended


def test_names_that_an_unbound_ci_may_appear_under() -> None:
    """Resource ids and names are given in lower case; what is no CI, bound, or of a resolved work item is not."""
    group = "/subscriptions/11111111-2222-3333-4444-555555555555/resourceGroups/g"
    vm = f"{group}/providers/Microsoft.Compute/virtualMachines/VM1"
    bindings = (
        Binding(None, vm, "not-in-cmdb", ""),
        Binding(None, "Web01", "name-ambiguous", ""),
        Binding(None, "a budget", "not-a-ci", ""),
        Binding("ci1", "db1", "name", ""),
    )
    content = replace(ITEM.desired.content, bindings=bindings)
    one = replace(ITEM, desired=replace(ITEM.desired, content=content))
    names = missing_names(one)
    assert {vm.lower(), "vm1", "web01"} <= names
    assert not {"a budget", "db1"} & names
    assert work_item_columns(one).unbound == 2, "what is no CI lacks nothing"
    assert missing_names(over(one)) == frozenset()
