"""Runs the stand-in by itself."""

from collections.abc import Callable, Iterable
from typing import Unpack

from secure_export.sandbox import serving
from secure_export.sandbox.entra.app import entra_app
from secure_export.sandbox.entra.directory import (
    AZNS_APP_ID,
    AZNS_SANDBOX_SECRET,
    DEFAULT_TENANT_ID,
    RESOURCE_APP_ID,
    default_directory,
)
from secure_export.sandbox.entra.entra import SandboxEntra
from secure_export.sandbox.entra.identities import ADMIN


async def start_entra(
    entra: SandboxEntra | None = None, **where: Unpack[serving.Where]
) -> tuple[SandboxEntra, serving.Serving]:
    """Start a stand-in inside the running event loop; its base URL is set when this returns.

    Raises:
        NotLoopbackError: The address is not loopback and that was not allowed.
        OSError: The address cannot be listened on.
    """
    entra = entra or SandboxEntra()
    running = await serving.start(entra_app(entra), name="Entra ID", **where)
    entra.base_url = entra.base_url or running.base_url
    return entra, running


async def run_entra(
    *,
    tenants: Iterable[str] | None = None,
    resource_app_id: str = RESOURCE_APP_ID,
    token_version: int = 2,
    announce: Callable[[str], None] = serving.say,
    **where: Unpack[serving.Where],
) -> None:
    """Run a stand-in for Entra ID until the task is cancelled.

    Args:
        tenants: The tenants that exist; None: every GUID that is asked for does.
        resource_app_id: The application id of the webhook's registration.
        token_version: The token version that registration asks for.
        announce: Told, line by line, where it listens and with what a client gets a token.
        where: Where it listens.
    """
    known = None if tenants is None else tuple(tenants)
    directory = default_directory(resource_app_id=resource_app_id, token_version=token_version, tenants=known)
    entra = SandboxEntra(directory, default_tenant=known[0] if known else DEFAULT_TENANT_ID)
    _, running = await start_entra(entra, **where)
    greeting = (
        f"authority {entra.base_url}  tenant {entra.default_tenant} (and {_others(known)})",
        f"audience {resource_app_id} or api://{resource_app_id}  token version {token_version}",
        f"client {AZNS_APP_ID}  secret {AZNS_SANDBOX_SECRET}  control {entra.base_url}/control",
        f"Graph {entra.base_url}/graph  administrator {ADMIN.client_id}  secret {ADMIN.client_secret}",
    )
    await serving.run(running, greeting, announce)


def _others(tenants: Iterable[str] | None) -> str:
    return "any other GUID" if tenants is None else "no other than the listed ones"
