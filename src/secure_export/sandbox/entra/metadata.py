"""The documents a verifier reads: OpenID configuration and key lists (entra-facts 2.1)."""

from typing import Any

from secure_export.sandbox.entra.claims import VERSION_2, issuer
from secure_export.sandbox.entra.keys import FOREIGN_TENANT_ID, KeyRing

TEMPLATE_TENANT = "{tenantid}"


def openid_configuration(base_url: str, tenant: str, version: int, issuer_tenant: str) -> dict[str, Any]:
    """Describe a tenant's end points.

    Args:
        base_url: Where the stand-in is reached.
        tenant: The tenant as it stands in the path; may be ``common``.
        version: 1 or 2.
        issuer_tenant: The tenant's GUID, or the placeholder that ``common`` has in its place.
    """
    root = f"{base_url}/{tenant}"
    oauth = f"{root}/oauth2/v2.0" if version == VERSION_2 else f"{root}/oauth2"
    return {
        "token_endpoint": f"{oauth}/token",
        "token_endpoint_auth_methods_supported": ["client_secret_post", "private_key_jwt", "client_secret_basic"],
        "jwks_uri": f"{root}/discovery/v2.0/keys" if version == VERSION_2 else f"{root}/discovery/keys",
        "response_modes_supported": ["query", "fragment", "form_post"],
        "subject_types_supported": ["pairwise"],
        "id_token_signing_alg_values_supported": ["RS256"],
        "response_types_supported": ["code", "id_token", "code id_token", "id_token token"],
        "scopes_supported": ["openid", "profile", "email", "offline_access"],
        "issuer": issuer(base_url, issuer_tenant, version),
        "request_uri_parameter_supported": False,
        "authorization_endpoint": f"{oauth}/authorize",
        "tenant_region_scope": "EU",
        "cloud_instance_name": "microsoftonline.com",
        "cloud_graph_host_name": "graph.windows.net",
        "msgraph_host": "graph.microsoft.com",
        "rbac_url": "https://pas.windows.net",
    }


def key_list(ring: KeyRing, base_url: str, version: int, issuer_tenant: str) -> dict[str, Any]:
    """List signing keys; only version 2 says whose each key is, and only it lists another tenant's key among them.

    Args:
        ring: The keys.
        base_url: Where the stand-in is reached.
        version: 1 or 2.
        issuer_tenant: Whose the keys are: a tenant's GUID, or the placeholder for keys that all tenants share.
    """
    if version != VERSION_2:
        return {"keys": [key.as_jwk(None) for key in ring.listed()]}
    own = issuer(base_url, issuer_tenant, version)
    foreign = issuer(base_url, FOREIGN_TENANT_ID, version)
    return {"keys": [ring.foreign.as_jwk(foreign), *(key.as_jwk(own) for key in ring.listed())]}
