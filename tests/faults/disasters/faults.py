"""Disasters as faults of random schedules (``tests/faults/cluster/fault.py``)."""

import asyncio
import os
import signal
from contextlib import suppress
from dataclasses import dataclass, field
from random import Random

import asyncpg
from tests.faults.cluster.fault import DATABASE, Fault, Layout
from tests.faults.cluster.world import World
from tests.faults.disasters.clocks import HOUR, DatabaseClock, ProgramClock
from tests.faults.disasters.disks import Quota
from tests.postgres import promote

_SESSIONS = "SELECT pid FROM pg_stat_activity WHERE backend_type = 'client backend' AND application_name = $1"
_END_SESSIONS = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = $1 AND datname = $2"
_AGAIN_SECONDS = 0.1
_OURS = "secure-export"


@dataclass(frozen=True, slots=True)
class DatabaseStops:
    """PostgreSQL is stopped, in order (SIGINT) or as by a crash (SIGQUIT), and starts again when healed."""

    how: signal.Signals
    target: str = DATABASE

    @property
    def name(self) -> str:
        return f"{self.how.name} of PostgreSQL"

    async def inject(self, world: World, random: Random) -> None:
        if world.database is not None and world.database.runs:
            await asyncio.to_thread(world.database.stop, self.how)
            world.count(self.name)

    async def heal(self, world: World) -> None:
        await _runs(world)


@dataclass(frozen=True, slots=True)
class SessionCrashes:
    """One session's process is killed: PostgreSQL ends all others, recovers, and goes on by itself."""

    target: str = DATABASE
    name: str = "kill -9 of a session of PostgreSQL"

    async def inject(self, world: World, random: Random) -> None:
        with suppress(Exception):  # whatever else has befallen the server
            assert world.server is not None
            if rows := await world.server.fetch(_SESSIONS, _OURS):
                os.kill(random.choice(rows)[0], signal.SIGKILL)
                world.count(self.name)

    async def heal(self, world: World) -> None:
        pass


@dataclass(frozen=True, slots=True)
class ComesBackAsStandby:
    """PostgreSQL comes back as a standby, which can only be read, and is promoted when healed."""

    target: str = DATABASE
    name: str = "PostgreSQL is a standby, and is promoted"

    async def inject(self, world: World, random: Random) -> None:
        own = world.database
        if own is not None and own.runs:
            await asyncio.to_thread(own.stop)
            (own.folder / "data" / "standby.signal").touch(mode=0o644)
            with suppress(RuntimeError):  # another fault hits it meanwhile
                await asyncio.to_thread(own.start)
            world.count(self.name)

    async def heal(self, world: World) -> None:
        await _runs(world)


@dataclass(slots=True)
class DatabaseClockJumps:
    """The clock of the database, by which leases go, jumps an hour, and back when healed."""

    seconds: float
    target: str = DATABASE
    name: str = "clock jump of the database"

    async def inject(self, world: World, random: Random) -> None:
        with suppress(Exception):  # whatever else has befallen the server
            assert world.server is not None
            clock = DatabaseClock(world.server, world.database_name)
            if not await clock.is_made():
                await clock.make()
                await world.server.fetch(_END_SESSIONS, _OURS, world.database_name)
            await clock.set(self.seconds)
            world.count(self.name)

    async def heal(self, world: World) -> None:
        assert world.server is not None
        await _runs(world)
        clock = DatabaseClock(world.server, world.database_name)
        if await clock.is_made():
            await clock.set(0)


@dataclass(frozen=True, slots=True)
class NodeClockJumps:
    """The clock of a node jumps an hour, and back when healed; it starts again with such a clock the first time."""

    target: str
    seconds: float
    name: str = "clock jump of a node"

    async def inject(self, world: World, random: Random) -> None:
        node = world.nodes[self.target]
        if not ProgramClock.is_of(node):
            await node.killed()
            ProgramClock(node)
            await node.ensure_running()
        ProgramClock(node).set(self.seconds)
        world.count(self.name)

    async def heal(self, world: World) -> None:
        if ProgramClock.is_of(node := world.nodes[self.target]):
            ProgramClock(node).set(0)


@dataclass(slots=True)
class DiskFills:
    """No file of the node that has the SQLite file may grow, until healed."""

    target: str
    name: str = "disk full under SQLite"
    _quota: Quota | None = field(default=None, init=False)

    async def inject(self, world: World, random: Random) -> None:
        node = world.nodes[self.target]
        if node.is_running and node._process is not None:
            files = (node.folder / "store.db-wal", node.folder / "store.db", node.log)
            self._quota = Quota(node._process.pid, *files)
            with suppress(OSError):  # it ended, or has no file yet
                self._quota.fill()
                world.count(self.name)

    async def heal(self, world: World) -> None:
        if self._quota is not None:
            with suppress(ProcessLookupError):
                self._quota.clear()


async def _runs(world: World) -> None:
    """Have the server of a world take writes again, whatever befell it."""
    own = world.database
    if own is None:
        return
    signal_file = own.folder / "data" / "standby.signal"
    while signal_file.exists() or not own.runs:
        with suppress(
            OSError, RuntimeError, asyncpg.PostgresError, asyncpg.InterfaceError
        ):  # another fault hit it again
            await asyncio.to_thread(own.start)
            if signal_file.exists():
                await promote(own)
        await asyncio.sleep(_AGAIN_SECONDS)


def stop_database(layout: Layout, random: Random) -> Fault | None:
    """Stop the database in one of two ways, where there is one."""
    how = random.choice((signal.SIGINT, signal.SIGQUIT))
    return DatabaseStops(how) if layout.on_postgresql else None


def crash_session(layout: Layout, random: Random) -> Fault | None:
    """Kill a session of the database, where there is one."""
    return SessionCrashes() if layout.on_postgresql else None


def standby(layout: Layout, random: Random) -> Fault | None:
    """Let the database come back as a standby, where there is one."""
    return ComesBackAsStandby() if layout.on_postgresql else None


def database_clock(layout: Layout, random: Random) -> Fault | None:
    """Set the database's clock, where there is one."""
    seconds = random.choice((HOUR, -HOUR))
    return DatabaseClockJumps(seconds) if layout.on_postgresql else None


def node_clock(layout: Layout, random: Random) -> Fault | None:
    """Set the clock of a node that checks no tokens: those end an hour after they began, by any clock."""
    seconds = random.choice((HOUR, -HOUR))
    nodes = [node for node in layout.delivery if node not in layout.intake]
    return NodeClockJumps(random.choice(nodes), seconds) if nodes else None


def disk_full(layout: Layout, random: Random) -> Fault | None:
    """Fill the disk under SQLite."""
    return None if layout.on_postgresql else DiskFills(random.choice(layout.intake))
