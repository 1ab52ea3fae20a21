"""Reading the messages of an AR server."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.unit.itsm.bmc_helix.ar_answers import ar_error

from secure_export.itsm.bmc_helix.api.ar_messages import ArMessage, messages_in_header, messages_of, told


def test_all_messages_of_a_list_are_read() -> None:
    """An answer may hold several, nulls between them, and two spellings of the details."""
    other = {"messageType": "NOTE", "messageText": "More", "appendedText": "here", "messageNumber": "8914"}
    found = messages_of([*ar_error(623, "Authentication failed", "azure"), None, other])
    assert found == (
        ArMessage("ERROR", 623, "Authentication failed", "azure"),
        ArMessage("NOTE", 8914, "More", "here"),
    )
    assert told(found) == "ARERR 623: Authentication failed / azure; ARERR 8914: More / here"


@pytest.mark.parametrize("body", [None, {}, {"message": "Access forbidden", "code": 403}, "text", [1], [{"a": 1}]])
def test_what_is_no_list_of_messages_is_none(body: Any) -> None:
    """Other bodies are judged by other rules."""
    assert messages_of(body) is None


def test_an_empty_list_has_no_messages() -> None:
    """Servers answer so; it says nothing."""
    assert messages_of([]) == ()
    assert told(()) == "no words"


def test_the_header_is_read_even_when_it_is_no_json() -> None:
    """What cannot be read is kept as a text, so that a guest's log-in is not passed over."""
    assert messages_in_header("") == ()
    assert messages_in_header('[{"messageType":"WARNING","messageNumber":59,"messageText":"x"}]')[0].number == 59
    assert messages_in_header("login failed")[0].text == "login failed"


def test_words_are_cut() -> None:
    """A message becomes one line of bounded length."""
    words = ArMessage("ERROR", 1, "a" * 1000).words
    assert len(words) == 300
    assert words.endswith("…")


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=10,
)


@settings(max_examples=100)
@given(st.lists(st.dictionaries(st.sampled_from(["messageType", "messageText", "messageNumber", "x"]), _JSON)))
def test_no_body_breaks_it(body: list[dict[str, Any]]) -> None:
    """Whatever a server or a proxy sends, there is an answer, and its words are one line."""
    for message in messages_of(body) or ():
        assert "\n" not in message.words


@settings(max_examples=100)
@given(st.text())
def test_no_header_breaks_it(text: str) -> None:
    """Whatever the header says, messages come out of it."""
    assert bool(messages_in_header(text)) or not text.strip() or text.strip().startswith("[")
