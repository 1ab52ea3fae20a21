"""Times are read in every form that Azure writes, and nothing else is taken for one."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from secure_export.alerts.timestamps import read_time


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2019-03-22T13:58:24.3713213Z", datetime(2019, 3, 22, 13, 58, 24, 371321, UTC)),
        ("2025-04-15T17:53:32.996Z", datetime(2025, 4, 15, 17, 53, 32, 996000, UTC)),
        ("2026-02-11T10:05:00.123456Z", datetime(2026, 2, 11, 10, 5, 0, 123456, UTC)),
        ("2019-03-22T13:56:31.2917159+00:00", datetime(2019, 3, 22, 13, 56, 31, 291715, UTC)),
        ("2019-03-22T15:56:31+02:00", datetime(2019, 3, 22, 13, 56, 31, 0, UTC)),
        ("2022-11-07T13:13:05.521", datetime(2022, 11, 7, 13, 13, 5, 521000, UTC)),
        ("3/22/2019 1:36:31 PM", datetime(2019, 3, 22, 13, 36, 31, 0, UTC)),
        ("12/31/2019 12:00:05 AM", datetime(2019, 12, 31, 0, 0, 5, 0, UTC)),
        ("12/31/2019 12:00:05 PM", datetime(2019, 12, 31, 12, 0, 5, 0, UTC)),
    ],
)
def test_each_form_is_read_in_utc(text: str, expected: datetime) -> None:
    """Seven digits are cut to six, no zone means UTC, and the American form of version 1 is understood."""
    assert read_time(text) == expected


@pytest.mark.parametrize(
    "value",
    [None, 3, True, [], {}, "", "soon", "0001-01-01T00:00:00Z", "9999-12-31T23:59:59-14:00", "13/45/2019 1:00:00 PM"],
)
def test_what_is_no_sensible_time_is_none(value: object) -> None:
    """.NET's "not set" and impossible dates are no times."""
    assert read_time(value) is None


@given(st.text(max_size=40))
def test_any_text_is_a_time_or_none(text: str) -> None:
    """Nothing raises, and what is read is in UTC."""
    at = read_time(text)
    assert at is None or at.tzinfo is UTC
