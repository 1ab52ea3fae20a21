"""Copies between the engines: nothing is lost, doubled or changed, whatever comes in between."""

import sqlite3
from collections.abc import AsyncIterator, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import asyncpg
import pytest
from tests.conformance.store_suite.samples import LEASE, NOW, claim, entry, folded, item, open_in_tool, unreadable
from tests.postgres import Server
from tests.unit.store.copy.filled import AWKWARD, contents, filled

from secure_export.delivery.contract import Change
from secure_export.errors import NotFound, SettingsError, StoreUnavailable
from secure_export.store.backup.making import back_up
from secure_export.store.backup.restoring import restore
from secure_export.store.copy import copying, others
from secure_export.store.copy.copying import Compared, copy_store, was_copied
from secure_export.store.copy.opening import Where, sides
from secure_export.store.copy.tables import TABLES
from secure_export.store.instants import micros
from secure_export.store.open import open_store
from secure_export.store.postgresql.connect import connect
from secure_export.store.postgresql.place import place_of
from secure_export.store.postgresql.store import PostgresStore
from secure_export.store.restored import RESTORED_AT
from secure_export.store.sqlite import alone
from secure_export.store.sqlite.store import SqliteStore
from secure_export.workitems.work_item import StepKind

CREATE = StepKind.CREATE


class Watched:
    """Keeps what it is told, and ends a copy at some moment, as a kill would."""

    def __init__(self, until: int | None = None) -> None:
        self.told: dict[str, tuple[int, int]] = {}
        self._until = until
        self._part = ""

    def begun(self, what: str, rows: int) -> None:
        self._part = what
        self.told[what] = (rows, 0)
        self._count()

    def done(self, rows: int) -> None:
        of, done = self.told[self._part]
        self.told[self._part] = (of, done + rows)
        self._count()

    def _count(self) -> None:
        if self._until is not None:
            self._until -= 1
            if self._until < 0:
                raise Killed


