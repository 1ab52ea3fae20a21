"""When a tool may be called."""

from datetime import timedelta

import pytest
from tests.unit.delivery.scene import START, ManualClock

from secure_export.delivery.pace import Pace
from secure_export.delivery.turns import Turns
from secure_export.workitems.outcome import Done, Outcome, Refused, TryLater, Unclear


def turns(clock: ManualClock, rate: float | None = None) -> Turns:
    return Turns(Pace(rate, seconds=clock.seconds), clock, longest_calm_seconds=3600, sleep=clock.sleep)


async def waited(some: Turns, clock: ManualClock) -> float:
    """Take a turn, and say how many seconds that took."""
    before = clock.seconds()
    await some.take()
    return clock.seconds() - before


async def test_at_first_nobody_waits() -> None:
    """No rate and no wish of the tool: every step's turn is now."""
    clock = ManualClock()
    some = turns(clock)
    assert some.wait()[0] == 0.0
    assert await waited(some, clock) == 0.0


async def test_the_rate_gives_turns() -> None:
    """Two a second: each further one waits half a second."""
    clock = ManualClock()
    some = turns(clock, 2)
    assert [await waited(some, clock) for _ in range(3)] == [0.0, 0.5, 0.5]
    assert some.wait() == (0.5, "the connection's rate_per_second is used up")


async def test_calm_is_kept_until_it_is_over() -> None:
    """The tool's wish counts for everybody, and no longer than it asked."""
    clock = ManualClock()
    some = turns(clock)
    some.heed(TryLater("429", START + timedelta(seconds=60)))
    assert some.wait() == (60.0, "the tool asked not to be called for a while")
    assert await waited(some, clock) == 60.0
    assert await waited(some, clock) == 0.0


async def test_the_longer_of_both_counts() -> None:
    """Calm does not make the rate forgotten."""
    clock = ManualClock()
    some = turns(clock, 0.01)
    await some.take()
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
