"""The instance's own OAuth server: clients, tokens, and what the token endpoint does (servicenow-facts section 8.1)."""

import math
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Final

from secure_export.sandbox.servicenow.clock import Clock
from secure_export.sandbox.servicenow.jwt_bearer import Assertions, BadAssertionError, Registration
from secure_export.sandbox.servicenow.properties import Properties

USERACCOUNT: Final = "useraccount"
JWT_BEARER: Final = "urn:ietf:params:oauth:grant-type:jwt-bearer"
CLIENT_CREDENTIALS_PROPERTY: Final = "glide.oauth.inbound.client.credential.grant_type.enabled"
ROPC_DISABLED_PROPERTY: Final = "glide.oauth.inbound.ropc.grant_type.disabled"
BODY_ONLY_PROPERTY: Final = "glide.oauth.allow.parameters.in.post.body.only"


class OAuthError(StrEnum):
    """The two things that the token endpoint ever says of what went wrong."""

    SERVER_ERROR = "server_error"
    INVALID_CLIENT = "invalid_client"


class TokenRefusedError(Exception):
    """The token endpoint gives nothing.

    Attributes:
        error: What it says.
        reason: Why, for the sandbox's log only: the real answer does not tell.
    """

    def __init__(self, error: OAuthError, reason: str) -> None:
        super().__init__(reason)
        self.error = error
        self.reason = reason

    def as_json(self) -> dict[str, str]:
        """Give the body that ServiceNow answers with."""
        return {"error_description": "access_denied", "error": self.error}


@dataclass(frozen=True, slots=True)
class OAuthClient:
    """A client of the application registry.

    Attributes:
        client_id: Its id.
        secret: Its secret.
        name: What people call it.
        application_user: The *OAuth Application User*, by ``user_name``; ``client_credentials`` needs one.
        access_seconds: How long access tokens live.
        refresh_seconds: How long refresh tokens live.
        scopes: What it may ask for; the first is given to who asks for nothing.
        securely_scoped: Whether an API is refused unless the token has a scope for it (from Zurich on).
        reuses_tokens: Whether who asks again before the end gets the same token with the remaining lifetime.
        jwt: What it may show as an assertion; None: the grant is not set up.
    """

    client_id: str
    secret: str
    name: str = ""
    application_user: str = ""
    access_seconds: int = 1_800
    refresh_seconds: int = 8_640_000
    scopes: tuple[str, ...] = (USERACCOUNT,)
    securely_scoped: bool = False
    reuses_tokens: bool = True
    jwt: Registration | None = None


@dataclass(frozen=True, slots=True)
class Token:
    """A token, whichever kind.

    Attributes:
        value: What is shown.
        client_id: Whose it is.
        user: For whom it speaks, by ``user_name``.
        scope: What it may be used for.
        ends: From when on it is dead.
    """

    value: str
    client_id: str
    user: str
    scope: str
    ends: datetime


@dataclass(frozen=True, slots=True)
class Order:
    """A request to the token endpoint, as sent.

    Attributes:
        form: The fields of the form.
        client_id: Who says they ask, from the form or the ``Authorization`` header.
        secret: Their proof, from the same place.
    """

    form: Mapping[str, str]
    client_id: str
    secret: str

    def get(self, name: str) -> str:
        """Give a field of the form; empty if it is not there."""
        return self.form.get(name, "")


@dataclass(frozen=True)
class People:
    """How the endpoint knows people.

    Attributes:
        check: Tells whether a user name and password belong together, and counts failures.
        find: Finds the ``user_name`` of the active user whose column holds a value.
    """

    check: Callable[[str, str], bool]
    find: Callable[[str, str], str | None]


