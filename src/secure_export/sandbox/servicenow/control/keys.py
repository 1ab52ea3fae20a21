"""Who may come in, and how: OAuth clients and tokens, API keys, OIDC providers, certificates, REST scopes."""

from dataclasses import dataclass
from typing import Any

from starlette.requests import Request

from secure_export.sandbox.control.orders import BadOrderError, plain, read
from secure_export.sandbox.servicenow.oauth import OAuthClient
from secure_export.sandbox.servicenow.sign_in.api_key import ApiKey
from secure_export.sandbox.servicenow.sign_in.oidc import OidcProvider
from secure_export.sandbox.servicenow.station import Station


@dataclass(frozen=True)
class _RevokeOrder:
    token: str | None = None
    refresh_too: bool = False


@dataclass(frozen=True)
class _ApiKeyOrder:
    value: str
    user: str
    active: bool = True
    apis: tuple[str, ...] = ()


@dataclass(frozen=True)
class _CertificateOrder:
    certificate: str
    user: str


@dataclass(frozen=True)
class _ScopesOrder:
    scopes: dict[str, str]


class KeyDoors:
    """One method a door.

    Args:
        station: What is changed.
    """

    def __init__(self, station: Station) -> None:
        self._sign_in = station.sign_in

    def clients(self, *_: object) -> list[dict[str, Any]]:
        """Tell the registered OAuth clients."""
        return [dict(plain(client)) for client in self._sign_in.oauth.clients.values()]

    def set_client(self, _: Request, body: bytes) -> dict[str, Any]:
        """Register an OAuth client, or put another in its place."""
        client = read(body, OAuthClient)
        self._sign_in.oauth.register(client)
        return dict(plain(client))

    def tokens(self, *_: object) -> list[dict[str, Any]]:
        """Tell all tokens that are kept."""
        return [dict(plain(token)) for token in self._sign_in.oauth.tokens()]

    def revoke(self, _: Request, body: bytes) -> dict[str, int]:
        """Kill one access token, or all; refresh tokens too if told so."""
        order = read(body, _RevokeOrder)
        return {"revoked": self._sign_in.oauth.revoke(order.token, refresh_too=order.refresh_too)}

    def set_api_key(self, _: Request, body: bytes) -> dict[str, Any]:
        """Add an API key; ``apis`` makes the profile and the policies that let it be used there."""
        order = read(body, _ApiKeyOrder)
        self._sign_in.api_keys.add(ApiKey(order.value, order.user, order.active))
        if order.apis:
            self._sign_in.api_keys.allow(*order.apis)
        return dict(plain(order))

    def close_apis(self, *_: object) -> dict[str, int]:
        """Take away all access policies and profiles: API keys are of no use any more."""
        keys = self._sign_in.api_keys
        count = len(keys.policies)
        keys.policies.clear()
        keys.profiles.clear()
        return {"policies_removed": count}

    def set_provider(self, _: Request, body: bytes) -> dict[str, Any]:
        """Register an OIDC provider, or put another in its place."""
        provider = read(body, OidcProvider)
        self._sign_in.oidc.register(provider)
        return dict(plain(provider))

    def set_certificate(self, _: Request, body: bytes) -> dict[str, str]:
        """Let a client certificate, in PEM, speak for a user."""
        order = read(body, _CertificateOrder)
        try:
            self._sign_in.map_certificate(order.certificate.encode(), order.user)
        except ValueError as problem:
            raise BadOrderError(f"certificate is no certificate in PEM: {problem}") from None
        return {"user": order.user}

    def set_scopes(self, _: Request, body: bytes) -> dict[str, str]:
        """Say which scope belongs to which API, by the beginning of its path."""
        self._sign_in.scopes.scopes = read(body, _ScopesOrder).scopes
        return self._sign_in.scopes.scopes

    def refusals(self, *_: object) -> dict[str, list[str]]:
        """Tell why people and clients were not let in; the real thing tells nobody."""
        return {"sign_in": self._sign_in.refusals, "token_endpoint": self._sign_in.oauth.refusals}