class Killed(Exception):  # noqa: N818 - reads as what it says
    """The copy ends here."""


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Wait only shortly for those who use a file."""
    monkeypatch.setattr(alone, "_PATIENCE_SECONDS", 0.05)
    monkeypatch.setattr(others, "_PATIENCE_SECONDS", 0.05)


@pytest.fixture
async def empty(postgres: Server) -> AsyncIterator[str]:
    """Give the URL of a database without any table."""
    async with postgres.database(migrated=False) as name:
        yield postgres.url(name)


@pytest.fixture
async def source(tmp_path: Path) -> Path:
    """Give a SQLite database with everything in it."""
    await filled(tmp_path / "source.db")
    return tmp_path / "source.db"


def url(path: Path) -> str:
    return f"sqlite://{path}"


async def copied(from_: str, to: str, *, until: int | None = None, force: bool = False) -> list[Compared]:
    """Copy one to the other."""
    async with sides(Where(from_), Where(to), although_in_use=force) as (source, target):
        return await copy_store(source, target, Watched(until), now=NOW)


async def asked_again(from_: str, to: str, *, force: bool = False) -> bool:
    """Ask whether a copy was finished and is current."""
    async with sides(Where(from_), Where(to), although_in_use=force) as (source, target):
        return await was_copied(source, target, Watched())


async def test_there_and_back_everything_is_as_it_was(source: Path, tmp_path: Path, empty: str) -> None:
    """All rows of all tables survive both ways; both engines have the same digest of each table."""
    before = contents(source)
    assert all(before[name] for name in before), "a table without rows shows nothing"
    there = await copied(url(source), empty)
    assert [one.table for one in there if not one.same] == []
    assert {one.table for one in there if not one.source} == set()
    back = await copied(empty, url(tmp_path / "back.db"))
    assert [(one.table, one.source, one.source_digest) for one in back if one.table != "lanes"] == [
        (one.table, one.target, one.target_digest) for one in there if one.table != "lanes"
    ]
    assert without_leases(contents(tmp_path / "back.db")) == without_leases(before)


async def test_a_copy_of_the_same_kind_is_the_same(source: Path, tmp_path: Path, postgres: Server, empty: str) -> None:
    """SQLite to SQLite keeps all numbers; PostgreSQL to PostgreSQL keeps all that it has."""
    assert all(one.same for one in await copied(url(source), url(tmp_path / "copy.db")))
    assert without_leases(contents(tmp_path / "copy.db")) == without_leases(contents(source))
    with closing(sqlite3.connect(source)) as one, closing(sqlite3.connect(tmp_path / "copy.db")) as other:
        for sql in ("SELECT id FROM notifications ORDER BY id", "SELECT value FROM counter"):
            assert one.execute(sql).fetchall() == other.execute(sql).fetchall()
    await copied(url(source), empty)
    async with postgres.database(migrated=False) as name:
        assert all(one.same for one in await copied(empty, postgres.url(name)))


async def test_numbers_go_on_behind_those_of_the_source(source: Path, tmp_path: Path, empty: str) -> None:
    """No number is given twice, not even one whose row is gone, and tokens stay ahead of all that were given."""
    await copied(url(source), empty)
    store = await PostgresStore.open(place_of(empty), clock=lambda: NOW)
    try:
        lanes = await claim(store.lanes, limit=100)
        with closing(sqlite3.connect(source)) as db:
            counter = db.execute("SELECT value FROM counter").fetchone()[0]
        assert min(lane.token for lane in lanes) > counter
        (read,) = [lane for lane in lanes if lane.correlation_key == "alert:20"]
        assert [pending.body[:6] for pending in read.pending] == [b'{"x": ']
        made = open_in_tool(item(read.correlation_key), "INC77")
        await store.lanes.save(read, folded(read, item=made), now=NOW)
        assert (await store.records.work_item(made.id))["number"] == "INC77"
    finally:
        await store.close()
    await copied(empty, url(tmp_path / "back.db"))
    with closing(sqlite3.connect(tmp_path / "back.db")) as db:
        value = db.execute("SELECT value FROM counter").fetchone()[0]
        assert value >= db.execute("SELECT max(id) FROM notifications").fetchone()[0] > counter
        assert value >= max(lane.token for lane in lanes)
        sequences = dict(db.execute("SELECT name, seq FROM sqlite_sequence"))
    assert (sequences["desk_incidents"], sequences["desk_cis"], sequences["desk_events"]) == (40, 9, 4)
    back = await SqliteStore.open(tmp_path / "back.db", clock=lambda: NOW)
    try:
        assert (await back.journal.append(entry("alert:new"))).notification > value
    finally:
        await back.close()


async def test_notifications_are_in_the_partitions_of_their_days(source: Path, postgres: Server, empty: str) -> None:
    """So that retention drops old days and keeps the others, as for those that came to PostgreSQL itself."""
    await copied(url(source), empty)
    name = place_of(empty).database or ""
    rows = await postgres.fetch(
        "SELECT tableoid::regclass::text, min(received_at / 86400000000), max(received_at / 86400000000) "
        "FROM notifications GROUP BY 1",
        database=name,
    )
    assert {row[0] for row in rows} == {f"notifications_d{row[1]}" for row in rows}
    assert all(row[1] == row[2] for row in rows)
    assert len(rows) >= 2


async def test_a_duplicate_is_still_known_on_the_copy(source: Path, empty: str) -> None:
    """What was recorded at the source is not recorded once more."""
    await copied(url(source), empty)
    store = await PostgresStore.open(place_of(empty), clock=lambda: NOW)
    try:
        receipt = await store.journal.append(entry("alert:5", key=(5).to_bytes(24, "big"), alert_id="ID-5"))
        assert receipt.status == "duplicate"
        (quarantined,) = (await store.records.quarantine()).rows
        assert quarantined["reason"] == AWKWARD
    finally:
        await store.close()


@pytest.mark.parametrize("to_postgresql", [True, False], ids=["to PostgreSQL", "to SQLite"])
async def test_what_was_begun_at_the_source_is_looked_at_first(
    tmp_path: Path, empty: str, *, to_postgresql: bool
) -> None:
    """A lane whose step was begun is due when that can no longer go on, and its work item is in doubt then."""
    source = await SqliteStore.open(tmp_path / "source.db", clock=lambda: NOW)
    await source.journal.append(entry("alert:begun"))
    await source.journal.append(entry("alert:idle"))
    for lane in await claim(source.lanes):
        if lane.correlation_key == "alert:begun":
            begun = Change(folded=[one.notification for one in lane.pending], item=item("alert:begun"), begin=CREATE)
            await source.lanes.save(lane, begun, now=NOW)
    await source.close()
    target = empty if to_postgresql else url(tmp_path / "copy.db")
    await copied(url(tmp_path / "source.db"), target)
    store = await open_store(target)
    try:
        (idle,) = await claim(store.lanes)
        assert idle.correlation_key == "alert:idle"
        lanes = {lane.correlation_key: lane for lane in await claim(store.lanes, now=NOW + LEASE)}
        lane = lanes["alert:begun"]
        assert lane.item is not None
        assert lane.item.doubt
    finally:
        await store.close()


async def test_a_copy_that_was_ended_goes_on(source: Path, tmp_path: Path, empty: str, monkeypatch: Any) -> None:
    """Ended again and again, in the middle of tables and between them, it ends up as one that was not."""
    monkeypatch.setattr(copying, "_ROWS_AT_ONCE", 4)
    attempts = {}
    for target in (empty, url(tmp_path / "copy.db")):
        until = 0
        compared: list[Compared] = []
        while not compared:
            try:
                compared = await copied(url(source), target, until=until)
            except Killed:
                until += 9
        attempts[target] = until
        assert [one.table for one in compared if not one.same] == []
    assert min(attempts.values()) > 9 * 5
    assert without_leases(contents(tmp_path / "copy.db")) == without_leases(contents(source))


async def test_no_service_starts_on_an_unfinished_copy(source: Path, tmp_path: Path, empty: str) -> None:
    """Half of what is known is worse than nothing: work items would be made again."""
    for target in (empty, url(tmp_path / "copy.db")):
        with pytest.raises(Killed):
            await copied(url(source), target, until=20)
        with pytest.raises(SettingsError, match="not complete; run the same"):
            await open_store(target)
        await copied(url(source), target)
        await (await open_store(target)).close()


@pytest.mark.parametrize("to_postgresql", [True, False], ids=["to PostgreSQL", "to SQLite"])
async def test_a_source_that_changed_between_two_attempts_is_found(
    source: Path, tmp_path: Path, empty: str, *, to_postgresql: bool
) -> None:
    """The comparison reads the source anew; a copy that is not the same is not finished."""
    target = empty if to_postgresql else url(tmp_path / "copy.db")
    attempts = 45
    with pytest.raises(Killed):
        await copied(url(source), target, until=attempts)
    with closing(sqlite3.connect(source)) as db:
        db.execute("UPDATE alerts SET ended_at = 5 WHERE seq = 1")
        db.execute("DELETE FROM senders")
        db.commit()
    compared = await copied(url(source), target)
    assert "senders" in {one.table for one in compared if not one.same}
    with pytest.raises(SettingsError, match="not complete"):
        await open_store(target)


@pytest.mark.parametrize("of_postgresql", [True, False], ids=["PostgreSQL", "SQLite"])
async def test_a_source_in_use_is_refused(source: Path, tmp_path: Path, empty: str, *, of_postgresql: bool) -> None:
    """What is written meanwhile would be missing; who insists gets the moment at which the copy began."""
    if of_postgresql:
        await copied(url(source), empty)
    place = empty if of_postgresql else url(source)
    store = await open_store(place)
    try:
        await store.ready()
        with pytest.raises(StoreUnavailable, match="stop the service"):
            await copied(place, url(tmp_path / "copy.db"))
        assert all(one.same for one in await copied(place, url(tmp_path / "copy.db"), force=True))
    finally:
        await store.close()


async def test_a_copy_in_spite_of_a_running_service_is_that_of_one_moment(
    source: Path, tmp_path: Path, empty: str, monkeypatch: Any
) -> None:
    """Whatever is written from the first batch on is not in it; it is compared with that moment, and can be used."""
    await copied(url(source), empty)
    monkeypatch.setattr(copying, "_ROWS_AT_ONCE", 4)
    for place in (url(source), empty):
        target = url(tmp_path / f"copy-{place == empty}.db")
        store = await open_store(place)
        try:
            async with sides(Where(place), Where(target), although_in_use=True) as (from_, to):
                write, late = to.write, 0

                async def while_others_write(*batch: Any) -> None:
                    nonlocal late
                    await store.journal.append(entry(f"alert:late-{late}"))  # noqa: B023 - of this turn
                    late += 1
                    await write(*batch)  # noqa: B023 - as above

                monkeypatch.setattr(to, "write", while_others_write)
                compared = await copy_store(from_, to, Watched(), now=NOW)
            assert [one.table for one in compared if not one.same] == []
            assert late > len(TABLES)
            with pytest.raises(SettingsError, match="of an older state"):
                await asked_again(place, target, force=True)
        finally:
            await store.close()
        copy = await open_store(target)
        lanes = {lane.correlation_key for lane in await claim(copy.lanes, limit=100)}
        assert "alert:20" in lanes
        assert not any(name.startswith("alert:late") for name in lanes)
        await copy.close()


async def test_a_copy_that_was_finished_is_left_as_it_is(source: Path, tmp_path: Path, empty: str) -> None:
    """Whoever runs the same command again is told so, also while a service goes on with the copy."""
    for target in (empty, url(tmp_path / "copy.db")):
        assert not await asked_again(url(source), target)
        await copied(url(source), target)
        assert await asked_again(url(source), target)
        store = await open_store(target)
        try:
            assert (await store.journal.append(entry("alert:since"))).status == "accepted"
            assert await asked_again(url(source), target)
            with pytest.raises(SettingsError, match=r"is a finished copy from .* already; begin with an empty"):
                await copied(url(source), target)
        finally:
            await store.close()
    assert await asked_again(empty, url(tmp_path / "copy.db")) is False


@pytest.mark.parametrize("of_postgresql", [True, False], ids=["PostgreSQL", "SQLite"])
async def test_a_finished_copy_of_an_older_state_is_told(
    source: Path, tmp_path: Path, empty: str, *, of_postgresql: bool
) -> None:
    """After a rehearsal the same command must not say that all is there: any row that changed since is found."""
    if of_postgresql:
        await copied(url(source), empty)
    place = empty if of_postgresql else url(source)
    target = url(tmp_path / "rehearsed.db")
    await copied(place, target)
    assert await asked_again(place, target)
    for table, change in (
        (
            "notifications",
            "UPDATE notifications SET body = substr(body, 2) WHERE id = (SELECT min(id) FROM notifications)",
        ),
        ("lanes", "UPDATE lanes SET reason = 'another' WHERE state = 'parked'"),
        ("work_items", "UPDATE work_items SET state = 'resolved', owed = NOT owed WHERE seq = 1"),
    ):
        await _change(place, change)
        with pytest.raises(SettingsError, match=f"of an older state of .*, whose {table} have changed since; begin wi"):
            await asked_again(place, target)


async def _change(place: str, sql: str) -> None:
    if place.startswith("sqlite"):
        with closing(sqlite3.connect(place.removeprefix("sqlite://"))) as db:
            db.execute(sql)
            db.commit()
        return
    connection = await connect(place_of(place))
    await connection.execute(sql)
    await connection.close()


async def test_a_copy_that_a_program_before_this_one_finished_is_refused(source: Path, tmp_path: Path) -> None:
    """It kept nothing by which to tell whether the source has changed since."""
    target = tmp_path / "copy.db"
    await copied(url(source), url(target))
    await _change(url(target), "DELETE FROM cursors WHERE name LIKE 'store-copy:digest:%'")
    assert not await asked_again(url(source), url(target))
    with pytest.raises(SettingsError, match="finished copy from"):
        await copied(url(source), url(target))


async def test_a_target_in_use_is_refused(source: Path, tmp_path: Path, empty: str) -> None:
    """A service that goes on with a store of its own is not disturbed, whatever is asked for."""
    for target in (empty, url(tmp_path / "own.db")):
        store = await open_store(target)
        try:
            await store.ready()
            with pytest.raises(StoreUnavailable, match="stop the service"):
                await copied(url(source), target)
        finally:
            await store.close()


async def test_a_copy_that_goes_on_says_where(source: Path, tmp_path: Path) -> None:
    """What is there already is told once, with the first table that has more."""
    with pytest.raises(Killed):
        await copied(url(source), url(tmp_path / "copy.db"), until=6)
    async with sides(Where(url(source)), Where(url(tmp_path / "copy.db")), although_in_use=False) as (from_, to):
        watched = Watched()
        assert await copy_store(from_, to, watched, now=NOW)
    goes_on = [what for what in watched.told if "goes on at" in what]
    assert goes_on == [next(iter(watched.told))], watched.told
    rows, done = watched.told[goes_on[0]]
    assert rows == done > 0


@pytest.mark.parametrize("to_postgresql", [True, False], ids=["PostgreSQL", "SQLite"])
async def test_nobody_writes_to_a_source_while_it_is_copied(
    source: Path, tmp_path: Path, empty: str, postgres: Server, *, to_postgresql: bool
) -> None:
    """A service that starts meanwhile is kept out until the copy is over."""
    if to_postgresql:
        await copied(url(source), empty)
    place = empty if to_postgresql else url(source)
    async with sides(Where(place), Where(url(tmp_path / "copy.db")), although_in_use=False):
        if to_postgresql:
            with pytest.raises(asyncpg.LockNotAvailableError):
                await postgres.execute(
                    "SET lock_timeout = 50; DELETE FROM cursors", database=place_of(place).database or ""
                )
        else:
            with closing(sqlite3.connect(source, timeout=0)) as db, pytest.raises(sqlite3.OperationalError):
                db.execute("SELECT * FROM cursors")


async def test_a_target_with_something_in_it_is_refused(source: Path, tmp_path: Path, empty: str) -> None:
    """Nothing is mixed up: neither with other data, nor with another copy, nor with itself."""
    other = tmp_path / "other.db"
    await filled(other)
    with pytest.raises(SettingsError, match="data of its own"):
        await copied(url(source), url(other))
    await copied(url(source), empty)
    with pytest.raises(SettingsError, match="finished copy from"):
        await copied(url(other), empty)
    with pytest.raises(Killed):
        await copied(url(source), url(tmp_path / "half.db"), until=10)
    with pytest.raises(SettingsError, match="unfinished copy from"):
        await copied(url(other), url(tmp_path / "half.db"))
    with pytest.raises(SettingsError, match="the same store"):
        await copied(url(source), url(source))
    with pytest.raises(NotFound, match="there is no"):
        await copied(url(tmp_path / "nothing.db"), empty)


async def test_a_backup_is_restored_before_it_is_copied(source: Path, tmp_path: Path, empty: str) -> None:
    """What it believes is old, which only a restored store knows; and the copy of one knows it, too."""
    back_up(source, tmp_path / "backup.db", lambda _done, _all: None, now=NOW)
    with pytest.raises(SettingsError, match="is a backup; `secure-export store restore`"):
        await copied(url(tmp_path / "backup.db"), empty)
    restore(tmp_path / "backup.db", tmp_path / "restored.db", lambda _done, _all: None, now=NOW)
    await copied(url(tmp_path / "restored.db"), empty)
    await copied(empty, url(tmp_path / "again.db"))
    with closing(sqlite3.connect(tmp_path / "again.db")) as db:
        kept = db.execute("SELECT value FROM cursors WHERE name = ?", (RESTORED_AT,)).fetchall()
    assert kept == [(str(micros(NOW)),)]


async def test_one_copy_at_a_time_goes_to_a_target(source: Path, tmp_path: Path, empty: str, monkeypatch: Any) -> None:
    """Two at once would write everything twice."""
    await filled(tmp_path / "other.db")
    for target, message in ((empty, "another copy"), (url(tmp_path / "copy.db"), "another process has")):
        async with sides(Where(url(source)), Where(target), although_in_use=False):
            with pytest.raises(StoreUnavailable, match=message):
                await copied(url(tmp_path / "other.db"), target)


@pytest.mark.parametrize("of_postgresql", [True, False], ids=["PostgreSQL", "SQLite"])
async def test_a_source_of_another_form_is_refused(
    source: Path, tmp_path: Path, empty: str, postgres: Server, *, of_postgresql: bool
) -> None:
    """What lacks migrations, or has others, is not copied as if it were the same."""
    if of_postgresql:
        await copied(url(source), empty)
        database = place_of(empty).database or ""
        await postgres.execute("DELETE FROM migrations WHERE number > 1", database=database)
    else:
        with closing(sqlite3.connect(source)) as db:
            db.execute("DELETE FROM migrations WHERE number > 1")
            db.commit()
    with pytest.raises(SettingsError, match=r"lacks 0002_desk.*store migrate"):
        await copied(empty if of_postgresql else url(source), url(tmp_path / "copy.db"))


async def test_a_role_that_owns_nothing_cannot_copy(source: Path, postgres: Server, empty: str) -> None:
    """It is told before anything is written."""
    await (await open_store(empty)).close()
    name = place_of(empty).database or ""
    role = f"{name}_runner"
    await postgres.execute(f"CREATE ROLE {role} LOGIN")
    try:
        await postgres.execute(
            f"GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO {role}", database=name
        )
        await postgres.execute(f"GRANT USAGE ON ALL SEQUENCES IN SCHEMA public TO {role}", database=name)
        with pytest.raises(SettingsError, match="role that owns the tables"):
            await copied(url(source), postgres.url(name, role=role))
    finally:
        await postgres.execute(f"DROP OWNED BY {role}", database=name)
        await postgres.execute(f"DROP ROLE {role}")


async def test_batches_are_small_where_rows_are_big(tmp_path: Path, monkeypatch: Any) -> None:
    """Memory is bounded by bytes, not only by rows; what is done is told as it is."""
    monkeypatch.setattr(copying, "_BYTES_AT_ONCE", 1000)
    store = await SqliteStore.open(tmp_path / "source.db", clock=lambda: NOW)
    for _ in range(6):
        await store.journal.append(unreadable(body=bytes(range(200)) * 3))
    await store.close()
    sizes: list[int] = []
    async with sides(Where(url(tmp_path / "source.db")), Where(url(tmp_path / "copy.db")), although_in_use=False) as (
        source,
        target,
    ):
        write = target.write

        async def counted(table: Any, rows: Sequence[Any], reached: Any) -> None:
            sizes.append(len(rows)) if table.name == "quarantine" else None
            await write(table, rows, reached)

        monkeypatch.setattr(target, "write", counted)
        watched = Watched()
        compared = await copy_store(source, target, watched, now=NOW)
    assert all(one.same for one in compared)
    assert sizes == [4, 2, 0] or max(sizes) < 6
    assert watched.told["copying quarantine"] == (6, 6)
    assert watched.told["comparing quarantine"] == (12, 12)


def without_leases(found: dict[str, list[tuple[Any, ...]]]) -> dict[str, list[tuple[Any, ...]]]:
    """Give contents without what a copy changes on purpose: when the leases of claimed lanes end."""
    place = 5
    lanes = [(*row[:place], None, *row[place + 1 :]) if row[4] == "claimed" else row for row in found["lanes"]]
    return found | {"lanes": sorted(lanes, key=repr)}
