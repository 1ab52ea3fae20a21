"""What the demo runs on: sandboxes, the service, and an ITSM tool whose CMDB knows the estate."""

import asyncio
import socket
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from secure_export.app import Parts, opened
from secure_export.cli.demo.sample import sample_alert
from secure_export.cli.demo.set_up import SetUp, empty_directory, set_up
from secure_export.cli.demo.tool import Tool
from secure_export.cli.demo.tools import OPENERS, ToolName
from secure_export.clock import utc_now
from secure_export.errors import SettingsError
from secure_export.itsm.registry import connector_types
from secure_export.sandbox.azure_monitor.estate import Estate, sample_estate
from secure_export.sandbox.azure_monitor.monitor import AzureMonitor
from secure_export.sandbox.azure_monitor.run import start_azure_monitor
from secure_export.sandbox.entra.directory import DEFAULT_TENANT_ID
from secure_export.sandbox.entra.entra import SandboxEntra
from secure_export.sandbox.entra.run import start_entra
from secure_export.service import serve
from secure_export.settings import Settings
from secure_export.telemetry.logging import set_up_logging

_USUAL_PORT = 8080
_TIME_SCALE = 0.05


@dataclass(frozen=True, slots=True)
class Stage:
    """Everything that runs.

    Attributes:
        url: Where the service is reached.
        entra_url: Where the sandbox Entra ID is.
        azure_url: Where the sandbox Azure is.
        done: How Azure was set up.
        estate: What the alerts are about.
        monitor: What sends them.
        parts: The service's own parts.
        name: Which tool the alerts go to.
        tool: That tool.
        folder: Where its files are, until it ends.
    """

    url: str
    entra_url: str
    azure_url: str
    done: SetUp
    estate: Estate
    monitor: AzureMonitor
    parts: Parts
    name: ToolName
    tool: Tool
    folder: Path

    @property
    def sample(self) -> Path:
        """An alert for people to send by hand."""
        return self.folder / "alert.json"

    @property
    def log(self) -> Path:
        """The log of the service."""
        return self.folder / "demo.log"

    @property
    def webhook(self) -> str:
        """The secure webhook of the connection to the tool."""
        return f"{self.url}/v1/connections/{self.name}/alerts"


@asynccontextmanager
async def staged(port: int | None, name: ToolName) -> AsyncIterator[Stage]:
    """Start everything in order, in a folder that is gone afterwards.

    Raises:
        SettingsError: The port that was asked for is taken.
    """
    estate = sample_estate(DEFAULT_TENANT_ID)
    async with AsyncExitStack() as stack:
        folder = Path(stack.enter_context(TemporaryDirectory(prefix="secure-export-demo-")))
        set_up_logging("json", "info", stream=stack.enter_context((folder / "demo.log").open("w", encoding="utf-8")))
        entra, running = await start_entra(SandboxEntra(empty_directory()))
        stack.push_async_callback(running.stop)
        azure = await start_azure_monitor(entra=entra.base_url, time_scale=_TIME_SCALE)
        stack.push_async_callback(azure.stop)
        where = f"127.0.0.1:{_port(port)}"
        done = await set_up(folder, entra.base_url, azure, service=f"http://{where}", connection=name)
        tool = await stack.enter_async_context(OPENERS[name](folder, estate))
        connection = {**tool.settings, "subscriptions": list(estate.subscriptions)}
        settings = _settings(folder, entra.base_url, where, done.audience, {name.value: connection})
        parts = await stack.enter_async_context(opened(settings, connector_types()))
        await tool.fill(parts)
        url = await stack.enter_async_context(_serving(parts))
        monitor = azure.station.monitor
        stage = Stage(url, entra.base_url, azure.base_url, done, estate, monitor, parts, name, tool, folder)
        stage.sample.write_bytes(sample_alert(estate, utc_now()))
        yield stage


def _settings(
    folder: Path, authority: str, listen: str, audience: Sequence[str], connections: dict[str, dict[str, Any]]
) -> Settings:
    return Settings.model_validate(
        {
            "server": {"listen": listen},
            "store": {"url": f"sqlite:///{folder}/demo.db"},
            "identity": {
                "authority": authority,
                "tenant_id": DEFAULT_TENANT_ID,
                "audience": list(audience),
            },
            "connections": connections,
        }
    )


@asynccontextmanager
async def _serving(parts: Parts) -> AsyncIterator[str]:
    """Run the service while the block lasts; gives its URL."""
    stop, started = asyncio.Event(), asyncio.Event()
    task = asyncio.create_task(serve(parts, stop=stop, on_started=lambda _: started.set()))
    waiting = asyncio.create_task(started.wait())
    await asyncio.wait({task, waiting}, return_when=asyncio.FIRST_COMPLETED)
    if task.done():
        waiting.cancel()
        await task
    try:
        yield f"http://{parts.settings.server.listen}"
    finally:
        stop.set()
        with suppress(asyncio.CancelledError):
            await task


def _port(asked: int | None) -> int:
    """The port asked for, or the usual one, or any that is free."""
    if asked:
        if not _is_free(asked):
            raise SettingsError(f"port {asked} is taken; name another with --port, or leave it out")
        return asked
    return _USUAL_PORT if asked is None and _is_free(_USUAL_PORT) else _free()


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
        return True


def _free() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