class OAuthServer:
    """Gives tokens and knows them again.

    Args:
        clock: By which they end.
        properties: The instance's properties.
        people: How it knows people.

    Attributes:
        clients: The registered clients by id.
        refusals: Why it refused, oldest first, the last hundred: told by the control API, never by the endpoint.
    """

    def __init__(self, clock: Clock, properties: Properties, people: People) -> None:
        self.clients: dict[str, OAuthClient] = {}
        self.refusals: list[str] = []
        self._clock = clock
        self._properties = properties
        self._people = people
        self._access: dict[str, Token] = {}
        self._refresh: dict[str, Token] = {}
        self._assertions = Assertions()

    def register(self, client: OAuthClient) -> None:
        """Add a client, or put another in its place."""
        self.clients[client.client_id] = client

    def answer(self, order: Order, endpoint: str) -> dict[str, Any]:
        """Do what the token endpoint does.

        Args:
            order: The request.
            endpoint: The endpoint's own URL, which assertions may name as their audience.

        Returns:
            The body of the good answer.

        Raises:
            TokenRefusedError: It gives nothing.
        """
        try:
            return self._answer(order, endpoint)
        except TokenRefusedError as refusal:
            self.refusals = [*self.refusals, refusal.reason][-100:]
            raise

    def find(self, value: str) -> Token | None:
        """Find a living access token."""
        token = self._access.get(value)
        return token if token is not None and token.ends > self._clock.now() else None

    def revoke(self, value: str | None = None, *, refresh_too: bool = False) -> int:
        """Kill one access token, or all.

        Args:
            value: The access token; None: all.
            refresh_too: Whether the refresh tokens of the same client and user die with them.

        Returns:
            How many access tokens died.
        """
        gone = [token for token in self._access.values() if value in (None, token.value)]
        for token in gone:
            del self._access[token.value]
        if refresh_too:
            owners = {(token.client_id, token.user) for token in gone}
            for token in tuple(self._refresh.values()):
                if value is None or (token.client_id, token.user) in owners:
                    del self._refresh[token.value]
        return len(gone)

    def tokens(self) -> list[Token]:
        """Give all access and refresh tokens that are kept."""
        return [*self._access.values(), *self._refresh.values()]

    def dump(self) -> dict[str, list[Token]]:
        """Give what must outlive the process."""
        return {"access": list(self._access.values()), "refresh": list(self._refresh.values())}

    def load(self, access: list[Token], refresh: list[Token]) -> None:
        """Take over what outlived an earlier process."""
        self._access = {token.value: token for token in access}
        self._refresh = {token.value: token for token in refresh}

    def _answer(self, order: Order, endpoint: str) -> dict[str, Any]:
        grant = order.get("grant_type")
        client = self._client(order, needs_secret=grant != JWT_BEARER)
        match grant:
            case "password":
                return self._given(client, self._by_password(order), order, refresh=True)
            case "refresh_token":
                return self._refreshed(client, order)
            case "client_credentials":
                return self._given(client, self._application_user(client), order, refresh=False)
            case _ if grant == JWT_BEARER:
                return self._given(client, self._by_assertion(client, order, endpoint), order, refresh=False)
            case _:
                raise TokenRefusedError(OAuthError.SERVER_ERROR, f"The grant type {grant!r} is not known.")

    def _client(self, order: Order, *, needs_secret: bool) -> OAuthClient:
        client = self.clients.get(order.client_id)
        if client is None:
            raise TokenRefusedError(OAuthError.INVALID_CLIENT, f"There is no client {order.client_id!r}.")
        if (needs_secret or order.secret) and not secrets.compare_digest(client.secret.encode(), order.secret.encode()):
            raise TokenRefusedError(OAuthError.INVALID_CLIENT, f"The secret of client {client.client_id!r} is wrong.")
        return client

    def _by_password(self, order: Order) -> str:
        if self._properties.flag(ROPC_DISABLED_PROPERTY):
            raise TokenRefusedError(OAuthError.SERVER_ERROR, f"The property {ROPC_DISABLED_PROPERTY} is true.")
        user = order.get("username")
        if not self._people.check(user, order.get("password")):
            raise TokenRefusedError(OAuthError.SERVER_ERROR, f"User {user!r}: wrong, inactive, or locked out.")
        return user

    def _application_user(self, client: OAuthClient) -> str:
        if not self._properties.flag(CLIENT_CREDENTIALS_PROPERTY):
            raise TokenRefusedError(
                OAuthError.SERVER_ERROR, f"The property {CLIENT_CREDENTIALS_PROPERTY} is not there, or not true."
            )
        user = self._people.find("user_name", client.application_user) if client.application_user else None
        if user is None:
            raise TokenRefusedError(
                OAuthError.SERVER_ERROR, f"Client {client.client_id!r} has no OAuth Application User that is active."
            )
        return user

    def _by_assertion(self, client: OAuthClient, order: Order, endpoint: str) -> str:
        if client.jwt is None:
            raise TokenRefusedError(
                OAuthError.SERVER_ERROR, f"Client {client.client_id!r} is not set up for JWT bearer."
            )
        try:
            subject = self._assertions.subject(
                order.get("assertion"),
                client.jwt,
                client_id=client.client_id,
                audiences=(client.client_id, endpoint),
                now=self._clock.now(),
            )
        except BadAssertionError as problem:
            raise TokenRefusedError(OAuthError.SERVER_ERROR, str(problem)) from problem
        user = self._people.find(client.jwt.subject_column, subject)
        if user is None:
            raise TokenRefusedError(
                OAuthError.SERVER_ERROR, f"No active user whose {client.jwt.subject_column} is {subject!r}."
            )
        return user

    def _refreshed(self, client: OAuthClient, order: Order) -> dict[str, Any]:
        token = self._refresh.get(order.get("refresh_token"))
        if token is None or token.client_id != client.client_id or token.ends <= self._clock.now():
            raise TokenRefusedError(OAuthError.SERVER_ERROR, "The refresh token is unknown, another's, or over.")
        if self._people.find("user_name", token.user) is None:
            raise TokenRefusedError(OAuthError.SERVER_ERROR, f"User {token.user!r} is not active any more.")
        access = self._access_token(client, token.user, token.scope)
        return self._body(access, token)

    def _given(self, client: OAuthClient, user: str, order: Order, *, refresh: bool) -> dict[str, Any]:
        scope = order.get("scope") or client.scopes[0]
        if not set(scope.split()) <= set(client.scopes):
            raise TokenRefusedError(OAuthError.SERVER_ERROR, f"Client {client.client_id!r} may not ask for {scope!r}.")
        access = self._access_token(client, user, scope)
        return self._body(access, self._refresh_token(client, user, scope) if refresh else None)

    def _access_token(self, client: OAuthClient, user: str, scope: str) -> Token:
        self._forget_the_dead()
        old = _of(self._access, client.client_id, user, scope)
        if old is not None and client.reuses_tokens:
            return old
        return self._new(self._access, client, user, scope, client.access_seconds)

    def _refresh_token(self, client: OAuthClient, user: str, scope: str) -> Token:
        old = _of(self._refresh, client.client_id, user, scope)
        return old or self._new(self._refresh, client, user, scope, client.refresh_seconds)

    def _new(self, kept: dict[str, Token], client: OAuthClient, user: str, scope: str, seconds: int) -> Token:
        ends = self._clock.now() + timedelta(seconds=seconds)
        token = Token(secrets.token_urlsafe(48), client.client_id, user, scope, ends)
        kept[token.value] = token
        return token

    def _body(self, access: Token, refresh: Token | None) -> dict[str, Any]:
        left = (access.ends - self._clock.now()).total_seconds()
        return {
            "access_token": access.value,
            **({"refresh_token": refresh.value} if refresh else {}),
            "scope": access.scope,
            "token_type": "Bearer",
            "expires_in": max(0, math.ceil(left) - 1),
        }

    def _forget_the_dead(self) -> None:
        now = self._clock.now()
        for kept in (self._access, self._refresh):
            for value in [token.value for token in kept.values() if token.ends <= now]:
                del kept[value]


def _of(kept: Mapping[str, Token], client_id: str, user: str, scope: str) -> Token | None:
    mine = (client_id, user, scope)
    return next((one for one in kept.values() if (one.client_id, one.user, one.scope) == mine), None)
