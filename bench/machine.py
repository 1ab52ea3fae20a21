"""The machine: which cores are for whom, and what is written down with every result."""

import os
import platform
import sqlite3
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import Enum
from functools import cache
from pathlib import Path

_PROC = Path("/proc")


@dataclass(frozen=True)
class Cores:
    """Where the program under test runs, and where everything else does.

    Attributes:
        server: The core of the program under test, all its threads included.
        load: The core of the load generator.
    """

    server: int
    load: int

    @property
    def are_apart(self) -> bool:
        """Whether the load generator takes nothing from what is measured."""
        return self.server != self.load


class Core(Enum):
    """Where a process runs."""

    SERVER = "the core of the program under test"
    LOAD = "the core of the load generator"
    ANY = "every core, shared with all others"

    @property
    def number(self) -> int | None:
        """The core; None: any."""
        return {Core.SERVER: cores().server, Core.LOAD: cores().load, Core.ANY: None}[self]


@dataclass(frozen=True)
class Machine:
    """What a number means little without."""

    date: str
    cores: int
    cpu: str
    system: str
    python: str
    sqlite: str
    postgresql: str


@cache
def cores() -> Cores:
    """Choose two cores of those that this process may use; the same one twice where there is only one."""
    usable = sorted(os.sched_getaffinity(0))
    return Cores(usable[0], usable[1] if len(usable) > 1 else usable[0])


def machine(postgresql: str) -> Machine:
    """Describe this machine, with the version of the PostgreSQL that is measured on."""
    return Machine(
        date=datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC"),
        cores=os.cpu_count() or 1,
        cpu=_cpu_model(),
        system=f"{platform.system()} {platform.release()}",
        python=f"{platform.python_implementation()} {platform.python_version()}",
        sqlite=sqlite3.sqlite_version,
        postgresql=postgresql,
    )


def resident_mib(pid: int) -> float:
    """Say how much memory a process has now."""
    return _status_kib(pid, "VmRSS") / 1024


def own_mib(pids: Iterable[int]) -> float:
    """Say how much memory processes have now; what they share with each other counts once, by its parts."""
    return sum(_rollup_kib(pid) for first in pids for pid in family(first)) / 1024


def cpu_seconds(pids: Iterable[int]) -> float:
    """Say how much processor time processes have used so far, with their threads and children, those gone included."""
    return sum(_cpu_seconds(pid) for first in pids for pid in family(first))


def family(pid: int) -> list[int]:
    """Give a process and all that it started, children's children included."""
    children: dict[int, list[int]] = {}
    for folder in _PROC.iterdir():
        if folder.name.isdigit() and (fields := _stat(int(folder.name))):
            children.setdefault(int(fields[1]), []).append(int(folder.name))
    found = [pid]
    for one in found:
        found += children.get(one, [])
    return found


def _cpu_seconds(pid: int) -> float:
    """Give user and system time, and that of children that were waited for (proc_pid_stat(5), fields 14 to 17)."""
    return sum(map(int, _stat(pid)[11:15])) / os.sysconf("SC_CLK_TCK")


def _stat(pid: int) -> list[str]:
    """Give what the system tells of a process, from its state on (proc_pid_stat(5)); nothing when it has ended."""
    try:
        return (_PROC / str(pid) / "stat").read_text().rpartition(")")[2].split()
    except OSError:
        return []


def _rollup_kib(pid: int) -> int:
    try:
        lines = (_PROC / str(pid) / "smaps_rollup").read_text().splitlines()
    except OSError:
        return 0
    return next((int(line.split()[1]) for line in lines if line.startswith("Pss:")), 0)


def _status_kib(pid: int, name: str) -> int:
    lines = (_PROC / str(pid) / "status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(f"{name}:"))


def _cpu_model() -> str:
    lines = (_PROC / "cpuinfo").read_text().splitlines()
    return next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), platform.machine())
