"""Restoring: whole or not at all, never under a running service, and everything is looked at before it is acted on."""

import os
import sqlite3
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import pytest
from tests.conformance.store_suite.samples import NOW, claim, entry, folded, item, open_in_tool, resolved
from tests.unit.store.copy.filled import filled

from secure_export.delivery.contract import Change
from secure_export.errors import NotFound, SettingsError, StoreUnavailable
from secure_export.store.backup.files import FileThere
from secure_export.store.backup.making import back_up
from secure_export.store.backup.restoring import restore
from secure_export.store.restored import may_be_there
from secure_export.store.sqlite import alone
from secure_export.store.sqlite.alone import InUse
from secure_export.store.sqlite.connect import connect_to_write
from secure_export.store.sqlite.migrate import known_migrations, migrate
from secure_export.store.sqlite.store import SqliteStore
from secure_export.workitems.work_item import StepKind


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Wait only shortly for those who use a file."""
    monkeypatch.setattr(alone, "_PATIENCE_SECONDS", 0.05)


@pytest.fixture
async def backup(tmp_path: Path) -> Path:
    """Give a backup of a database with lanes in every state."""
    await filled(tmp_path / "old.db")
    back_up(tmp_path / "old.db", tmp_path / "backup.db", nothing, now=NOW)
    return tmp_path / "backup.db"


def nothing(_done: int, _all: int) -> None:
    """Look at no progress."""


def names(folder: Path) -> list[str]:
    """Give the files in a folder."""
    return sorted(file.name for file in folder.iterdir())


def content(file: Path) -> bytes:
    """Give what is in a file."""
    return file.read_bytes()


def rows(path: Path, sql: str) -> list[tuple[object, ...]]:
    with closing(sqlite3.connect(path)) as db:
        return db.execute(sql).fetchall()


async def test_a_backup_comes_back_whole(tmp_path: Path, backup: Path) -> None:
    """All notifications and work items are there, the service opens it, and the backup is as it was."""
    before = content(backup)
    restored = restore(backup, tmp_path / "new" / "store.db", nothing, now=NOW)
    assert restored.made_at == "2026-03-02T09:19:05.117123Z"
    assert content(backup) == before
    for table in ("notifications", "work_items", "alerts", "pending", "desk_incidents"):
        sql = f"SELECT count(*) FROM {table}"  # noqa: S608 - a name of this test
        assert rows(tmp_path / "new" / "store.db", sql) == rows(backup, sql) != [(0,)]
    store = await SqliteStore.open(tmp_path / "new" / "store.db")
    await store.close()
    assert names(tmp_path / "new") == ["store.db"]


async def test_everything_is_looked_at_before_it_is_acted_on(tmp_path: Path) -> None:
    """What is open is read back, what was begun or never made is in doubt, what is over is left alone."""
    store = await SqliteStore.open(tmp_path / "old.db", clock=lambda: NOW)
    for name in ("open", "over", "begun", "unmade", "fresh"):
        await store.journal.append(entry(f"alert:{name}"))
    lanes = {lane.correlation_key.removeprefix("alert:"): lane for lane in await claim(store.lanes)}
    made = {name: item(f"alert:{name}") for name in lanes}
    await store.lanes.save(lanes["open"], folded(lanes["open"], item=open_in_tool(made["open"])), now=NOW)
    await store.lanes.save(lanes["over"], folded(lanes["over"], item=resolved(made["over"])), now=NOW)
    begun = Change(folded=(), item=made["begun"], begin=StepKind.CREATE)
    await store.lanes.save(lanes["begun"], begun, now=NOW)
    await store.lanes.save(lanes["unmade"], folded(lanes["unmade"], item=made["unmade"]), now=NOW)
    await store.close()
    back_up(tmp_path / "old.db", tmp_path / "backup.db", nothing, now=NOW)
    restored = restore(tmp_path / "backup.db", tmp_path / "store.db", nothing, now=NOW)
    assert restored.to_look_at == 3
    store = await SqliteStore.open(tmp_path / "store.db", clock=lambda: NOW)
    try:
        found = {lane.correlation_key.removeprefix("alert:"): lane for lane in await claim(store.lanes)}
        assert set(found) == {"open", "begun", "unmade", "fresh"}
        assert all(lane.look and lane.wary for lane in found.values())
        items = {name: lane.item for name, lane in found.items()}
        assert {name: one.doubt for name, one in items.items() if one is not None} == {
            "open": False,
            "begun": True,
            "unmade": True,
        }
        assert items["fresh"] is None
    finally:
        await store.close()
    ended = "SELECT count(*) FROM steps WHERE finished_at IS NOT NULL AND outcome = 'unclear'"
    assert rows(tmp_path / "store.db", ended) == [(1,)]


async def test_what_comes_again_is_looked_for_before_it_is_made(tmp_path: Path, backup: Path) -> None:
    """Alerts from after the backup are not known here any more, but their work items may be in the tool."""
    restore(backup, tmp_path / "store.db", nothing, now=NOW)
    for days, wary in ((30, True), (40, False)):
        store = await SqliteStore.open(tmp_path / "store.db", clock=lambda: NOW)
        await store.journal.append(entry("alert:later", connection=f"c{days}"))
        (lane,) = await claim(store.lanes, connection=f"c{days}", now=NOW + timedelta(days=days))
        assert lane.wary is wary
        await store.close()


def test_a_database_that_never_was_restored_is_not_wary() -> None:
    """Nothing costs a look that need not."""
    assert not may_be_there(None, NOW)


async def test_a_running_service_keeps_its_database(tmp_path: Path, backup: Path) -> None:
    """Even --force does not take the file away under a service."""
    store = await SqliteStore.open(tmp_path / "store.db", clock=lambda: NOW)
    try:
        receipt = await store.journal.append(entry("alert:new"))
        with pytest.raises(InUse, match="stop the service"):
            restore(backup, tmp_path / "store.db", nothing, now=NOW, replace=True)
        assert (await store.journal.append(entry("alert:newer"))).notification > receipt.notification
    finally:
        await store.close()
    assert rows(tmp_path / "store.db", "SELECT count(*) FROM notifications") == [(2,)]


async def test_a_database_that_is_there_is_replaced_only_when_told(tmp_path: Path, backup: Path) -> None:
    """And then nothing of its write-ahead log gets into the one that takes its place."""
    database = tmp_path / "store.db"
    await filled(database, more=200)
    with pytest.raises(FileThere, match="--force"):
        restore(backup, database, nothing, now=NOW)
    for ending in ("-wal", "-shm"):
        (tmp_path / f"store.db{ending}").write_bytes(b"left by a kill")
    restore(backup, database, nothing, now=NOW, replace=True)
    assert not {name for name in names(tmp_path) if name.startswith("store.db-")}
    assert rows(database, "SELECT count(*) FROM notifications") == rows(backup, "SELECT count(*) FROM notifications")
    assert rows(database, "PRAGMA integrity_check") == [("ok",)]


async def test_a_damaged_database_can_be_replaced(tmp_path: Path, backup: Path) -> None:
    """That is what backups are for."""
    (tmp_path / "store.db").write_bytes(os.urandom(10_000))
    restore(backup, tmp_path / "store.db", nothing, now=NOW, replace=True)
    assert rows(tmp_path / "store.db", "PRAGMA integrity_check") == [("ok",)]


@pytest.mark.parametrize("how", ["none", "text", "cut", "foreign", "newer"])
async def test_what_is_no_whole_backup_is_not_restored(tmp_path: Path, backup: Path, how: str) -> None:
    """Nothing is put in place, and what is there stays."""
    file, database = tmp_path / "file.db", tmp_path / "store.db"
    await filled(database)
    before = rows(database, "SELECT * FROM notifications")
    match how:
        case "text":
            file.write_text("no database at all" * 1000)
        case "cut":
            file.write_bytes(content(backup)[:-40_960])
        case "foreign":
            with closing(sqlite3.connect(file)) as db:
                db.execute("CREATE TABLE other (x)")
        case "newer":
            file.write_bytes(content(backup))
            with closing(sqlite3.connect(file)) as db:
                db.execute("INSERT INTO migrations (number, name, checksum) VALUES (99, '0099_x.sql', '')")
                db.commit()
    with pytest.raises((SettingsError, NotFound)):
        restore(file, database, nothing, now=NOW, replace=True)
    assert rows(database, "SELECT * FROM notifications") == before
    assert not {name for name in names(tmp_path) if "partial" in name}


def test_an_older_backup_is_brought_up_to_date(tmp_path: Path) -> None:
    """A file of the first version serves this one, with what was in it."""
    with closing(sqlite3.connect(tmp_path / "older.db", isolation_level=None)) as db:
        migrate(db, known_migrations()[:1])
        db.execute("INSERT INTO notifications (id, received_at, sender, packed, body) VALUES (1, 1, 1, 0, x'7b7d')")
    restored = restore(tmp_path / "older.db", tmp_path / "store.db", nothing, now=NOW)
    assert restored.migrations == len(known_migrations()) - 1
    assert rows(tmp_path / "store.db", "SELECT id, body FROM notifications") == [(1, b"{}")]


async def test_two_restorations_at_once_do_not_mix(tmp_path: Path, backup: Path) -> None:
    """The second is refused; it would take the half-written file of the first for its own."""
    refused = []

    def meanwhile(_done: int, _all: int) -> None:
        with pytest.raises(StoreUnavailable, match="another backup or restoration") as caught:
            restore(backup, tmp_path / "store.db", nothing, now=NOW, replace=True)
        refused.append(caught)

    restore(backup, tmp_path / "store.db", meanwhile, now=NOW)
    assert refused
    assert rows(tmp_path / "store.db", "PRAGMA integrity_check") == [("ok",)]


async def test_a_symbolic_link_stays_one(tmp_path: Path, backup: Path) -> None:
    """What it names is replaced, on the disk where that is."""
    (tmp_path / "disk").mkdir()
    (tmp_path / "store.db").symlink_to(tmp_path / "disk" / "store.db")
    await filled(tmp_path / "disk" / "store.db", more=3)
    restore(backup, tmp_path / "store.db", nothing, now=NOW, replace=True)
    assert (tmp_path / "store.db").is_symlink()
    count = "SELECT count(*) FROM notifications"
    assert rows(tmp_path / "disk" / "store.db", count) == rows(backup, count)
    assert names(tmp_path / "disk") == ["store.db"]


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give files away")
@pytest.mark.parametrize("is_there", [True, False])
async def test_what_root_restores_belongs_to_the_service(tmp_path: Path, backup: Path, *, is_there: bool) -> None:
    """The service runs as somebody else, who could not open a file of root's."""
    folder = tmp_path / "state"
    folder.mkdir()
    os.chown(folder, 1234, 1235)
    if is_there:
        (folder / "store.db").write_bytes(content(backup))
        os.chown(folder / "store.db", 1234, 1235)
    restore(backup, folder / "store.db", nothing, now=NOW, replace=is_there)
    found = (folder / "store.db").stat()
    assert (found.st_uid, found.st_gid, found.st_mode & 0o777) == (1234, 1235, 0o600)


async def test_a_service_that_starts_at_the_last_moment_is_found(tmp_path: Path, backup: Path) -> None:
    """While the copy is written a service begins with the old database, which must not be taken away under it."""
    await filled(tmp_path / "store.db")
    stores: list[sqlite3.Connection] = []

    def begins(done: int, all_: int) -> None:
        if done == all_:
            stores.append(connect_to_write(tmp_path / "store.db"))
            stores[-1].execute("SELECT count(*) FROM cursors").fetchone()

    with pytest.raises(InUse, match="stop the service"):
        restore(backup, tmp_path / "store.db", begins, now=NOW, replace=True)
    stores[0].execute("INSERT INTO cursors (name, value) VALUES ('kept', '1')")
    stores[0].close()
    assert rows(tmp_path / "store.db", "SELECT value FROM cursors WHERE name = 'kept'") == [("1",)]
