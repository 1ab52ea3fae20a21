"""Clocks that can be set forward and back: that of one process, and that of the database."""

import sys
from pathlib import Path

from tests.postgres import Server
from tests.program import Program

HOUR = 3600.0
_LAUNCHER = Path(__file__).with_name("launcher.py")
# A function of this name that is found before PostgreSQL's own (PostgreSQL docs, "search_path").
_DATABASE_CLOCK = """
CREATE SCHEMA another_time;
CREATE TABLE another_time.shift (by interval NOT NULL);
INSERT INTO another_time.shift VALUES ('0');
CREATE FUNCTION another_time.clock_timestamp() RETURNS timestamptz LANGUAGE sql VOLATILE
    AS 'SELECT pg_catalog.clock_timestamp() + (SELECT by FROM another_time.shift)';
GRANT USAGE ON SCHEMA another_time TO PUBLIC;
GRANT SELECT ON another_time.shift TO PUBLIC;
"""


class ProgramClock:
    """The time of day as one process of the program has it, which must be started after this was first made.

    Args:
        program: The process.
    """

    def __init__(self, program: Program) -> None:
        self._file = program.folder / "clock-offset"
        if not self._file.exists():
            self.set(0)
        program.command = [sys.executable, str(_LAUNCHER), str(self._file)]

    @staticmethod
    def is_of(program: Program) -> bool:
        """Whether a program has such a clock."""
        return str(_LAUNCHER) in program.command

    def set(self, seconds: float) -> None:
        """Let it be so many seconds ahead of the true time; fewer than none: behind."""
        new = self._file.with_suffix(".new")
        new.write_text(str(seconds))
        new.replace(self._file)


class DatabaseClock:
    """The time of day as a PostgreSQL database has it.

    Args:
        server: The server.
        database: Which database of it; sessions that begin later have this clock.
    """

    def __init__(self, server: Server, database: str) -> None:
        self._server = server
        self._database = database

    async def is_made(self) -> bool:
        """Whether it is in the place of the server's."""
        sql = "SELECT to_regclass('another_time.shift') IS NOT NULL"
        async with self._server.connection(self._database) as connection:
            return bool(await connection.fetchval(sql))

    async def make(self) -> None:
        """Put it in the place of the server's."""
        await self._server.execute(_DATABASE_CLOCK, database=self._database)
        await self._server.execute(
            f"ALTER DATABASE {self._database} SET search_path = public, another_time, pg_catalog"
        )

    async def set(self, seconds: float) -> None:
        """Let it be so many seconds ahead of the true time; fewer than none: behind."""
        sql = f"UPDATE another_time.shift SET by = make_interval(secs => {seconds})"  # noqa: S608 - a number
        await self._server.execute(sql, database=self._database)
