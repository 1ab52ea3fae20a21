"""Events of a work item, and the alerts that they become, as far as that is pure."""

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.conformance.connector_suite_steps import NOW, bound, noted, to_resolve, work_item

from secure_export.itsm.servicenow.events import event
from secure_export.itsm.servicenow.events.event import (
    ALERT_FIELDS,
    MOST_DESCRIPTION,
    MOST_INFO,
    MOST_NAME,
    NOTE,
    REVISION,
    EmAlert,
    Origin,
    alert_of,
    confirmed,
    info_of,
    notes_of,
    severity,
    that_counts,
)
from secure_export.workitems.work_item import Binding, Firing, Note, ToolState, WorkItem

KEY = "azmon1:01234567:" + "a" * 32
ORIGIN = Origin(
    event_class="Secure Export: prod",
    link=lambda item: f"https://console.example/work-items/{item.id}",
    class_of=lambda _: "cmdb_ci_vm_instance",
)
VM = "/subscriptions/1/resourcegroups/web/providers/microsoft.compute/virtualmachines/vm-web-1"
OPEN = EmAlert(sys_id="s1", number="Alert0010001", key=KEY, state="Open", severity="2", description="as people left it")


def opened(item: WorkItem) -> dict[str, str]:
    (record,) = event.opening(item, KEY, ORIGIN, now=NOW)
    return record


def saying(item: WorkItem, **fields: str) -> WorkItem:
    content = replace(item.desired.content, fields=fields)
    return replace(item, desired=replace(item.desired, content=content))


@pytest.mark.parametrize(
    ("azure", "told"),
    [("Sev0", "1"), ("Sev1", "2"), ("Sev2", "4"), ("Sev3", "4"), ("Sev4", "5"), (None, "4"), ("odd", "4")],
)
def test_the_severity_is_that_of_the_published_table(azure: str | None, told: str) -> None:
    """ServiceNow's own integration maps Azure's severities like this; what has none is a warning."""
    assert severity(azure) == told


def test_an_opening_event_says_what_fired() -> None:
    """Key, class, severity, text, time and what we go by later are in it; no host is named."""
    fired = Firing("alert-1", NOW - timedelta(hours=1), 1)
    record = opened(replace(work_item(), unseen=(fired,)))
    assert record["message_key"] == KEY
    assert (record["severity"], record["resolution_state"]) == ("2", "New")
    assert (record["source"], record["event_class"], record["node"]) == ("Azure Monitor", "Secure Export: prod", "")
    assert record["description"] == "CPU of vm-web-1 is high\n\nPercentage CPU is 93.\nThe threshold is 80."
    assert record["time_of_event"] == "2026-03-01 11:00:00"
    info = json.loads(record["additional_info"])
    assert (info[REVISION], info["azure_severity"]) == ("1", "Sev1")
    assert info["secure_export_url"] == "https://console.example/work-items/item of alert-1"


def test_the_title_is_not_said_twice() -> None:
    """Most descriptions begin with it."""
    assert opened(work_item(title="CPU", description="CPU\n\nIt is high."))["description"] == "CPU\n\nIt is high."


def test_an_event_is_never_of_the_future() -> None:
    """Azure's clock may be ahead: an end that seemed older than its firing would be passed over."""
    record = opened(replace(work_item(), unseen=(Firing("alert-1", NOW + timedelta(minutes=4), 1),)))
    assert record["time_of_event"] == "2026-03-01 12:00:00"


def test_what_was_not_found_is_named_by_class_and_resource_id() -> None:
    """The instance may bind what our look-up did not find."""
    record = opened(work_item(bindings=(Binding(None, VM, "not-in-cmdb", "the CMDB has none"),)))
    assert (record["type"], record["resource"]) == ("microsoft.compute/virtualmachines", "vm-web-1")
    assert (record["ci_type"], record["ci_identifier"]) == ("cmdb_ci_vm_instance", "")
    assert json.loads(record["additional_info"])["object_id"] == VM


def test_a_ci_is_named_by_its_own_key() -> None:
    """Its class is the one that the CMDB told."""
    binding = replace(bound("c1", "vm-web-1"), attributes={"sys_class_name": "cmdb_ci_win_server"})
    record = opened(work_item(bindings=(binding,)))
    assert (record["ci_type"], json.loads(record["ci_identifier"])) == ("cmdb_ci_win_server", {"sys_id": "c1"})


