"""The machine: which cores are for whom, and what is written down with every result."""

import os
import platform
import sqlite3
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

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


@dataclass(frozen=True)
class Machine:
    """What a number means little without."""

    date: str
    cores: int
    cpu: str
    system: str
    python: str
    sqlite: str


@cache
def cores() -> Cores:
    """Choose two cores of those that this process may use; the same one twice where there is only one."""
    usable = sorted(os.sched_getaffinity(0))
    return Cores(usable[0], usable[1] if len(usable) > 1 else usable[0])


def machine() -> Machine:
    """Describe this machine."""
    return Machine(
        date=datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC"),
        cores=os.cpu_count() or 1,
        cpu=_cpu_model(),
        system=f"{platform.system()} {platform.release()}",
        python=f"{platform.python_implementation()} {platform.python_version()}",
        sqlite=sqlite3.sqlite_version,
    )


def as_json(found: Machine) -> dict[str, Any]:
    """Give what goes into a result file."""
    return asdict(found)


def resident_mib(pid: int) -> float:
    """Say how much memory a process has now."""
    return _status_kib(pid, "VmRSS") / 1024


def cpu_seconds(pid: int) -> float:
    """Say how much processor time a process has used so far, in all its threads."""
    fields = (_PROC / str(pid) / "stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _status_kib(pid: int, name: str) -> int:
    lines = (_PROC / str(pid) / "status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(f"{name}:"))


def _cpu_model() -> str:
    lines = (_PROC / "cpuinfo").read_text().splitlines()
    return next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), platform.machine())
