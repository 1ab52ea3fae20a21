"""Comparing our clock with a tool's."""

from datetime import timedelta

import pytest
from tests.unit.itsm.scripted import NOW

from secure_export.itsm.clock_check import clock_result


@pytest.mark.parametrize(
    ("seconds", "passed", "words"),
    [
        (0, True, "0 s behind"),
        (120, True, "120 s behind"),
        (121, False, "NTP"),
        (-119, True, "ahead of"),
        (-121, False, "NTP"),
    ],
)
def test_clocks_that_differ_are_told(seconds: int, words: str, *, passed: bool) -> None:
    """Tokens and changes go by time: more than two minutes are somebody's task."""
    result = clock_result(NOW + timedelta(seconds=seconds), NOW, whose="the server")
    assert result.passed is passed
    assert words in result.detail
    assert "the server's" in result.detail


def test_a_tool_that_does_not_tell_its_time_is_no_fault() -> None:
    """Nothing can be compared then."""
    assert clock_result(None, NOW, whose="the server").passed
