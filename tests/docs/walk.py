"""Walks through a page as a reader does: types its commands, and compares what comes with what it shows."""

import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Self

from tests.docs.pages import Block

START_SECONDS = 20.0
COMMAND_SECONDS = 30.0
_ANYTHING = ".*?"
_EXPORT = re.compile(r"^export ([A-Z_]+)=([\w.-]+)$", re.MULTILINE)


class Walk:
    """One reader in one folder. Use it as a context manager: what was left running is ended.

    Blocks of kind ``sh`` are typed; ``background`` leaves one running, ``fails`` expects an exit code other than 0,
    ``until`` types it again while it does not show yet what it should.
    The ``text`` block after one shows what comes of it: its lines come in this order, with others between them, and
    ``…`` stands for anything. Variables that are exported stay so in later blocks, as in the reader's terminals.

    Args:
        folder: Where everything happens.
        ports: The ports of the page that are replaced by free ones.
    """

    def __init__(self, folder: Path, ports: Sequence[str]) -> None:
        self._folder = folder
        self._ports = {port: str(_free_port()) for port in ports}
        self._running: list[subprocess.Popen[bytes]] = []
        self._exported: dict[str, str] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for process in reversed(self._running):
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGTERM)
        for process in self._running:
            process.wait(timeout=START_SECONDS)

    def follow(self, blocks: Sequence[Block]) -> int:
        """Go through the blocks; how many commands were typed.

        Raises:
            AssertionError: Something else came than the page shows.
        """
        typed = 0
        for block, after in zip(blocks, (*blocks[1:], None), strict=True):
            if block.kind != "sh":
                continue
            typed += 1
            shown = self._ours(after.text) if after is not None and after.kind == "text" else ""
            if "background" in block.marks:
                self._leave_running(self._ours(block.text), shown, f"{typed}.log")
            else:
                self._wait_for(self._ours(block.text), shown if "until" in block.marks else "")
                self._type(self._ours(block.text), shown, fails="fails" in block.marks)
        return typed

    def _ours(self, text: str) -> str:
        for port, free in self._ports.items():
            text = text.replace(f":{port}", f":{free}").replace(f"--port {port}", f"--port {free}")
        return text

    def _environment(self) -> dict[str, str]:
        return _environment() | self._exported

    def _type(self, command: str, shown: str, *, fails: bool) -> None:
        self._exported.update(_EXPORT.findall(command))
        code, said = self._run(command)
        assert (code != 0) == fails, f"{command}\nended with {code}:\n{said}"
        missing = first_missing(shown, said)
        assert missing is None, f"{command}\ndid not print {missing!r}, but:\n{said}"

    def _wait_for(self, command: str, shown: str) -> None:
        """Type a command again and again until it shows something, or long enough."""
        end = time.monotonic() + START_SECONDS
        while shown and first_missing(shown, self._run(command)[1]) is not None and time.monotonic() < end:
            time.sleep(0.1)

    def _run(self, command: str) -> tuple[int, str]:
        done = subprocess.run(
            ["/bin/sh", "-e", "-c", command],
            cwd=self._folder,
            env=self._environment(),
            capture_output=True,
            check=False,
            timeout=COMMAND_SECONDS,
        )
        return done.returncode, f"{done.stdout.decode()}\n{done.stderr.decode()}"

    def _leave_running(self, command: str, shown: str, name: str) -> None:
        log = self._folder / name
        with log.open("wb") as out:
            process = subprocess.Popen(
                ["/bin/sh", "-c", f"exec {command}"],
                cwd=self._folder,
                env=self._environment(),
                stdout=out,
                stderr=out,
                start_new_session=True,
            )
        self._running.append(process)
        end = time.monotonic() + START_SECONDS
        while first_missing(shown, log.read_text(encoding="utf-8")) is not None:
            said = log.read_text(encoding="utf-8")
            assert process.poll() is None, f"{command}\nended:\n{said}"
            assert time.monotonic() < end, f"{command}\ndid not print {first_missing(shown, said)!r}, but:\n{said}"
            time.sleep(0.02)


def first_missing(shown: str, said: str) -> str | None:
    """Give the first line of ``shown`` that is not in ``said`` after those before it; None when all are."""
    rest = " ".join(said.split())
    for line in filter(None, (" ".join(line.split()) for line in shown.splitlines())):
        found = re.search(_ANYTHING.join(re.escape(part.strip()) for part in line.split("…")), rest)
        if found is None:
            return line
        rest = rest[found.end() :]
    return None


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _environment() -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("SECURE_EXPORT")}
    path = f"{Path(sys.executable).parent}{os.pathsep}{kept.get('PATH', '')}"
    return kept | {"PATH": path, "NO_COLOR": "1", "COLUMNS": "250", "PYTHONUNBUFFERED": "1"}
