"""Disasters as faults of random schedules (``tests/faults/cluster/fault.py``)."""

import asyncio
import os
import signal
from contextlib import suppress
from dataclasses import dataclass, field
from random import Random

from tests.faults.cluster.fault import DATABASE, STANDBY, Fault, Layout
from tests.faults.cluster.servers import HIT_AGAIN, Servers
from tests.faults.cluster.world import World
from tests.faults.disasters.clocks import HOUR, ProgramClock
from tests.faults.disasters.disks import Quota, SmallDisk
from tests.faults.disasters.torn import tear_sqlite

_SESSIONS = "SELECT pid FROM pg_stat_activity WHERE backend_type = 'client backend' AND application_name = $1"
_OURS = "secure-export"
_IS_DOWN = "the server does not run"
# What another program on the server writes into its log: ten megabytes at a time, until there is no room.
_WRITE = "SELECT pg_logical_emit_message(false, 'tests', repeat('x', 10000000))"
_MOST_WRITES = 20


@dataclass(frozen=True, slots=True)
class DatabaseStops:
    """PostgreSQL is stopped, in order (SIGINT) or as by a crash (SIGQUIT), and starts again when healed."""

    how: signal.Signals
    target: str = DATABASE

    @property
    def name(self) -> str:
        return f"{self.how.name} of PostgreSQL"

    async def inject(self, world: World, random: Random) -> None:
        if await _servers(world).stop(self.how):
            world.count(self.name)
        else:
            world.miss(self.name, _IS_DOWN)

    async def heal(self, world: World) -> None:
        await _servers(world).takes_writes()


@dataclass(frozen=True, slots=True)
class SessionCrashes:
    """One session's process is killed: PostgreSQL ends all others, recovers, and goes on by itself."""

    target: str = DATABASE
    name: str = "kill -9 of a session of PostgreSQL"

    async def inject(self, world: World, random: Random) -> None:
        try:
            rows = await _servers(world).server.fetch(_SESSIONS, _OURS)
            if rows:
                os.kill(random.choice(rows)[0], signal.SIGKILL)
        except HIT_AGAIN as error:
            world.miss(self.name, error)
        else:
            if rows:
                world.count(self.name)
            else:
                world.miss(self.name, "nobody is connected")

    async def heal(self, world: World) -> None:
        pass


@dataclass(frozen=True, slots=True)
class ComesBackAsStandby:
    """PostgreSQL comes back as a standby, which can only be read, and is promoted when healed."""

    target: str = DATABASE
    name: str = "PostgreSQL is a standby, and is promoted"

    async def inject(self, world: World, random: Random) -> None:
        if await _servers(world).comes_back_as_standby():
            world.count(self.name)
        else:
            world.miss(self.name, _IS_DOWN)

    async def heal(self, world: World) -> None:
        await _servers(world).takes_writes()


@dataclass(slots=True)
class Promotion:
    """The machine of the primary is lost, and the second server takes its place; healed: another machine follows it."""

    target: str = DATABASE
    name: str = "promotion of the standby of PostgreSQL"
    _was_done: bool = field(default=False, init=False)

    async def inject(self, world: World, random: Random) -> None:
        self._was_done = await _servers(world).promote()
        if self._was_done:
            world.count(self.name)
        else:
            world.miss(self.name, "no standby follows")

    async def heal(self, world: World) -> None:
        if self._was_done:
            await _servers(world).follows_again()


@dataclass(frozen=True, slots=True)
class StandbyDies:
    """The standby is gone, and nothing is committed without it; it comes back when healed."""

    target: str = STANDBY
    name: str = "kill -9 of the standby of PostgreSQL"

    async def inject(self, world: World, random: Random) -> None:
        if await _servers(world).kill_standby():
            world.count(self.name)
        else:
            world.miss(self.name, "no standby follows")

    async def heal(self, world: World) -> None:
        await _servers(world).standby_runs()


@dataclass(frozen=True, slots=True)
class TornWrite:
    """PostgreSQL is killed and the last it wrote is torn: there is garbage where its log ends."""

    target: str = DATABASE
    name: str = "kill -9 and a torn write of PostgreSQL"

    async def inject(self, world: World, random: Random) -> None:
        try:
            if await _servers(world).tear():
                world.count(self.name)
            else:
                world.miss(self.name, _IS_DOWN)
        except RuntimeError as error:
            world.miss(self.name, error)

    async def heal(self, world: World) -> None:
        await _servers(world).takes_writes()


