"""The short form of the fault suite: every kind of fault alone, and random combinations, with seeds that stay.

Disasters have tests of their own (``tests/faults/disasters``), and take part in combinations here. ``make faults`` runs
the long form, with other seeds each time.
"""

from collections.abc import AsyncIterator
from pathlib import Path
from random import Random

import pytest
from tests.faults.cluster.catalogue import CATALOGUE, DISASTERS
from tests.faults.cluster.run import Runs
from tests.faults.cluster.schedule import Schedule
from tests.faults.cluster.world import CLUSTER, SINGLE, World, world_running
from tests.postgres import Server

pytestmark = pytest.mark.fault

APART_SECONDS = 0.15
COMBINED_SECONDS = 7.0
# A node that was killed may still be starting when the next fault comes, and cannot be paused then.
ALONE = (*(name for name in CATALOGUE if name not in DISASTERS and name != "pause"), "pause")
ALONE_SEED, COMBINED_SEED, SINGLE_SEED = 187, 5656, 3
SINGLE_SECONDS = 8.0
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


def test_every_kind_of_disaster_takes_part() -> None:
    """The seeds that stay are such that no kind of disaster is left out."""
    schedules = [
        Schedule.of(COMBINED_SEED, CLUSTER, seconds=COMBINED_SECONDS),
        Schedule.of(SINGLE_SEED, SINGLE, seconds=SINGLE_SECONDS),
    ]
    met = {type(entry.fault) for schedule in schedules for entry in schedule.entries}
    makers = [kind.make for kind in DISASTERS.values()]
    aimed = [make(layout, Random(1)) for make in makers for layout in (CLUSTER, SINGLE)]  # noqa: S311 - no secret
    assert {type(fault) for fault in aimed if fault is not None} <= met


async def test_four_processes_on_postgresql_keep_every_promise(cluster: World, entra: str) -> None:
    """Whatever got a 202 is one work item in the right state, after each fault alone and after several at once."""
    runs = Runs(cluster, entra, again=AGAIN)
    verdict = await runs.run(Schedule.alone(ALONE_SEED, CLUSTER, ALONE, apart=APART_SECONDS))
    verdict.require(cluster)
    assert cluster.counts.total() == len(ALONE), f"a fault did not happen: {cluster.counts}"
    verdict = await runs.run(Schedule.of(COMBINED_SEED, CLUSTER, seconds=COMBINED_SECONDS))
    verdict.require(cluster)
    assert verdict.taken > FEWEST_ALERTS, "the load was too small to prove anything"


async def test_one_process_on_a_file_keeps_every_promise(single: World, entra: str) -> None:
    """The same of one process with SQLite, which is killed, stopped and ended again and again."""
    verdict = await Runs(single, entra, again=AGAIN).run(Schedule.of(SINGLE_SEED, SINGLE, seconds=SINGLE_SECONDS))
    verdict.require(single)
    assert verdict.taken > FEWEST_OF_ONE, "the load was too small to prove anything"
