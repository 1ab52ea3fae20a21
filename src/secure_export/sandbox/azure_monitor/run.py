"""Runs the stand-in by itself."""

import sys
from collections.abc import Callable

from secure_export.sandbox import serving
from secure_export.sandbox.azure_monitor.app import azure_monitor_app
from secure_export.sandbox.azure_monitor.estate import sample_estate
from secure_export.sandbox.azure_monitor.monitor import AzureMonitor
from secure_export.sandbox.azure_monitor.scenario import groups_for
from secure_export.sandbox.azure_monitor.station import Station

# What the sandbox's Entra ID knows by default; written out here so that this stand-in can run without it.
DEFAULT_CLIENT_ID = "461e8683-5575-4561-ac7f-899cc907d62a"
DEFAULT_CLIENT_SECRET = "sandbox-only-not-a-secret"  # noqa: S105 - the stand-in's, printed on purpose
DEFAULT_TENANT_ID = "c0ffee00-7e57-4a11-9b5d-5a4db0c5ed01"
DEFAULT_IDENTIFIER_URI = "api://5ec07e00-0a1e-47b0-8c11-0a5e1f0c0de5"


def _say(line: str) -> None:
    sys.stderr.write(line + "\n")


async def run_azure_monitor(  # noqa: PLR0913 - the command's options
    host: str = "127.0.0.1",
    port: int = 0,
    *,
    webhook: str | None = None,
    entra: str | None = None,
    tenant_id: str = DEFAULT_TENANT_ID,
    identifier_uri: str = DEFAULT_IDENTIFIER_URI,
    client_id: str = DEFAULT_CLIENT_ID,
    client_secret: str = DEFAULT_CLIENT_SECRET,
    time_scale: float = 1.0,
    allow_other_machines: bool = False,
    announce: Callable[[str], None] = _say,
) -> None:
    """Run a stand-in for Azure Monitor until the task is cancelled.

    Args:
        host: Where to listen.
        port: 0 asks the system for a free one.
        webhook: What its action groups call; None: there are no action groups until somebody makes one.
        entra: The base URL of the Entra ID that gives the tokens; None: the webhooks are called without a token.
        tenant_id: Whose tokens.
        identifier_uri: The Application ID URI of the webhook's registration.
        client_id: Azure Monitor's application id.
        client_secret: What it proves itself with.
        time_scale: What Azure's waits and its ban are multiplied by.
        allow_other_machines: Must be True for an address that is not loopback.
        announce: Told, line by line, where it listens and what it does.
    """
    groups = (
        groups_for(webhook, tenant_id=tenant_id, identifier_uri=identifier_uri, secure=bool(entra)) if webhook else []
    )
    monitor = AzureMonitor(entra or "", client_id, client_secret, groups=groups, time_scale=time_scale)
    station = Station(sample_estate(tenant_id), monitor)
    running = await serving.start(
        azure_monitor_app(station),
        name="Azure Monitor",
        host=host,
        port=port,
        allow_other_machines=allow_other_machines,
    )
    announce(f"calls {webhook or 'nothing yet'} with {f'tokens of {entra}' if entra else 'no token'}")
    announce(f"alerts and deliveries: {running.base_url}/  control: {running.base_url}/control")
    try:
        await serving.run_until_cancelled(running, announce)
    finally:
        await station.close()
