"""The token end points: client credentials and passwords, in the form of either version."""

import base64
import binascii
from collections.abc import Mapping
from typing import Any
from urllib.parse import unquote

from secure_export.sandbox.entra.claims import VERSION_2
from secure_export.sandbox.entra.entra import Issued, SandboxEntra
from secure_export.sandbox.entra.errors import (
    grant_not_supported,
    missing_parameter,
    scope_not_default,
    secret_missing,
)

_DEFAULT_SCOPE = "/.default"


def answer(
    entra: SandboxEntra, tenant: str, version: int, form: Mapping[str, str], authorization: str
) -> dict[str, Any]:
    """Answer a token request.

    Args:
        entra: The stand-in.
        tenant: The tenant in the path.
        version: The end point's version; the token's is the resource's choice.
        form: The request's members.
        authorization: The Authorization header; client and secret may stand there instead (``Basic``).

    Raises:
        EntraError: The request is refused.
    """
    if not (grant := form.get("grant_type", "")):
        raise missing_parameter("grant_type")
    if grant == "password":
        return _body(_user(entra, tenant, version, form), version, entra)
    if grant != "client_credentials":
        raise grant_not_supported(grant)
    client_id, secret = _credentials(form, authorization)
    issued = entra.issue(tenant, client_id, secret, _resource(form, version))
    return _body(issued, version, entra)


def _user(entra: SandboxEntra, tenant: str, version: int, form: Mapping[str, str]) -> Issued:
    for name in ("client_id", "username", "password"):
        if not form.get(name):
            raise missing_parameter(name)
    asked = _resource(form, version)
    return entra.issue_to_user(tenant, form["client_id"], form["username"], form["password"], asked)


def _credentials(form: Mapping[str, str], authorization: str) -> tuple[str, str]:
    client_id, secret = form.get("client_id", ""), form.get("client_secret", "")
    scheme, _, encoded = authorization.partition(" ")
    if scheme.lower() == "basic":
        client_id, secret = _basic(encoded)
    if not client_id:
        raise missing_parameter("client_id")
    if not secret:
        raise secret_missing()
    return client_id, secret


def _basic(encoded: str) -> tuple[str, str]:
    try:
        user, _, password = base64.b64decode(encoded, validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        raise secret_missing() from None
    return unquote(user), unquote(password)


def _resource(form: Mapping[str, str], version: int) -> str:
    """Find what the token is for; ``api://x//.default`` means ``api://x/``, and version 1 tokens keep that slash."""
    if version != VERSION_2:
        if not (resource := form.get("resource", "")):
            raise missing_parameter("resource")
        return resource
    if not (scope := form.get("scope", "")):
        raise missing_parameter("scope")
    if not scope.endswith(_DEFAULT_SCOPE) or " " in scope:
        raise scope_not_default(scope)
    return scope.removesuffix(_DEFAULT_SCOPE)


def _body(issued: Issued, version: int, entra: SandboxEntra) -> dict[str, Any]:
    seconds = int((issued.expires_at - entra.now()).total_seconds())
    if version == VERSION_2:
        return {
            "token_type": "Bearer",
            "expires_in": seconds,
            "ext_expires_in": seconds,
            "access_token": issued.token,
        }
    return {
        "token_type": "Bearer",
        "expires_in": str(seconds),
        "ext_expires_in": str(seconds),
        "expires_on": str(int(issued.expires_at.timestamp())),
        "not_before": str(int(issued.not_before.timestamp())),
        "resource": issued.resource,
        "access_token": issued.token,
    }
