"""The PostgreSQL servers of a world: one, or a pair of which the second takes the first one's place and back again."""

import asyncio
import shutil
import signal
import subprocess
from collections.abc import AsyncIterator, Mapping
from contextlib import ExitStack, asynccontextmanager, suppress
from pathlib import Path

import asyncpg
from tests.faults.cluster.fault import DATABASE, STANDBY
from tests.faults.disasters.disks import SmallDisk, may_mount, small_disk
from tests.faults.disasters.torn import tear
from tests.postgres import OwnProcess, Server, own_server, pair_running, promote, server_of

HIT_AGAIN = (OSError, RuntimeError, asyncpg.PostgresError, asyncpg.InterfaceError, subprocess.CalledProcessError)
"""What happens to who repairs a server when another fault hits it meanwhile."""

_AGAIN_SECONDS = 0.1
_FOLLOWS_SECONDS = 30.0
_DISK_MEGABYTES = 384
# A standby that was away finds what it lacks, and a full disk is noticed before much is written.
_OF_A_PAIR = {
    "wal_keep_size": "64MB",
    "max_wal_size": "64MB",
    "min_wal_size": "32MB",
    "wal_retrieve_retry_interval": "1s",
}
_NAMES = "synchronous_standby_names"
_BARRIER = "SELECT pg_logical_emit_message(true, 'tests', 'whatever came before is on both disks')"
_IS_SYNCHRONOUS = "SELECT 1 FROM pg_stat_replication WHERE sync_state = 'sync' AND state = 'streaming'"


class Servers:
    """The server that takes writes, and perhaps another that follows it.

    Whoever starts, stops or promotes one waits for others who do: a primary that was given up must never come back as
    such, or two would take writes.

    Args:
        given: The server that takes writes, as it is reached.
        primary: Its process.
        standby: The process of its synchronous standby.
        disks: The small disk that each has its data on.

    Attributes:
        primary: The one that takes writes; it may be dead just now.
        standby: The one that follows it and has everything that was acknowledged; None: no other does.
        disks: The small disk that each has its data on.
        ports: Where they are reached, by what faults call them; the names stay when they change places.
    """

    def __init__(
        self,
        given: Server,
        primary: OwnProcess,
        standby: OwnProcess | None = None,
        disks: Mapping[OwnProcess, SmallDisk] | None = None,
    ) -> None:
        self.primary = primary
        self.standby = standby
        self.disks = dict(disks or {})
        self.ports = {DATABASE: primary.port} | ({STANDBY: standby.port} if standby is not None else {})
        self._given = (primary, given)
        self._lost: OwnProcess | None = None
        self._changing = asyncio.Lock()

    @property
    def server(self) -> Server:
        """The one that takes writes, for statements as its owner."""
        process, given = self._given
        return given if self.primary is process else server_of(self.primary)

    async def kill(self) -> bool:
        """End every process of the one that takes writes at once; whether it ran."""
        async with self._changing:
            runs = self.primary.runs
            await asyncio.to_thread(self.primary.kill)
            return runs

    async def stop(self, how: signal.Signals) -> bool:
        """Stop it; whether it ran."""
        async with self._changing:
            runs = self.primary.runs
            await asyncio.to_thread(self.primary.stop, how)
            return runs

    async def tear(self) -> bool:
        """Kill it, and write garbage where its log ends; whether it ran."""
        async with self._changing:
            if not self.primary.runs:
                return False
            await asyncio.to_thread(self.primary.kill)
            await asyncio.to_thread(tear, self.primary)
            return True

    async def comes_back_as_standby(self) -> bool:
        """Stop it, and let it come back as a standby of nobody; whether it does."""
        async with self._changing:
            if not self.primary.runs:
                return False
            await asyncio.to_thread(self.primary.stop)
            _signal_file(self.primary).touch(mode=0o644)
            await asyncio.to_thread(self.primary.start)
            return True

    async def runs(self) -> None:
        """Have it run, whatever befell it."""
        while not self.primary.runs:
            await self._start()

    async def takes_writes(self) -> None:
        """Have it run and take writes."""
        while _signal_file(self.primary).exists() or not self.primary.runs:
            await self._start()
            if _signal_file(self.primary).exists():
                with suppress(*HIT_AGAIN):
                    await promote(self.primary)

    async def _start(self) -> None:
        async with self._changing:
            with suppress(*HIT_AGAIN):
                await asyncio.to_thread(self.primary.start)
        await asyncio.sleep(_AGAIN_SECONDS)

    async def kill_standby(self) -> bool:
        """End every process of the standby; whether it ran."""
        async with self._changing:
            if self.standby is None or not self.standby.runs:
                return False
            await asyncio.to_thread(self.standby.kill)
            return True

    async def standby_runs(self) -> None:
        """Have the standby run, where there still is one."""
        while self.standby is not None and not self.standby.runs:
            async with self._changing:
                with suppress(*HIT_AGAIN):
                    if self.standby is not None:
                        await asyncio.to_thread(self.standby.start)
            await asyncio.sleep(_AGAIN_SECONDS)

    async def promote(self) -> bool:
        """Lose the machine of the primary, and let the standby take its place; whether there was one that runs."""
        async with self._changing:
            if self.standby is None or not self.standby.runs:
                return False
            await asyncio.to_thread(self.primary.kill)
            self.primary, self.standby, self._lost = self.standby, None, self.primary
        await self.takes_writes()
        return True

    async def follows_again(self) -> None:
        """Give the primary a new standby in the place of the machine that was lost, with nothing of what it had."""
        while self._lost is not None:
            with suppress(*HIT_AGAIN):
                await self._rebuild(self._lost)
                self.standby, self._lost = self._lost, None
            await asyncio.sleep(_AGAIN_SECONDS)

    async def _rebuild(self, lost: OwnProcess) -> None:
        server = self.server
        # Before it is copied: a copy with this setting would wait for a standby of its own once it is promoted.
        await server.execute(f"ALTER SYSTEM RESET {_NAMES}")
        await server.execute("SELECT pg_reload_conf()")
        await asyncio.to_thread(_copied, lost, self.primary)
        await server.execute(f"ALTER SYSTEM SET {_NAMES} = 'second'")
        await server.execute("SELECT pg_reload_conf()")
        async with asyncio.timeout(_FOLLOWS_SECONDS):
            while not await server.fetch(_IS_SYNCHRONOUS):  # noqa: ASYNC110 - the server tells of no event
                await asyncio.sleep(_AGAIN_SECONDS)
            await server.execute(_BARRIER)


