"""What queries ask for, written so that no text can say more than it means."""

from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.unit.itsm.bmc_helix.fake_ar import qualified

from secure_export.itsm.bmc_helix.api import qualification
from secure_export.itsm.bmc_helix.incidents.record import row_fields
from secure_export.itsm.bmc_helix.incidents.sightings import most_keys
from secure_export.itsm.record_keys import record_key

PRINTABLE = st.text(st.characters(exclude_categories=("C", "Z")), min_size=1, max_size=40)


@settings(max_examples=150)
@given(wanted=PRINTABLE, other=PRINTABLE)
def test_a_text_means_itself(wanted: str, other: str) -> None:
    """Whatever signs a text has, a query for it finds it and nothing else."""
    test = qualified(qualification.equal("Description", wanted))
    assert test({"Description": wanted})
    assert test({"Description": other}) is (wanted == other)


@pytest.mark.parametrize("text", ["x\" OR 'Status' < \"Closed", '"', '""', "a'b", "% OR 1=1"])
def test_a_text_cannot_end_early(text: str) -> None:
    """Quotes are doubled, so that what follows one is still the text."""
    test = qualified(qualification.equal("Description", text))
    assert test({"Description": text, "Status": "New"})
    assert not test({"Description": "x", "Status": "New"})


@pytest.mark.parametrize("name", ["", " ", "a'b", "a\nb"])
def test_a_name_cannot_end_early(name: str) -> None:
    """What is no name of a field is refused."""
    with pytest.raises(ValueError, match="no name of a field"):
        qualification.field(name)


@pytest.mark.parametrize("text", ["a\nb", "a\x00b"])
def test_control_characters_are_refused(text: str) -> None:
    """No query holds them."""
    with pytest.raises(ValueError, match="control characters"):
        qualification.text(text)


@pytest.mark.parametrize("text", ["50%", "a_b", "a[b"])
def test_a_beginning_holds_no_signs_of_like(text: str) -> None:
    """A beginning is asked for as it is, so that it may not hold what LIKE reads otherwise."""
    with pytest.raises(ValueError, match="%"):
        qualification.begins("Description", text)


def test_empty_is_different() -> None:
    """A field without a value is not the user who we are."""
    test = qualified(qualification.differs("Last Modified By", "us"))
    assert [test({"Last Modified By": by}) for by in ("us", "ada", None)] == [False, True, True]


def test_terms_are_kept_together() -> None:
    """Alternatives within a term do not reach over to the next one."""
    text = qualification.together(qualification.one_of("A", ["1", "2"]), qualification.equal("B", "x"))
    test = qualified(text)
    assert [test({"A": a, "B": b}) for a, b in (("1", "x"), ("2", "x"), ("1", "y"), ("3", "x"))] == [
        True,
        True,
        False,
        False,
    ]


def test_times_are_seconds() -> None:
    """Seconds since 1970 mean the same in every language and zone."""
    at = datetime(2026, 3, 1, 12, tzinfo=UTC)
    assert qualification.since("Last Modified Date", at) == "'Last Modified Date' >= 1772366400"


@pytest.mark.parametrize("key_field", ["Vendor Ticket Number", "mc_ueid", "A field with a rather long name of a site"])
def test_the_url_stays_short(key_field: str) -> None:
    """As many keys as are asked for at once fit into what proxies let through."""
    keys = [record_key("prod", f"{number:032x}") for number in range(most_keys(key_field))]
    query = qualification.encoded_length(qualification.one_of(key_field, keys))
    fields = qualification.encoded_length(f"values({','.join(row_fields(key_field))})")
    assert len(keys) >= 4
    assert query + fields < 1_900
