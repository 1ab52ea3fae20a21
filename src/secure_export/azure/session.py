"""Signs in to the two APIs of one tenant."""

from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass

from secure_export.azure.api import AzureApi, Waits
from secure_export.azure.credentials import Credential, credential_for
from secure_export.azure.settings import AzureSettings


@dataclass(frozen=True, slots=True)
class Session:
    """Who is signed in to a tenant, and the two APIs.

    Attributes:
        credential: Gives tokens.
        graph: Microsoft Graph.
        graph_scope: What a token for it is asked with.
        manager: Azure Resource Manager.
    """

    credential: Credential
    graph: AzureApi
    graph_scope: str
    manager: AzureApi


@asynccontextmanager
async def signed_in(
    azure: AzureSettings,
    tenant_id: str,
    *,
    authority: str,
    prompt: Callable[[str, str], None] | None = None,
    waits: Waits | None = None,
) -> AsyncIterator[Session]:
    """Sign in to a tenant for as long as the block lasts; nothing is asked before the first call.

    Args:
        azure: The ``[azure]`` section.
        tenant_id: The tenant.
        authority: Where it signs in.
        prompt: Told of the address to open and the code to type in there, for a device code.
        waits: Told of each answer after which a call is made again.

    Raises:
        SecretMissing: A secret cannot be read.
    """
    cloud = azure.where()
    async with AsyncExitStack() as stack:
        credential = await credential_for(
            azure.credential_in(tenant_id), tenant_id=tenant_id, authority=authority, prompt=prompt
        )
        stack.push_async_callback(credential.close)
        graph = AzureApi(cloud.graph_url, cloud.graph_scope, credential, waits=waits)
        stack.push_async_callback(graph.close)
        manager = AzureApi(cloud.resource_manager_url, cloud.resource_manager_scope, credential, waits=waits)
        stack.push_async_callback(manager.close)
        yield Session(credential, graph, cloud.graph_scope, manager)
