"""What the bench makes of measured values, and of results."""

from datetime import UTC, datetime

import pytest
from bench.figures import longest_overtaking, percentile, ratio
from bench.grid import Grid
from bench.page import filled
from bench.past import Amount, Past, Sample
from bench.sizing import Costs, sizes

HUNDRED = [float(number) for number in range(1, 101)]


@pytest.mark.parametrize(
    ("values", "share", "expected"),
    [(HUNDRED, 0.5, 51.0), (HUNDRED, 0.99, 100.0), (HUNDRED, 1.0, 100.0), ([7.0], 0.5, 7.0), ([], 0.99, 0.0)],
)
def test_a_percentile_is_one_of_the_values_that_were_measured(
    values: list[float], share: float, expected: float
) -> None:
    """No value is made up between two; none at all is 0."""
    assert percentile(values, share) == expected


def test_a_ratio_to_nothing_is_nothing() -> None:
    """A contender that took no alert does not end a run."""
    assert (ratio(3.0, 2.0), ratio(3.0, 0.0)) == (1.5, 0.0)


@pytest.mark.parametrize(
    ("confirmed", "expected"),
    [([1.0, 2.0, 3.0], 0.0), ([5.0, 2.0, 3.0], 3.0), ([1.0, 9.0, 2.0, 8.0, 7.0], 7.0), ([], 0.0)],
)
def test_overtaking_is_told_by_how_long_an_earlier_one_waited_for_a_later_one(
    confirmed: list[float], expected: float
) -> None:
    """The longest time by which something was confirmed after anything that came later."""
    assert longest_overtaking(confirmed) == expected


def test_only_tables_with_results_are_written_anew() -> None:
    """What stands outside the marks, and tables that nothing was measured for, stay as they are."""
    page = "a\n<!-- bench: intake -->\nold\n<!-- bench: end -->\nb\n<!-- bench: storm -->\nkept\n<!-- bench: end -->\n"
    text, missing = filled(page, {"intake": r"new \1"})
    assert text == (
        "a\n<!-- bench: intake -->\n\nnew \\1\n\n<!-- bench: end -->\nb\n"
        "<!-- bench: storm -->\nkept\n<!-- bench: end -->\n"
    )
    assert missing == ["storm"]
    assert filled(text, {"intake": r"new \1"})[0] == text


def test_a_table_in_markdown_aligns_words_left_and_numbers_right_and_tells_complaints() -> None:
    """Rows that only draw a line are left out, and what is not as it must be is not."""
    grid = Grid("T", ("<who", "rate"), [("we", "1"), (), ("they", "2")], ["A note."], ["it is slow"])
    assert grid.markdown().splitlines() == [
        "**T**",
        "",
        "| who | rate |",
        "| --- | ---: |",
        "| we | 1 |",
        "| they | 2 |",
        "",
        "A note.",
        "",
        "**Not as it must be:** it is slow.",
    ]


def test_sizing_leaves_half_of_each_core_free_at_three_times_the_average() -> None:
    """An hour of 1.2 million alerts peaks at 1,000 a second: 0.1 ms each are a fifth of a core, half of it free."""
    (size,) = sizes(Costs(100.0, 50.0, 1_100.0, 400.0, 2**30 / 1_200_000), [1_200_000])
    assert (size.intake, size.delivery) == (1, 2)
    assert size.cores == pytest.approx(2.2)
    assert size.database_cores == pytest.approx(0.8)
    assert size.disk_gib_a_day == pytest.approx(24.0)


@pytest.mark.parametrize("numbers_hold_time", [True, False])
def test_a_past_has_numbers_that_grow_and_as_many_links_as_notifications(*, numbers_hold_time: bool) -> None:
    """Each notification speaks of one alert, alerts are dealt out evenly, and everything lies before today."""
    past = Past(Amount(100, 10), Sample({}, {}, []), numbers_hold_time=numbers_hold_time)
    notifications, links = list(past.notifications()), list(past.links())
    numbers = [number for number, _, _ in notifications]
    assert numbers == sorted(set(numbers)) == [number for number, _ in links]
    assert [alert for _, alert in links] == [1_000 + number // 10 for number in range(100)]
    assert all(
        at < datetime.now(UTC).timestamp() * 1e6 and key[:8] == at.to_bytes(8, "big") for _, at, key in notifications
    )
