"""Everything a run is made of: the program's processes, the database, the ITSM tools, and the network between them."""

import asyncio
import time
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

from tests.faults.cluster.fault import Layout
from tests.faults.cluster.network import Balancer, Link
from tests.faults.cluster.node import Node
from tests.faults.cluster.servers import Servers, pair_on_small_disks, the_only
from tests.faults.cluster.tool import Tool
from tests.postgres import OwnProcess, Server

STEP_SECONDS = 2.0
LEASE_SECONDS = 1.5 * STEP_SECONDS  # secure_export.delivery.lease

CLUSTER = Layout(
    intake=("intake-1", "intake-2"),
    delivery=("delivery-1", "delivery-2"),
    tools=("servicenow", "bmc-helix"),
    on_postgresql=True,
)
SINGLE = Layout(intake=("single",), delivery=("single",), tools=("servicenow", "bmc-helix"), on_postgresql=False)

PAIR = replace(CLUSTER, has_standby=True)

_SUPERVISOR_SECONDS = 0.5
_PATIENCE = (
    f"step_timeout_seconds = {STEP_SECONDS}\nretry_first_seconds = 0.2\nretry_longest_seconds = 2\npoll_seconds = 5\n"
)


@dataclass
class World:
    """What faults happen to.

    Attributes:
        layout: What there is, by name.
        folder: Where everything is kept.
        nodes: The program's processes, by name.
        links: The networks, by who calls whom.
        tools: The ITSM tools, by name.
        front: The load balancer before the nodes that take alerts in.
        servers: The PostgreSQL servers; None: SQLite.
        database_name: Which database of them.
        counts: How often what happened, by the words of the report.
        misses: How often what could not happen: another fault was there already.
        log: What happened, line by line.
    """

    layout: Layout
    folder: Path
    nodes: dict[str, Node] = field(default_factory=dict)
    links: dict[tuple[str, str], Link] = field(default_factory=dict)
    tools: dict[str, Tool] = field(default_factory=dict)
    front: Balancer | None = None
    servers: Servers | None = None
    database_name: str = ""
    counts: Counter[str] = field(default_factory=Counter)
    misses: Counter[str] = field(default_factory=Counter)
    log: list[str] = field(default_factory=list)
    began: float = field(default_factory=time.monotonic)

    @property
    def connections(self) -> tuple[str, ...]:
        """The connections that alerts can be sent to."""
        return ("desk", *self.layout.tools)

    @property
    def database(self) -> OwnProcess | None:
        """The PostgreSQL server that takes writes, which may be dead just now; None: SQLite."""
        return None if self.servers is None else self.servers.primary

    @property
    def server(self) -> Server | None:
        """The same, for statements as its owner."""
        return None if self.servers is None else self.servers.server

    def say(self, text: str) -> None:
        """Write a line into the log."""
        self.log.append(f"{time.monotonic() - self.began:7.2f} s  {text}")

    def count(self, what: str) -> None:
        """Count something that happened."""
        self.counts[what] += 1

    def miss(self, what: str, why: object) -> None:
        """Count something that could not happen."""
        self.misses[what] += 1
        self.say(f"it did not happen: {what}: {why}")


@asynccontextmanager
async def world_running(
    layout: Layout, folder: Path, entra: str, postgres: Server | None = None
) -> AsyncIterator[World]:
    """Build a world, with everything running, for as long as the block lasts.

    Args:
        layout: What it is made of.
        folder: An empty folder.
        entra: The base URL of a sandbox Entra ID.
        postgres: A server of our own; not needed for SQLite.
    """
    world = World(layout, folder)
    async with AsyncExitStack() as stack:
        if layout.on_postgresql:
            await _servers(world, stack, postgres)
        for kind in layout.tools:
            world.tools[kind] = Tool(kind, folder)
            stack.push_async_callback(world.tools[kind].stop)
        # Before the nodes: a CMDB that gives no answer makes lanes wait for half a minute.
        await asyncio.gather(*[tool.start() for tool in world.tools.values()])
        for name in layout.nodes:
            await _link(world, stack, name)
            world.nodes[name] = _node(world, name, entra)
            stack.push_async_callback(world.nodes[name].killed)
        first, *others = world.nodes.values()
        await first.ensure_running()
        await first.ready()  # it makes the tables
        for node in others:
            await node.ensure_running()
        for node in others:
            await node.ready()
        ports = [world.nodes[name].port for name in layout.intake]
        world.front = await stack.enter_async_context(Balancer("front", ports).running())
        watching = asyncio.create_task(_supervise(world))
        world.say("everything runs")
        try:
            yield world
        finally:
            watching.cancel()
            await asyncio.wait((watching,))


async def _supervise(world: World) -> None:
    """Start nodes again that ended by themselves, as a service manager does."""
    while True:
        await asyncio.sleep(_SUPERVISOR_SECONDS)
        for node in world.nodes.values():
            await node.supervise()


async def _link(world: World, stack: AsyncExitStack, node: str) -> None:
    """Lay the networks of a node."""
    ports = {kind: tool.port for kind, tool in world.tools.items()}
    if world.servers is not None:
        ports |= world.servers.ports
    for to, port in ports.items():
        link = Link(node, port, reads_http=to in world.tools)
        world.links[node, to] = await stack.enter_async_context(link.running())


def _node(world: World, name: str, entra: str) -> Node:
    roles = [
        *(("intake", "console") if name in world.layout.intake else ()),
        *(("delivery",) if name in world.layout.delivery else ()),
    ]
    store = None
    if world.servers is not None:
        places = ",".join(f"127.0.0.1:{world.links[name, to].port}" for to in world.servers.ports)
        store = f"postgresql://postgres@{places}/{world.database_name}"
    tools = [tool.connection(world.links[name, kind].port, _PATIENCE) for kind, tool in world.tools.items()]
    more = _PATIENCE.replace("retry_first_seconds = 0.2\n", "") + "\n" + "\n".join(tools)
    return Node(world.folder / name, entra, name=name, roles=",".join(roles), store=store, more=more)


async def _servers(world: World, stack: AsyncExitStack, given: Server | None) -> None:
    """Start a pair of servers for this world alone, or make a database on the server that is given."""
    if world.layout.has_standby:
        world.servers = await stack.enter_async_context(pair_on_small_disks())
        world.database_name = "postgres"
        return
    assert given is not None
    world.servers = the_only(given)
    world.database_name = await stack.enter_async_context(given.database(migrated=False))
    stack.push_async_callback(_database_runs, world.servers.primary)


async def _database_runs(database: OwnProcess) -> None:
    """Leave the server as it was found."""
    if not database.runs:
        database.start()
