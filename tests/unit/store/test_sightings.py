"""Whose time is over, found out without comparing clocks."""

from secure_export.store.sightings import Renewed, Sightings


def test_a_lease_is_over_when_it_was_seen_unchanged_for_as_long_as_it_lasts() -> None:
    """Not before: the renewal may have been sent just before it was first seen."""
    sightings = Sightings()
    seen = {"a": Renewed(1, 50), "b": Renewed(1, 20)}
    assert sightings.over(seen, now=1000) == []
    assert sightings.over(seen, now=1019.9) == []
    assert sightings.over(seen, now=1020) == ["b"]
    assert sightings.over(seen, now=1050) == ["a", "b"]


def test_each_renewal_begins_anew() -> None:
    """Another number is another renewal, whatever it is."""
    sightings = Sightings()
    sightings.over({"a": Renewed(7, 50)}, now=0)
    assert sightings.over({"a": Renewed(3, 50)}, now=49) == []
    assert sightings.over({"a": Renewed(3, 50)}, now=98) == []
    assert sightings.over({"a": Renewed(3, 50)}, now=99) == ["a"]


def test_who_was_gone_and_is_back_is_seen_for_the_first_time() -> None:
    """What was known of it before it was gone says nothing."""
    sightings = Sightings()
    sightings.over({"a": Renewed(7, 50)}, now=0)
    sightings.over({}, now=30)
    assert sightings.over({"a": Renewed(7, 50)}, now=60) == []


def test_who_has_not_renewed_for_some_seconds_is_not_lively() -> None:
    """Though its lease goes on: a new number is a sign of life, the same one is none."""
    sightings = Sightings()
    sightings.over({"quiet": Renewed(1, 50), "lively": Renewed(1, 50)}, now=0)
    sightings.over({"quiet": Renewed(1, 50), "lively": Renewed(2, 50)}, now=5)
    assert sightings.lively(now=5.9, within_seconds=6) == ["quiet", "lively"]
    assert sightings.lively(now=6, within_seconds=6) == ["lively"]
