"""For how long a lane is kept, and that no step begins beyond that."""

from datetime import datetime, timedelta
from pathlib import Path

import pytest
from tests.unit.delivery.scene import Scene, WatchedLanes, open_scene

from secure_export.delivery.contract import ClaimedLane
from secure_export.delivery.lease import lease_for, step_needs
from secure_export.errors import LostLane


@pytest.mark.parametrize(
    ("step_timeout_seconds", "lease", "needs"), [(60, 90, 75), (600, 630, 615), (10, 15, 12.5), (0.2, 0.3, 0.25)]
)
def test_a_lease_is_longer_than_a_step_by_half_of_it_and_thirty_seconds_at_most(
    step_timeout_seconds: float, lease: float, needs: float
) -> None:
    """Who sets a short time-out has lanes of a stopped process taken over soon."""
    assert lease_for(step_timeout_seconds) == timedelta(seconds=lease)
    assert step_needs(step_timeout_seconds) == timedelta(seconds=needs)


class StoppedWhileItRenews(WatchedLanes):
    """The process stands still after the store has renewed its lane; another owner works meanwhile."""

    def __init__(self, scene: Scene) -> None:
        super().__init__(scene.store)
        self._scene = scene
        self.others: list[ClaimedLane] = []

    async def renew(self, lane: ClaimedLane, *, until: datetime) -> None:
        await super().renew(lane, until=until)
        self._scene.clock.forward(3600)
        self.others += await self._scene.claim()


async def test_a_process_that_stood_still_while_it_renewed_a_lane_takes_no_step(tmp_path: Path) -> None:
    """What the store answered was true when it was said, and is asked again before anything is done in the tool."""
    scene = await open_scene(tmp_path)
    await scene.fire()
    lanes = StoppedWhileItRenews(scene)
    lane = await scene.claim_one()
    scene.clock.forward(60)  # what is left of the lease is too short for a step
    with pytest.raises(LostLane):
        await scene.runner(lanes).run(lane)
    assert len(lanes.others) == 1
    assert scene.tool.steps == []
    await scene.store.close()
