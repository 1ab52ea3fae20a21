"""Runs the stand-in by itself."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Unpack

from secure_export.sandbox import serving
from secure_export.sandbox.azure_monitor.action_group import ActionGroup
from secure_export.sandbox.azure_monitor.app import azure_monitor_app
from secure_export.sandbox.azure_monitor.arm.directory import SandboxDirectory
from secure_export.sandbox.azure_monitor.arm.seeding import seed
from secure_export.sandbox.azure_monitor.arm.world import World
from secure_export.sandbox.azure_monitor.estate import sample_estate
from secure_export.sandbox.azure_monitor.monitor import AzureMonitor
from secure_export.sandbox.azure_monitor.scenario import groups_for
from secure_export.sandbox.azure_monitor.station import Station
from secure_export.sandbox.clock import Clock

# What the sandbox's Entra ID knows by default; written out here so that this stand-in can run without it.
DEFAULT_CLIENT_ID = "461e8683-5575-4561-ac7f-899cc907d62a"
DEFAULT_CLIENT_SECRET = "sandbox-only-not-a-secret"  # noqa: S105 - the stand-in's, printed on purpose
DEFAULT_TENANT_ID = "c0ffee00-7e57-4a11-9b5d-5a4db0c5ed01"
DEFAULT_IDENTIFIER_URI = "api://5ec07e00-0a1e-47b0-8c11-0a5e1f0c0de5"


@dataclass(frozen=True, slots=True)
class Running:
    """A stand-in that listens.

    Attributes:
        station: What fires alerts.
        world: What ARM knows.
        serving: Its listener.
    """

    station: Station
    world: World
    serving: serving.Serving

    @property
    def base_url(self) -> str:
        """Where it is reached, without a trailing slash."""
        return self.serving.base_url

    @property
    def arm_url(self) -> str:
        """Where ARM is reached, without a trailing slash."""
        return f"{self.base_url}/arm"

    async def stop(self) -> None:
        """Stop in order: what is under way first, then the listener."""
        await self.station.close()
        await self.serving.stop()
        if isinstance(self.world.directory, SandboxDirectory):
            await self.world.directory.close()


async def start_azure_monitor(  # noqa: PLR0913 - what a stand-in is made of
    *,
    entra: str | None = None,
    groups: Iterable[ActionGroup] = (),
    tenant_id: str = DEFAULT_TENANT_ID,
    client_id: str = DEFAULT_CLIENT_ID,
    client_secret: str = DEFAULT_CLIENT_SECRET,
    time_scale: float = 1.0,
    **where: Unpack[serving.Where],
) -> Running:
    """Start a stand-in, ARM included, inside the running event loop.

    Args:
        entra: The base URL of the sandbox's Entra ID; None: nobody can sign in to ARM, and webhooks get no token.
        groups: Action groups that ARM does not know.
        tenant_id: The tenant that the subscriptions trust.
        client_id: Azure Monitor's application id.
        client_secret: What it proves itself with.
        time_scale: What Azure's waits and its ban are multiplied by.
        where: Where it listens.

    Raises:
        NotLoopbackError: The address is not loopback and that was not allowed.
        OSError: The address cannot be listened on.
    """
    clock = Clock()
    monitor = AzureMonitor(entra or "", client_id, client_secret, groups=groups, time_scale=time_scale)
    station = Station(sample_estate(tenant_id), monitor, now=clock.now)
    world = World(station.estate, monitor, SandboxDirectory(entra) if entra else None, clock=clock)
    seed(world)
    listening = await serving.start(azure_monitor_app(station, world), name="Azure Monitor", **where)
    return Running(station, world, listening)


async def run_azure_monitor(  # noqa: PLR0913 - the command's options
    *,
    webhook: str | None = None,
    entra: str | None = None,
    tenant_id: str = DEFAULT_TENANT_ID,
    identifier_uri: str = DEFAULT_IDENTIFIER_URI,
    client_id: str = DEFAULT_CLIENT_ID,
    client_secret: str = DEFAULT_CLIENT_SECRET,
    time_scale: float = 1.0,
    announce: Callable[[str], None] = serving.say,
    **where: Unpack[serving.Where],
) -> None:
    """Run a stand-in for Azure Monitor until the task is cancelled.

    Args:
        webhook: What its action groups call; None: there are no action groups until somebody makes one.
        entra: The base URL of the Entra ID that gives the tokens; None: the webhooks are called without a token.
        tenant_id: Whose tokens.
        identifier_uri: The Application ID URI of the webhook's registration.
        client_id: Azure Monitor's application id.
        client_secret: What it proves itself with.
        time_scale: What Azure's waits and its ban are multiplied by.
        announce: Told, line by line, where it listens and what it does.
        where: Where it listens.
    """
    groups = (
        groups_for(webhook, tenant_id=tenant_id, identifier_uri=identifier_uri, secure=bool(entra)) if webhook else []
    )
    running = await start_azure_monitor(
        entra=entra,
        groups=groups,
        tenant_id=tenant_id,
        client_id=client_id,
        client_secret=client_secret,
        time_scale=time_scale,
        **where,
    )
    greeting = (
        f"calls {webhook or 'nothing yet'} with {f'tokens of {entra}' if entra else 'no token'}",
        f"alerts and deliveries: {running.base_url}/  control: {running.base_url}/control",
        f"ARM {running.arm_url}  subscriptions {', '.join(running.station.estate.subscriptions)}",
    )
    try:
        await serving.run(running.serving, greeting, announce)
    finally:
        await running.stop()
