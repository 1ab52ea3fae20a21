"""What a record of ours is known by."""

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from secure_export.itsm.servicenow import keys
from secure_export.workitems.work_item import tool_key

KEY = "0123456789abcdef0123456789abcdef"
names = st.text(min_size=1, max_size=60)


@given(connection=names, correlation=names, generation=st.integers(1, 10_000))
@settings(max_examples=100)
def test_every_key_fits_and_needs_no_escape(connection: str, correlation: str, generation: int) -> None:
    """A correlation_id has at most 100 characters, all of them lower-case letters, digits or colons."""
    text = keys.correlation_id(connection, tool_key(connection, correlation, generation))
    assert len(text) <= 100
    assert re.fullmatch(r"azmon1:[0-9a-z:]+", text)


@given(connection=names, correlation=names)
@settings(max_examples=50)
def test_a_key_gives_the_work_item_back(connection: str, correlation: str) -> None:
    """The work item's own key is read back from the correlation_id, by its connection and by no other."""
    key = tool_key(connection, correlation, 1)
    text = keys.correlation_id(connection, key)
    assert keys.work_item_key(connection, text) == key
    assert keys.work_item_key(f"{connection}x", text) is None


def test_two_alerts_that_differ_at_their_end_have_different_keys() -> None:
    """Azure's alert ids are longer than the field: cut ids would be the same for different alerts."""
    alert = f"/subscriptions/{'1' * 36}/providers/microsoft.alertsmanagement/alerts/00000000-0000-0000-0000-00000000000"
    one, other = (keys.correlation_id("prod", tool_key("prod", f"{alert}{n}", 1)) for n in range(2))
    assert one != other


@pytest.mark.parametrize("key", ["", " ", "a^b", "A", "a,b", "a b", "javascript:x"])
def test_an_empty_or_strange_key_is_never_asked_for(key: str) -> None:
    """A query with an empty value matches records that have none, and some characters are the query's own."""
    with pytest.raises(ValueError, match="no key"):
        keys.correlation_id("prod", key)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "azmon1:",
        KEY,
        f"azmon1:00000000:{KEY}",
        f"AZMON1:{KEY}",
        "INC0010001",
        f"{keys.connection_prefix('prod')}",
        f"{keys.connection_prefix('prod')}{KEY} ",
        f"{keys.connection_prefix('prod')}canary:{KEY}",
    ],
)
def test_what_is_no_key_of_ours_is_nobodys(text: str) -> None:
    """Correlation ids of other integrations, of other connections and of the canary belong to no work item."""
    assert keys.work_item_key("prod", text) is None


def test_the_sys_id_is_the_same_for_the_same_record() -> None:
    """A sys_id has 32 hexadecimal digits and depends on table and key alone, so that a second insert is refused."""
    one = keys.sys_id("incident", "azmon1:x")
    assert one == keys.sys_id("incident", "azmon1:x")
    assert keys.is_sys_id(one)
    assert len({one, keys.sys_id("problem", "azmon1:x"), keys.sys_id("incident", "azmon1:y")}) == 3
