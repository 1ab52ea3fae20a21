"""Processes of the program, and of PostgreSQL, that die, stop, and come back."""

from dataclasses import dataclass
from random import Random

from tests.faults.cluster.fault import DATABASE, Fault, Layout
from tests.faults.cluster.world import World

_IS_DOWN = "it does not run, or stands still"


@dataclass(frozen=True, slots=True)
class Kill:
    """SIGKILL: the process is gone, and starts again when healed."""

    target: str
    name: str = "SIGKILL of a node"

    async def inject(self, world: World, random: Random) -> None:
        if await world.nodes[self.target].killed():
            world.count(self.name)
        else:
            world.miss(self.name, _IS_DOWN)

    async def heal(self, world: World) -> None:
        await world.nodes[self.target].ensure_running()


@dataclass(frozen=True, slots=True)
class Pause:
    """SIGSTOP: the process stands still, longer than its leases, and goes on when healed."""

    target: str
    name: str = "SIGSTOP of a node"

    async def inject(self, world: World, random: Random) -> None:
        if world.nodes[self.target].pause():
            world.count(self.name)
        else:
            world.miss(self.name, _IS_DOWN)

    async def heal(self, world: World) -> None:
        world.nodes[self.target].go_on()


@dataclass(frozen=True, slots=True)
class End:
    """SIGTERM: the process ends in order, under load, and starts again when healed."""

    target: str
    name: str = "SIGTERM of a node"

    async def inject(self, world: World, random: Random) -> None:
        if await world.nodes[self.target].ended():
            world.count(self.name)
        else:
            world.miss(self.name, _IS_DOWN)

    async def heal(self, world: World) -> None:
        await world.nodes[self.target].ensure_running()


@dataclass(frozen=True, slots=True)
class KillDatabase:
    """SIGKILL of every process of the PostgreSQL server, which starts again when healed."""

    target: str = DATABASE
    name: str = "kill -9 of PostgreSQL"

    async def inject(self, world: World, random: Random) -> None:
        assert world.servers is not None
        if await world.servers.kill():
            world.count(self.name)
        else:
            world.miss(self.name, "it does not run")

    async def heal(self, world: World) -> None:
        assert world.servers is not None
        await world.servers.runs()


def kill(layout: Layout, random: Random) -> Fault:
    """Kill any node."""
    return Kill(random.choice(layout.nodes))


def pause(layout: Layout, random: Random) -> Fault:
    """Stop any node."""
    return Pause(random.choice(layout.nodes))


def end(layout: Layout, random: Random) -> Fault:
    """End any node."""
    return End(random.choice(layout.nodes))


def kill_database(layout: Layout, random: Random) -> Fault | None:
    """Kill the database, where there is one."""
    return KillDatabase() if layout.on_postgresql else None
