"""The short form of the fault suite: every kind of fault alone, and random combinations, with seeds that stay.

Disasters have tests of their own (``tests/faults/disasters``), and take part in combinations here. ``make faults`` runs
the long form, with other seeds each time.
"""

from collections import Counter
from collections.abc import AsyncIterator
from pathlib import Path
from random import Random

import pytest
from tests.faults.cluster.catalogue import CATALOGUE, DISASTERS
from tests.faults.cluster.fault import Layout
from tests.faults.cluster.run import Runs
from tests.faults.cluster.schedule import Schedule
from tests.faults.cluster.world import CLUSTER, SINGLE, World, world_running
from tests.postgres import Server

pytestmark = pytest.mark.fault

APART_SECONDS = 0.15
COMBINED_SECONDS = 7.0
# A node that was killed may still be starting when the next fault comes, and cannot be paused then.
ALONE = (*(name for name in CATALOGUE if name not in DISASTERS and name != "pause"), "pause")
ALONE_SEED, COMBINED_SEED, SINGLE_SEED = 187, 5656, 183602
SINGLE_SECONDS = 8.0
SCHEDULES = {
    CLUSTER: Schedule.of(COMBINED_SEED, CLUSTER, seconds=COMBINED_SECONDS),
    SINGLE: Schedule.of(SINGLE_SEED, SINGLE, seconds=SINGLE_SECONDS),
}
FEWEST_ALERTS, FEWEST_OF_ONE = 100, 20
AGAIN = "the same test"


@pytest.fixture
async def cluster(tmp_path: Path, entra: str, postgres: Server) -> AsyncIterator[World]:
    async with world_running(CLUSTER, tmp_path, entra, postgres) as world:
        yield world


@pytest.fixture
async def single(tmp_path: Path, entra: str) -> AsyncIterator[World]:
    async with world_running(SINGLE, tmp_path, entra) as world:
        yield world


def kinds_of(layout: Layout) -> set[type]:
    """Give the disasters that a world of this layout can meet."""
    made = [kind.make(layout, Random(1)) for kind in DISASTERS.values()]  # noqa: S311 - no secret
    return {type(fault) for fault in made if fault is not None}


def test_every_kind_of_disaster_takes_part() -> None:
    """The seeds that stay are such that no kind of disaster is left out."""
    for layout, schedule in SCHEDULES.items():
        assert kinds_of(layout) <= {type(entry.fault) for entry in schedule.entries}


def all_happened(world: World, counts: Counter[str]) -> None:
    """Every kind of disaster that this world can meet happened, and so did a kill, and trouble with the network."""
    kinds = kinds_of(world.layout)
    wanted = {entry.fault.name for entry in SCHEDULES[world.layout].entries if type(entry.fault) in kinds}
    missing = {*wanted, "SIGKILL of a node"} - set(counts)
    told = f"what did: {counts}; what could not: {world.misses}"
    assert not missing, f"{missing} did not happen; {told}"
    assert any(name.startswith("network") for name in counts), f"the network was in order; {told}"


async def test_four_processes_on_postgresql_keep_every_promise(cluster: World, entra: str) -> None:
    """Whatever got a 202 is one work item in the right state, after each fault alone and after several at once."""
    runs = Runs(cluster, entra, again=AGAIN)
    verdict = await runs.run(Schedule.alone(ALONE_SEED, CLUSTER, ALONE, apart=APART_SECONDS))
    verdict.require(cluster)
    assert cluster.counts.total() == len(ALONE), f"a fault did not happen: {cluster.counts}"
    alone = Counter(cluster.counts)
    verdict = await runs.run(SCHEDULES[CLUSTER])
    verdict.require(cluster)
    all_happened(cluster, Counter(cluster.counts) - alone)
    assert verdict.taken > FEWEST_ALERTS, "the load was too small to prove anything"


async def test_one_process_on_a_file_keeps_every_promise(single: World, entra: str) -> None:
    """The same of one process with SQLite, which is killed, stopped and ended again and again."""
    verdict = await Runs(single, entra, again=AGAIN).run(SCHEDULES[SINGLE])
    verdict.require(single)
    all_happened(single, single.counts)
    assert verdict.taken > FEWEST_OF_ONE, "the load was too small to prove anything"
