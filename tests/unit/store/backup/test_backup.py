"""Backups of a SQLite database in use: whole, of one moment, and never half there."""

import asyncio
import os
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest
from tests.conformance.store_suite.samples import NOW, entry
from tests.unit.store.copy.filled import contents, filled

from secure_export.errors import NotFound, SettingsError, StoreUnavailable
from secure_export.store.backup import making
from secure_export.store.backup.files import FileThere
from secure_export.store.backup.making import APPLICATION_ID, back_up
from secure_export.store.sqlite.store import SqliteStore

WRITER = """
import asyncio, os, sys
from pathlib import Path
from tests.conformance.store_suite.samples import NOW, entry
from secure_export.store.sqlite.store import SqliteStore

async def main():
    store = await SqliteStore.open(Path(sys.argv[1]), clock=lambda: NOW)
    number = 0
    while True:
        some = [entry(f"alert:{number + n}", body=os.urandom(600)) for n in range(50)]
        await asyncio.gather(*map(store.journal.append, some))
        number += 50
        print(number, flush=True)

asyncio.run(main())
"""


def nothing(_done: int, _all: int) -> None:
    """Look at no progress."""


def names(folder: Path) -> list[str]:
    """Give the files in a folder."""
    return sorted(file.name for file in folder.iterdir())


def bodies(path: Path) -> int:
    with closing(sqlite3.connect(f"{path.as_uri()}?mode=ro", uri=True)) as db:
        return int(db.execute("SELECT count(*) FROM notifications").fetchone()[0])


def test_what_was_acknowledged_before_it_began_is_in_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Another process writes at full speed meanwhile; the backup is of one moment, and it ends."""
    monkeypatch.setattr(making, "_PAGES_AT_ONCE", 8)
    database = tmp_path / "store.db"
    writer = subprocess.Popen([sys.executable, "-c", WRITER, str(database)], stdout=subprocess.PIPE, cwd=Path.cwd())
    assert writer.stdout is not None
    try:
        acknowledged = max(int(writer.stdout.readline()) for _ in range(20))
        reached: list[int] = []

        def told(done: int, _all: int) -> None:
            assert not reached or done >= reached[-1], "it began again"
            reached.append(done)
            time.sleep(0.002)  # somebody else writes between two steps

        for number in range(2):
            back_up(database, tmp_path / f"{number}.db", told, now=NOW)
            assert len(reached) > 20
            reached.clear()
        later = int(writer.stdout.readline())
        assert writer.poll() is None
    finally:
        writer.kill()
        writer.wait()
        writer.stdout.close()
    counts = [bodies(tmp_path / f"{number}.db") for number in range(2)]
    assert counts[0] >= acknowledged
    assert counts == sorted(counts)
    assert later > acknowledged, "the writer was not stopped"


async def test_a_backup_is_one_file_that_is_complete(tmp_path: Path) -> None:
    """It needs nothing beside it, says what it is, is for its owner only, and has all that the database has."""
    database, file = tmp_path / "store.db", tmp_path / "backups" / "b.db"
    file.parent.mkdir()
    await filled(database)
    size = back_up(database, file, nothing, now=NOW)
    assert names(file.parent) == ["b.db"]
    assert size == file.stat().st_size
    assert file.stat().st_mode & 0o077 == 0
    assert contents(file) == contents(database)
    with closing(sqlite3.connect(file)) as db:
        assert db.execute("PRAGMA journal_mode").fetchone() == ("delete",)
        assert db.execute("PRAGMA application_id").fetchone() == (APPLICATION_ID,)


async def test_nothing_is_overwritten_unasked(tmp_path: Path) -> None:
    """An older backup stays as it is until a whole one is there to take its place."""
    database, file = tmp_path / "store.db", tmp_path / "b.db"
    await filled(database)
    file.write_bytes(b"older")
    with pytest.raises(FileThere, match="--force"):
        back_up(database, file, nothing, now=NOW)
    assert file.read_bytes() == b"older"
    back_up(database, file, nothing, now=NOW, replace=True)
    assert bodies(file) > 0


def _damaged(database: Path) -> None:
    with closing(sqlite3.connect(database)) as db:
        db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    with database.open("r+b") as opened:
        opened.seek(4096 * 3)
        opened.write(os.urandom(4096 * 10))


def _foreign(database: Path) -> None:
    database.unlink()
    with closing(sqlite3.connect(database)) as db:
        db.execute("CREATE TABLE other (x)")


def _half_copied(database: Path) -> None:
    with closing(sqlite3.connect(database)) as db:
        db.execute("INSERT INTO cursors (name, value) VALUES ('store-copy:unfinished', 'elsewhere')")
        db.commit()


@pytest.mark.parametrize("spoil", [_damaged, _foreign, _half_copied])
async def test_what_is_not_whole_makes_no_backup(tmp_path: Path, spoil: Callable[[Path], None]) -> None:
    """A backup that would be of no use is not made, and the one before it stays."""
    database, file = tmp_path / "store.db", tmp_path / "b.db"
    await filled(database)
    spoil(database)
    file.write_bytes(b"older")
    with pytest.raises((SettingsError, StoreUnavailable)):
        back_up(database, file, nothing, now=NOW, replace=True)
    assert file.read_bytes() == b"older"
    assert names(tmp_path) == ["b.db", "store.db"]


def test_there_must_be_something_to_back_up(tmp_path: Path) -> None:
    """A wrong name makes neither a database nor a backup."""
    with pytest.raises(NotFound, match="there is no"):
        back_up(tmp_path / "nothing.db", tmp_path / "b.db", nothing, now=NOW)
    assert names(tmp_path) == []


async def test_an_ended_backup_leaves_nothing_under_its_name(tmp_path: Path) -> None:
    """Whatever ends it, the file is whole or not there; what is left is taken away the next time."""
    database, file = tmp_path / "store.db", tmp_path / "b.db"
    store = await SqliteStore.open(database, clock=lambda: NOW)
    await asyncio.gather(*(store.journal.append(entry(f"alert:{n}")) for n in range(50)))
    await store.close()

    def ended(_done: int, _all: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        back_up(database, file, ended, now=NOW)
    assert names(tmp_path) == ["store.db"]
    (tmp_path / "b.db.partial").write_bytes(b"left by a kill")
    back_up(database, file, nothing, now=NOW)
    assert names(tmp_path) == ["b.db", "store.db"]


async def test_two_backups_at_once_do_not_mix(tmp_path: Path) -> None:
    """A backup by hand beside that of a timer: one of them is refused, and what it finds is not half of the other."""
    database, file = tmp_path / "store.db", tmp_path / "b.db"
    await filled(database)
    refused = []

    def meanwhile(_done: int, _all: int) -> None:
        with pytest.raises(StoreUnavailable, match="another backup"):
            back_up(database, file, nothing, now=NOW)
        refused.append(names(tmp_path))

    back_up(database, file, meanwhile, now=NOW)
    assert "b.db" not in refused[0]
    assert contents(file) == contents(database)


async def test_a_symbolic_link_to_the_latest_backup_stays_one(tmp_path: Path) -> None:
    """What the link names is replaced, not the link."""
    await filled(tmp_path / "store.db")
    (tmp_path / "disk").mkdir()
    (tmp_path / "latest.db").symlink_to(tmp_path / "disk" / "b.db")
    back_up(tmp_path / "store.db", tmp_path / "latest.db", nothing, now=NOW)
    assert (tmp_path / "latest.db").is_symlink()
    assert names(tmp_path / "disk") == ["b.db"]
