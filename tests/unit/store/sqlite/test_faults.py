"""What the SQLite store does when the disk is full, a job is wrong, the process is killed, or others hold the lock."""

import asyncio
import os
import signal
import sqlite3
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from tests.conformance.store_suite.samples import claim, entry, folded, item, unreadable

from secure_export.errors import StoreUnavailable
from secure_export.store.sqlite import connect
from secure_export.store.sqlite.checkpoints import Checkpoints
from secure_export.store.sqlite.connect import connect_to_write, is_outage
from secure_export.store.sqlite.database import Database
from secure_export.store.sqlite.store import SqliteStore

NOISE = os.urandom(400_000)


@pytest.fixture
async def database(tmp_path: Path) -> AsyncIterator[Database]:
    opened = await Database.open(tmp_path / "store.db")
    yield opened
    await opened.close()


def _pages_allowed(more: int) -> Any:
    def limit(db: sqlite3.Connection) -> None:
        (count,) = db.execute("PRAGMA page_count").fetchone()
        db.execute(f"PRAGMA max_page_count = {count + more}")

    return limit


def _put(name: str) -> Any:
    return lambda db: db.execute("INSERT INTO cursors (name, value) VALUES (?, '')", (name,)).rowcount


async def _names(database: Database) -> set[str]:
    rows = await database.read(lambda db: db.execute("SELECT name FROM cursors").fetchall())
    return {row[0] for row in rows}


async def test_a_full_disk_is_an_outage_that_keeps_nothing(database: Database) -> None:
    """Nothing of an entry that did not fit is kept, and it can be sent again when there is room."""
    store = SqliteStore(database)
    await database.write(_pages_allowed(10))
    with pytest.raises(StoreUnavailable, match=r"full; check its disk"):
        await store.journal.append(entry(body=NOISE, key=b"k" * 24))
    assert (await store.records.lanes()).rows == []
    await database.write(_pages_allowed(100_000))
    assert (await store.journal.append(entry(body=NOISE, key=b"k" * 24))).status == "accepted"


async def test_on_a_full_disk_what_fits_is_taken(database: Database) -> None:
    """An entry that is too big for the room left takes no small one with it, though they share a commit."""
    store = SqliteStore(database)
    await database.write(_pages_allowed(10))
    entries = [entry(f"alert:{n}", body=NOISE if n == 4 else b"{}") for n in range(8)]
    results = await asyncio.gather(*map(store.journal.append, entries), return_exceptions=True)
    assert [isinstance(r, StoreUnavailable) for r in results] == [n == 4 for n in range(8)]
    assert len(await claim(store.lanes)) == 7


async def test_on_a_full_disk_lanes_are_not_half_written(database: Database) -> None:
    """A change that does not fit is not kept in part, and the lane is its owner's still."""
    store = SqliteStore(database)
    await store.journal.append(entry())
    (lane,) = await claim(store.lanes)
    await database.write(_pages_allowed(10))
    huge = item(reasons=(NOISE.hex(),))
    with pytest.raises(StoreUnavailable):
        await store.lanes.save(lane, folded(lane, item=huge), now=lane.lease_until)
    assert (await store.records.work_items()).rows == []
    (again,) = await claim(store.lanes, now=lane.lease_until)
    assert again.pending == lane.pending


async def test_who_sent_it_is_kept_even_if_the_first_try_failed(database: Database) -> None:
    """What was remembered of a sender whose entry did not fit is not believed the next time."""
    store = SqliteStore(database)
    await database.write(_pages_allowed(10))
    with pytest.raises(StoreUnavailable):
        await store.journal.append(unreadable(body=NOISE))
    await database.write(_pages_allowed(100_000))
    receipt = await store.journal.append(unreadable())
    assert (await store.records.quarantined(receipt.notification))["caller"]["token_id"] == "u"


async def test_a_wrong_job_disturbs_no_other(database: Database) -> None:
    """Of many jobs in one commit the wrong ones fail with their own error and leave nothing; the others stay."""

    def wrong(db: sqlite3.Connection) -> None:
        db.execute("INSERT INTO cursors (name, value) VALUES ('half', '')")
        raise KeyError("wrong")

    jobs = [wrong if n % 3 == 1 else _put(str(n)) for n in range(30)]
    results = await asyncio.gather(*map(database.write, jobs), return_exceptions=True)
    assert [isinstance(r, KeyError) for r in results] == [n % 3 == 1 for n in range(30)]
    assert await _names(database) == {str(n) for n in range(30) if n % 3 != 1}


