"""The last write before a crash is torn: what was acknowledged was flushed before, so that nothing of it is missing."""

import asyncio
import random
import re
import shutil
import sqlite3
import struct
from dataclasses import dataclass
from pathlib import Path

import pytest
from tests.faults.disasters.load import Load, comes_to_rest, judge, load_of, token_of
from tests.postgres import OwnProcess, Server, own_server
from tests.program import Program

pytestmark = pytest.mark.fault

ENOUGH = 60
_HEADER = 32
_FRAME_HEADER = 24
_SEGMENT = 16 * 1024 * 1024
_GARBAGE = random.Random(7).randbytes(200_000)  # noqa: S311 - garbage, no secret


@dataclass(frozen=True)
class Log:
    """A write-ahead log of SQLite (SQLite docs, "WAL File Format").

    Attributes:
        data: What is in the file.
        frame: The size of a frame.
        end: Where the last frame of the last commit ends.
        commits: Where each commit ends.
    """

    data: bytes
    frame: int
    end: int
    commits: tuple[int, ...]


def read_log(path: Path) -> Log:
    """Find the commits of a write-ahead log: frames with its salts, of which the last of each commit tells a size."""
    data = path.read_bytes()
    page_size, salts = struct.unpack(">I", data[8:12])[0], data[16:24]
    frame = _FRAME_HEADER + page_size
    commits: list[int] = []
    for start in range(_HEADER, len(data) - frame + 1, frame):
        if data[start + 8 : start + 16] != salts:
            break
        if struct.unpack(">I", data[start + 4 : start + 8])[0]:
            commits.append(start + frame)
    return Log(data, frame, commits[-1], tuple(commits))


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
    path = tmp_path / "store.db-wal"
    log = read_log(path)
    start = log.end - log.frame
    begun = log.data[start : start + 4] + bytes(4) + log.data[start + 8 : log.end]
    path.write_bytes(log.data[: log.end] + begun + begun[: log.frame // 2] + _GARBAGE[:3000])
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


def tear(own: OwnProcess) -> None:
    """Write garbage where the log of a server that is gone ends."""
    timeline, end = end_of_log(own)
    segment = own.folder / "data" / "pg_wal" / segment_name(timeline, end)
    with segment.open("r+b") as file:
        file.seek(end % _SEGMENT)
        file.write(_GARBAGE[: _SEGMENT - end % _SEGMENT])


def end_of_log(own: OwnProcess) -> tuple[int, int]:
    """Find the timeline, and where the first record that is not whole begins, as PostgreSQL's own programs say."""
    control = own.ran("pg_controldata", str(own.folder / "data"))
    said = {name: value.strip() for name, _, value in (line.partition(":") for line in control.splitlines())}
    timeline, redo = int(said["Latest checkpoint's TimeLineID"]), said["Latest checkpoint's REDO location"]
    folder = own.folder / "data" / "pg_wal"
    high, low = (int(part, 16) for part in redo.split("/"))
    # Named, because pg_waldump would read the size of segments from any of them, and one made in advance is empty.
    first = segment_name(timeline, (high << 32) + low)
    last = max(file.name for file in folder.glob(f"{timeline:08X}" + "?" * 16))
    told = own.ran("pg_waldump", "-q", "-p", str(folder), "-s", redo, first, last, succeeds=False)
    assert "error in WAL record at" in told, told
    places = re.findall(r"\b([0-9A-F]+)/([0-9A-F]+)\b", told)
    return timeline, max((int(high, 16) << 32) + int(low, 16) for high, low in places)


def segment_name(timeline: int, place: int) -> str:
    """Name the file of the log that a place is in."""
    return f"{timeline:08X}{place >> 32:08X}{(place & 0xFFFFFFFF) // _SEGMENT:08X}"
