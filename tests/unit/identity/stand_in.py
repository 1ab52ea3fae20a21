"""A tenant made of paper: keys, tokens and the documents that it publishes. Written apart from the product's code."""

import asyncio
import json
from base64 import urlsafe_b64encode
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.hashes import SHA256
from tests.unit.keys import rsa_key

from secure_export.identity.authority import KeySource, TokenVersion
from secure_export.identity.caller import Caller, Refusal
from secure_export.identity.gate import Gate
from secure_export.identity.settings import IdentitySettings
from secure_export.identity.signing_keys import KeysNotUsable, Metadata

TENANT = "11111111-1111-4111-8111-111111111111"
OTHER_TENANT = "22222222-2222-4222-8222-222222222222"
CLIENT_ID = "33333333-3333-4333-8333-333333333333"
URI = f"api://{CLIENT_ID}"
AZNS = "461e8683-5575-4561-ac7f-899cc907d62a"
OBJECT_ID = "44444444-4444-4444-8444-444444444444"
ROLE = "ActionGroupsSecureWebhook"
AUTHORITY = "https://login.microsoftonline.com"
NOW = datetime(2026, 8, 20, 12, 0, tzinfo=UTC)
SECONDS = int(NOW.timestamp())
V1 = KeySource(AUTHORITY, TENANT, TokenVersion.V1)
V2 = KeySource(AUTHORITY, TENANT, TokenVersion.V2)
METADATA_V1 = Metadata(f"https://sts.windows.net/{TENANT}/", f"{AUTHORITY}/{TENANT}/discovery/keys")
METADATA_V2 = Metadata(f"{AUTHORITY}/{TENANT}/v2.0", f"{AUTHORITY}/{TENANT}/discovery/v2.0/keys")

Json = dict[str, Any]


class SettableClock:
    """A clock that stands still until it is moved."""

    def __init__(self, now: datetime = NOW) -> None:
        self.now = now

    def __call__(self) -> datetime:
        return self.now

    def pass_time(self, **length: float) -> None:
        self.now += timedelta(**length)


def b64(data: bytes) -> str:
    """Write base64url without padding (RFC 7515, section 2)."""
    return urlsafe_b64encode(data).rstrip(b"=").decode()


def number(value: int) -> str:
    """Write a number of a JWK (RFC 7518, section 6.3.1)."""
    return b64(value.to_bytes((value.bit_length() + 7) // 8, "big"))


def jwk(kid: str = "first", key: RSAPrivateKey | None = None, **members: Any) -> Json:
    """Describe the public half of a key as Entra ID does: no ``alg``; ``None`` leaves a member out."""
    numbers = (key or rsa_key(kid)).public_key().public_numbers()
    described = {"kty": "RSA", "use": "sig", "kid": kid, "x5t": kid, "n": number(numbers.n), "e": number(numbers.e)}
    return {name: value for name, value in (described | members).items() if value is not None}


def claims(version: str = "2.0", tenant: str = TENANT, **changes: Any) -> Json:
    """Write what Azure Monitor's token says; a change to ``...`` leaves the claim out."""
    common: Json = {
        "iat": SECONDS - 300,
        "nbf": SECONDS - 300,
        "exp": SECONDS + 3600,
        "aio": "opaque",
        "oid": OBJECT_ID,
        "sub": OBJECT_ID,
        "rh": "opaque",
        "roles": [ROLE],
        "tid": tenant,
        "uti": "some-Token_id",
        "ver": version,
    }
    if version == "1.0":
        common |= {"iss": f"https://sts.windows.net/{tenant}/", "aud": URI, "appid": AZNS, "appidacr": "2"}
    else:
        common |= {"iss": f"{AUTHORITY}/{tenant}/v2.0", "aud": CLIENT_ID, "azp": AZNS, "azpacr": "2"}
    return {name: value for name, value in (common | changes).items() if value is not ...}


def header(**changes: Any) -> Json:
    """Write the header of Azure Monitor's token; a change to ``...`` leaves the member out."""
    return {
        name: value
        for name, value in ({"typ": "JWT", "alg": "RS256", "kid": "first"} | changes).items()
        if value is not ...
    }


def signature_of(signed: bytes, key: RSAPrivateKey) -> bytes:
    """Sign by RS256."""
    return key.sign(signed, PKCS1v15(), SHA256())


def token_of(head: bytes | Json, body: bytes | Json, key: RSAPrivateKey | None = None) -> bytes:
    """Sign a token whose parts may be anything."""
    first = head if isinstance(head, bytes) else json.dumps(head).encode()
    second = body if isinstance(body, bytes) else json.dumps(body).encode()
    signed = f"{b64(first)}.{b64(second)}".encode()
    return signed + b"." + b64(signature_of(signed, key or rsa_key())).encode()


def bearer(token: bytes) -> list[bytes]:
    """Give the Authorization headers of a request with this token."""
    return [b"Bearer " + token]


def good_token(version: str = "2.0", **changes: Any) -> bytes:
    """Sign what ``claims`` writes with the tenant's key."""
    return token_of(header(), claims(version, **changes))


class PaperEntra:
    """Publishes documents; counts what was asked, fails or waits when told to."""

    def __init__(self, keys: Mapping[str, Sequence[Json]] | None = None) -> None:
        self.keys: dict[str, list[Json]] = {tenant: list(own) for tenant, own in (keys or {TENANT: [jwk()]}).items()}
        self.asked: list[str] = []
        self.fails = False
        self.documents: dict[str, bytes] = {}
        self.once: dict[str, bytes] = {}
        self.open = asyncio.Event()
        self.open.set()

    @property
    def key_fetches(self) -> int:
        return sum("discovery" in url for url in self.asked)

    async def __call__(self, url: str) -> bytes:
        self.asked.append(url)
        await self.open.wait()
        if self.fails:
            raise KeysNotUsable(f"{url} is away.")
        if url in self.once:
            return self.once.pop(url)
        if url in self.documents:
            return self.documents[url]
        return json.dumps(self._document(url)).encode()

    def _document(self, url: str) -> Json:
        base, tenant, *rest = url.rsplit("/", url.count("/") - 2)
        if rest == [".well-known", "openid-configuration"]:
            return {"issuer": f"https://sts.windows.net/{tenant}/", "jwks_uri": f"{base}/{tenant}/discovery/keys"}
        if rest == ["v2.0", ".well-known", "openid-configuration"]:
            return {"issuer": f"{base}/{tenant}/v2.0", "jwks_uri": f"{base}/{tenant}/discovery/v2.0/keys"}
        assert rest[0] == "discovery", url
        return {"keys": self.keys[tenant]}


def settings(**changes: Any) -> IdentitySettings:
    """Give settings as in the documentation, with changes."""
    return IdentitySettings(**({"tenant_id": TENANT, "audience": [CLIENT_ID, URI]} | changes))


def gate_with(entra: PaperEntra | None = None, clock: SettableClock | None = None, **changes: Any) -> Gate:
    """Make a gate before a paper tenant, with settings as in the documentation."""
    return Gate(settings(**changes), clock=clock or SettableClock(), fetch=entra or PaperEntra())


async def is_let_in(gate: Gate, authorization: Sequence[bytes], **door: Any) -> bool:
    """Tell that a request is let in; it raises where it is not."""
    return isinstance(await gate.admit(authorization, **door), Caller)


async def refused(gate: Gate, authorization: Sequence[bytes], **door: Any) -> Refusal:
    """Give the refusal of a request that must not be let in."""
    with pytest.raises(Refusal) as caught:
        await gate.admit(authorization, **door)
    return caught.value