async def test_a_wrong_statement_is_no_outage(database: Database) -> None:
    """A fault of the program is not taken for one of the disk."""
    with pytest.raises(sqlite3.OperationalError, match="no such table"):
        await database.write(lambda db: db.execute("INSERT INTO nowhere VALUES (1)"))
    with pytest.raises(sqlite3.IntegrityError):
        await asyncio.gather(database.write(_put("a")), database.write(_put("a")))
    assert await _names(database) == {"a"}


async def test_a_job_cannot_end_the_transaction_of_others(database: Database) -> None:
    """A job that commits or rolls back by itself is found out, and the writer goes on."""
    for statement in ("ROLLBACK", "COMMIT"):
        with pytest.raises(sqlite3.OperationalError):
            await database.write(lambda db, sql=statement: db.execute(sql))  # type: ignore[misc] # sql is bound now
    await database.write(_put("after"))
    assert await _names(database) == {"after"}


async def test_readers_cannot_write(database: Database) -> None:
    """A query that writes is refused."""
    with pytest.raises((sqlite3.OperationalError, StoreUnavailable), match="readonly"):
        await database.read(_put("a"))


async def test_more_than_can_wait_is_refused_at_once(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    """Overload is told before memory grows, and what was taken is written."""
    monkeypatch.setattr(database._writer, "_waiting_limit", 5)
    results = await asyncio.gather(*(database.write(_put(str(n))) for n in range(9)), return_exceptions=True)
    refused = [r for r in results if isinstance(r, StoreUnavailable)]
    assert len(refused) == 4
    assert "too many" in str(refused[0])
    assert await _names(database) == {str(n) for n in range(5)}
    await database.write(_put("later"))


async def test_someone_else_holding_the_lock_is_an_outage_for_all_at_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Those who wait for a lock that is not given are told together and not one after the other."""
    monkeypatch.setattr(connect, "_BUSY_TIMEOUT_SECONDS", 0.2)
    database = await Database.open(tmp_path / "store.db")
    other = connect_to_write(tmp_path / "store.db")
    other.execute("BEGIN IMMEDIATE")
    async with asyncio.timeout(5):
        jobs = (database.write(_put(str(n))) for n in range(40))
        results = await asyncio.gather(*jobs, return_exceptions=True)
    assert all(isinstance(r, StoreUnavailable) for r in results)
    assert len({id(r) for r in results}) == 40
    other.execute("ROLLBACK")
    other.close()
    await database.write(_put("after"))
    assert await _names(database) == {"after"}
    await database.close()


async def test_what_waits_is_written_when_the_store_closes(tmp_path: Path) -> None:
    """Closing finishes what was begun, and then takes nothing more."""
    database = await Database.open(tmp_path / "store.db")
    tasks = [asyncio.create_task(database.write(_put(str(n)))) for n in range(600)]
    await asyncio.sleep(0)
    await database.close()
    await asyncio.gather(*tasks)
    with pytest.raises(StoreUnavailable, match="closed"):
        await database.write(_put("late"))
    with pytest.raises(StoreUnavailable, match="closed"):
        await database.read(lambda db: None)
    again = await Database.open(tmp_path / "store.db")
    assert len(await _names(again)) == 600
    await again.close()


async def test_who_gave_up_waiting_disturbs_nobody(database: Database) -> None:
    """A cancelled writer's change may be kept or not; all others are told what became of theirs."""
    task = asyncio.create_task(database.write(_put("cancelled")))
    await asyncio.sleep(0)
    task.cancel()
    assert await database.write(_put("other")) == 1
    with pytest.raises(asyncio.CancelledError):
        await task
    assert "other" in await _names(database)


async def test_two_databases_on_one_file(tmp_path: Path) -> None:
    """Both write at the same time, nothing is lost, and each sees the other's work."""
    one, two = [await Database.open(tmp_path / "store.db") for _ in range(2)]
    await asyncio.gather(*((one, two)[n % 2].write(_put(str(n))) for n in range(200)))
    assert await _names(one) == await _names(two) == {str(n) for n in range(200)}
    await one.close()
    await two.write(_put("alone"))
    await two.close()


async def test_ready_says_what_is_wrong(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    """The write test writes, and gives the reason when it cannot."""
    store = SqliteStore(database)
    assert await store.ready() is None
    monkeypatch.setattr(database._writer, "_waiting_limit", 0)
    assert "too many changes wait" in str(await store.ready())


async def test_the_file_is_its_owners_alone(tmp_path: Path) -> None:
    """Alerts are not for everybody on the machine to read; folders are made where they are missing."""
    path = tmp_path / "deep" / "er" / "store.db"
    database = await Database.open(path)
    await database.write(_put("a"))
    assert {p.name: p.stat().st_mode & 0o077 for p in path.parent.iterdir()} == {
        "store.db": 0,
        "store.db-wal": 0,
        "store.db-shm": 0,
    }
    await database.close()


async def test_a_place_that_cannot_be_written_is_an_outage(tmp_path: Path) -> None:
    """The text says what to check."""
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreUnavailable, match="check its disk and permissions"):
        await Database.open(tmp_path / "file" / "store.db")


def _frames(path: Path) -> int:
    """Say how many pages the write-ahead log holds that is being written."""
    connection = connect_to_write(path)
    _, frames, _ = connection.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchone()
    connection.close()
    return int(frames)


async def test_the_log_starts_again_when_a_checkpoint_asks_for_it(database: Database) -> None:
    """The writer copies what is left of the log after its next batch, and then writes from the log's beginning."""
    store = SqliteStore(database)
    for n in range(3):
        await store.journal.append(entry(f"alert:{n}", body=NOISE))
    database._writer.ask_wal_restart()
    await store.journal.append(entry("alert:before", body=NOISE))
    await database.write(_put("after"))
    assert _frames(database.path) < 2 * len(NOISE) / 4096


async def test_a_checkpoint_asks_only_when_the_log_is_long(tmp_path: Path) -> None:
    """A short log is left alone; a long one, once it is copied, is started again."""
    path = tmp_path / "store.db"
    database = await Database.open(path)
    asked: list[bool] = []
    checkpoints = Checkpoints(path, lambda: asked.append(True))
    checkpoints._pass()
    assert asked == []
    store = SqliteStore(database)
    await asyncio.gather(*(store.journal.append(entry(f"alert:{n}", body=NOISE)) for n in range(45)))
    checkpoints._pass()
    assert asked == [True]
    checkpoints.close()
    await database.close()


async def test_a_commit_is_on_disk_when_it_returns(database: Database) -> None:
    """The writer's settings are those that survive a loss of power (SQLite docs, "PRAGMA synchronous")."""

    def settings(db: sqlite3.Connection) -> list[Any]:
        return [db.execute(f"PRAGMA {name}").fetchone()[0] for name in ("synchronous", "journal_mode")]

    full = 2
    assert await database.write(settings) == [full, "wal"]


def test_what_is_an_outage() -> None:
    """Disk and lock trouble may pass; a wrong statement or value will not."""
    assert is_outage(OSError("no space"))
    assert not is_outage(sqlite3.IntegrityError())
    assert not is_outage(KeyError())


_APPENDING = """
import asyncio, sys
from pathlib import Path
from secure_export.store.sqlite.store import SqliteStore
from tests.conformance.store_suite.samples import entry

async def append_forever(store, task):
    for n in range(10**9):
        key = f"{task}:{n}"
        receipt = await store.journal.append(entry("alert:" + key, body=key.encode(), key=key.encode().rjust(24)))
        sys.stdout.write(f"{receipt.notification} {key}\\n")
        sys.stdout.flush()

async def main():
    store = await SqliteStore.open(Path(sys.argv[1]))
    await asyncio.gather(*(append_forever(store, task) for task in range(32)))

asyncio.run(main())
"""


@pytest.mark.parametrize("lines", [1, 500, 3000])
async def test_what_was_acknowledged_survives_a_kill(tmp_path: Path, lines: int) -> None:
    """After SIGKILL in the middle of appending everything that was acknowledged is there, body and lane."""
    root = Path(__file__).parents[4]
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-c",
        _APPENDING,
        str(tmp_path / "store.db"),
        cwd=root,
        env=os.environ | {"PYTHONPATH": f"{root}{os.pathsep}{root / 'src'}"},
        stdout=asyncio.subprocess.PIPE,
    )
    assert process.stdout is not None
    acknowledged = [await process.stdout.readline() for _ in range(lines)]
    process.send_signal(signal.SIGKILL)
    acknowledged += [line for line in (await process.stdout.read()).splitlines(keepends=True) if line.endswith(b"\n")]
    await process.wait()
    store = await SqliteStore.open(tmp_path / "store.db")
    lanes = await claim(store.lanes, limit=10**6)
    found = {str(lane.pending[0].notification).encode(): lane.pending[0].body for lane in lanes}
    for line in acknowledged:
        number, key = line.split()
        assert found[number] == key
    assert (await store.journal.append(entry())).status == "accepted"
    await store.close()
