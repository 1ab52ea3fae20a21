"""How much may go to quarantine whole."""

from hypothesis import given, settings
from hypothesis import strategies as st

from secure_export.intake.quarantine_budget import QuarantineBudget


def test_a_connection_may_use_its_budget_at_once_and_it_comes_back_within_the_hour() -> None:
    """A wrong set-up that sends many bodies at once is kept whole; a flood is not."""
    budget = QuarantineBudget(20_000)
    assert all(budget.takes("desk", 976, 50.0) for _ in range(10))
    assert not budget.takes("desk", 1, 50.0)
    assert budget.takes("other", 18_976, 50.0)
    assert budget.takes("desk", 8_976, 50.0 + 1800)
    assert not budget.takes("desk", 1, 50.0 + 1800)
    assert budget.takes("desk", 18_976, 50.0 + 100_000)


def test_small_bodies_cost_what_is_stored_besides_them() -> None:
    """A flood of empty bodies uses the budget up, too."""
    budget = QuarantineBudget(1024 * 1024)
    assert sum(budget.takes("desk", 0, 50.0) for _ in range(20_000)) == 1024


@settings(max_examples=50)
@given(st.lists(st.tuples(st.floats(0, 7200), st.integers(0, 4000)), max_size=60))
def test_no_hour_takes_more_than_twice_the_budget(posts: list[tuple[float, int]]) -> None:
    """A full bucket and what flows in meanwhile: that is the most, whenever bodies come."""
    budget = QuarantineBudget(10_000)
    taken = [(at, size) for at, size in sorted(posts) if budget.takes("desk", size, at)]
    for start, _ in taken:
        assert sum(size + 1024 for at, size in taken if start <= at < start + 3600) <= 20_000.001
