"""What the stand-in's directory holds: tenants, clients with secrets, and the applications tokens are for."""

import hmac
import re
import uuid
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

# The first-party caller of every secure webhook (entra-facts 1.5).
AZNS_APP_ID = "461e8683-5575-4561-ac7f-899cc907d62a"
AZNS_SANDBOX_SECRET = "sandbox-only-not-a-secret"  # noqa: S105 - the stand-in's, printed on purpose
DEFAULT_TENANT_ID = "c0ffee00-7e57-4a11-9b5d-5a4db0c5ed01"
RESOURCE_APP_ID = "5ec07e00-0a1e-47b0-8c11-0a5e1f0c0de5"
ROLE = "ActionGroupsSecureWebhook"

_GUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


def is_guid(text: str) -> bool:
    """Tell whether a text is a GUID in its usual form, in either case."""
    return _GUID.fullmatch(text.lower()) is not None


@dataclass(frozen=True, slots=True)
class ClientApplication:
    """An application that can ask for tokens.

    Attributes:
        client_id: Its application id.
        secret: What it proves itself with here.
        name: Shown in the list.
        shown_proof: What ``appidacr``/``azpacr`` says: ``1`` secret, ``2`` certificate (Microsoft's own callers).
    """

    client_id: str
    secret: str = field(repr=False)
    name: str = ""
    shown_proof: str = "1"

    def proves_itself(self, secret: str) -> bool:
        """Compare the secret."""
        return hmac.compare_digest(self.secret.encode(), secret.encode())

    def principal_in(self, tenant: str) -> str:
        """Give the object id of its service principal in a tenant; each tenant has one of its own."""
        return str(uuid.uuid5(uuid.UUID(tenant), self.client_id))


@dataclass(frozen=True, slots=True)
class ResourceApplication:
    """An application that tokens are for.

    Attributes:
        client_id: Its application id; the audience of every version 2 token.
        identifier_uris: Its Application ID URIs; version 1 tokens carry whichever was asked for, as it was asked for.
        token_version: 1 or 2; the resource's choice whatever end point the client uses (entra-facts 1.4). Entra's own
            default is 1; Microsoft advises 2 for secure webhooks.
        roles: The roles granted to each client application id; a client without gets a token without ``roles``.
        assignment_required: Refuse clients without a role instead.
        wants_idtyp: Whether it asked for the optional claim ``idtyp``.
        audience_is_guid: The optional claim ``aud`` with ``use_guid``: version 1 tokens carry the client id too.
    """

    client_id: str
    identifier_uris: tuple[str, ...] = ()
    token_version: int = 2
    roles: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    assignment_required: bool = False
    wants_idtyp: bool = False
    audience_is_guid: bool = False

    def is_called(self, name: str) -> bool:
        """Tell whether this application is meant; a trailing slash does not matter to Entra."""
        wanted = name.rstrip("/").lower()
        return wanted in {self.client_id.lower(), *(uri.rstrip("/").lower() for uri in self.identifier_uris)}

    def audience(self, asked: str) -> str:
        """Give the ``aud`` claim for a token that was asked for under one of its names."""
        return self.client_id if self.token_version == 2 or self.audience_is_guid else asked  # noqa: PLR2004 - version 2


class Directory:
    """Tenants and applications. Applications are the same in every tenant.

    Attributes:
        tenants: The tenants that exist; None: every GUID that is asked for does.
        clients: By application id in lower case.
        resources: By application id in lower case.
    """

    def __init__(
        self,
        clients: Iterable[ClientApplication] = (),
        resources: Iterable[ResourceApplication] = (),
        tenants: Iterable[str] | None = None,
    ) -> None:
        self.tenants = None if tenants is None else frozenset(tenant.lower() for tenant in tenants)
        self.clients = {client.client_id.lower(): client for client in clients}
        self.resources = {resource.client_id.lower(): resource for resource in resources}

    def has_tenant(self, tenant: str) -> bool:
        """Tell whether a tenant exists."""
        return is_guid(tenant) and (self.tenants is None or tenant.lower() in self.tenants)

    def register_client(self, client: ClientApplication) -> None:
        """Add a client, or put another in its place."""
        self.clients[client.client_id.lower()] = client

    def register_resource(self, resource: ResourceApplication) -> None:
        """Add a resource application, or put another in its place; tokens minted from now on follow it."""
        self.resources[resource.client_id.lower()] = resource

    def client(self, client_id: str) -> ClientApplication | None:
        """Find a client by its application id."""
        return self.clients.get(client_id.lower())

    def resource(self, name: str) -> ResourceApplication | None:
        """Find a resource by its application id or one of its Application ID URIs."""
        return next((one for one in self.resources.values() if one.is_called(name)), None)


def default_directory(
    *, resource_app_id: str = RESOURCE_APP_ID, token_version: int = 2, tenants: Iterable[str] | None = None
) -> Directory:
    """Give what a finished set-up leaves behind: Azure Monitor's caller with its role on the webhook's application.

    Args:
        resource_app_id: The application id of the webhook's own registration; its URI is ``api://{id}``.
        token_version: What that registration asks for, 1 or 2.
        tenants: The tenants that exist; None: every GUID that is asked for does.
    """
    azns = ClientApplication(AZNS_APP_ID, AZNS_SANDBOX_SECRET, "AzNS AAD Webhook (sandbox)", shown_proof="2")
    webhook = ResourceApplication(
        resource_app_id, (f"api://{resource_app_id}",), token_version, roles={AZNS_APP_ID: (ROLE,)}
    )
    return Directory([azns], [webhook], tenants)
