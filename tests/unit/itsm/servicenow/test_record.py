"""Work items in ServiceNow's fields, and records read back."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.unit.itsm.scripted import NOW
from tests.unit.itsm.servicenow.fake_instance import work_item

from secure_export.itsm.notes import BETWEEN_NOTES, bound_cis
from secure_export.itsm.servicenow.tasks import record
from secure_export.itsm.servicenow.tasks.kinds import INCIDENT
from secure_export.itsm.servicenow.tasks.record import LONGEST_NOTES, cut, parts, revision_of
from secure_export.itsm.texts import utf16_units as units
from secure_export.workitems.work_item import Binding, Note, ToolState

long_texts = st.builds(lambda text, times: text * times, st.text(min_size=1, max_size=20), st.integers(1, 400))


@given(text=long_texts, most=st.integers(20, 200))
@settings(max_examples=100)
def test_a_cut_text_fits_as_the_instance_counts(text: str, most: int) -> None:
    """Lengths are UTF-16 code units; a text that fits stays as it is, and half an emoji is never left."""
    shortened = cut(text, most)
    assert units(shortened) <= most
    assert shortened == text if units(text) <= most else shortened.endswith("…")
    shortened.encode("utf-8")


def test_an_emoji_counts_twice() -> None:
    """The instance counts as Java does: 160 characters hold 80 of them, and none is cut in half."""
    item = work_item()
    content = replace(item.desired.content, title="🚨" * 100)
    title = record.title_of(replace(item, desired=replace(item.desired, content=content)))
    assert title == "🚨" * 79 + "…"


@given(title=long_texts, revision=st.integers(0, 10**9))
@settings(max_examples=100)
def test_the_revision_survives_any_title(title: str, revision: int) -> None:
    """However long or strange a title is, the revision is read back from 100 characters."""
    item = work_item()
    content = replace(item.desired.content, title=title)
    shown = record.display_of(replace(item, desired=replace(item.desired, content=content)), revision)
    assert units(shown) <= 100
    assert revision_of({"correlation_display": shown}) == revision


@pytest.mark.parametrize("text", ["", "CPU", "CPU · rev ", "CPU · rev x", "rev 3", "CPU · rev 3 ", "CPU · rev 3\nx"])
def test_a_display_that_people_changed_tells_no_revision(text: str) -> None:
    """What cannot be told is 0: nothing is taken for written that may not be."""
    assert revision_of({"correlation_display": {"value": text, "display_value": text}}) == 0


@given(
    lengths=st.lists(st.integers(0, 5000), max_size=8),
    held=st.integers(0, 10),
    more=st.integers(0, 3),
)
@settings(max_examples=150)
def test_notes_are_shared_over_entries_without_loss(lengths: list[int], held: int, more: int) -> None:
    """Every note that is owed is in exactly one entry, in order; entries fit; the last brings the whole revision."""
    notes = [Note(place + 1, f"{place}:" + "x" * length) for place, length in enumerate(lengths)]
    revision = len(notes) + more
    shared = parts(notes, held, revision)
    assert all(units(part.text) <= LONGEST_NOTES for part in shared)
    assert shared[-1].revision == revision
    assert [part.revision for part in shared] == sorted({part.revision for part in shared})
    told = [text for part in shared if part.text for text in part.text.split(BETWEEN_NOTES)]
    owed = [note for note in notes if note.revision > held]
    assert [text.split(":")[0] for text in told] == [note.text.split(":")[0] for note in owed]
    for part in shared:
        later = [note for note in owed if note.revision > part.revision]
        assert not any(note.text[:LONGEST_NOTES] in part.text for note in later)


def test_an_entry_that_is_lost_loses_no_note_of_the_same_revision() -> None:
    """Two notes of one revision that do not fit into one entry: the first alone does not bring the revision."""
    shared = parts([Note(3, "a" * 3000), Note(3, "b" * 3000)], 0, 3)
    assert [part.revision for part in shared] == [2, 3]


def test_bindings_that_found_nothing_are_no_cis() -> None:
    """Only what the CMDB has is bound, each once, the first first."""
    found = [Binding(id_, "n", "r", "why") for id_ in ("b", "a", "b")]
    bound = bound_cis([Binding(None, "x", "not-in-cmdb", "no"), *found])
    assert [one.id for one in bound] == ["b", "a"]


def test_a_record_is_read_as_people_see_it() -> None:
    """Assignment, state and resolution are shown by their display values; times are read from the values, in UTC."""
    row = {
        "sys_id": {"value": "a" * 32, "display_value": "a"},
        "number": {"value": "INC1", "display_value": "INC1"},
        "state": {"value": "6", "display_value": "Gelöst"},
        "active": {"value": "true", "display_value": "true"},
        "assigned_to": {"value": "", "display_value": ""},
        "assignment_group": {"value": "b" * 32, "display_value": "Linux"},
        "close_code": {"value": "x", "display_value": "Solution provided"},
        "close_notes": {"value": "Restarted\n", "display_value": "Restarted\n"},
        "resolved_at": {"value": "2026-03-01 11:00:00", "display_value": "01.03.2026 12:00:00"},
        "sys_updated_on": {"value": "2026-03-01 11:30:00", "display_value": "01.03.2026 12:30:00"},
        "correlation_display": {"value": "CPU · rev 4", "display_value": "CPU · rev 4"},
    }
    told = record.confirmed(row, INCIDENT, url="https://acme.example", at=NOW)
    assert (told.number, told.state, told.revision) == ("INC1", ToolState.RESOLVED, 4)
    assert (told.assignment, told.tool_state) == ("Linux", "Gelöst")
    assert told.resolution == "Solution provided: Restarted"
    assert told.ended_at == datetime(2026, 3, 1, 11, tzinfo=UTC)
    assert told.changed_at == datetime(2026, 3, 1, 11, 30, tzinfo=UTC)


@pytest.mark.parametrize(("state", "at_work"), [("1", False), ("2", True), ("3", True), ("6", False), ("9", False)])
def test_work_in_progress_is_told_by_the_value_in_every_language(state: str, *, at_work: bool) -> None:
    """The word is what the instance's language makes of it; a value of a customer's own says nothing."""
    row = {"state": {"value": state, "display_value": "In Bearbeitung"}}
    assert record.confirmed(row, INCIDENT, url="https://acme.example", at=NOW).at_work is at_work


@pytest.mark.parametrize("text", ["", "yesterday", "2026-13-01 00:00:00", "01.03.2026 12:00:00"])
def test_a_time_that_is_none_is_none(text: str) -> None:
    """Something that is no time of the value form is not guessed at."""
    assert record.time_of({"closed_at": text}, "closed_at") is None


@pytest.mark.parametrize(
    ("sent", "there", "words"),
    [
        ("cloud", "cloud", ""),
        ("a\nb", "a\r\nb ", ""),
        ("cloud", "", "empty"),
        ("abcdef", "abc", "cut"),
        ("cloud", "network", "'network'"),
    ],
)
def test_what_the_instance_has_otherwise_is_named(sent: str, there: str, words: str) -> None:
    """Blanked, cut and replaced values are told; the same value with other line ends is the same."""
    found = record.differences({"category": sent}, {"category": {"value": there, "display_value": there}})
    assert (words in found["category"]) if words else found == {}


def test_a_field_that_does_not_come_back_is_named() -> None:
    """Unknown names are passed over by the instance without a word."""
    assert "no such field" in record.differences({"u_x": "1"}, {})["u_x"]