def test_the_first_ci_stays_the_first() -> None:
    """What an alert was made with is not changed by a later event."""
    alert = replace(OPEN, info={event.CIS: "c1"})
    item = work_item(bindings=(bound("c2", "vm-2"), bound("c1", "vm-1")), revision=2)
    (record,) = event.more(item, KEY, ORIGIN, alert, now=NOW)
    assert json.loads(record["ci_identifier"]) == {"sys_id": "c1"}
    assert json.loads(record["additional_info"])[event.CIS] == "c1 c2"


def test_a_route_names_fields_of_the_event_and_further_information() -> None:
    """Names of the event's own columns go there, all others into the information; ours are not overwritten."""
    item = saying(work_item(), node="web-1", metric_name="CPU", team="shop", message_key="stolen", severity="1")
    record = opened(item)
    assert (record["node"], record["metric_name"], record["severity"]) == ("web-1", "CPU", "1")
    assert record["message_key"] == KEY
    info = json.loads(record["additional_info"])
    assert info["team"] == "shop"
    assert "message_key" not in info


def test_an_update_leaves_what_people_set() -> None:
    """Severity and text are sent back as they are; the notes come as information, each under a key of its own."""
    item = noted(work_item(title="Other"), "Fired: disk", "Fired: memory")
    (record,) = event.more(item, KEY, ORIGIN, replace(OPEN, severity="4"), now=NOW)
    assert (record["severity"], record["description"]) == ("4", "as people left it")
    info = info_of(record["additional_info"])
    assert notes_of(info) == ("Fired: disk", "Fired: memory")
    assert info[REVISION] == "3"


def test_an_event_that_is_sent_again_says_the_same() -> None:
    """The alert that took the first one is no different after the second."""
    item = noted(work_item(), "Fired: disk")
    (first,) = event.more(item, KEY, ORIGIN, OPEN, now=NOW)
    after = replace(OPEN, info=info_of(first["additional_info"]))
    (second,) = event.more(item, KEY, ORIGIN, after, now=NOW)
    assert second == first


def test_an_ending_closes_and_says_why() -> None:
    """Notes that are owed come with it; where they are many, only the last of the events closes."""
    item = to_resolve(noted(work_item(), *(f"Fired: {number}" for number in range(25))))
    records = event.ending(item, KEY, ORIGIN, OPEN, now=NOW)
    assert [(one["severity"], one["resolution_state"]) for one in records] == [
        ("2", "New"),
        ("2", "New"),
        ("0", "Closing"),
    ]
    assert [info_of(one["additional_info"])[REVISION] for one in records] == ["11", "21", "27"]
    info = info_of(records[-1]["additional_info"])
    assert info[event.RESOLUTION] == item.desired.resolution
    assert notes_of(info)[-1] == "Fired: 24"


def test_a_firing_again_is_as_bad_as_it_was() -> None:
    """An instance may set the severity of a closed alert to clear: that is no severity to open it with."""
    closed = replace(OPEN, state="Closed", severity="0", info={event.RESOLUTION: "over"})
    (record,) = event.again(work_item(), KEY, ORIGIN, closed, now=NOW)
    assert (record["severity"], record["resolution_state"]) == ("2", "New")
    assert info_of(record["additional_info"])[event.RESOLUTION] == ""


texts = st.text(max_size=400)


@settings(max_examples=150, deadline=None)
@given(
    title=texts,
    description=st.text(max_size=300).map(lambda text: text * 40),
    notes=st.lists(texts, max_size=30),
    fields=st.dictionaries(st.sampled_from(["node", "type", "team", "u_one", "u_two"]), texts),
    before=st.dictionaries(st.one_of(texts, st.sampled_from([f"{NOTE}01", f"{NOTE}19", REVISION])), texts, max_size=5),
)
def test_whatever_is_said_fits(
    title: str, description: str, notes: list[str], fields: dict[str, str], before: dict[str, str]
) -> None:
    """Every field is a text within its length, and the additional information is a JSON object of texts in a text."""
    item = saying(noted(work_item(title=title, description=description), *notes), **fields)
    alert = replace(OPEN, info=before)
    for records in (
        event.opening(item, KEY, ORIGIN, now=NOW),
        event.more(item, KEY, ORIGIN, alert, now=NOW),
        event.ending(to_resolve(item), KEY, ORIGIN, alert, now=NOW),
    ):
        for record in records:
            assert all(isinstance(value, str) for value in record.values())
            assert len(record["description"]) <= MOST_DESCRIPTION
            names = ("source", "node", "type", "resource", "metric_name", "event_class", "ci_type")
            assert all(len(record[name]) <= MOST_NAME for name in names)
            assert len(record["additional_info"]) <= MOST_INFO
            info = json.loads(record["additional_info"])
            assert all(isinstance(value, str) for value in info.values())
        assert info_of(records[-1]["additional_info"])[REVISION] == str(
            to_resolve(item).desired.revision if records[-1]["severity"] == "0" else item.desired.revision
        )


