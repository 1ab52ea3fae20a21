"""What all processes of a cluster do together in one connection is never more than its limits, whatever happens."""

import asyncio
from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.unit.delivery.cluster import live, most_beyond

from secure_export.delivery.fair_shares import Allotted, fair_share, renewed

NAMES = st.lists(st.text("abcdef", min_size=1, max_size=4), min_size=1, max_size=9, unique=True)


@settings(max_examples=100, deadline=None)
@given(NAMES, st.integers(1, 64), st.text("xyz", max_size=3))
def test_fair_shares_are_all_there_is_as_evenly_as_it_goes(names: list[str], places: int, connection: str) -> None:
    """Nothing is left over, and nobody has more than one place more than another."""
    shares = [fair_share(connection, name, names, places) for name in names]
    assert sum(shares) == places
    assert max(shares) - min(shares) <= 1


def test_who_gets_one_more_is_another_for_each_connection() -> None:
    """With fewer places than processes not all connections are served by the same few processes."""
    names = [f"process-{number}" for number in range(5)]
    shares = Counter(
        name for number in range(60) for name in names if fair_share(f"connection-{number}", name, names, 1)
    )
    assert sum(shares.values()) == 60
    assert min(shares[name] for name in names) >= 4


@settings(max_examples=100, deadline=None)
@given(st.integers(1, 12), st.lists(st.tuples(st.integers(0, 5), st.integers(0, 12), st.booleans()), max_size=40))
def test_places_are_never_held_twice(places: int, asked: list[tuple[int, int, bool]]) -> None:
    """Whoever renews with whatever, in whatever order, and whoever goes: what is held is never more than there is."""
    holdings: dict[str, int] = {}
    for number, keep, goes in asked:
        name = f"process-{number}"
        before = holdings.get(name, 0)
        now = renewed("prod", name, holdings, living=holdings, keep=keep, places=places)
        assert now.held <= max(min(before, keep), now.fair)
        assert now.held >= min(before, keep), "nothing is taken from anybody"
        holdings[name] = now.held
        assert sum(holdings.values()) <= places
        if goes:
            del holdings[name]


@settings(max_examples=100, deadline=None)
@given(NAMES, st.integers(1, 12), st.data())
def test_shares_become_fair_in_a_few_renewals(names: list[str], places: int, data: st.DataObject) -> None:
    """From any division of the places, when all renew two times, everybody holds its fair share."""
    holdings, left = {}, places
    for name in names:
        holdings[name] = data.draw(st.integers(0, left))
        left -= holdings[name]
    fair = dict.fromkeys(names, places)
    for _ in range(3):
        for name in data.draw(st.permutations(names)):
            now = renewed("prod", name, holdings, living=holdings, keep=fair[name], places=places)
            holdings[name], fair[name] = now.held, now.fair
    assert holdings == {name: fair_share("prod", name, names, places) for name in names}


def test_the_dead_get_nothing_and_nobody_gives_back_for_them() -> None:
    """What they hold stays held until their leases are over; what is left is for those that live."""
    holdings = {"dead-1": 1, "dead-2": 0, "dead-3": 0, "living": 2}
    assert renewed("prod", "living", holdings, living=["gone"], keep=2, places=4) == Allotted(held=3, fair=4)
    assert renewed("prod", "new", holdings | {"living": 3}, living=["living"], keep=0, places=4) == Allotted(0, 2)


def test_a_configuration_with_fewer_places_hands_out_none_until_there_are_few_enough() -> None:
    """While processes with an older configuration hold more, a new one takes nothing, and fails at nothing."""
    now = renewed("prod", "new", {"old-1": 4, "old-2": 4}, living=["old-1", "old-2"], keep=0, places=2)
    assert now.held == 0


@pytest.mark.parametrize("seed", range(12))
def test_a_cluster_keeps_the_limits_whatever_dies_stalls_or_joins(seed: int) -> None:
    """Never more calls under way in the tool than the connection allows, and never more steps than its rate; when
    trouble has passed, all places are in use, evenly.
    """
    places, rate = (seed % 5) + 1, 5.0
    story = asyncio.run(live(seed, places=places, rate=rate))
    assert story.tool.most == places
    assert most_beyond(story.tool.steps, rate) <= 1e-6
    assert story.tool.calls > 10
    assert sum(story.held) == places, "places were lost"
    assert max(story.held) - min(story.held) <= 1, "places are not shared evenly"
