"""What can be read from an answer, whichever tool gave it."""

from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from secure_export.itsm.answer import Answer, NotJson

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
UNIX = int(NOW.timestamp())


def answer(body: bytes = b"", /, **headers: str) -> Answer:
    return Answer(200, {name.replace("_", "-"): value for name, value in headers.items()}, body)


@pytest.mark.parametrize(
    ("body", "content_type", "value"),
    [
        (b'{"result":[]}', "application/json", {"result": []}),
        (b'{"result":[]}', "", {"result": []}),
        (b"[]", "text/html", []),
        (b"\xef\xbb\xbf{}", "application/json", {}),
        ('"ü"'.encode(), "application/json; charset=utf-8", "ü"),
        ('"ü"'.encode(), "application/json; charset=iso-8859-1", "ü"),
        ('"ü"'.encode("latin-1"), "application/json; charset=ISO-8859-1", "ü"),
        (b'"x"', "application/json; charset=no-such-thing", "x"),
        (b'"x"', 'application/json; charset="', "x"),
        (b'"x"', "application/json; charset=rot13", "x"),
        (b" null ", "application/json", None),
    ],
)
def test_json_is_read_whatever_the_answer_calls_it(body: bytes, content_type: str, value: Any) -> None:
    """JSON is UTF-8; a character set that is named is a second chance."""
    assert answer(body, Content_Type=content_type).json() == value


@pytest.mark.parametrize(
    ("body", "content_type", "said"),
    [
        (b"", "application/json", "empty"),
        (b" \r\n", "application/json", "empty"),
        (b"<html>geheim</html>", "text/html;charset=UTF-8", "a web page"),
        (b"\n<!DOCTYPE html>geheim", "application/json", "a web page"),
        (b'{"result": "gehe', "application/json", "broken"),
        (b"geheim", "text/plain", "some other text"),
        ('"gehe\xfcim"'.encode("latin-1"), "application/json", "some other text"),
        (b"[" * 100_000, "application/json", "broken"),
        (b'"\\ud800"', "application/json", "some other text"),
        (b"NaN", "application/json", "some other text"),
    ],
)
def test_what_is_no_json_is_told_in_words_of_ours(body: bytes, content_type: str, said: str) -> None:
    """The body itself may be long, a sign-in page, or hold secrets: it is not repeated."""
    with pytest.raises(NotJson) as caught:
        answer(body, Content_Type=content_type).json()
    assert said in str(caught.value)
    assert "gehe" not in str(caught.value)


@settings(max_examples=150, deadline=None)
@given(body=st.binary(max_size=40), content_type=st.text(max_size=40))
def test_nothing_but_not_json_is_raised(body: bytes, content_type: str) -> None:
    """Whatever bytes come: a value, or NotJson; and always a text."""
    one = answer(body, Content_Type=content_type)
    assert isinstance(one.text, str)
    with suppress(NotJson):
        one.json()


def test_a_token_is_read_as_text() -> None:
    """Some tools answer a sign-in with a bare token."""
    assert answer(b"abc.def", Content_Type="text/plain; charset=utf-8").text == "abc.def"
    assert answer(b"\xff", Content_Type="text/plain").text == "\ufffd"
    assert answer(b"\xfc", Content_Type="text/plain; charset=latin-1").text == "ü"


def test_names_of_headers_do_not_depend_on_case() -> None:
    """Tools and proxies write them as they like."""
    assert answer(X_Total_Count="3").headers["x-total-count"] == "3"


def test_a_body_is_not_shown() -> None:
    """An answer may hold what only the service desk may read."""
    assert "geheim" not in repr(answer(b"geheim"))


@pytest.mark.parametrize(
    ("date", "time"),
    [
        ("Mon, 02 Mar 2026 09:00:00 GMT", NOW),
        ("Mon, 02 Mar 2026 10:00:00 +0100", NOW),
        ("Mon, 02 Mar 2026 09:00:00", NOW),
        ("yesterday", None),
        ("", None),
        ("Mon, 99 Mar 2026 09:00:00 GMT", None),
    ],
)
def test_the_tools_clock_is_read(date: str, time: datetime | None) -> None:
    """To compare it with ours; None when the tool does not tell it."""
    assert answer(Date=date).server_time == time


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({}, None),
        ({"Retry_After": "30"}, 30),
        ({"Retry_After": " 30 "}, 30),
        ({"Retry_After": "0"}, None),
        ({"Retry_After": "-5"}, None),
        ({"Retry_After": "1.5"}, None),
        ({"Retry_After": "soon"}, None),
        ({"Retry_After": "٣"}, None),
        ({"Retry_After": "9" * 15}, 366 * 86400),
        ({"Retry_After": "9" * 5000}, None),
        ({"Retry_After": "Mon, 02 Mar 2026 09:01:00 GMT"}, 60),
        ({"Retry_After": "Mon, 02 Mar 2026 08:59:00 GMT"}, None),
        ({"Retry_After": "Mon, 02 Mar 2026 09:01:00 GMT", "Date": "Mon, 02 Mar 2026 09:00:50 GMT"}, 10),
        ({"X_RateLimit_Reset": str(UNIX + 600)}, 600),
        ({"X_RateLimit_Reset": str(UNIX + 600), "Date": "Mon, 02 Mar 2026 09:05:00 GMT"}, 300),
        ({"X_RateLimit_Reset": "600"}, 600),
        ({"X_RateLimit_Reset": str(UNIX - 600)}, None),
        ({"X_RateLimit_Reset": "x"}, None),
        ({"Retry_After": "30", "X_RateLimit_Reset": str(UNIX + 600)}, 30),
        ({"Retry_After": "soon", "X_RateLimit_Reset": str(UNIX + 600)}, 600),
    ],
)
def test_the_tools_wish_for_calm_is_read(headers: dict[str, str], seconds: float | None) -> None:
    """Retry-After in both its forms, then X-RateLimit-Reset; a clock of the tool's that is off does not matter."""
    until = answer(**headers).asked_until(NOW)
    assert until == (NOW + timedelta(seconds=seconds) if seconds is not None else None)
