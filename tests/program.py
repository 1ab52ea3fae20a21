"""The real program in a process of its own, for journeys and fault tests."""

import json
import os
import signal
import socket
import subprocess
import time
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

from tests import runs
from tests.runs import COMMAND, Ran, Run

from secure_export.sandbox.entra.directory import DEFAULT_TENANT_ID, RESOURCE_APP_ID

__all__ = ["COMMAND", "Program", "Ran", "free_port"]

START_SECONDS = 30.0


def free_port() -> int:
    """Find a port that nobody listens on just now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


class Program:
    """A folder with a configuration and a store, and the program that works with them.

    Args:
        folder: Where everything is kept.
        authority: The base URL of a sandbox Entra ID.
        subscriptions: Whose alerts the desk takes.
        store: The URL of its store; None: a file in the folder.
        more: Further lines for the configuration.
    """

    def __init__(
        self,
        folder: Path,
        authority: str,
        *,
        subscriptions: tuple[str, ...] = ("*",),
        store: str | None = None,
        more: str = "",
    ) -> None:
        self.folder = folder
        self.port = free_port()
        self.config = folder / "secure-export.toml"
        self.log = folder / "service.log"
        self.command = COMMAND
        self._process: Run | None = None
        self.config.write_text(
            f'[server]\nlisten = "127.0.0.1:{self.port}"\n\n'
            f'[store]\nurl = "{store or f"sqlite:///{folder}/store.db"}"\n\n'
            f'[identity]\nauthority = "{authority}"\ntenant_id = "{DEFAULT_TENANT_ID}"\n'
            f'audience = ["{RESOURCE_APP_ID}", "api://{RESOURCE_APP_ID}"]\n\n'
            f'[connections.desk]\ntype = "desk"\nsubscriptions = {json.dumps(list(subscriptions))}\n'
            f"retry_first_seconds = 0.2\n{more}\n",
            encoding="utf-8",
        )

    @property
    def url(self) -> str:
        """Where the service is reached."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def webhook(self) -> str:
        """The desk's secure webhook."""
        return f"{self.url}/v1/connections/desk/alerts"

    def start(self, *arguments: str, ready: bool = True) -> None:
        """Start the service; with ``ready`` wait until it says that it is."""
        given = ["serve", "--config", str(self.config), *arguments]
        with self.log.open("ab") as log, Path(os.devnull).open("rb") as nothing:
            if self.command == COMMAND:
                self._process = runs.begin(given, self.folder, nothing, log, log)
            else:
                self._process = subprocess.Popen(
                    [*self.command, *given], stdout=log, stderr=log, cwd=self.folder, env=runs.environment()
                )
        if ready:
            self.wait_until_ready()

    def wait_until_ready(self) -> None:
        """Wait until the service says that it can accept and deliver."""
        end = time.monotonic() + START_SECONDS
        while time.monotonic() < end:
            if self._process is None or self._process.poll() is not None:
                break
            try:
                if self.get("/readyz")[0] == 200:
                    return
            except OSError:
                pass
            time.sleep(0.02)
        raise AssertionError(f"the service did not become ready; its log:\n{self.log.read_text()[-4000:]}")

    def kill(self) -> None:
        """End the service as a power cut would."""
        self._end(signal.SIGKILL)

    def stop(self) -> int:
        """Ask the service to end in order; gives its exit code."""
        return self._end(signal.SIGTERM)

    def _end(self, number: signal.Signals) -> int:
        if self._process is None:
            return 0
        self._process.send_signal(number)
        code = self._process.wait(timeout=40)
        self._process = None
        return code

    def run(self, *arguments: str, stdin: bytes | None = None) -> Ran:
        """Run another command of the program with this configuration's folder as its own."""
        return runs.run(arguments, self.folder, stdin)

    def rows(self, *arguments: str) -> list[dict[str, Any]]:
        """Run a list command and give its rows."""
        ran = self.run(*arguments, "--json", "--all")
        assert ran.code == 0, ran.err
        rows: list[dict[str, Any]] = json.loads(ran.out)
        return rows

    def get(self, path: str) -> tuple[int, bytes]:
        """Ask the service; gives status and body whatever the status is."""
        return self._ask(urllib.request.Request(self.url + path))  # noqa: S310 - our own loopback address

    def post(self, path: str, body: bytes = b"", **headers: str) -> tuple[int, bytes]:
        """Post to the service; gives status and body whatever the status is."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return self._ask(urllib.request.Request(self.url + path, data=body, headers=named, method="POST"))  # noqa: S310 - as above

    def json(self, path: str) -> Any:
        """Ask the JSON API."""
        status, body = self.get(path)
        assert status == 200, (status, body)
        return json.loads(body)

    def _ask(self, request: urllib.request.Request) -> tuple[int, bytes]:
        try:
            with urllib.request.urlopen(request, timeout=10) as answer:  # noqa: S310 - as above
                return answer.status, answer.read()
        except urllib.error.HTTPError as error:
            with error:
                return error.code, error.read()

    def wait_until(self, path: str, wanted: Any, *, seconds: float = 20.0) -> Any:
        """Ask the JSON API until ``wanted(answer)`` holds."""
        end = time.monotonic() + seconds
        answer = None
        while time.monotonic() < end:
            answer = self.json(path)
            if wanted(answer):
                return answer
            time.sleep(0.05)
        raise AssertionError(f"{path} did not become as wanted: {json.dumps(answer)[:3000]}")
