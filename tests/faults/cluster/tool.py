"""An ITSM tool as a process of its own: a sandbox, with the doors by which it is told to misbehave."""

import asyncio
import signal
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp
from tests.program import COMMAND, free_port

from secure_export.itsm.record_keys import PREFIX

_START_SECONDS = 60.0
_STOP_SECONDS = 30.0
_PASSWORD = "sandbox-only-not-a-secret"
_ENDED = {"Resolved", "Closed", "Cancelled"}
_EVERY = 1_000_000


@dataclass(frozen=True, slots=True)
class Row:
    """A record as the tool has it.

    Attributes:
        connection: Whose it is.
        key: The key that our program wrote into it.
        number: Its number.
        title: Its short text.
        is_open: Whether there is work to do by it.
        ids: What the path of a request may name it by.
    """

    connection: str
    key: str
    number: str
    title: str
    is_open: bool
    ids: frozenset[str] = frozenset()


class Tool:
    """A sandbox that listens on this machine.

    Args:
        kind: ``servicenow`` or ``bmc-helix``: what ``secure-export sandbox`` calls it, and the name of its connection.
        folder: Where its log and its records are.
    """

    def __init__(self, kind: str, folder: Path) -> None:
        self.kind = kind
        self.port = free_port()
        self._folder = folder
        self._process: subprocess.Popen[bytes] | None = None
        self._changing = asyncio.Lock()
        (folder / "password").write_text(_PASSWORD, encoding="utf-8")

    @property
    def keeps_records(self) -> bool:
        """Whether its records outlive a restart."""
        return self.kind == "servicenow"

    def connection(self, port: int, more: str) -> str:
        """Write the connection to it, by way of a port.

        Args:
            port: Where the node reaches it.
            more: Settings that every connection has.
        """
        own = _HELIX if self.kind == "bmc-helix" else ""
        return (
            f'[connections.{self.kind}]\ntype = "{self.kind}"\nsubscriptions = ["*"]\n{more}'
            f'url = "http://127.0.0.1:{port}"\nusername = "azure.integration"\n'
            f'password = {{ file = "{self._folder / "password"}" }}\nrequest_timeout_seconds = 2\n{own}\n'
        )

    async def start(self) -> None:
        """Start it, and wait until it answers."""
        process = self._begin()
        async with asyncio.timeout(_START_SECONDS):
            while True:
                try:
                    await self.control("GET", "/control")
                except aiohttp.ClientError:
                    assert process.poll() is None, f"the sandbox {self.kind} did not start"
                    await asyncio.sleep(0.03)
                else:
                    return

    def _begin(self) -> "subprocess.Popen[bytes]":
        kept = ("--state", str(self._folder / f"{self.kind}.json")) if self.keeps_records else ()
        command = [*COMMAND, "sandbox", self.kind, "--port", str(self.port), *kept]
        with (self._folder / f"{self.kind}.log").open("ab") as log:
            self._process = subprocess.Popen(command, stdout=log, stderr=log)
        return self._process

    async def stop(self) -> None:
        """Ask it to end, and wait until it has."""
        if self._process is not None:
            self.go_on()
            self._process.send_signal(signal.SIGTERM)
            await asyncio.to_thread(self._process.wait, _STOP_SECONDS)
            self._process = None

    async def restart(self, seconds: float) -> None:
        """End it, and start it again after so long."""
        async with self._changing:
            await self.stop()
            await asyncio.sleep(seconds)
            await self.start()

    def pause(self) -> None:
        """Let it answer nothing, though it takes connections."""
        self._signal(signal.SIGSTOP)

    def go_on(self) -> None:
        """Let it answer again."""
        self._signal(signal.SIGCONT)

    def _signal(self, number: signal.Signals) -> None:
        if self._process is not None and self._process.poll() is None:
            self._process.send_signal(number)

    async def misbehave(self, order: Mapping[str, Any]) -> str:
        """Set a fault; its id."""
        async with self._changing:
            told = await self.control("POST", "/control/faults", order)
        return str(told["id"])

    async def behave(self) -> None:
        """Clear all faults."""
        async with self._changing:
            await self.control("DELETE", "/control/faults")

    async def rows(self) -> list[Row]:
        """Give the records that our program made."""
        if self.kind == "servicenow":
            told = await self.control("GET", f"/control/records/incident?limit={_EVERY}")
            return [_servicenow_row(row) for row in told["rows"] if row.get("correlation_id", "").startswith(PREFIX)]
        told = await self.control("GET", "/control/incidents")
        return [_helix_row(row) for row in told if str(row.get("Vendor Ticket Number")).startswith(PREFIX)]

    async def control(self, method: str, path: str, order: Mapping[str, Any] | None = None) -> Any:
        """Use a door of the sandbox's control API."""
        async with (
            aiohttp.ClientSession() as session,
            session.request(method, f"http://127.0.0.1:{self.port}{path}", json=order) as answer,
        ):
            assert answer.status == 200, f"{method} {path}: {answer.status} {await answer.text()}"
            return await answer.json()


_HELIX = """company = "Contoso"
support_group = { group = "Cloud Operations" }
assignee = { name = "Azure Monitor", login_id = "azure.integration" }

[[connections.bmc-helix.cmdb.ci_lookup]]
class = "BMC_BaseElement"
attribute = "AzureResourceId"
source = "resource_id"
"""


def _servicenow_row(row: Mapping[str, str]) -> Row:
    key = row["correlation_id"].rpartition(":")[2]
    is_open = row["state"] in {"1", "2", "3"}
    return Row("servicenow", key, row["number"], row["short_description"], is_open, frozenset({row["sys_id"]}))


def _helix_row(row: Mapping[str, Any]) -> Row:
    key, number = str(row["Vendor Ticket Number"]).rpartition(":")[2], str(row["Incident Number"])
    ids = {part for name in ("Entry ID", "Request ID") for part in str(row.get(name) or "").split("|")}
    return Row("bmc-helix", key, number, str(row["Description"]), row["Status"] not in _ENDED, frozenset(ids - {""}))
