"""Every kind of fault that takes part in random schedules."""

from dataclasses import dataclass

from tests.faults.cluster import network_faults as network
from tests.faults.cluster import process_faults as processes
from tests.faults.cluster import tool_trouble as tools
from tests.faults.cluster.fault import Maker
from tests.faults.cluster.world import LEASE_SECONDS
from tests.faults.disasters import faults as disasters


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of fault.

    Attributes:
        make: Aims one.
        weight: How often chance takes it.
        seconds: How long it lasts, at least and at most.
    """

    make: Maker
    weight: int
    seconds: tuple[float, float] = (0.2, 2.0)


_LONGER_THAN_A_LEASE = (LEASE_SECONDS + 1.0, LEASE_SECONDS + 3.0)

# Each has a test of its own in ``tests/faults/disasters``; here they meet each other and everything else. The clock of
# the database stays right: steps are written down by it, and the judge holds them against what the network saw.
DISASTERS: dict[str, Kind] = {
    "stop-database": Kind(disasters.stop_database, 2),
    "crash-session": Kind(disasters.crash_session, 2),
    "standby": Kind(disasters.standby, 1, (1.0, 2.0)),
    "node-clock": Kind(disasters.node_clock, 1),
    "disk-full": Kind(disasters.disk_full, 2),
    "promotion": Kind(disasters.promotion, 6, (0.0, 1.0)),
    "kill-standby": Kind(disasters.kill_standby, 2),
    "torn-write": Kind(disasters.torn_write, 2, (0.0, 1.5)),
}
CATALOGUE: dict[str, Kind] = {
    "kill": Kind(processes.kill, 10, (0.0, 1.0)),
    "pause": Kind(processes.pause, 4, _LONGER_THAN_A_LEASE),
    "end": Kind(processes.end, 4, (0.0, 1.0)),
    "kill-database": Kind(processes.kill_database, 2, (0.0, 1.5)),
    "cut-database": Kind(network.to_database(network.Cut), 2),
    "hold-up-database": Kind(network.to_database(network.HeldUp), 1, (0.5, 4.0)),
    "half-open-database": Kind(network.to_database(network.HalfOpen), 1, (0.5, 4.0)),
    "half-open-database-for-ever": Kind(network.to_database(network.HalfOpenForLong), 1, (0.5, 2.0)),
    "slow-database": Kind(network.to_database(network.Slow), 1),
    "lose-answers-of-database": Kind(network.to_database(network.AnswersLost), 3, (0.5, 1.5)),
    "cut-tool": Kind(network.to_tool(network.Cut), 1),
    "hold-up-tool": Kind(network.to_tool(network.HeldUp), 1, (0.5, 4.0)),
    "half-open-tool": Kind(network.to_tool(network.HalfOpenForLong), 2),
    "slow-tool": Kind(network.to_tool(network.Slow), 1),
    "lose-answers-of-tool": Kind(network.to_tool(network.AnswersLost), 3, (0.5, 1.5)),
    "tool-misbehaves": Kind(tools.misbehaving, 6, (0.5, 3.0)),
    "tool-stands-still": Kind(tools.frozen, 1, (1.0, 4.0)),
    "tool-restarts": Kind(tools.restarted, 1),
    **DISASTERS,
}
