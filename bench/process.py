"""Processes under test: started on their core, watched, and ended."""

import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from bench.machine import Core

_START_SECONDS = 30.0
_STOP_SECONDS = 60.0


class NotStartedError(RuntimeError):
    """A program under test does not do what it should."""


@contextmanager
def running(command: Sequence[str], port: int, log: Path, *, core: Core = Core.SERVER) -> Iterator[int]:
    """Run a program until the block ends; gives its process id once it takes connections.

    Args:
        command: The program and its arguments.
        port: Where it takes connections.
        log: Where its output goes.
        core: Where it runs.

    Raises:
        NotStartedError: It does not take connections.
    """
    pinned = [] if core.number is None else [sys.executable, "-m", "bench.pinned", str(core.number)]
    with log.open("ab") as out:
        process = subprocess.Popen([*pinned, *command], stdout=out, stderr=out)
    try:
        _wait_for(port, process, log)
        yield process.pid
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(_STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def free_port() -> int:
    """Find a port that nobody listens on just now."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port: int = probe.getsockname()[1]
        return port


def _wait_for(port: int, process: "subprocess.Popen[bytes]", log: Path) -> None:
    end = time.monotonic() + _START_SECONDS
    while time.monotonic() < end and process.poll() is None:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            time.sleep(0.05)
        else:
            return
    raise NotStartedError(f"nothing takes connections on port {port}; its log ends with:\n{log.read_text()[-2000:]}")