def the_only(server: Server) -> Servers:
    """Give a server that nobody follows."""
    return Servers(server, own_server(server))


@asynccontextmanager
async def pair_on_small_disks() -> AsyncIterator[Servers]:
    """Start a primary with a synchronous standby; each on a small disk of its own, where one can be mounted."""
    with ExitStack() as stack:
        pair = await asyncio.to_thread(stack.enter_context, pair_running())
        both = (pair.first, pair.second)
        disks = await asyncio.to_thread(_started_again, both, stack)
        await pair.wait_until_synchronous()
        yield Servers(server_of(pair.first), *both, disks)


def _started_again(pair: tuple[OwnProcess, OwnProcess], stack: ExitStack) -> dict[OwnProcess, SmallDisk]:
    """Start both again with settings for what is done to them, and with their data on small disks where that can be."""
    for process in pair:
        process.stop()
    disks = {process: _moved(process, stack) for process in pair} if may_mount() else {}
    for process in pair:
        process.settings |= _OF_A_PAIR
        stack.callback(process.kill)
        process.start()
    return disks


def _moved(process: OwnProcess, stack: ExitStack) -> SmallDisk:
    disk = stack.enter_context(small_disk(process.folder / "disk", _DISK_MEGABYTES))
    data = process.folder / "data"
    subprocess.run(["cp", "-a", str(data), str(disk.folder)], check=True)  # noqa: S607 - wherever the system has it
    shutil.rmtree(data)
    data.symlink_to(disk.folder / "data")
    return disk


def _copied(lost: OwnProcess, primary: OwnProcess) -> None:
    """Build a machine anew: what it had is gone, and it follows the primary."""
    lost.kill()
    lost.settings.pop(_NAMES, None)
    for one in (lost.folder / "data").iterdir():
        if one.is_dir():
            shutil.rmtree(one)
        else:
            one.unlink()
    lost.copy_of(primary)
    lost.start()


def _signal_file(process: OwnProcess) -> Path:
    return process.folder / "data" / "standby.signal"
