"""How much may go to quarantine."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from secure_export.intake.quarantine_budget import QuarantineBudget, QuarantineFull


def test_a_connection_may_use_its_budget_at_once_and_it_comes_back_within_the_hour() -> None:
    """A wrong set-up that sends many bodies at once is kept whole; a flood is not."""
    budget = QuarantineBudget(1000)
    for _ in range(10):
        budget.spend("desk", 100, 50.0)
    with pytest.raises(QuarantineFull):
        budget.spend("desk", 1, 50.0)
    budget.spend("other", 1000, 50.0)
    budget.spend("desk", 500, 50.0 + 1800)
    with pytest.raises(QuarantineFull):
        budget.spend("desk", 1, 50.0 + 1800)
    budget.spend("desk", 1000, 50.0 + 100_000)


@settings(max_examples=50)
@given(st.lists(st.tuples(st.floats(0, 7200), st.integers(0, 400)), max_size=60))
def test_no_hour_takes_more_than_twice_the_budget(posts: list[tuple[float, int]]) -> None:
    """A full bucket and what flows in meanwhile: that is the most, whenever bodies come."""
    budget = QuarantineBudget(1000)
    taken: list[tuple[float, int]] = []
    for at, size in sorted(posts):
        try:
            budget.spend("desk", size, at)
        except QuarantineFull:
            continue
        taken.append((at, size))
    for start, _ in taken:
        assert sum(size for at, size in taken if start <= at < start + 3600) <= 2000.001
