"""Puts tokens together, honest ones and the forgeries that a verifier has to refuse."""

import hashlib
import hmac
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, Literal

from secure_export.sandbox.entra.keys import SigningKey, base64url

Algorithm = Literal["RS256", "HS256", "none"]
KeyPart = Literal["current", "next", "previous", "foreign", "unlisted"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """A token to the customer's taste; what is left out is as Entra would make it.

    Attributes:
        tenant: Whose token; None: the stand-in's default tenant.
        client_id: The calling application, registered or not; None: the caller of secure webhooks.
        audience: The name of the resource, registered or not; None: the first registered one.
        version: 1 or 2; None: what the resource asks for.
        roles: Instead of those that were granted.
        lifetime: From now; negative: expired. None: drawn at random.
        claims: Members put over the payload; None as a value takes the member out.
        header: Members put over the header; None as a value takes the member out.
        key: The part of the key that signs.
        algorithm: ``none`` leaves the signature empty; ``HS256`` uses the listed public key (PEM) as a shared secret.
    """

    tenant: str | None = None
    client_id: str | None = None
    audience: str | None = None
    version: int | None = None
    roles: tuple[str, ...] | None = None
    lifetime: timedelta | None = None
    claims: Mapping[str, Any] = field(default_factory=dict)
    header: Mapping[str, Any] = field(default_factory=dict)
    key: KeyPart = "current"
    algorithm: Algorithm = "RS256"


def mint(header: Mapping[str, Any], payload: Mapping[str, Any], key: SigningKey, algorithm: Algorithm = "RS256") -> str:
    """Make a compact JWS; the header is written as given, so it may lie about the algorithm.

    Args:
        header: The JOSE header.
        payload: The claims.
        key: The key that signs.
        algorithm: How it is really signed.
    """
    signed = f"{_segment(header)}.{_segment(payload)}"
    return f"{signed}.{base64url(_signature(signed.encode('ascii'), key, algorithm))}"


def overlaid(base: Mapping[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
    """Put changes over a base; None takes a member out."""
    return {name: value for name, value in {**base, **changes}.items() if name not in changes or value is not None}


def _segment(members: Mapping[str, Any]) -> str:
    return base64url(json.dumps(members, separators=(",", ":")).encode())


def _signature(message: bytes, key: SigningKey, algorithm: Algorithm) -> bytes:
    if algorithm == "none":
        return b""
    if algorithm == "HS256":
        return hmac.new(key.public_pem(), message, hashlib.sha256).digest()
    return key.sign(message)
