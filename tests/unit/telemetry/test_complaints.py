"""Complaints to the log, which nobody can flood."""

import pytest
import structlog
from hypothesis import given, settings
from hypothesis import strategies as st
from structlog.testing import capture_logs

from secure_export.telemetry.complaints import Brake, Complaints


def test_a_text_passes_once_a_minute_and_says_how_many_were_held_back() -> None:
    """A flood is one line a minute, with its number."""
    brake = Brake()
    assert brake.held_back("no-token", "a", 0.0) == 0
    assert [brake.held_back("no-token", "a", 1.0) for _ in range(500)] == [None] * 500
    assert brake.held_back("no-token", "a", 60.0) == 500
    assert brake.held_back("no-token", "a", 61.0) is None


def test_a_flood_of_one_text_does_not_hide_another() -> None:
    """The subscription that is missing in the configuration is told, however often another one is refused."""
    brake = Brake()
    for _ in range(500):
        brake.held_back("subscription-not-allowed", "of one", 0.0)
    assert brake.held_back("subscription-not-allowed", "of the other", 1.0) == 499
    assert brake.held_back("wrong-audience", "of one", 1.0) == 0


@settings(max_examples=50)
@given(st.lists(st.tuples(st.sampled_from("ab"), st.text(max_size=2), st.floats(0, 300)), max_size=200))
def test_what_passes_is_bounded_and_nothing_goes_uncounted(asked: list[tuple[str, str, float]]) -> None:
    """Whatever is complained about: few lines for each code and minute, and passed plus held back is all."""
    brake = Brake(texts=3)
    passed = counted = 0
    for code, text, now in sorted(asked, key=lambda one: one[2]):
        held_back = brake.held_back(code, text, now)
        if held_back is not None:
            passed += 1
            counted += 1 + held_back
    assert passed <= 2 * 3 * 6
    still_held = sum(window.held_back for window in brake._windows.values())
    assert counted + still_held == len(asked)


def test_a_line_says_what_to_change_and_cannot_move_the_cursor() -> None:
    """What a caller sent is shown without control characters and not at any length."""
    with capture_logs() as lines:
        Complaints(lambda: 0.0).refused("code", 403, "bad \x1b[2J\nname " + "x" * 5000, path="/v1")
    [line] = lines
    assert line["event"] == "request refused"
    assert line["status"] == 403
    assert line["path"] == "/v1"
    assert line["detail"].startswith("bad \N{REPLACEMENT CHARACTER}[2J\N{REPLACEMENT CHARACTER}name xxx")
    assert len(line["detail"]) == 600


def test_failures_of_the_program_are_told_with_their_traceback_but_not_each_time() -> None:
    """A fault that every alert meets is one line a minute."""
    complaints = Complaints(lambda: 0.0)
    with capture_logs() as lines:
        for _ in range(100):
            complaints.failed("request failed", ValueError("broken"), path="/v1")
        complaints.failed("request failed", KeyError("other"), path="/v1")
    assert [type(line["exc_info"]) for line in lines] == [ValueError, KeyError]
    assert lines[1]["further_since_last"] == 99


def test_every_line_says_what_is_bound() -> None:
    """Who complains for one connection names it in each line, whatever is wrong."""
    complaints = Complaints(lambda: 0.0, connection="desk")
    with capture_logs() as lines:
        complaints.waits("lane left", OSError("the disk is \x1b[2J full"), key="alert:a")
        complaints.failed("lane failed", ValueError("broken"))
        complaints.refused("code", 403, "no", event="console request refused")
    assert [(line["event"], line["connection"]) for line in lines] == [
        ("lane left", "desk"),
        ("lane failed", "desk"),
        ("console request refused", "desk"),
    ]
    assert (lines[0]["reason"], lines[0]["key"]) == ("the disk is \N{REPLACEMENT CHARACTER}[2J full", "alert:a")


def test_what_needs_a_person_is_told_once_a_minute_for_each_reason() -> None:
    """A tool that refuses everything hides no other reason; decisions are told of each thing, and are no warnings."""
    complaints = Complaints(lambda: 0.0, connection="prod")
    with capture_logs() as lines:
        for number in range(50):
            complaints.warns("work item parked", "no such group", key=f"alert:{number}")
        complaints.warns("work item parked", "no such \x1b[2Jcategory", key="alert:x")
        for number in range(50):
            complaints.notes("work item left", "a person closed it", of=str(number % 2), key=f"alert:{number % 2}")
    assert [(line["log_level"], line["key"], line["reason"]) for line in lines] == [
        ("warning", "alert:0", "no such group"),
        ("warning", "alert:x", "no such \N{REPLACEMENT CHARACTER}[2Jcategory"),
        ("info", "alert:0", "a person closed it"),
        ("info", "alert:1", "a person closed it"),
    ]
    assert lines[1]["further_since_last"] == 49
    assert {line["connection"] for line in lines} == {"prod"}


def test_trouble_of_thousands_of_lanes_is_a_few_lines() -> None:
    """However many lanes have an error of their own, few lines a minute say so, and how many more there were."""
    now = 0.0
    complaints = Complaints(lambda: now)
    with capture_logs() as lines:
        for number in range(5000):
            complaints.waits("lane lost", OSError(f"lane {number} has another owner"))
        now = 60.0
        complaints.waits("lane lost", OSError("lane 1 has another owner"))
    assert len(lines) == 21
    assert lines[-1]["further_since_last"] == 4980


@pytest.fixture(autouse=True)
def _fresh_loggers() -> None:
    structlog.reset_defaults()
