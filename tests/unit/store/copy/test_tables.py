"""The list of what is copied has every table and column that there is."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from tests.postgres import Server

from secure_export.store.copy.digest import Digest
from secure_export.store.copy.positions import kept, told
from secure_export.store.copy.tables import NOT_COPIED, NOT_COPIED_COLUMNS, TABLES
from secure_export.store.sqlite.migrate import known_migrations, migrate

COPIED = {(table.name, column) for table in TABLES for column in table.columns}
# Where SQLite keeps a column in another table than PostgreSQL.
ELSEWHERE = {("notifications", "dedupe_key"): ("notification_keys", "key")}
_COLUMNS = """
SELECT c.table_name, c.column_name FROM information_schema.columns AS c
JOIN pg_class ON pg_class.oid = format('%I', c.table_name)::regclass
WHERE c.table_schema = 'public' AND NOT relispartition
"""


def not_copied(columns: set[tuple[str, str]]) -> set[tuple[str, str]]:
    """Give the columns that are neither copied nor left out for a reason."""
    left = {column for column in columns if column[0] not in NOT_COPIED and column not in NOT_COPIED_COLUMNS}
    return {column for column in left if ELSEWHERE.get(column, column) not in COPIED}


def test_everything_of_sqlite_is_copied(tmp_path: Path) -> None:
    """Who adds a table or a column says whether a copy takes it along."""
    with closing(sqlite3.connect(tmp_path / "a.db", isolation_level=None)) as db:
        migrate(db, known_migrations())
        names = [row[0] for row in db.execute("SELECT name FROM sqlite_schema WHERE type = 'table'")]
        columns = {(name, row[1]) for name in names for row in db.execute(f"PRAGMA table_info({name})")}
    assert not not_copied({column for column in columns if not column[0].startswith("sqlite_")})


async def test_everything_of_postgresql_is_copied(postgres: Server) -> None:
    """The same for the other engine; and nothing is left out there that is not there."""
    async with postgres.database() as name:
        columns = {(row[0], row[1]) for row in await postgres.fetch(_COLUMNS, database=name)}
    assert not not_copied(columns)
    assert set(NOT_COPIED_COLUMNS) <= columns
    assert columns >= {column for column in COPIED if column[0] != "notifications"}


def test_a_digest_knows_rows_and_not_their_order() -> None:
    """Rows in another order are the same; one more, one less, one twice, or a value of another kind are not."""

    def of(*rows: tuple[object, ...]) -> tuple[int, str]:
        digest = Digest()
        for row in rows:
            digest.add(row)
        return digest.count, digest.text

    one, other = (1, "a", None), (2, b"a", "")
    assert of(one, other) == of(other, one)
    different = [
        of(),
        of(one),
        of(one, one),
        of(one, other),
        of(one, other, other),
        of((1, b"a", None)),
        of((1, "a", "")),
    ]
    assert len({text for _, text in different}) == len(different)


@pytest.mark.parametrize("position", [None, (1,), (b"\0\xff", 2**62), ("nul \0", "ü", -1)])
def test_a_position_is_kept_as_it_is(position: tuple[object, ...] | None) -> None:
    """A copy goes on exactly where it ended."""
    assert told(kept(position)) == position
