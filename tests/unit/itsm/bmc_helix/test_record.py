"""What an incident tells of its work item, and the other way round: pure."""

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from tests.unit.itsm.bmc_helix.fake_ar import bound, settings, work_item

from secure_export.itsm.bmc_helix import rows
from secure_export.itsm.bmc_helix.incidents import record
from secure_export.itsm.notes import Part
from secure_export.itsm.texts import utf8_bytes
from secure_export.workitems.priority import priority
from secure_export.workitems.work_item import ToolState

AT = datetime(2026, 3, 1, 12, tzinfo=UTC)
STAMP = "2022-06-21T11:08:05.000+0000"
_IMPACT_WEIGHTS = {"1": 9, "2": 5, "3": 3, "4": 0}
_URGENCY_WEIGHTS = {"1": 20, "2": 15, "3": 10, "4": 0}


def test_a_new_incident() -> None:
    """Names with underscores, labels for impact and urgency, and the action that some versions need."""
    values = record.opening(work_item(bindings=(bound("vm", "OI-1"),)), settings(), {"Description": 12})
    assert values["Description"] == "CPU of vm…"
    assert values["Detailed_Decription"] == "Percentage CPU is 93."
    assert (values["Impact"], values["Urgency"]) == ("3-Moderate/Limited", "1-Critical")
    assert (values["Status"], values["z1D_Action"]) == ("New", "CREATE")
    assert values["HPD_CI_ReconID"] == "OI-1"


@pytest.mark.parametrize(("impact", "urgency"), [(i, u) for i in (1, 2, 3) for u in (1, 2, 3)])
def test_bmcs_priority_is_near_ours(impact: int, urgency: int) -> None:
    """With the usual tables BMC computes a priority that is ours, or one beside it."""
    told = settings()
    weight = _IMPACT_WEIGHTS[told.impact[impact][0]] + _URGENCY_WEIGHTS[told.urgency[urgency][0]]
    theirs = 1 if weight >= 24 else 2 if weight >= 18 else 3 if weight >= 10 else 4
    assert abs(theirs - min(priority(impact, urgency), 4)) <= 1


def test_a_note_carries_its_mark() -> None:
    """The summary of a work note says which revision it brings, and is read again."""
    values = record.work_info(Part("Fired: disk", 12), settings())
    assert record.marked_revision(values["z1D_WorklogDetails"]) == 12
    assert values["z1D_Details"] == "Fired: disk"
    assert utf8_bytes(values["z1D_WorklogDetails"]) <= 100
    assert record.work_info(Part("", 3), settings()) == {}


@pytest.mark.parametrize("summary", ["", "Taken", "Re: Azure Monitor alert, rev 3", "Azure Monitor alert, rev x"])
def test_other_notes_carry_none(summary: str) -> None:
    """What people write is no mark of ours."""
    assert record.marked_revision(summary) == 0


@pytest.mark.parametrize(
    ("status", "state"),
    [
        ("New", ToolState.OPEN),
        ("Assigned", ToolState.OPEN),
        ("In Progress", ToolState.OPEN),
        ("Pending", ToolState.OPEN),
        ("Resolved", ToolState.RESOLVED),
        ("Closed", ToolState.CLOSED),
        ("Cancelled", ToolState.CLOSED),
        (4, ToolState.RESOLVED),
        ("A word of the site", ToolState.OPEN),
    ],
)
def test_states(status: Any, state: ToolState) -> None:
    """Closed and Cancelled are final; what is not known is open."""
    assert record.state_of({"Status": status}) is state


@pytest.mark.parametrize(
    ("row", "entry_id"),
    [
        ({"Request ID": "INC1|INC1"}, "INC1|INC1"),
        ({"Request ID": "INC1"}, "INC1|INC1"),
        ({rows.ID: "INC2|INC2"}, "INC2|INC2"),
        ({rows.ID: "INC2"}, "INC2|INC2"),
        ({}, ""),
    ],
)
def test_the_id_to_change_by(row: dict[str, Any], entry_id: str) -> None:
    """The join form's id, from the record or its link, in both of its forms."""
    assert record.update_id(row) == entry_id


