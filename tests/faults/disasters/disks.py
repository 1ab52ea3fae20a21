"""Disks that can be filled and emptied again."""

import errno
import os
import resource
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Protocol

import pytest

_CHUNK = 64 * 1024


class Disk(Protocol):
    """Where a store has its files."""

    def fill(self) -> None:
        """Leave no room for anything."""
        ...

    def clear(self) -> None:
        """Give the room back."""
        ...


class SmallDisk:
    """A small file system in memory, which something else fills.

    Args:
        folder: Where it is mounted.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._ballast = folder / "ballast"

    def fill(self) -> None:
        """Write until there is no room for another byte."""
        size = _CHUNK
        with self._ballast.open("ab", buffering=0) as file:
            while size:
                try:
                    file.write(bytes(size))
                except OSError as error:
                    assert error.errno == errno.ENOSPC  # noqa: PT017 - what is expected of the disk
                    size //= 2

    def clear(self) -> None:
        """Delete what fills it."""
        self._ballast.unlink(missing_ok=True)


class Quota:
    """A process whose files may not grow beyond what the largest of some has (setrlimit(2), RLIMIT_FSIZE).

    Args:
        pid: The process.
        files: Of which the largest is the measure.
    """

    def __init__(self, pid: int, *files: Path) -> None:
        self._pid = pid
        self._files = files

    def fill(self) -> None:
        """Let no file grow."""
        largest = max(file.stat().st_size for file in self._files)
        resource.prlimit(self._pid, resource.RLIMIT_FSIZE, (largest, resource.RLIM_INFINITY))

    def clear(self) -> None:
        """Let them grow again."""
        resource.prlimit(self._pid, resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))


def may_mount() -> bool:
    """Whether we may mount a file system."""
    if os.geteuid() != 0:
        return False
    with tempfile.TemporaryDirectory() as folder:
        if not _mount(Path(folder), 1):
            return False
        _unmount(Path(folder))
        return True


@contextmanager
def small_disk(folder: Path, megabytes: int) -> Iterator[SmallDisk]:
    """Mount a small file system, or skip the test loudly where that needs rights that we lack."""
    folder.mkdir()
    if os.geteuid() != 0 or not _mount(folder, megabytes):
        pytest.skip("NOT SHOWN: a full disk; only root may mount the small file system that this test fills")
    try:
        yield SmallDisk(folder)
    finally:
        _unmount(folder)


def _mount(folder: Path, megabytes: int) -> bool:
    options = ("-t", "tmpfs", "-o", f"size={megabytes}m,mode=0777", "tmpfs", str(folder))
    return subprocess.run(["mount", *options], capture_output=True, check=False).returncode == 0  # noqa: S607 - wherever the system has it


def _unmount(folder: Path) -> None:
    subprocess.run(["umount", "--lazy", str(folder)], check=True)  # noqa: S607 - as above
