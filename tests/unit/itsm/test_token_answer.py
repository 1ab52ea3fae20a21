"""What token endpoints answer."""

from typing import Any

import pytest
from tests.unit.itsm.scripted import answer

from secure_export.itsm.token_answer import refresh_token_in, token_in, words_in


@pytest.mark.parametrize(
    ("told", "lasts"), [(1799, 1799.0), ("1799", 1799.0), (None, None), ("soon", None), (True, None), (-5, None)]
)
def test_how_long_a_token_lasts_is_read_in_any_form(told: Any, lasts: float | None) -> None:
    """Numbers come as text, too; nonsense means that it is not known."""
    token = token_in(answer(200, {"access_token": "abc", "expires_in": told}))
    assert token is not None
    assert (token.text, token.lasts_seconds) == ("abc", lasts)


@pytest.mark.parametrize("text", [None, "", 7, "two words", "line\nbreak", "größe", "x" * 16_001])
def test_what_no_header_can_hold_is_no_token(text: Any) -> None:
    """Neither an access token nor a refresh token; nor is what is no JSON object."""
    told = answer(200, {"access_token": text, "refresh_token": text})
    assert token_in(told) is None
    assert refresh_token_in(told) is None


@pytest.mark.parametrize("body", ["<html>page</html>", [], "", {}])
def test_what_is_no_answer_of_a_token_endpoint_has_neither_token_nor_words(body: Any) -> None:
    """A sign-on page with status 200, for one."""
    told = answer(200, body)
    assert (token_in(told), refresh_token_in(told), words_in(told)) == (None, None, "")


def test_an_errors_words_are_one_line_without_our_secrets() -> None:
    """Endpoints repeat what they were sent; long words are cut."""
    told = answer(400, {"error": "invalid_grant", "error_description": f"bad\nhunter2 {'x' * 300}"})
    words = words_in(told, ["hunter2", ""])
    assert words.startswith("invalid_grant, bad … xxx")
    assert len(words) == 200
