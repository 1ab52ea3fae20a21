"""The disk that stores are measured on: how long it takes to have something on it, and whether it is one at all."""

import os
import shutil
import tempfile
import time
from pathlib import Path

import msgspec

from bench.figures import percentile

_PAGE = b"x" * 8192
_TIMES = 300
_IN_MEMORY = frozenset({"tmpfs", "ramfs", "devtmpfs"})


class Disk(msgspec.Struct, frozen=True, kw_only=True):
    """A folder's disk.

    Attributes:
        flush_p50_ms: How long it took until 8 KiB were on disk (``fdatasync``).
        flush_p99_ms: 99 of 100 took no longer.
        free_gib: How much is free.
        in_memory: Whether it is no disk but memory, where flushing costs nothing and results mean nothing.
    """

    flush_p50_ms: float
    flush_p99_ms: float
    free_gib: float
    in_memory: bool


def disk_of(folder: Path) -> Disk:
    """Try the disk of a folder."""
    with tempfile.TemporaryFile(dir=folder) as file:
        took = sorted(_flush(file.fileno()) for _ in range(_TIMES))
    return Disk(
        flush_p50_ms=percentile(took, 0.5) * 1000,
        flush_p99_ms=percentile(took, 0.99) * 1000,
        free_gib=shutil.disk_usage(folder).free / 1024**3,
        in_memory=_file_system(folder) in _IN_MEMORY,
    )


def _flush(file: int) -> float:
    began = time.perf_counter()
    os.write(file, _PAGE)
    os.fdatasync(file)
    return time.perf_counter() - began


def _file_system(folder: Path) -> str:
    """Name the kind of file system that a folder is on (proc_pid_mounts(5)); of several the innermost."""
    mounts = [line.split()[1:3] for line in Path("/proc/self/mounts").read_text().splitlines()]
    here = folder.resolve()
    over = [(place, kind) for place, kind in mounts if here.is_relative_to(place)]
    return max(over, key=lambda one: len(one[0]), default=("", ""))[1]
