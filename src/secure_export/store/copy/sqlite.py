"""A SQLite file as one side of a copy.

Statements run in the loop's thread: a copy has nothing else to do meanwhile, and its file belongs to it alone.
"""

import re
import sqlite3
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path

from secure_export.errors import SettingsError
from secure_export.store.backup.making import BACKED_UP_AT
from secure_export.store.copy.positions import kept, told
from secure_export.store.copy.side import Finished, Found, Position, Unfinished
from secure_export.store.copy.tables import DIGEST, FINISHED, POSITION, TABLES, UNFINISHED, Row, Table, query
from secure_export.store.instants import micros
from secure_export.store.migrations import still_to_apply
from secure_export.store.sqlite.alone import InUse, connect_alone
from secure_export.store.sqlite.connect import connect_to_read, connect_to_write, store_errors
from secure_export.store.sqlite.migrate import applied_migrations, known_migrations, migrate

# No step goes on longer in a tool (settings: step_timeout_seconds).
_LONGEST_STEP = timedelta(minutes=10)
_AT_ONCE = 100
_PATIENCE_MILLISECONDS = 200  # whoever writes to a file does not keep others from reading; another copy does
_PARAMETER = re.compile(r"\?(\d+)")
_KEEP = "INSERT INTO cursors (name, value) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value"
_END_LEASES = """
UPDATE lanes SET due_at = min(due_at, max(:now, coalesce(
    (SELECT started_at FROM steps WHERE steps.lane = lanes.key AND finished_at IS NULL AND kind <> 'look'), 0
) + :longest)) WHERE state = 'claimed'
"""
# Numbers of notifications, lanes and tokens are one line here.
_COUNT_ON = """
UPDATE counter SET value = max(value, :fencing, coalesce((SELECT max(id) FROM notifications), 0),
    coalesce((SELECT max(id) FROM lanes), 0), coalesce((SELECT max(token) FROM lanes), 0),
    coalesce((SELECT max(token) FROM steps), 0))
"""


