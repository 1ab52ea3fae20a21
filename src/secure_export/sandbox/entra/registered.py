"""What a token is for, and what its client was granted there, as a tenant's directory has it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from secure_export.sandbox.entra.directory import ClientApplication, ResourceApplication
from secure_export.sandbox.entra.errors import no_principal, not_assigned, resource_not_found
from secure_export.sandbox.entra.graph.tenant import Row, Tenant
from secure_export.sandbox.entra.identities import ARM_APP_ID, GRAPH_APP_ID

# The names of Microsoft's own APIs in each cloud (entra-facts 1.6).
NAMES: Final[Mapping[str, tuple[str, ...]]] = {
    GRAPH_APP_ID: (
        "https://graph.microsoft.com",
        "https://graph.microsoft.us",
        "https://dod-graph.microsoft.us",
        "https://microsoftgraph.chinacloudapi.cn",
    ),
    ARM_APP_ID: (
        "https://management.azure.com",
        "https://management.core.windows.net",
        "https://management.usgovcloudapi.net",
        "https://management.core.usgovcloudapi.net",
        "https://management.chinacloudapi.cn",
        "https://management.core.chinacloudapi.cn",
    ),
}
_ARM_PATH: Final = "/arm"
_GRAPH_PATH: Final = "/graph"


@dataclass(frozen=True, slots=True)
class Grant:
    """What a client gets a token for.

    Attributes:
        resource: The application that the token is for.
        roles: What the client was granted there.
        principal: The object id of the client's service principal.
    """

    resource: ResourceApplication
    roles: tuple[str, ...]
    principal: str


def microsoft_api(asked: str, base_url: str) -> str | None:
    """Say which of Microsoft's own APIs is meant by a name, by its application id; None: neither.

    The stand-ins' own addresses count as names: what ends in ``/arm``, and this one's ``/graph``.
    """
    name = asked.rstrip("/").lower()
    for app_id, names in NAMES.items():
        if name in {app_id, *names}:
            return app_id
    if name == f"{base_url}{_GRAPH_PATH}".lower():
        return GRAPH_APP_ID
    return ARM_APP_ID if name.startswith("http") and name.endswith(_ARM_PATH) else None


def find(tenant: Tenant, client: ClientApplication, asked: str, base_url: str) -> Grant | None:
    """Find what a token is asked for in a tenant's directory.

    Returns:
        What the client gets; None: the directory has no such application.

    Raises:
        EntraError: It has, but the client gets no token for it.
    """
    if (api := microsoft_api(asked, base_url)) is not None:
        return _microsoft(tenant, client, api, asked)
    application = tenant.named(asked)
    return None if application is None else _own(tenant, client, application, asked)


def _microsoft(tenant: Tenant, client: ClientApplication, api: str, asked: str) -> Grant:
    row = tenant.principal_of(api)
    if row is None:
        raise resource_not_found(asked, tenant.id)
    principal = _principal(tenant, client)
    return Grant(ResourceApplication(api, (asked,), token_version=1), tenant.roles_of(principal, row), principal)


def _own(tenant: Tenant, client: ClientApplication, application: Row, asked: str) -> Grant:
    own = tenant.principal_of(application["appId"])
    if own is None:
        raise resource_not_found(asked, tenant.id)
    principal = _principal(tenant, client)
    resource = ResourceApplication(
        client_id=application["appId"],
        identifier_uris=tuple(application["identifierUris"]),
        token_version=application["api"].get("requestedAccessTokenVersion") or 1,
        assignment_required=own["appRoleAssignmentRequired"],
        wants_idtyp=_claim(application, "idtyp") is not None,
        audience_is_guid="use_guid" in ((_claim(application, "aud") or {}).get("additionalProperties") or ()),
    )
    if resource.assignment_required and not tenant.is_assigned(principal, own["id"]):
        raise not_assigned(client.client_id, asked)
    return Grant(resource, tenant.roles_of(principal, application), principal)


def _principal(tenant: Tenant, client: ClientApplication) -> str:
    row = tenant.principal_of(client.client_id)
    if row is None:
        raise no_principal(client.client_id, tenant.id)
    return str(row["id"])


def _claim(application: Row, name: str) -> dict[str, Any] | None:
    wanted = (application["optionalClaims"] or {}).get("accessToken") or ()
    return next((one for one in wanted if one["name"] == name), None)