@dataclass(frozen=True, slots=True)
class TornWriteOfSqlite:
    """The node that has the SQLite file is killed and the last it wrote is torn."""

    target: str
    name: str = "SIGKILL of a node and a torn write of SQLite"

    async def inject(self, world: World, random: Random) -> None:
        node = world.nodes[self.target]
        if not await node.killed():
            world.miss(self.name, "the node does not run")
            return
        try:  # at once: nobody must start it before
            tear_sqlite(node.folder / "store.db-wal")
        except (OSError, IndexError) as error:
            world.miss(self.name, f"its log is empty: {error}")
        else:
            world.count(self.name)

    async def heal(self, world: World) -> None:
        await world.nodes[self.target].ensure_running()


@dataclass(slots=True)
class DatabaseDiskFills:
    """There is no room for PostgreSQL's log: the server stops, and does not start until healed."""

    target: str = DATABASE
    name: str = "disk full under PostgreSQL"
    _disk: SmallDisk | None = field(default=None, init=False)

    async def inject(self, world: World, random: Random) -> None:
        servers = _servers(world)
        disk, server = servers.disks.get(servers.primary), servers.server
        if disk is None or not servers.primary.runs:
            world.miss(self.name, _IS_DOWN if disk is not None else "no small disk can be mounted here")
            return
        self._disk = disk
        await asyncio.to_thread(disk.fill)
        try:
            for _ in range(_MOST_WRITES):
                await server.execute(_WRITE)
        except HIT_AGAIN:
            world.count(self.name)
        else:
            world.miss(self.name, "there was room all the same")

    async def heal(self, world: World) -> None:
        if self._disk is not None:
            await asyncio.to_thread(self._disk.clear)
            await _servers(world).takes_writes()


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
            try:
                self._quota.fill()
            except OSError as error:  # it ended, or has no file yet
                world.miss(self.name, error)
            else:
                world.count(self.name)
        else:
            world.miss(self.name, "the node does not run")

    async def heal(self, world: World) -> None:
        if self._quota is not None:
            with suppress(ProcessLookupError):
                self._quota.clear()


def _servers(world: World) -> Servers:
    assert world.servers is not None
    return world.servers


def stop_database(layout: Layout, random: Random) -> Fault | None:
    """Stop the database in one of two ways, where there is one."""
    how = random.choice((signal.SIGINT, signal.SIGQUIT))
    return DatabaseStops(how) if layout.on_postgresql else None


def crash_session(layout: Layout, random: Random) -> Fault | None:
    """Kill a session of the database, where there is one."""
    return SessionCrashes() if layout.on_postgresql else None


def standby(layout: Layout, random: Random) -> Fault | None:
    """Let the only server come back as a standby; one of a pair would follow its own standby."""
    return ComesBackAsStandby() if layout.on_postgresql and not layout.has_standby else None


def promotion(layout: Layout, random: Random) -> Fault | None:
    """Lose the primary of a pair."""
    return Promotion() if layout.has_standby else None


def kill_standby(layout: Layout, random: Random) -> Fault | None:
    """Kill the standby of a pair."""
    return StandbyDies() if layout.has_standby else None


def torn_write(layout: Layout, random: Random) -> Fault | None:
    """Tear the last write of SQLite, or of a pair, whose disks are its own."""
    if layout.on_postgresql:
        return TornWrite() if layout.has_standby else None
    return TornWriteOfSqlite(random.choice(layout.intake))


def node_clock(layout: Layout, random: Random) -> Fault | None:
    """Set the clock of a node that checks no tokens: those end an hour after they began, by any clock."""
    seconds = random.choice((HOUR, -HOUR))
    nodes = [node for node in layout.delivery if node not in layout.intake]
    return NodeClockJumps(random.choice(nodes), seconds) if nodes else None


def disk_full(layout: Layout, random: Random) -> Fault | None:
    """Fill the disk under SQLite, or under the primary of a pair, whose disks are its own."""
    if layout.on_postgresql:
        return DatabaseDiskFills() if layout.has_standby else None
    return DiskFills(random.choice(layout.intake))
