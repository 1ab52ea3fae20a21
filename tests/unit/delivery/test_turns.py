"""When a tool may be called."""

from datetime import timedelta

import pytest
from tests.unit.delivery.scene import START, ManualClock

from secure_export.delivery.pace import Pace
from secure_export.delivery.turns import Turns
from secure_export.workitems.outcome import Done, Outcome, Refused, TryLater, Unclear


def turns(clock: ManualClock, rate: float | None = None) -> Turns:
    return Turns(Pace(rate, seconds=clock.seconds), clock, longest_calm_seconds=3600)


def test_at_first_nobody_waits() -> None:
    """No rate and no wish of the tool: every step's turn is now."""
    assert turns(ManualClock()).wait()[0] == 0.0
    assert turns(ManualClock()).take() == 0.0


def test_the_rate_gives_turns() -> None:
    """Two a second: the third waits a second."""
    clock = ManualClock()
    some = turns(clock, 2)
    assert [some.take() for _ in range(3)] == [0.0, 0.5, 1.0]
    assert some.wait() == (1.5, "the connection's rate_per_second is used up")


def test_calm_is_kept_until_it_is_over() -> None:
    """The tool's wish counts for everybody, and no longer than it asked."""
    clock = ManualClock()
    some = turns(clock)
    some.heed(TryLater("429", START + timedelta(seconds=60)))
    assert some.wait() == (60.0, "the tool asked not to be called for a while")
    assert some.take() == 60.0
    clock.forward(61)
    assert some.take() == 0.0


def test_the_longer_of_both_counts() -> None:
    """Calm does not make the rate forgotten."""
    clock = ManualClock()
    some = turns(clock, 0.01)
    some.take()
    some.heed(TryLater("429", START + timedelta(seconds=60)))
    assert some.wait()[0] == 100.0


def test_an_absurd_wish_is_cut() -> None:
    """A tool that says "next year" by mistake stops its connection for an hour."""
    some = turns(ManualClock())
    some.heed(TryLater("429", START + timedelta(days=365)))
    assert some.wait()[0] == 3600.0


@pytest.mark.parametrize("outcome", [Done(None), Unclear("?"), Refused("no"), TryLater("503")])
def test_other_answers_ask_for_nothing(outcome: Outcome) -> None:
    """Only a time that the tool named makes all lanes wait."""
    some = turns(ManualClock())
    some.heed(outcome)
    assert some.wait()[0] == 0.0