def test_what_is_confirmed() -> None:
    """Number, state, who has it, how it was resolved and when it ended."""
    row = {
        "Request ID": "INC5|INC5",
        "Incident Number": "INC1",
        "InstanceId": "AG/1",
        "Status": "Resolved",
        "Status_Reason": "No Further Action Required",
        "Resolution": "Restarted",
        "Assignee": "Ada",
        "Assigned Group": "Linux",
        "Last Modified Date": "2022-06-22T11:08:05.000+0000",
        "Last Resolved Date": STAMP,
    }
    told = settings(incident_url="https://smartit.example/app/#/incident/{instance_id}?n={number}&e={entry_id}")
    found = record.confirmed(row, told, at=AT, revision=3, remarks=["one"])
    assert found.url == "https://smartit.example/app/#/incident/AG%2F1?n=INC1&e=INC5"
    assert (found.number, found.ref, found.revision) == ("INC1", "INC5|INC5", 3)
    assert (found.assignment, found.tool_state) == ("Ada", "Resolved")
    assert found.resolution == "No Further Action Required: Restarted"
    assert found.ended_at == datetime(2022, 6, 21, 11, 8, 5, tzinfo=UTC)
    assert found.changed_at == datetime(2022, 6, 22, 11, 8, 5, tzinfo=UTC)
    assert record.confirmed({**row, "Status": "Assigned"}, settings(), at=AT, revision=0).ended_at is None


def test_a_cancelled_incident_ended_when_it_was_changed() -> None:
    """Where no time of an end is kept, the last change is it."""
    row = {"Status": "Cancelled", "Last Modified Date": STAMP}
    assert record.confirmed(row, settings(), at=AT, revision=0).ended_at == datetime(2022, 6, 21, 11, 8, 5, tzinfo=UTC)


@pytest.mark.parametrize(
    ("told", "at"),
    [
        (STAMP, datetime(2022, 6, 21, 11, 8, 5, tzinfo=UTC)),
        ("2022-06-21T13:08:05.000+0200", datetime(2022, 6, 21, 11, 8, 5, tzinfo=UTC)),
        ("2022-06-21T11:08:05Z", datetime(2022, 6, 21, 11, 8, 5, tzinfo=UTC)),
        (1655809685, datetime(2022, 6, 21, 11, 8, 5, tzinfo=UTC)),
        ("", None),
        (None, None),
        ("yesterday", None),
        (True, None),
        (10**30, None),
    ],
)
def test_times(told: Any, at: datetime | None) -> None:
    """The offset without a colon, and seconds since 1970."""
    assert rows.time_of({"Submit Date": told}, "Submit Date") == at


@pytest.mark.parametrize(
    ("href", "entry_id"),
    [
        ("https://x/api/arsys/v1/entry/HPD:IncidentInterface/INC1%7CINC1", "INC1|INC1"),
        ("https://x/api/arsys/v1/entry/HPD%3AIncidentInterface/INC1", "INC1"),
        ("https://x/api/arsys/v1/entry/HPD:IncidentInterface_Create/000000000000606?fields=x", "000000000000606"),
        ("https://x/api/arsys/v1/entry/HPD:IncidentInterface_Create", ""),
        ("", ""),
    ],
)
def test_ids_in_addresses(href: str, entry_id: str) -> None:
    """A record's own link, and a form's, which has none."""
    assert rows.id_in(href) == entry_id
    row = rows.row_of({"values": {}, "_links": {"self": [{"href": href}]}})
    assert row is not None
    assert row[rows.ID] == entry_id


@pytest.mark.parametrize("entry", [None, 3, {}, {"values": None}, []])
def test_what_is_no_record(entry: Any) -> None:
    """An entry without values is none."""
    assert rows.row_of(entry) is None


@hypothesis_settings(max_examples=100)
@given(title=st.text(max_size=200), most=st.integers(4, 120))
def test_titles_fit(title: str, most: int) -> None:
    """However long and foreign, one line that the field takes."""
    found = record.title_of(work_item(title=title), most)
    assert utf8_bytes(found) <= most
    assert "\n" not in found
