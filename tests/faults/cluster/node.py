"""One process of the real program, which can be killed, stopped, and started again."""

import asyncio
import signal
import time
from pathlib import Path

from tests.program import Program

_READY_SECONDS = 120.0
_POLL_SECONDS = 0.05
_BEGAN = b"service started"


class Node(Program):
    """A process with its roles; see ``Program``.

    Args:
        folder: Where its configuration and its log are.
        authority: The base URL of a sandbox Entra ID.
        name: What it is called in schedules.
        roles: What it does, as ``serve --role`` has it.
        store: The URL of its store.
        more: Further lines for the configuration.

    Attributes:
        name: What it is called.
        died: How it ended though it had begun its work and nobody ended it.
        false_starts: How often it ended before it had begun, because the database was not there.
        exit_codes: How it ended when it was asked to after it had begun its work.
    """

    def __init__(self, folder: Path, authority: str, *, name: str, roles: str, store: str | None, more: str) -> None:
        folder.mkdir()
        super().__init__(folder, authority, store=store, more=more)
        self.name = name
        self.died: list[int] = []
        self.false_starts = 0
        self.exit_codes: list[int] = []
        self._roles = roles
        self._paused = False
        self._wanted = False
        self._log_before = 0
        self._changing = asyncio.Lock()

    @property
    def is_running(self) -> bool:
        """Whether there is a process, stopped by SIGSTOP or not."""
        return self._process is not None and self._process.poll() is None

    async def ensure_running(self) -> None:
        """Start it if it does not run; does not wait until it is ready."""
        async with self._changing:
            if self.is_running:
                return
            if self._process is not None:
                self._note_end(self._process.wait())
            self._paused, self._wanted = False, True
            self._log_before = self.log.stat().st_size if self.log.exists() else 0
            await asyncio.to_thread(self.start, "--role", self._roles, ready=False)

    async def supervise(self) -> None:
        """Start it again if it ended by itself, as a service manager does."""
        if self._wanted and not self.is_running and not self._changing.locked():
            await self.ensure_running()

    def _note_end(self, code: int) -> None:
        if self._has_begun():
            self.died.append(code)
        else:
            self.false_starts += 1

    def _has_begun(self) -> bool:
        with self.log.open("rb") as log:
            log.seek(self._log_before)
            return _BEGAN in log.read()

    async def ready(self) -> None:
        """Wait until it says that it can do its work."""
        end = time.monotonic() + _READY_SECONDS
        while not await asyncio.to_thread(self._is_ready):
            if time.monotonic() > end:
                raise AssertionError(f"{self.name} did not become ready; its log:\n{self.log.read_text()[-4000:]}")
            await asyncio.sleep(_POLL_SECONDS)

    def _is_ready(self) -> bool:
        try:
            return self.get("/readyz")[0] == 200
        except OSError:
            return False

    async def killed(self) -> bool:
        """End it as a power cut would; whether it ran."""
        async with self._changing:
            self._wanted = False
            if not self.is_running:
                return False
            await asyncio.to_thread(self.kill)
            return True

    async def ended(self) -> bool:
        """Ask it to end in order, and wait until it has; whether it ran."""
        async with self._changing:
            self._wanted = False
            if not self.is_running:
                return False
            self.go_on()
            had_begun = self._has_begun()
            code = await asyncio.to_thread(self.stop)
            if had_begun:  # before, nobody hears the signal, and it ends as by any other
                self.exit_codes.append(code)
            return True

    def pause(self) -> bool:
        """Stop it as it stands (SIGSTOP); whether it ran."""
        if not self.is_running or self._paused or self._changing.locked():
            return False
        self._signal(signal.SIGSTOP)
        self._paused = True
        return True

    def go_on(self) -> None:
        """Let it go on after ``pause``."""
        if self._paused and self.is_running:
            self._signal(signal.SIGCONT)
        self._paused = False

    def _signal(self, number: signal.Signals) -> None:
        assert self._process is not None
        self._process.send_signal(number)
