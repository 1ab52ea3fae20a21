"""The disk is full: nothing that was acknowledged is lost, and everything goes on when there is room."""

import asyncio
import shutil
from collections.abc import AsyncIterator, Iterator
from contextlib import ExitStack, asynccontextmanager, contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from time import monotonic

import asyncpg
import pytest
from tests.faults.disasters.disks import Disk, Quota, SmallDisk, may_mount, small_disk
from tests.faults.disasters.load import ACCEPTED, UNAVAILABLE, comes_to_rest, judge, load_of, says_why, token_of
from tests.faults.tool_faults.mortal import Life, MortalConnector
from tests.postgres import DURABLE, OwnProcess, Server, own_server, server_of
from tests.program import Program, free_port
from tests.unit.delivery.scene import ManualClock, Scene, until_idle

from secure_export.store.sqlite.store import SqliteStore
from secure_export.workitems.work_item import StepKind, WorkItem

pytestmark = pytest.mark.fault

ENOUGH = 30
LONG = 24_000
STOP_SECONDS = 30.0


async def goes_through_it(program: Program, disk: Disk, entra: str, *, says: tuple[str, ...] = ()) -> None:
    """Intake answers 503 while the disk is full, and afterwards everything is as promised.

    Args:
        program: The program.
        disk: Where its store is.
        entra: Where tokens come from.
        says: What ``/readyz`` says one of; nothing: that is not asked.
    """
    load = load_of(program, await token_of(entra), padding=LONG)
    async with load.running():
        await load.more(ENOUGH)
        disk.fill()
        await load.refused(ENOUGH)
        if says:
            await asyncio.to_thread(says_why, program, *says)
        disk.clear()
        await load.more(ENOUGH)
        await asyncio.to_thread(program.wait_until_ready)
    await asyncio.to_thread(comes_to_rest, program)
    await asyncio.to_thread(judge, program, load)
    assert load.answers[0] == 0


async def test_sqlite_waits_for_room_on_its_disk(tmp_path: Path, entra: str) -> None:
    """A full disk under the SQLite file makes intake answer 503 and loses nothing; no restart is needed.

    Where no small disk may be mounted, a limit on the size of files stands in for it.
    """
    with ExitStack() as stack:  # large enough that what comes in afterwards does not fill it by itself
        disk: Disk | None = stack.enter_context(small_disk(tmp_path / "disk", 160)) if may_mount() else None
        program = Program(tmp_path, entra, store=f"sqlite:///{tmp_path}/disk/store.db" if disk is not None else None)
        stack.callback(program.stop)
        await asyncio.to_thread(program.start)
        await goes_through_it(program, disk or quota_of(program), entra, says=("full", "I/O"))


def quota_of(program: Program) -> Quota:
    """Give the limit on the files of a program with a SQLite file in its folder."""
    assert program._process is not None
    return Quota(program._process.pid, program.folder / "store.db-wal", program.folder / "store.db", program.log)


async def test_postgresql_waits_for_room_on_its_disk(tmp_path: Path, entra: str, postgres: Server) -> None:
    """A full disk under PostgreSQL's tables makes intake answer 503 and loses nothing; no restart is needed."""
    own = own_server(postgres)
    with small_disk(own.folder / "small", 64) as disk:
        async with database_on(postgres, disk) as url:
            program = Program(tmp_path, entra, store=url)
            try:
                await asyncio.to_thread(program.start)
                await goes_through_it(program, disk, entra, says=("space",))
            finally:
                program.stop()


async def test_postgresql_stops_without_room_for_its_log_and_loses_nothing(
    tmp_path: Path, entra: str, postgres: Server
) -> None:
    """With the disk of its data folder full PostgreSQL stops at once, and cannot start before there is room: intake
    answers 503 all the while, and whatever got a 202 is there when it was started again.
    """
    shared = own_server(postgres)
    with small_disk(shared.folder / "whole", 160) as disk, server_on(disk, shared) as own:
        program = Program(tmp_path, entra, store=f"postgresql://postgres@127.0.0.1:{own.port}/postgres")
        try:
            await asyncio.to_thread(program.start)
            load = load_of(program, await token_of(entra))
            async with load.running():
                await load.more(ENOUGH)
                disk.fill()
                await stops(own)
                await load.answered()
                before = load.accepted
                await load.refused(ENOUGH)
                with pytest.raises(RuntimeError, match="No space left on device"):
                    own.start()
                await load.refused(ENOUGH)
                assert load.accepted == before, "something was accepted that no server can have kept"
                await asyncio.to_thread(says_why, program)
                disk.clear()
                own.start()
                await load.more(ENOUGH)
                await asyncio.to_thread(program.wait_until_ready)
            await asyncio.to_thread(comes_to_rest, program)
            await asyncio.to_thread(judge, program, load)
            assert set(load.answers) == {ACCEPTED, UNAVAILABLE}
            told = {number for alert in load.sent for numbers in alert.told.values() for number in numbers}
            there = {row[0] for row in await server_of(own).fetch("SELECT id FROM notifications")}
            assert told <= there
        finally:
            program.stop()


