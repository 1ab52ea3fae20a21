"""What stands in an application's access token, version 1 and 2 (entra-facts 1.1 and 1.2)."""

import random
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from secure_export.sandbox.entra.keys import base64url

BACK_DATED = timedelta(minutes=5)
SHORTEST_LIFETIME = timedelta(minutes=60)
LONGEST_LIFETIME = timedelta(minutes=90)
VERSION_2 = 2


@dataclass(frozen=True, slots=True)
class Subject:
    """What a token says about who calls whom.

    Attributes:
        issuer: The issuer in the token version's own form.
        tenant: The tenant's GUID.
        audience: The ``aud`` claim.
        client_id: The calling application.
        client_proof: How it proved itself: ``1`` secret, ``2`` certificate.
        principal: Object id of its service principal.
        roles: What it was granted; none: the claim is absent.
        with_idtyp: Whether the resource asked for ``idtyp``.
    """

    issuer: str
    tenant: str
    audience: str
    client_id: str
    client_proof: str
    principal: str
    roles: tuple[str, ...]
    with_idtyp: bool = False


def issuer(base_url: str, tenant: str, version: int) -> str:
    """Give the issuer; version 1 has an issuer of its own with a trailing slash, as sts.windows.net has."""
    return f"{base_url}/{tenant}/v2.0" if version == VERSION_2 else f"{base_url}/{tenant}/"


def random_lifetime(chance: random.Random) -> timedelta:
    """Draw a lifetime between 60 and 90 minutes, as Entra does."""
    return timedelta(
        seconds=chance.randint(int(SHORTEST_LIFETIME.total_seconds()), int(LONGEST_LIFETIME.total_seconds()))
    )


def header(version: int, kid: str) -> dict[str, Any]:
    """Give the token's header; ``x5t`` is the old form's."""
    base = {"typ": "JWT", "alg": "RS256", "kid": kid}
    return base if version == VERSION_2 else {"typ": "JWT", "alg": "RS256", "x5t": kid, "kid": kid}


def claims(
    subject: Subject, version: int, *, now: datetime, lifetime: timedelta, chance: random.Random
) -> dict[str, Any]:
    """Give the token's claims: times are integers, iat and nbf five minutes back, opaque claims come and go."""
    issued = int((now - BACK_DATED).timestamp())
    payload: dict[str, Any] = {
        "aud": subject.audience,
        "iss": subject.issuer,
        "iat": issued,
        "nbf": issued,
        "exp": int((now + lifetime).timestamp()),
        "aio": base64url(chance.randbytes(24)),
        **_client(subject, version),
        "oid": subject.principal,
        "rh": f"1.A{base64url(chance.randbytes(20))}.",
        "sub": subject.principal,
        "tid": subject.tenant,
        "uti": base64url(chance.randbytes(16)),
        "ver": "2.0" if version == VERSION_2 else "1.0",
    }
    if subject.roles:
        payload["roles"] = list(subject.roles)
    if subject.with_idtyp:
        payload["idtyp"] = "app"
    if chance.random() < 0.5:  # noqa: PLR2004 - one time in two
        payload["xms_ftd"] = base64url(chance.randbytes(12))
    return payload


def _client(subject: Subject, version: int) -> dict[str, str]:
    names = ("azp", "azpacr") if version == VERSION_2 else ("appid", "appidacr")
    return dict(zip(names, (subject.client_id, subject.client_proof), strict=True))
