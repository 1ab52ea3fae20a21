"""The last write before a crash is torn: what was acknowledged was flushed before, so that nothing of it is missing."""

import asyncio
import shutil
import sqlite3
from pathlib import Path

import pytest
from tests.faults.disasters.load import Load, comes_to_rest, judge, load_of, token_of
from tests.faults.disasters.torn import read_log, tear, tear_sqlite
from tests.postgres import Server, own_server
from tests.program import Program

pytestmark = pytest.mark.fault

ENOUGH = 60


async def killed_under_load(program: Program, entra: str) -> Load:
    """Let alerts come in, and end the program as a power cut would while they do."""
    await asyncio.to_thread(program.start)
    load = load_of(program, await token_of(entra))
    try:
        async with load.running():
            await load.more(ENOUGH)
            program.kill()
            load.gives_up()
    finally:
        program.kill()
    assert load.accepted >= ENOUGH
    return load


async def still_there(program: Program, load: Load) -> None:
    """Start the program again, and find everything that was acknowledged."""
    try:
        await asyncio.to_thread(program.start)
        await asyncio.to_thread(comes_to_rest, program)
        await asyncio.to_thread(judge, program, load)
    finally:
        program.stop()


async def test_a_torn_last_write_costs_sqlite_nothing_that_was_acknowledged(tmp_path: Path, entra: str) -> None:
    """Beyond the last commit there may be half a frame, the beginning of a transaction, or garbage: the file opens,
    and everything that got a 202 is there.
    """
    program = Program(tmp_path, entra)
    load = await killed_under_load(program, entra)
    tear_sqlite(tmp_path / "store.db-wal")
    await still_there(program, load)


async def test_a_torn_commit_of_sqlite_vanishes_whole(tmp_path: Path, entra: str) -> None:
    """Should the disk lose what it called flushed, SQLite's checksums tell: of a transaction that is torn, or of one
    after it, nothing is read, and what comes before it is as it was. No half of anything is ever there.
    """
    program = Program(tmp_path, entra)
    await killed_under_load(program, entra)
    log = read_log(tmp_path / "store.db-wal")
    middle = log.commits[len(log.commits) // 2]
    flipped = bytearray(log.data)
    flipped[middle - log.frame // 2] ^= 0xFF
    whole = rows_of(tmp_path, log.data[: log.end])
    before = rows_of(tmp_path, log.data[: log.commits[len(log.commits) // 2 - 1]])
    assert before < whole
    assert rows_of(tmp_path, bytes(flipped)) == before
    assert rows_of(tmp_path, log.data[: middle - log.frame // 2]) == before
    last = rows_of(tmp_path, log.data[: log.commits[-2]])
    assert rows_of(tmp_path, log.data[: log.end - 100]) == last


def rows_of(folder: Path, log: bytes) -> frozenset[tuple[str, int]]:
    """Read the file with a given log: what is recorded, after a check that the file is whole."""
    copy = folder / "copy"
    copy.mkdir(exist_ok=True)
    for old in copy.iterdir():
        old.unlink()
    shutil.copy(folder / "store.db", copy / "store.db")
    (copy / "store.db-wal").write_bytes(log)
    connection = sqlite3.connect(copy / "store.db")
    try:
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        assert connection.execute("PRAGMA foreign_key_check").fetchall() == []
        return frozenset(
            (table, row[0])
            for table in ("notifications", "steps", "alerts", "work_items")
            for row in connection.execute(f"SELECT rowid FROM {table}")  # noqa: S608 - constants
        )
    finally:
        connection.close()


async def test_a_torn_last_write_costs_postgresql_nothing_that_was_acknowledged(
    tmp_path: Path, entra: str, postgres: Server
) -> None:
    """Beyond the last whole record of PostgreSQL's log there is garbage after a crash: the server starts, and
    everything that got a 202 is there.
    """
    own = own_server(postgres)
    async with postgres.database(migrated=False) as name:
        program = Program(tmp_path, entra, store=postgres.url(name))
        await asyncio.to_thread(program.start)
        await postgres.execute("CHECKPOINT")  # it names the timeline, which an earlier test may have begun
        load = load_of(program, await token_of(entra))
        try:
            async with load.running():
                await load.more(ENOUGH)
                own.kill()
                tear(own)
                own.start()
                await load.more(1)
            await asyncio.to_thread(comes_to_rest, program)
            await asyncio.to_thread(judge, program, load)
        finally:
            program.stop()
            if not own.runs:
                own.start()
