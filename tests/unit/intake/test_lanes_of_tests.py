"""Which lanes test notifications go to."""

from datetime import UTC, datetime, timedelta

import pytest
import structlog
from structlog.testing import capture_logs

from secure_export.intake.lanes_of_tests import MOST_A_MINUTE, LanesOfTests

AT = datetime(2026, 3, 2, 9, 14, 5, tzinfo=UTC)


@pytest.fixture(autouse=True)
def _fresh_loggers() -> None:
    structlog.reset_defaults()


def test_a_test_has_a_lane_of_its_own() -> None:
    """Two presses of the portal's button are two tests, and as many as a person can press are told apart."""
    lanes = LanesOfTests()
    assert len({lanes.lane("desk", AT) for _ in range(MOST_A_MINUTE)}) == MOST_A_MINUTE


def test_above_the_most_in_a_minute_tests_share_a_lane_that_says_so() -> None:
    """A flood of tests is a bounded number of work items, and one line in the log for each connection and minute."""
    lanes = LanesOfTests()
    with capture_logs() as lines:
        given = [lanes.lane("desk", AT + timedelta(seconds=n % 50)) for n in range(1000)]
    assert len(set(given)) == MOST_A_MINUTE + 1
    assert len(set(given[MOST_A_MINUTE:])) == 1
    assert "more-than-30-a-minute" in given[-1]
    assert [(line["event"], line["connection"]) for line in lines] == [("tests share a lane", "desk")]


def test_other_connections_and_other_minutes_are_counted_apart() -> None:
    """One connection's flood is not another's; what is shared is new in each minute, as ended problems stay ended."""
    lanes = LanesOfTests()
    flood = [lanes.lane("desk", AT) for _ in range(MOST_A_MINUTE + 1)]
    assert "more-than" not in lanes.lane("prod", AT)
    later = [lanes.lane("desk", AT + timedelta(minutes=1)) for _ in range(MOST_A_MINUTE + 1)]
    assert "more-than" not in later[0]
    assert flood[-1] != later[-1]


def test_a_clock_that_is_set_back_locks_nobody_out() -> None:
    """An earlier minute is another minute."""
    lanes = LanesOfTests()
    for _ in range(MOST_A_MINUTE + 1):
        lanes.lane("desk", AT)
    assert "more-than" not in lanes.lane("desk", AT - timedelta(hours=1))