def test_information_stays_within_its_field_however_often_it_is_added_to() -> None:
    """An instance may add newer information to the older: the notes' keys are a ring, so that nothing grows."""
    info: dict[str, str] = {}
    for revision in range(2, 400):
        item = work_item(revision=revision, notes=(Note(revision, f"Fired: {revision} {'x' * 500}"),))
        for record in event.more(item, KEY, ORIGIN, replace(OPEN, info=info), now=NOW):
            info |= info_of(record["additional_info"])
        assert len(json.dumps(info, ensure_ascii=False)) <= MOST_INFO
    assert notes_of(info)[-1].startswith("Fired: 399")


@pytest.mark.parametrize("text", ["", "no JSON", "[1]", "3", '{"a"', "\x00"])
def test_information_that_is_none_says_nothing(text: str) -> None:
    """People and rules may write anything there."""
    assert info_of(text) == {}
    assert alert_of({"additional_info": text}).revision == 0


@pytest.mark.parametrize("text", ["", "-1", "1e3", "²", "x", " 1"])
def test_a_revision_that_is_none_is_zero(text: str) -> None:
    """Only digits of ours count."""
    assert replace(OPEN, info={REVISION: text}).revision == 0


def test_notes_that_a_person_changed_break_nothing() -> None:
    """A note without its number counts as the oldest."""
    assert notes_of({f"{NOTE}01": "edited by hand", f"{NOTE}02": "7 Fired: disk"}) == ("by hand", "Fired: disk")


def test_an_alert_is_read() -> None:
    """Flags are words, times are UTC."""
    row = dict.fromkeys(ALERT_FIELDS, "") | {
        "sys_id": "s1",
        "message_key": KEY,
        "state": "Flapping",
        "acknowledged": "true",
        "assigned_to": "Ada Lovelace",
        "assignment_group": "Linux",
        "incident": "INC0010001",
        "sys_updated_on": "2026-03-01 11:59:00",
        "sys_created_on": "not a time",
    }
    alert = alert_of(row)
    assert (alert.key, alert.acknowledged, alert.assignment, alert.created_at) == (KEY, True, "Ada Lovelace", None)
    told = confirmed(alert, now=NOW, url="https://x", active_interval=None)
    assert (told.state, told.tool_state) == (ToolState.OPEN, "Flapping, Acknowledged, INC0010001")
    assert told.changed_at == datetime(2026, 3, 1, 11, 59, tzinfo=UTC)


@pytest.mark.parametrize(
    ("interval", "state"),
    [(None, ToolState.RESOLVED), (timedelta(hours=1), ToolState.RESOLVED), (timedelta(minutes=1), ToolState.CLOSED)],
)
def test_a_closed_alert_is_final_after_the_active_interval(interval: timedelta | None, state: ToolState) -> None:
    """Within it a new event opens the alert again; where it is not known, nobody can say that it is final."""
    closed = replace(OPEN, state="Closed", updated_at=NOW - timedelta(minutes=30))
    told = confirmed(closed, now=NOW, url="", active_interval=interval)
    assert (told.state, told.ended_at) == (state, NOW - timedelta(minutes=30))


def test_of_several_alerts_the_open_one_counts_or_else_the_newest() -> None:
    """A key has several when an event came after the active interval."""
    old = replace(OPEN, sys_id="old", state="Closed", created_at=NOW - timedelta(days=2))
    new = replace(OPEN, sys_id="new", state="Closed", created_at=NOW - timedelta(days=1))
    is_open = replace(OPEN, sys_id="open", created_at=NOW - timedelta(days=3))
    assert that_counts([]) is None
    assert that_counts([new, old]) is new
    assert that_counts([old, is_open, new]) is is_open
