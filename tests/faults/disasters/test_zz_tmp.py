import pytest
from tests.faults.cluster.catalogue import CATALOGUE, Kind
from tests.faults.cluster.run import Runs
from tests.faults.cluster.schedule import Schedule
from tests.faults.cluster.world import CLUSTER, SINGLE, world_running
from tests.faults.disasters import faults as f
MINE = {"stop-database": Kind(f.stop_database, 2), "crash-session": Kind(f.crash_session, 2), "standby": Kind(f.standby, 2, (1.0,2.0)),
  "database-clock": Kind(f.database_clock, 2), "node-clock": Kind(f.node_clock, 1), "disk-full": Kind(f.disk_full, 2)}
async def test_cluster(tmp_path, entra, postgres):
    async with world_running(CLUSTER, tmp_path, entra, postgres) as world:
        runs = Runs(world, entra, again="x")
        try:
            v = await runs.run(Schedule.alone(1, CLUSTER, tuple(k for k in MINE if k!="disk-full"), apart=0.5, kinds=MINE))
            v.require(world); print(world.counts)
            for seed in (1,2,3,4):
                v = await runs.run(Schedule.of(seed, CLUSTER, seconds=6, kinds=CATALOGUE|MINE))
                v.require(world); print(seed, world.counts, v.alerts, v.taken, v.answers)
        finally:
            print("\n".join(world.log))
async def test_single(tmp_path, entra):
    async with world_running(SINGLE, tmp_path, entra) as world:
        runs = Runs(world, entra, again="x")
        try:
            for seed in (1,2,3):
                v = await runs.run(Schedule.of(seed, SINGLE, seconds=5, kinds={"kill": CATALOGUE["kill"]}|MINE))
                v.require(world); print(seed, world.counts, v.alerts, v.taken, v.answers)
        finally:
            print("\n".join(world.log))
