"""Bringing a database to the form that this program needs."""

import sqlite3
from dataclasses import replace
from pathlib import Path

import pytest
from tests.conformance.store_suite.samples import item, open_in_tool

from secure_export.errors import SettingsError
from secure_export.store.migrations import Migration, migrations_in, still_to_apply
from secure_export.store.rows import WORK_ITEM_COLUMNS, work_item_row
from secure_export.store.sqlite.connect import connect_to_write
from secure_export.store.sqlite.database import Database
from secure_export.store.sqlite.migrate import known_migrations, migrate

FIRST = Migration(1, "0001_first.sql", "CREATE TABLE a (x INTEGER) STRICT;\nINSERT INTO a VALUES (1);\n")
SECOND = Migration(2, "0002_second.sql", "ALTER TABLE a ADD COLUMN y TEXT;\n")
BROKEN = Migration(3, "0003_broken.sql", "CREATE TABLE b (x INTEGER) STRICT;\nINSERT INTO nowhere VALUES (1);\n")


@pytest.fixture
def connection(tmp_path: Path) -> sqlite3.Connection:
    return connect_to_write(tmp_path / "store.db")


def schema(connection: sqlite3.Connection) -> list[tuple[str, ...]]:
    return connection.execute("SELECT type, name, tbl_name, sql FROM sqlite_schema ORDER BY type, name").fetchall()


def test_fresh_equals_migrated(tmp_path: Path) -> None:
    """A database made at once has the same form as one that followed every version."""
    known = known_migrations()
    fresh, followed = connect_to_write(tmp_path / "fresh.db"), connect_to_write(tmp_path / "followed.db")
    assert migrate(fresh, known) == len(known)
    for count in range(1, len(known) + 1):
        assert migrate(followed, known[:count]) == 1
    assert schema(fresh) == schema(followed)
    assert migrate(fresh, known) == 0


def test_an_older_database_keeps_its_rows(connection: sqlite3.Connection) -> None:
    """Only what is missing is applied, to the rows that are there."""
    migrate(connection, [FIRST])
    assert migrate(connection, [FIRST, SECOND]) == 1
    assert connection.execute("SELECT x, y FROM a").fetchall() == [(1, None)]


def test_work_items_of_before_are_found_by_their_numbers(connection: sqlite3.Connection) -> None:
    """Numbers were kept in the documents alone; those that the tool told are looked for from then on."""
    migrate(connection, known_migrations()[:3])
    told, untold = open_in_tool(item("alert:a"), "INC1"), item("alert:b")
    columns = [name.strip() for name in WORK_ITEM_COLUMNS.split(",")]
    kept = [place for place, name in enumerate(columns) if name not in {"number", "act"}]
    for one in (told, untold, replace(open_in_tool(item("alert:c"), ""), reasons=("NUL: \0",))):
        row = work_item_row(one)
        names, values = [columns[place] for place in kept], [row[place] for place in kept]
        marks = ", ".join("?" * len(names))
        connection.execute(f"INSERT INTO work_items ({', '.join(names)}) VALUES ({marks})", values)  # noqa: S608 - constants
    assert migrate(connection, known_migrations()[:4]) == 1
    assert connection.execute("SELECT number FROM work_items ORDER BY seq").fetchall() == [("INC1",), (None,), (None,)]


def test_a_database_of_other_files_is_refused(connection: sqlite3.Connection) -> None:
    """A migration whose text changed after it was applied is found by its checksum."""
    migrate(connection, [FIRST])
    changed = Migration(1, FIRST.name, FIRST.sql + "-- changed\n")
    with pytest.raises(SettingsError, match=r"another 0001_first\.sql"):
        migrate(connection, [changed, SECOND])
    assert schema(connection) == schema(connection)
    assert "y" not in {row[1] for row in connection.execute("PRAGMA table_info(a)")}


def test_a_newer_database_is_refused(connection: sqlite3.Connection) -> None:
    """An older program does not touch what a newer one made."""
    migrate(connection, [FIRST, SECOND])
    with pytest.raises(SettingsError, match=r"newer than this program \(it has 0002_second\.sql\)"):
        migrate(connection, [FIRST])


def test_a_migration_is_applied_whole_or_not_at_all(connection: sqlite3.Connection) -> None:
    """A migration that fails half-way leaves the form before it."""
    migrate(connection, [FIRST, SECOND])
    before = schema(connection)
    with pytest.raises(sqlite3.OperationalError):
        migrate(connection, [FIRST, SECOND, BROKEN])
    assert schema(connection) == before
    assert not connection.in_transaction


def test_files_must_be_numbered_without_gaps(tmp_path: Path) -> None:
    """A missing file of the program is noticed before anything is applied."""
    (tmp_path / "0001_a.sql").write_text("SELECT 1;")
    (tmp_path / "0003_c.sql").write_text("SELECT 1;")
    (tmp_path / "notes.txt").write_text("")
    with pytest.raises(SettingsError, match="without gaps"):
        migrations_in(tmp_path)


def test_what_is_still_to_apply() -> None:
    """What was applied is compared in order; the rest is missing."""
    applied = [(1, FIRST.name, FIRST.checksum)]
    assert still_to_apply([FIRST, SECOND], applied) == [SECOND]
    assert still_to_apply([FIRST, SECOND], []) == [FIRST, SECOND]


async def test_an_up_to_date_database_opens_while_another_writes(tmp_path: Path) -> None:
    """A command line tool opens the file of a running service without waiting for its write lock."""
    path = tmp_path / "store.db"
    await (await Database.open(path)).close()
    busy = connect_to_write(path)
    busy.execute("BEGIN IMMEDIATE")
    beside = await Database.open(path)
    assert await beside.read(lambda db: db.execute("SELECT count(*) FROM lanes").fetchone()) == (0,)
    busy.execute("ROLLBACK")
    busy.close()
    await beside.close()


async def test_a_file_that_is_no_database_is_refused(tmp_path: Path) -> None:
    """The text names what SQLite says of it."""
    path = tmp_path / "store.db"
    path.write_bytes(b"this is a text and no database" * 100)
    with pytest.raises(Exception, match="not a database"):
        await Database.open(path)
