"""Notes shared over entries, texts cut to size, and keys of records: what tools have in common."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.conformance.connector_suite_steps import work_item

from secure_export.itsm.notes import BETWEEN_NOTES, bound_cis, opening_notes, parts, reached, resolution_of
from secure_export.itsm.record_keys import LONGEST, connection_prefix, record_key, work_item_key
from secure_export.itsm.texts import cut, utf8_bytes, utf16_units
from secure_export.workitems.work_item import Binding, Note, State, tool_key

SIZES = st.sampled_from([len, utf8_bytes, utf16_units])


@settings(max_examples=200)
@given(text=st.text(max_size=60), most=st.integers(1, 40), size=SIZES)
def test_a_cut_text_fits(text: str, most: int, size: object) -> None:
    """It is never longer than it may be, stays as it is when it fits, and begins as it began."""
    found = cut(text, most, size=size)  # type: ignore[arg-type]
    assert size(found) <= most  # type: ignore[operator]
    assert found == text or text.startswith(found.removesuffix("…"))
    assert (found == text) is (size(text) <= most)  # type: ignore[operator]


@settings(max_examples=200)
@given(
    texts=st.lists(st.text("ab🚨", min_size=1, max_size=12), max_size=8),
    held=st.integers(0, 9),
    most=st.integers(48, 90),
)
def test_notes_arrive_once_and_in_order(texts: list[str], held: int, most: int) -> None:
    """Whatever is held, what is newer comes whole, in order, and each part says what is held after it."""
    notes = tuple(Note(place, text) for place, text in enumerate(texts, 2))
    revision = max(held, len(texts) + 1)
    found = parts(notes, held, revision, most=most, size=utf8_bytes)
    written = [one for part in found if part.text for one in part.text.split(BETWEEN_NOTES)]
    assert written == [note.text for note in notes if note.revision > held]
    assert all(utf8_bytes(part.text) <= most for part in found)
    assert found[-1].revision == revision
    revisions = [part.revision for part in found]
    assert revisions == sorted(revisions)


@settings(max_examples=100)
@given(texts=st.lists(st.text("ab", min_size=20, max_size=40), min_size=2, max_size=6), stop=st.integers(1, 6))
def test_notes_go_on_where_they_stopped(texts: list[str], stop: int) -> None:
    """After some of the parts were written the rest follows, and nothing comes twice."""
    notes = tuple(Note(place, text) for place, text in enumerate(texts, 2))
    revision = len(texts) + 1
    first = parts(notes, 0, revision, most=45, size=len)[:stop]
    rest = parts(notes, first[-1].revision, revision, most=45, size=len) if first[-1].revision < revision else []
    written = [one for part in (*first, *rest) if part.text for one in part.text.split(BETWEEN_NOTES)]
    assert written == texts


def test_two_notes_of_one_revision_stay_together_or_count_once() -> None:
    """An entry that does not bring the whole of a revision does not claim it."""
    notes = (Note(2, "a" * 30), Note(2, "b" * 30))
    first, second = parts(notes, 0, 2, most=40, size=len)
    assert (first.revision, second.revision) == (1, 2)


def test_cis_are_given_once() -> None:
    """What was not found is left out, what is bound twice counts once."""
    one, none = Binding("1", "a", "r", "w"), Binding(None, "b", "r", "w")
    assert bound_cis((one, none, one)) == (one,)


def test_keys_come_back() -> None:
    """A record's key gives the work item's again, for its own connection alone, and is short."""
    key = tool_key("prod", "alert", 1)
    text = record_key("prod", key)
    assert text.startswith(connection_prefix("prod"))
    assert len(text) <= LONGEST
    assert work_item_key("prod", text) == key
    assert work_item_key("test", text) is None


@pytest.mark.parametrize("text", ["", "azmon1:", "azmon1:xxxxxxxx:abc", "INC1", " azmon1:00000000:abc"])
def test_other_texts_are_no_keys(text: str) -> None:
    """What people write into the field belongs to nobody here."""
    assert work_item_key("prod", text) is None


@pytest.mark.parametrize("key", ["", "A", "a b", "a'b", "ä"])
def test_other_signs_are_refused(key: str) -> None:
    """No key holds what a query could stumble over."""
    with pytest.raises(ValueError, match="no key"):
        record_key("prod", key)


def test_a_record_begins_with_everything_unless_further_cis_follow() -> None:
    """Until those are there it does not hold the whole revision, and the last note follows with them."""
    one, two = (Binding(text, text, "name", "") for text in "ab")
    notes = (Note(1, "first"), Note(2, "last"))
    desired = work_item(revision=2, notes=notes, bindings=(one,)).desired
    assert opening_notes(desired) == (list(notes), 2)
    assert opening_notes(work_item(revision=2, notes=notes, bindings=(one, two)).desired) == ([notes[0]], 1)


def test_a_revision_that_we_have_not_reached_says_nothing() -> None:
    """It was written by a later life of our store, before it was restored."""
    desired = work_item(revision=3).desired
    assert (reached(2, desired), reached(3, desired), reached(4, desired)) == (2, 3, 0)


def test_a_resolve_has_words() -> None:
    """Tools want some; a problem that ended without any has ours."""
    assert resolution_of(work_item(state=State.RESOLVED).desired) == "Azure Monitor says it is over"
    assert resolution_of(work_item().desired) == "Azure Monitor says it is over."
