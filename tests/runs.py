"""Runs of the real program, each a process of its own; on Linux forked from one that has the program loaded."""

import atexit
import json
import os
import select
import socket
import subprocess
import sys
import tempfile
import threading
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import BinaryIO, Protocol

COMMAND = [sys.executable, "-m", "secure_export"]
COMMAND_SECONDS = 120.0
_LOADED = Path(__file__).with_name("loaded_program.py")
_FORKS = sys.platform == "linux"  # elsewhere what a system's own libraries hold may not survive a fork


class Run(Protocol):
    """A run of the program: what tests use of ``subprocess.Popen``."""

    @property
    def pid(self) -> int: ...

    def poll(self) -> int | None: ...

    def wait(self, timeout: float | None = None) -> int: ...

    def send_signal(self, sig: int) -> None: ...


class Ran:
    """How a command ended."""

    def __init__(self, code: int, out: str, err: str) -> None:
        self.code = code
        self.out = out
        self.err = err


def begin(arguments: Sequence[str], folder: Path, stdin: BinaryIO, stdout: BinaryIO, stderr: BinaryIO) -> Run:
    """Begin to run the program with arguments in a folder, with files for its input, output and errors."""
    if not _FORKS:
        return subprocess.Popen(
            [*COMMAND, *arguments], stdin=stdin, stdout=stdout, stderr=stderr, cwd=folder, env=environment()
        )
    return _loaded().fork(arguments, folder, [file.fileno() for file in (stdin, stdout, stderr)])


def run(arguments: Sequence[str], folder: Path, stdin: bytes | None = None) -> Ran:
    """Run the program with arguments in a folder, and wait for its end."""
    with tempfile.TemporaryFile() as into, tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        into.write(stdin or b"")
        into.seek(0)
        process = begin(arguments, folder, into, out, err)
        try:
            code = process.wait(COMMAND_SECONDS)
        except subprocess.TimeoutExpired:
            process.send_signal(9)
            raise
        for file in (out, err):
            file.seek(0)
        return Ran(code, out.read().decode(), err.read().decode())


def environment() -> dict[str, str]:
    """Give the environment that the program runs in."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("SECURE_EXPORT")}
    return kept | {"PYTHONWARNINGS": "default", "NO_COLOR": "1", "COLUMNS": "200"}


class _Forked:
    """A run that was forked.

    Args:
        pid: Its process id.
        status: The pipe that its status comes from when it ended.
    """

    def __init__(self, pid: int, status: int) -> None:
        self.pid = pid
        self._status = status
        self._code: int | None = None
        self._lock = threading.Lock()

    def __del__(self) -> None:
        if self._code is None:
            os.close(self._status)

    def poll(self) -> int | None:
        """Give its exit code as ``subprocess`` does; None while it runs."""
        return self._ended_within(0)

    def wait(self, timeout: float | None = None) -> int:
        """Wait for its end; gives its exit code."""
        code = self._ended_within(timeout)
        if code is None:
            raise subprocess.TimeoutExpired(["secure-export"], timeout or 0)
        return code

    def send_signal(self, sig: int) -> None:
        """Send a signal, if it has not ended."""
        if self.poll() is None:
            os.kill(self.pid, sig)

    def _ended_within(self, seconds: float | None) -> int | None:
        with self._lock:
            if self._code is None and select.select([self._status], [], [], seconds)[0]:
                told = os.read(self._status, 64)
                os.close(self._status)
                self._code = os.waitstatus_to_exitcode(int(told))
            return self._code


class _Loaded:
    """The process that has the program loaded. It ends when this one does."""

    def __init__(self) -> None:
        self._orders, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._lock = threading.Lock()
        with theirs:
            self._process = subprocess.Popen(
                [sys.executable, str(_LOADED), str(theirs.fileno())],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                env=environment(),
                pass_fds=(theirs.fileno(),),
            )
        atexit.register(self._end)

    def fork(self, arguments: Sequence[str], folder: Path, files: Sequence[int]) -> _Forked:
        """Begin a run."""
        order = {"arguments": list(arguments), "folder": str(folder), "environment": environment()}
        status, theirs = os.pipe()
        try:
            with self._lock:
                socket.send_fds(self._orders, [json.dumps(order).encode()], [*files, theirs])
                pid = self._orders.recv(64)
        finally:
            os.close(theirs)
        assert pid, "the process that has the program loaded has ended; its errors are above"
        return _Forked(int(pid), status)

    def _end(self) -> None:
        self._orders.close()
        self._process.wait(10)


@cache
def _loaded() -> _Loaded:
    return _Loaded()
