"""Gets OAuth tokens of a ServiceNow instance by the grant that the settings name."""

from collections.abc import Mapping

from secure_export.clock import Clock
from secure_export.itsm.assertion import JWT_BEARER, Signer
from secure_export.itsm.servicenow.settings import Grant, OAuthSettings, ServiceNowSettings
from secure_export.itsm.servicenow.sign_in.token_endpoint import TokenEndpoint
from secure_export.itsm.sign_in import SignInFailed, Token
from secure_export.secrets import SecretMissing


class OAuthTokens:
    """Asks for tokens, one at a time; ``KeptToken`` keeps them and makes the pauses.

    A refresh token that came with a token renews it. One that the endpoint refuses is not shown again where the
    settings also have user and password: they get a new one.

    Args:
        settings: The connection's settings, which have an ``oauth`` section.
        endpoint: Where tokens come from.
        clock: The time.
    """

    def __init__(self, settings: ServiceNowSettings, endpoint: TokenEndpoint, *, clock: Clock) -> None:
        if settings.oauth is None:
            raise ValueError("these settings have no section oauth")
        self._settings = settings
        self._oauth: OAuthSettings = settings.oauth
        self._endpoint = endpoint
        self._clock = clock
        self._refresh: str | None = None
        self._dead: str | None = None

    async def fetch(self) -> Token:
        """Get a token.

        Raises:
            SignInFailed: The endpoint refuses, or a secret cannot be read.
            NotSent: The endpoint could not be asked.
            AnswerLost: Its answer did not arrive.
        """
        try:
            return await self._fetched()
        except SecretMissing as error:
            raise SignInFailed(str(error), refused=False) from None

    async def _fetched(self) -> Token:
        match self._oauth.grant:
            case Grant.CLIENT_CREDENTIALS:
                return await self._ask(Grant.CLIENT_CREDENTIALS, {"grant_type": "client_credentials"})
            case Grant.JWT_BEARER:
                form = {"grant_type": JWT_BEARER, "assertion": self._assertion()}
                return await self._ask(Grant.JWT_BEARER, form)
            case Grant.PASSWORD | Grant.REFRESH_TOKEN:
                return await self._renewed()

    async def _renewed(self) -> Token:
        """Get a token by refresh token, and by user and password where there is none that works."""
        refresh = self._refresh_token()
        by_password = self._settings.username is not None and self._settings.password is not None
        if refresh is None or (by_password and refresh == self._dead):
            return await self._by_password()
        try:
            return await self._ask(Grant.REFRESH_TOKEN, {"grant_type": "refresh_token", "refresh_token": refresh})
        except SignInFailed as failure:
            if failure.refused:  # the next one is that of the configuration, where a person may have put a new one
                self._dead, self._refresh = refresh, None
            if not failure.refused or not by_password:
                raise
        return await self._by_password()

    def _refresh_token(self) -> str | None:
        if self._refresh is None and self._oauth.refresh_token is not None:
            return self._oauth.refresh_token.read()
        return self._refresh

    async def _by_password(self) -> Token:
        if self._settings.username is None or self._settings.password is None:
            raise SignInFailed("the password grant needs username and password")
        form = {
            "grant_type": "password",
            "username": self._settings.username,
            "password": self._settings.password.read(),
        }
        return await self._ask(Grant.PASSWORD, form)

    async def _ask(self, grant: Grant, form: Mapping[str, str]) -> Token:
        """Ask for a token, and keep the refresh token that comes with it."""
        whole = {**form, "client_id": self._oauth.client_id}
        if self._oauth.client_secret is not None:
            whole["client_secret"] = self._oauth.client_secret.read()
        if self._oauth.scope is not None:
            whole["scope"] = self._oauth.scope
        hidden = {"client_secret", "password", "refresh_token", "assertion"}
        given = await self._endpoint.ask(grant, whole, [whole[name] for name in hidden if name in whole])
        if grant in {Grant.PASSWORD, Grant.REFRESH_TOKEN} and given.refresh is not None:
            self._refresh = given.refresh
        return given.token

    def _assertion(self) -> str:
        oauth = self._oauth
        if oauth.private_key is None:
            raise SignInFailed("the JWT bearer grant needs a private key", refused=False)
        return Signer(oauth.private_key, oauth.algorithm, oauth.key_id).assertion(
            oauth.issuer or oauth.client_id, oauth.subject or "", oauth.audience or oauth.client_id, now=self._clock()
        )
