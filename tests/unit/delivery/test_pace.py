"""How fast a connection may be called."""

from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st

from secure_export.delivery.pace import Pace


class Seconds:
    """A clock that moves when it is told to."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def test_without_a_rate_nothing_waits() -> None:
    """No rate: as many steps as there are."""
    pace = Pace(None, seconds=Seconds())
    assert [pace.reserve() for _ in range(1000)] == [0.0] * 1000
    assert pace.wait_seconds() == 0.0


def test_steps_at_once_are_spread() -> None:
    """Four steps a second, asked for at once: one each quarter of a second."""
    pace = Pace(4, seconds=Seconds())
    assert [pace.reserve() for _ in range(4)] == [0.0, 0.25, 0.5, 0.75]
    assert pace.wait_seconds() == 1.0


def test_asking_takes_no_place() -> None:
    """How long it would take can be asked without waiting for it."""
    pace = Pace(1, seconds=Seconds())
    pace.reserve()
    assert pace.wait_seconds() == pace.wait_seconds() == 1.0


def test_silence_saves_nothing_up() -> None:
    """After a long silence the first step is at once, and the second still waits: no burst."""
    clock = Seconds()
    pace = Pace(2, seconds=clock)
    pace.reserve()
    clock.now += 3600
    assert pace.wait_seconds() == 0.0
    assert [pace.reserve(), pace.reserve()] == [0.0, 0.5]


@settings(max_examples=100, deadline=None)
@given(st.floats(0.1, 1000), st.lists(st.floats(0, 5), min_size=2, max_size=40))
def test_there_are_never_more_steps_than_the_rate_allows(rate: float, gaps: list[float]) -> None:
    """Whenever steps are asked for, two neighbours are at least one rate's gap apart, and none is asked to wait less
    than it has to.
    """
    clock = Seconds()
    pace = Pace(rate, seconds=clock)
    starts = []
    for gap in gaps:
        clock.now += gap
        foretold = pace.wait_seconds()
        waits = pace.reserve()
        assert waits == foretold
        starts.append(clock.now + waits)
    apart = [later - earlier for earlier, later in pairwise(starts)]
    assert min(apart) >= 1 / rate - 1e-6
