"""Tokens of somebody else's identity provider, such as Entra ID, taken at every API (servicenow-facts 1.2 and 8.1)."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

import aiohttp
import msgspec

from secure_export.sandbox.servicenow import jwts

_FETCH_SECONDS: Final = 10


@dataclass(frozen=True, slots=True)
class OidcProvider:
    """A registered provider (*OAuth OIDC Entity*).

    Attributes:
        issuer: What ``iss`` must be.
        client_ids: What ``aud`` may be: of Entra the client id (version 2) or the application id URI (version 1).
        keys: Its public keys, as a JWKS; None: they are fetched.
        metadata_url: Where its metadata are, which name the address of its keys.
        keys_url: Where its keys are, if not by metadata.
        user_claim: The claim that says who: ``azp`` or ``appid`` for applications, ``upn`` or ``email`` for people.
        user_column: The column of ``sys_user`` that the claim is looked for in.
        skew_seconds: How far clocks may be apart.
    """

    issuer: str
    client_ids: tuple[str, ...]
    keys: dict[str, Any] | None = None
    metadata_url: str = ""
    keys_url: str = ""
    user_claim: str = "azp"
    user_column: str = "source"
    skew_seconds: int = 300


class BadTokenError(Exception):
    """A token of a provider stands for nobody; the text says why, for the sandbox's log only."""


Fetch = Callable[[str], Awaitable[Any]]


async def fetch_json(url: str) -> Any:
    """Fetch a JSON document.

    Raises:
        BadTokenError: There is none.
    """
    timeout = aiohttp.ClientTimeout(total=_FETCH_SECONDS)
    try:
        async with aiohttp.ClientSession(timeout=timeout) as session, session.get(url) as answer:
            answer.raise_for_status()
            return msgspec.json.decode(await answer.read())
    except (aiohttp.ClientError, TimeoutError, msgspec.DecodeError) as problem:
        raise BadTokenError(f"{url} gave no JSON: {type(problem).__name__}.") from None


class OidcProviders:
    """The registered providers, and their keys.

    Args:
        fetch: Fetches a JSON document.
    """

    def __init__(self, fetch: Fetch = fetch_json) -> None:
        self.fetch = fetch
        self._providers: dict[str, OidcProvider] = {}
        self._keys: dict[str, dict[str, Any]] = {}

    def register(self, provider: OidcProvider) -> None:
        """Add a provider, or put another in its place."""
        self._providers[provider.issuer] = provider
        self._keys.pop(provider.issuer, None)

    def all(self) -> list[OidcProvider]:
        """Give the registered providers."""
        return list(self._providers.values())

    def looks_like_one(self, token: str) -> bool:
        """Say whether a token has the shape of a JWT."""
        return token.count(".") == jwts.PARTS - 1

    async def subject(self, token: str, now: datetime) -> tuple[str, str]:
        """Say for whom a token stands.

        Returns:
            The column of ``sys_user``, and what it must hold.

        Raises:
            BadTokenError: It stands for nobody.
        """
        try:
            provider = self._providers.get(str(jwts.unproved_claims(token).get("iss")))
            if provider is None:
                raise BadTokenError("The token's issuer is not registered.")
            claims = await self._claims(token, provider)
        except jwts.NotSignedError as problem:
            raise BadTokenError(str(problem)) from None
        _judge(claims, provider, now.timestamp())
        subject = claims.get(provider.user_claim)
        if not isinstance(subject, str) or not subject:
            raise BadTokenError(f"The token has no {provider.user_claim}.")
        return provider.user_column, subject

    async def _claims(self, token: str, provider: OidcProvider) -> dict[str, Any]:
        kid = jwts.header(token).get("kid")
        known = provider.keys or self._keys.get(provider.issuer, {})
        if provider.keys is None and kid not in {key.get("kid") for key in known.get("keys", [])}:
            known = self._keys[provider.issuer] = await self._fetched(provider)
        return jwts.claims(token, known)

    async def _fetched(self, provider: OidcProvider) -> dict[str, Any]:
        url = provider.keys_url
        if not url:
            url = (await self.fetch(provider.metadata_url)).get("jwks_uri", "")
        found = await self.fetch(url)
        if not isinstance(found, dict):
            raise BadTokenError(f"{url} gave no JWKS.")
        return found


def _judge(claims: dict[str, Any], provider: OidcProvider, now: float) -> None:
    shown = claims.get("aud")
    if not any(one in provider.client_ids for one in (shown if isinstance(shown, list) else [shown])):
        raise BadTokenError(f"aud is {shown!r}, not one of {provider.client_ids!r}.")
    ends = claims.get("exp")
    if not isinstance(ends, int | float) or ends + provider.skew_seconds <= now:
        raise BadTokenError("The token is over.")
    starts = claims.get("nbf", 0)
    if isinstance(starts, int | float) and starts - provider.skew_seconds > now:
        raise BadTokenError("The token is not valid yet.")
