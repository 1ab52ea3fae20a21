"""Schedules: the same seed gives the same one, and everything of the catalogue takes part."""

from random import Random

import pytest
from tests.faults.cluster.catalogue import CATALOGUE
from tests.faults.cluster.fault import Layout
from tests.faults.cluster.schedule import Schedule
from tests.faults.cluster.world import CLUSTER, PAIR, SINGLE

_MANY_SECONDS = 2_000.0


@pytest.mark.parametrize("layout", [CLUSTER, SINGLE, PAIR], ids=["cluster", "single", "pair"])
def test_a_seed_gives_the_same_schedule_again(layout: Layout) -> None:
    """A failing run can be run again by its seed alone."""
    assert str(Schedule.of(7, layout, seconds=30)) == str(Schedule.of(7, layout, seconds=30))
    assert str(Schedule.of(7, layout, seconds=30)) != str(Schedule.of(8, layout, seconds=30))


def test_every_kind_takes_part_where_it_can() -> None:
    """Chance leaves no kind of fault out, and one process on a file meets none of the database's server."""
    of_cluster = {entry.fault.name for entry in Schedule.of(1, CLUSTER, seconds=_MANY_SECONDS).entries}
    of_single = {entry.fault.name for entry in Schedule.of(1, SINGLE, seconds=_MANY_SECONDS).entries}
    of_pair = {entry.fault.name for entry in Schedule.of(1, PAIR, seconds=_MANY_SECONDS).entries}
    assert len(of_cluster | of_single | of_pair) >= len(CATALOGUE)
    assert not [name for name in of_single if "database" in name or "PostgreSQL" in name]
    assert of_single - of_cluster == {"disk full under SQLite", "SIGKILL of a node and a torn write of SQLite"}
    assert of_pair - of_cluster == {
        "promotion of the standby of PostgreSQL",
        "kill -9 of the standby of PostgreSQL",
        "kill -9 and a torn write of PostgreSQL",
        "disk full under PostgreSQL",
    }
    assert of_cluster - of_pair == {"PostgreSQL is a standby, and is promoted"}


def test_faults_alone_do_not_overlap() -> None:
    """Each begins when the one before is over."""
    names = tuple(name for name, kind in CATALOGUE.items() if kind.make(CLUSTER, Random(1)) is not None)  # noqa: S311 - no secret
    entries = Schedule.alone(1, CLUSTER, names, apart=0.3).entries
    assert len(entries) == len(names)
    ends = [entry.at + entry.lasts for entry in entries]
    assert all(after.at > end for end, after in zip(ends, entries[1:], strict=False))


def test_a_schedule_reads_as_what_happens() -> None:
    """It says when what happens to what, for people who look into a failure."""
    shown = str(Schedule.alone(3, CLUSTER, ("kill", "cut-database"), apart=0.5))
    assert "seed 3" in shown
    assert "SIGKILL of a node: " in shown
    assert "network cut to the database: " in shown