@contextmanager
def server_on(disk: SmallDisk, shared: OwnProcess) -> Iterator[OwnProcess]:
    """Run another server, which has its data folder on a disk; what it says of it is kept elsewhere."""
    folder = shared.folder / "other"
    own = OwnProcess(folder, shared.programs, free_port(), DURABLE | {"min_wal_size": "32MB", "max_wal_size": "32MB"})
    for one in (folder, disk.folder / "data"):
        one.mkdir(mode=0o700)
        own.owns(one)
    (folder / "data").symlink_to(disk.folder / "data")
    own.make()
    own.start()
    try:
        yield own
    finally:
        own.kill()
        shutil.rmtree(folder)


async def stops(own: OwnProcess) -> None:
    """Let another program write to a server's log, ten megabytes at a time, until there is no room and it stops."""
    server, end = server_of(own), monotonic() + STOP_SECONDS
    while own.runs and monotonic() < end:
        with suppress(OSError, asyncpg.PostgresError, asyncpg.InterfaceError):
            await server.execute("SELECT pg_logical_emit_message(false, 'tests', repeat('x', 10000000))")
    assert not own.runs, "there was room enough"
    assert "PANIC:  could not write to file" in (own.folder / "log").read_text()


@asynccontextmanager
async def database_on(server: Server, disk: SmallDisk) -> AsyncIterator[str]:
    """Make a database whose tables are on a disk; gives its URL."""
    place = disk.folder / "tables"
    place.mkdir(mode=0o700)
    own_server(server).owns(place)
    await server.execute(f"CREATE TABLESPACE small LOCATION '{place}'")
    try:
        await server.execute("CREATE DATABASE on_small_disk TEMPLATE template0 TABLESPACE small")
        try:
            yield server.url("on_small_disk")
        finally:
            disk.clear()
            await server.execute("DROP DATABASE on_small_disk WITH (FORCE)")
    finally:
        await server.execute("DROP TABLESPACE small")


@pytest.mark.parametrize("step", [StepKind.CREATE, StepKind.RESOLVE])
async def test_what_the_tool_did_is_not_done_twice_when_it_cannot_be_written_down(
    tmp_path: Path, step: StepKind
) -> None:
    """The disk is full just when the tool has done a step: it is written down when there is room, after a look if the
    lane was left meanwhile, and the tool has one record, in the right state.
    """
    clock = ManualClock()
    with small_disk(tmp_path / "disk", 16) as disk:
        store = await SqliteStore.open(disk.folder / "store.db", clock=clock)
        scene = Scene(store, clock)
        full = asyncio.Event()

        async def fill(kind: StepKind, _: WorkItem) -> None:
            if kind is step and not full.is_set():
                disk.fill()
                full.set()

        connector = MortalConnector(scene.tool, Life(), after=fill)
        scene.target = replace(scene.target, connector=connector)
        worker = scene.worker()
        working = asyncio.create_task(worker.run())
        try:
            await scene.fire()
            if step is StepKind.RESOLVE:
                await until_idle(scene)
                await scene.end()
            await asyncio.wait_for(full.wait(), 20)
            assert await store.ready() is not None, "there was room to write that the step is done"
            clock.forward(300)
            await asyncio.sleep(0.1)
            disk.clear()
            await until_idle(scene)
            record, item = scene.tool.record, await scene.item()
            assert not item["owed"]
            assert (item["number"], item["state"]) == (
                record.number,
                "resolved" if step is StepKind.RESOLVE else "open",
            )
            assert record.state.value == item["state"]
        finally:
            await worker.stop()
            working.cancel()
            with suppress(asyncio.CancelledError):
                await working
            await store.close()