class SqliteSide:
    """A file that is copied from or to.

    Args:
        path: The file.
        connection: A connection to it.
        is_in_use: Who else uses it, where that was found and is put up with.

    Attributes:
        name: What to call it.
        numbers_by_time: Whether numbers of notifications begin with the time.
    """

    numbers_by_time = False

    def __init__(self, path: Path, connection: sqlite3.Connection, *, is_in_use: str | None = None) -> None:
        self.name = str(path.resolve())
        self.is_in_use = is_in_use
        self._connection = connection

    @classmethod
    def source(cls, path: Path, *, although_in_use: bool) -> "SqliteSide":
        """Open a file to copy from.

        Args:
            path: The file.
            although_in_use: Whether to read it, as it is at this moment, while others work with it.

        Raises:
            NotFound: There is no such file.
            InUse: Others work with it.
            SettingsError: It is not of the form that this program needs.
        """
        with store_errors():
            connection, is_in_use = _opened(path, although_in_use=although_in_use)
            side = cls(path, connection, is_in_use=is_in_use)
            try:
                side.check_migrations()
                side.check_no_backup()
                connection.execute("PRAGMA query_only=ON")
                connection.execute("BEGIN")
            except BaseException:
                connection.close()
                raise
        return side

    @classmethod
    def target(cls, path: Path) -> "SqliteSide":
        """Open a file to copy to, made and brought up to date where needed.

        One that others work with is opened only if it is a finished copy, and then only to read.

        Raises:
            InUse: Others work with it.
            SettingsError: It does not fit this program.
        """
        with store_errors():
            try:
                connection = connect_alone(path, make=True)
            except InUse as error:
                return cls._finished_in_use(path, error)
            try:
                migrate(connection, known_migrations())
            except BaseException:
                connection.close()
                raise
        return cls(path, connection)

    def check_migrations(self) -> None:
        """See to it that the file has exactly the migrations of this program."""
        missing = still_to_apply(known_migrations(), applied_migrations(self._connection))
        if missing:
            raise SettingsError(
                f"{self.name} lacks {', '.join(one.name for one in missing)}; bring it up to date with "
                "`secure-export store migrate`, then copy"
            )

    def check_no_backup(self) -> None:
        """See to it that the file is no backup, which does not know yet that it is old."""
        if self._kept(BACKED_UP_AT) is not None:
            raise SettingsError(
                f"{self.name} is a backup; `secure-export store restore` it first, then copy what that made"
            )

    async def rows(self, table: Table, after: Position | None, *, by_time: bool) -> AsyncIterator[Found]:
        """See ``Source.rows``."""
        reading = table.sqlite
        marks = () if after is None else ("?",) * len(reading.order)
        width = len(reading.order)
        with store_errors():
            found = self._connection.execute(query(table, reading, by_time=by_time, marks=marks), after or ())
            while some := found.fetchmany(_AT_ONCE):
                for row in some:
                    yield Found(row[:width], row[width:])

    async def count(self, table: Table) -> int:
        """See ``Source.count``."""
        reading = table.sqlite
        with store_errors():
            row = self._connection.execute(f"SELECT count(*) FROM {reading.of} WHERE {reading.where}").fetchone()  # noqa: S608 - names of our own
        return int(row[0])

    async def highest(self) -> Mapping[str, int]:
        """See ``Source.highest``."""
        with store_errors():
            found = dict(self._connection.execute("SELECT name, seq FROM sqlite_sequence").fetchall())
            for table in TABLES:
                if table.identity is not None:
                    sql = f"SELECT coalesce(max({table.identity}), 0) FROM {table.name}"  # noqa: S608 - as above
                    last = self._connection.execute(sql).fetchone()[0]
                    found[table.name] = max(found.get(table.name, 0), last)
            counted = self._connection.execute("SELECT value FROM counter").fetchone()[0]
            found |= {"fencing": counted, "notification_numbers": counted}
        return found

    async def close(self) -> None:
        """See ``Source.close``."""
        if self._connection.in_transaction:
            self._connection.execute("ROLLBACK")
        self._connection.close()

    async def unfinished(self) -> Unfinished | None:
        """See ``Target.unfinished``."""
        source = self._kept(UNFINISHED)
        if source is None:
            return None
        return Unfinished(source, {name: told(value) for name, value in self._kept_under(POSITION).items()})

    async def finished(self) -> Finished | None:
        """See ``Target.finished``."""
        source = self._kept(FINISHED)
        return None if source is None else Finished(source, self._kept_under(DIGEST))

    async def is_empty(self) -> bool:
        """See ``Target.is_empty``."""
        for table in TABLES:
            if table.name != "desk_cmdb_version" and await self.count(table):
                return False
        return bool(self._connection.execute("SELECT sum(version) = 0 FROM desk_cmdb_version").fetchone()[0])

    async def begin(self, source: str) -> None:
        """See ``Target.begin``."""
        with store_errors():
            self._connection.execute(_KEEP, (UNFINISHED, source))

    async def write(self, table: Table, rows: Sequence[Row], reached: Position | None) -> None:
        """See ``Target.write``."""
        with store_errors(), self._transaction():
            for statement in table.writes:
                self._connection.executemany(statement, _given(statement, rows))
            self._connection.execute(_KEEP, (f"{POSITION}{table.name}", kept(reached)))

    async def finish(self, copied: Finished, highest: Mapping[str, int], *, now: datetime) -> None:
        """See ``Target.finish``."""
        with store_errors():
            with self._transaction():
                self._count_on(highest)
                times = {"now": micros(now), "longest": _LONGEST_STEP // timedelta(microseconds=1)}
                self._connection.execute(_END_LEASES, times)
                self._connection.execute("DELETE FROM cursors WHERE name LIKE 'store-copy:%'")
                self._connection.execute(_KEEP, (FINISHED, copied.source))
                digests = [(f"{DIGEST}{name}", digest) for name, digest in copied.digests.items()]
                self._connection.executemany(_KEEP, digests)
            self._connection.execute("PRAGMA optimize")

    @classmethod
    def _finished_in_use(cls, path: Path, refused: InUse) -> "SqliteSide":
        """Open a finished copy that others work with, to read; anything else stays refused."""
        side = cls(path, connect_to_read(path), is_in_use=str(refused))
        try:
            side._connection.execute(f"PRAGMA busy_timeout={_PATIENCE_MILLISECONDS}")
            finished = side._kept(FINISHED)
        except sqlite3.DatabaseError as error:  # another copy holds it, or it is no store at all
            side._connection.close()
            raise refused from error
        if finished is None:
            side._connection.close()
            raise refused
        return side

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        """Keep all or nothing; a full disk rolls back by itself (SQLite docs, "Transactions", section 3.1)."""
        self._connection.execute("BEGIN IMMEDIATE")
        try:
            yield
            self._connection.execute("COMMIT")
        except BaseException:
            if self._connection.in_transaction:
                self._connection.execute("ROLLBACK")
            raise

    def _count_on(self, highest: Mapping[str, int]) -> None:
        self._connection.execute(_COUNT_ON, {"fencing": highest["fencing"]})
        own = self._connection.execute("SELECT name FROM sqlite_schema WHERE sql LIKE '%AUTOINCREMENT%'").fetchall()
        for (name,) in own:
            self._connection.execute("DELETE FROM sqlite_sequence WHERE name = ?", (name,))
            self._connection.execute("INSERT INTO sqlite_sequence (name, seq) VALUES (?, ?)", (name, highest[name]))

    def _kept(self, name: str) -> str | None:
        row = self._connection.execute("SELECT value FROM cursors WHERE name = ?", (name,)).fetchone()
        return None if row is None else str(row[0])

    def _kept_under(self, prefix: str) -> dict[str, str]:
        """Give all that is kept under names that begin so, by the rest of their names."""
        sql = "SELECT substr(name, ?), value FROM cursors WHERE name LIKE ?"
        return dict(self._connection.execute(sql, (len(prefix) + 1, f"{prefix}%")).fetchall())


def _opened(path: Path, *, although_in_use: bool) -> tuple[sqlite3.Connection, str | None]:
    """Open a file alone, or with others where that is put up with; who they are."""
    try:
        return connect_alone(path), None
    except InUse as error:
        if not although_in_use:
            raise
        return connect_to_write(path), str(error)


def _given(statement: str, rows: Sequence[Row]) -> Sequence[Row]:
    """Give as much of each row as a statement has parameters: SQLite wants no more."""
    width = max(int(number) for number in _PARAMETER.findall(statement))
    return [row[:width] for row in rows]
