"""The whole way: from a POST to a work item that the tool confirmed, with one process or several on one store.

All share all cores: the program, its database, the tool, and the load generator. What each of them used is told apart.
"""

import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec

from bench.alert import TARGET
from bench.confirmations import confirmations, waits
from bench.entra import Entra
from bench.figures import percentile
from bench.load import Plan, run
from bench.machine import Core, cpu_seconds, own_mib
from bench.service import ALL_ROLES, DESK, Connection, Node, nodes_running
from bench.stores import Kind, Place, store_running
from bench.storm_tools import AT_ONCE, StormTool, tool_running

_CALM_PAUSE_SECONDS = 0.05
_LOOK_SECONDS = 0.1
_PATIENCE_SECONDS = 300.0
_FLOOD_CONNECTIONS = 64
_STEADY_CONNECTIONS = 16
_STEADY_SHARE = 0.5


@dataclass(frozen=True)
class Way:
    """One arrangement of the program.

    Attributes:
        kind: The store.
        deliverers: How many processes deliver; 0: one process does everything.
        tool: Where work items go; None: to the desk.
    """

    kind: Kind
    deliverers: int = 0
    tool: StormTool | None = None

    @property
    def roles(self) -> Sequence[str]:
        """The roles of each process, the one that takes alerts in first."""
        return ["intake,console", *["delivery"] * self.deliverers] if self.deliverers else [ALL_ROLES]

    @property
    def name(self) -> str:
        """What it is called in tables."""
        who = f"1 + {self.deliverers} processes" if self.deliverers else "one process"
        return f"{self.kind.shown}, {who}, into {self.tool.name if self.tool else 'the desk'}"


class Pipeline(msgspec.Struct, frozen=True, kw_only=True):
    """What the whole way takes. Processor times are microseconds for each alert of the flood.

    Attributes:
        way: Which arrangement.
        deliverers: How many processes deliver; 0: one process does everything.
        calm_alerts: How many alerts came one by one, some 20 in a second.
        calm_p50: From received to confirmed by the tool, in milliseconds, as the next two.
        calm_p99: 99 of 100 were confirmed within this.
        calm_worst: The slowest.
        flood_alerts: How many alerts came as fast as they were taken.
        flood_intake_rate: How many of them were taken in a second, with delivery working beside.
        flood_rate: How many went the whole way in a second, from the first POST to the last confirmation.
        steady_rate: How many came in a second after that, evenly, for half of what the flood had reached.
        steady_p50: From received to confirmed meanwhile, in milliseconds, as the next.
        steady_p99: 99 of 100 were confirmed within this.
        cpu_us: Of the program, in all its processes.
        database_cpu_us: Of its database.
        tool_cpu_us: Of the tool's sandbox.
        disk_bytes: How much larger the store is for each alert of the flood, for good.
        resident_mib: Memory of the program at the end, in all its processes.
        database_mib: That of its database.
        errors: Alerts that were not taken.
    """

    way: str
    deliverers: int
    calm_alerts: int
    calm_p50: float
    calm_p99: float
    calm_worst: float
    flood_alerts: int
    flood_intake_rate: float
    flood_rate: float
    steady_rate: float
    steady_p50: float
    steady_p99: float
    cpu_us: float
    database_cpu_us: float
    tool_cpu_us: float
    disk_bytes: float
    resident_mib: float
    database_mib: float
    errors: int


@dataclass(frozen=True)
class Loads:
    """How alerts come.

    Attributes:
        calm_seconds: How long alerts come one by one.
        flood: How many alerts come at once after that.
        steady_seconds: How long they come evenly after that.
    """

    calm_seconds: float
    flood: int
    steady_seconds: float


