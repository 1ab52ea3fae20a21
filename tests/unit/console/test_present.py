"""How things are written for people."""

from datetime import UTC, datetime, timedelta, timezone
from urllib.parse import unquote, urlsplit

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.unit.console.standins import NOW

from secure_export.console import present


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "0 ms"),
        (0.0004, "0 ms"),
        (0.34, "340 ms"),
        (1, "1.0 s"),
        (59.94, "59.9 s"),
        (60, "1 min"),
        (125, "2 min 5 s"),
        (3600, "1 h"),
        (3 * 3600 + 60 * 5 + 9, "3 h 5 min"),
        (86400 * 40 + 7200, "40 d 2 h"),
        (-3, "0 ms"),
    ],
)
def test_durations(seconds: float, text: str) -> None:
    """A duration is written with its two largest units."""
    assert present.duration(seconds) == text


@pytest.mark.parametrize(
    ("ago", "text"),
    [
        (0, "just now"),
        (4, "just now"),
        (-4, "just now"),
        (30, "30 s ago"),
        (90, "1 min ago"),
        (7200, "2 h ago"),
        (86400 * 3, "3 d ago"),
        (-120, "in 2 min"),
    ],
)
def test_ages(ago: float, text: str) -> None:
    """How far a time lies from now is written coarsely, in both directions."""
    assert present.age(NOW - timedelta(seconds=ago), NOW) == text


def test_times() -> None:
    """Times are texts or datetimes, of any zone, and are written in UTC; what is no time is written as nothing."""
    berlin = datetime(2026, 11, 24, 11, 30, tzinfo=timezone(timedelta(hours=1)))
    for value in (NOW, berlin, "2026-11-24T10:30:00Z", "2026-11-24T11:30:00+01:00", datetime(2026, 11, 24, 10, 30)):  # noqa: DTZ001 - a naive one
        assert present.utc_text(value) == "2026-11-24 10:30:00.000 UTC"
        assert present.machine_text(value) == "2026-11-24T10:30:00.000Z"
        assert present.short_time(value) == "24 Nov 2026, 10:30:00 UTC"
    for nothing in (None, "", "yesterday", 5):
        assert present.instant(nothing) is None
        assert present.utc_text(nothing) == present.machine_text(nothing) == present.short_time(nothing) == ""
        assert present.age(nothing, NOW) == ""


LINKS = {
    "https://portal.azure.com/#blade/x?y=1&z=2": True,
    "http://127.0.0.1:8080/desk/incidents/INC1": True,
    "javascript:alert(1)": False,
    "JaVaScRiPt:alert(1)": False,
    " javascript:alert(1)": False,
    "java\nscript:alert(1)": False,
    "data:text/html,<script>alert(1)</script>": False,
    "vbscript:x": False,
    "//evil.example": False,
    "/relative": False,
    "https:evil": False,
    "http://[::1": False,
    "https://a b": False,
    "https:\\\\evil.example": False,
    "https://x\u202e.example": False,
    "": False,
}


@pytest.mark.parametrize(("text", "followed"), LINKS.items())
def test_links(text: str, followed: bool) -> None:  # noqa: FBT001 - a table's column
    """Only absolute http and https addresses become links."""
    assert bool(present.web_link(text)) is followed
    assert present.web_link(None) == present.web_link(7) == ""


@given(st.text(max_size=60))
@settings(max_examples=150)
def test_a_link_is_never_anything_but_http(text: str) -> None:
    """Whatever an alert says, what becomes a link is http or https with a host."""
    link = present.web_link(text)
    assert link in {"", text}
    assert not link or (urlsplit(link).scheme in {"http", "https"} and urlsplit(link).netloc)


@given(st.text(st.characters(exclude_categories=["Cs"]), max_size=60))
@settings(max_examples=150)
def test_a_segment_comes_back_as_it_was(text: str) -> None:
    """An id in a path is one segment, and reads back as it was."""
    segment = present.segment(text)
    assert not set(segment) & set("/?#&\"'<> ")
    assert unquote(segment) == text


def test_short_names() -> None:
    """A resource id is shown by its last part; other texts stay."""
    assert present.short_name("/subscriptions/x/resourceGroups/g/") == "g"
    assert present.short_name("web-1") == "web-1"
    assert present.short_name("a/b") == "a/b"
    assert present.instant(NOW) == NOW.astimezone(UTC)
