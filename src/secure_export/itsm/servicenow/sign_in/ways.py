"""How this program signs in to a ServiceNow instance: one class for each way, and the choice between them.

A token of Entra ID, for an instance that has Entra ID registered as an OIDC provider, is got by a client secret
(``oauth.token_url``); a managed identity of Azure is not among the ways.
"""

import base64
from collections.abc import Callable, Mapping
from urllib.parse import urlsplit

from secure_export.clock import Clock
from secure_export.itsm.http import Http
from secure_export.itsm.requests import Requests
from secure_export.itsm.servicenow.settings import ServiceNowSettings
from secure_export.itsm.servicenow.sign_in.oauth import OAuthTokens
from secure_export.itsm.servicenow.sign_in.token_endpoint import TOKEN_PATH, TokenEndpoint
from secure_export.itsm.sign_in import KeptToken, SignIn, SignInFailed
from secure_export.itsm.token_host import TokensOfAnotherHost, origin, token_host
from secure_export.secrets import Secret, SecretMissing

API_KEY_HEADER = "x-sn-apikey"
"""ServiceNow docs, "configure-api-key"."""


def sign_in_of(settings: ServiceNowSettings, http: Requests, *, clock: Clock) -> SignIn:
    """Make the way to sign in that a connection's settings name.

    Args:
        settings: The connection's settings.
        http: Makes requests to the instance.
        clock: The time.

    Raises:
        SettingsError: Tokens would come from an address that is not encrypted.
    """
    if settings.oauth is not None:
        return _oauth(settings, http, clock)
    if (key := settings.api_key) is not None:
        return Shown(key, lambda secret: {API_KEY_HEADER: secret})
    if (password := settings.password) is not None:
        user = settings.username or ""
        return Shown(password, lambda secret: {"Authorization": f"Basic {_basic(user, secret)}"})
    return ByCertificate()


class Shown:
    """Shows a secret with every request: a password or an API key.

    It is read again when the instance refuses it, so that one that was renewed in its place is used at once. One that
    stays the same is shown again as often as somebody asks; ``TableApi`` makes pauses after refusals.

    Args:
        secret: Where it is kept.
        form: Makes header fields of it.
    """

    def __init__(self, secret: Secret, form: Callable[[str], Mapping[str, str]]) -> None:
        self._secret = secret
        self._form = form
        self._headers: Mapping[str, str] | None = None

    async def headers(self) -> Mapping[str, str]:
        """Give the header fields.

        Raises:
            SignInFailed: The secret cannot be read.
        """
        if self._headers is None:
            try:
                self._headers = self._form(self._secret.read())
            except SecretMissing as error:
                raise SignInFailed(str(error)) from None
        return self._headers

    def rejected(self, headers: Mapping[str, str]) -> None:
        """Read the secret again for the next request; late news of an older one is no news."""
        if self._headers is not None and dict(headers) == dict(self._headers):
            self._headers = None

    async def close(self) -> None:
        """Let go of nothing: there is no session to end."""


class ByCertificate:
    """Shows nothing in the request: the certificate of the connection says who we are."""

    async def headers(self) -> Mapping[str, str]:
        """Give no header fields."""
        return {}

    def rejected(self, headers: Mapping[str, str]) -> None:
        """Take no notice: the certificate is what it is."""

    async def close(self) -> None:
        """Let go of nothing."""


def _oauth(settings: ServiceNowSettings, http: Requests, clock: Clock) -> SignIn:
    own = _other_host(settings)
    address = settings.oauth.token_url if settings.oauth is not None else None
    path = urlsplit(address).path or "/" if address else TOKEN_PATH
    base = urlsplit(settings.url).path
    if own is None and address:
        path = path.removeprefix(base) if base else path
    endpoint = TokenEndpoint(own or http, clock=clock, path=path)
    kept = KeptToken(OAuthTokens(settings, endpoint, clock=clock).fetch, clock=clock)
    return kept if own is None else TokensOfAnotherHost(kept, own.close)


def _other_host(settings: ServiceNowSettings) -> Http | None:
    """Make what reaches the token endpoint when it is not on the instance itself."""
    address = settings.oauth.token_url if settings.oauth is not None else None
    if not address or origin(address) == origin(settings.url):
        return None
    return token_host(address, settings, name="oauth.token_url")


def _basic(user: str, password: str) -> str:
    return base64.b64encode(f"{user}:{password}".encode()).decode("ascii")