def measure_pipeline(entra: Entra, way: Way, loads: Loads, *, say: Callable[[str], None]) -> Pipeline:
    """Measure the whole way with alerts that come calmly, then with as many as come in at once, then evenly.

    Args:
        entra: Whose token is sent.
        way: Which arrangement.
        loads: How alerts come.
        say: Told what is done now.
    """
    with _scene(entra, way) as scene:
        say(f"{way.name}: one alert after the other for {loads.calm_seconds:g} s")
        calm = run(scene.plan(connections=1, seconds=loads.calm_seconds, pause_seconds=_CALM_PAUSE_SECONDS))
        scene.wait_until_confirmed(calm.sent)
        say(f"{way.name}: {loads.flood:,} alerts at once")
        mib, before, began = scene.place.mib(), scene.cpu(), time.perf_counter()
        flooded = run(scene.plan(connections=_FLOOD_CONNECTIONS, seconds=_PATIENCE_SECONDS, count=loads.flood))
        scene.wait_until_confirmed(calm.sent + flooded.sent)
        rate = flooded.sent / (time.perf_counter() - began)
        used = [(now - then) / flooded.sent * 1e6 for then, now in zip(before, scene.cpu(), strict=True)]
        disk_bytes = (scene.place.mib() - mib) * 2**20 / flooded.sent
        wanted = rate * _STEADY_SHARE
        say(f"{way.name}: {wanted:,.0f} alerts a second for {loads.steady_seconds:g} s")
        pause = _STEADY_CONNECTIONS / wanted
        steady = run(scene.plan(connections=_STEADY_CONNECTIONS, seconds=loads.steady_seconds, pause_seconds=pause))
        scene.wait_until_confirmed(calm.sent + flooded.sent + steady.sent)
        ways = confirmations(scene.place)
        calm_waits, steady_waits = waits(ways[: calm.sent]), waits(ways[-steady.sent :])
        return Pipeline(
            way=way.name,
            deliverers=way.deliverers,
            calm_alerts=calm.sent,
            calm_p50=percentile(calm_waits, 0.50),
            calm_p99=percentile(calm_waits, 0.99),
            calm_worst=percentile(calm_waits, 1.0),
            flood_alerts=flooded.sent,
            flood_intake_rate=flooded.rate,
            flood_rate=rate,
            steady_rate=steady.rate,
            steady_p50=percentile(steady_waits, 0.50),
            steady_p99=percentile(steady_waits, 0.99),
            cpu_us=used[0],
            database_cpu_us=used[1],
            tool_cpu_us=used[2],
            disk_bytes=disk_bytes,
            resident_mib=own_mib(scene.pids),
            database_mib=own_mib(scene.place.pids),
            errors=calm.errors + flooded.errors + steady.errors,
        )


@dataclass(frozen=True)
class Scene:
    """An arrangement that runs.

    Attributes:
        nodes: The program's processes, the one that takes alerts in first.
        place: Its store.
        tool: The process of the tool's sandbox, if there is one.
        connection: Where work items go.
        token: The token that alerts are sent with.
    """

    nodes: Sequence[Node]
    place: Place
    tool: tuple[int, ...]
    connection: Connection
    token: str

    @property
    def pids(self) -> tuple[int, ...]:
        """The program's processes."""
        return tuple(node.pid for node in self.nodes)

    def plan(self, *, connections: int, seconds: float, **how: Any) -> Plan:
        """Make the load."""
        return Plan(
            ports=(self.nodes[0].port,),
            path=self.connection.webhook,
            connections=connections,
            seconds=seconds,
            warm_up_seconds=0.0,
            token=self.token,
            **how,
        )

    def cpu(self) -> tuple[float, float, float]:
        """Say how many seconds of processor time the program, its database and the tool have used."""
        return cpu_seconds(self.pids), cpu_seconds(self.place.pids), cpu_seconds(self.tool)

    def confirmed(self) -> float:
        """Say how often a work item became as it should be."""
        return sum(node.confirmed() for node in self.nodes)

    def wait_until_confirmed(self, alerts: float, *, patience_seconds: float = _PATIENCE_SECONDS) -> None:
        """Wait until so many work items became as they should be."""
        end = time.monotonic() + patience_seconds
        while (found := self.confirmed()) < alerts:
            if time.monotonic() > end:
                raise RuntimeError(f"only {found:g} of {alerts:g} alerts became work items in time")
            time.sleep(_LOOK_SECONDS)


@contextmanager
def _scene(entra: Entra, way: Way) -> Iterator[Scene]:
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="secure-export-bench-")))
        connection, tool = stack.enter_context(connection_to(way.tool, folder))
        place = stack.enter_context(store_running(way.kind, folder))
        nodes = nodes_running(entra, place.url, way.roles, folder, connection=connection, core=Core.ANY)
        scene = Scene(stack.enter_context(nodes), place, tool, connection, entra.token)
        if way.tool is None:
            fill_cmdb(scene.nodes[0], folder)
        yield scene


@contextmanager
def connection_to(tool: StormTool | None, folder: Path) -> Iterator[tuple[Connection, tuple[int, ...]]]:
    """Run a tool that answers at once; gives the connection to it, and its process. Without a tool it is the desk."""
    if tool is None:
        yield DESK, ()
        return
    with tool_running(tool, folder, core=Core.ANY) as (pid, port):
        tool.prepare(port, [TARGET], AT_ONCE)
        yield Connection("tool", tool.name, tool.settings(port, folder, AT_ONCE)), (pid,)


def fill_cmdb(node: Node, folder: Path) -> None:
    """Put the CI there that the alerts are about."""
    found = folder / "resources.json"
    resource = {"id": TARGET, "name": "checkout-workers", "type": "microsoft.compute/virtualmachinescalesets"}
    found.write_bytes(msgspec.json.encode([resource]))
    command = ["-m", "secure_export", "cmdb", "import", str(found), "--config", str(node.config)]
    subprocess.run([sys.executable, *command], check=True, capture_output=True)
