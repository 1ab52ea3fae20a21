"""How an action group gets its token: asked for once, kept until shortly before it ends."""

import asyncio
import json
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol

import aiohttp

_RENEW_BEFORE_SECONDS = 300.0
_SHOWN_CHARACTERS = 300
_TIMEOUT = aiohttp.ClientTimeout(total=10)


class TokenRefusedError(Exception):
    """Entra ID refused to give a token; asking again as before will not help."""


class TokenUnavailableError(Exception):
    """Entra ID could not be reached or did not answer sensibly."""


class TokenSource(Protocol):
    """Gives the bearer token of a call."""

    async def token(self, session: aiohttp.ClientSession) -> str:
        """Give a token that is valid now.

        Raises:
            TokenRefusedError: There is none to be had.
            TokenUnavailableError: There is none to be had just now.
        """
        ...


@dataclass(frozen=True, slots=True)
class FixedToken:
    """A token got elsewhere, sent as it is."""

    value: str = field(repr=False)

    async def token(self, session: aiohttp.ClientSession) -> str:  # noqa: ARG002 - the contract's argument
        """Give the token."""
        return self.value


@dataclass(frozen=True, slots=True)
class ClientCredentials:
    """Whom to ask for a token, as whom, and for what.

    Attributes:
        token_endpoint: A version 2 token end point.
        client_id: The calling application.
        client_secret: What it proves itself with.
        resource: The Application ID URI or client id of the receiver's registration.
    """

    token_endpoint: str
    client_id: str
    client_secret: str = field(repr=False)
    resource: str = ""

    def form(self) -> dict[str, str]:
        """Give the members of the request."""
        return {
            "grant_type": "client_credentials",
            "client_id": self.client_id,
            "client_secret": self.client_secret,
            "scope": f"{self.resource}/.default",
        }


class CachedToken:
    """A token that is renewed five minutes before it ends, or half-way if it is short.

    However many ask, one request is under way.
    """

    def __init__(self, credentials: ClientCredentials, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._credentials = credentials
        self._clock = clock
        self._lock = asyncio.Lock()
        self._token = ""
        self._renew_at = 0.0

    async def token(self, session: aiohttp.ClientSession) -> str:
        """Give the token, asking for it where needed.

        Raises:
            TokenRefusedError: The end point refused.
            TokenUnavailableError: The end point could not be reached or made no sense.
        """
        if not self._is_fresh():
            async with self._lock:
                if not self._is_fresh():
                    await self._renew(session)
        return self._token

    def _is_fresh(self) -> bool:
        return bool(self._token) and self._clock() < self._renew_at

    async def _renew(self, session: aiohttp.ClientSession) -> None:
        asked_at = self._clock()
        self._token, lasts = await _ask(session, self._credentials)
        self._renew_at = asked_at + max(lasts - _RENEW_BEFORE_SECONDS, lasts / 2)


async def _ask(session: aiohttp.ClientSession, credentials: ClientCredentials) -> tuple[str, float]:
    where = credentials.token_endpoint
    try:
        async with session.post(where, data=credentials.form(), timeout=_TIMEOUT) as answer:
            text = (await answer.read()).decode("utf-8", "replace")
            status = answer.status
    except (aiohttp.ClientError, TimeoutError) as problem:
        raise TokenUnavailableError(f"The token end point {where} cannot be reached: {_words(problem)}.") from problem
    if 400 <= status < 500:  # noqa: PLR2004 - client errors
        raise TokenRefusedError(f"The token end point {where} refused ({status}): {_reason(text)}")
    try:
        body = json.loads(text)
        return str(body["access_token"]), float(body["expires_in"])
    except (ValueError, KeyError, TypeError) as problem:
        raise TokenUnavailableError(f"The token end point {where} answered {status} without a token.") from problem


def _reason(text: str) -> str:
    try:
        return str(json.loads(text)["error_description"])[:_SHOWN_CHARACTERS]
    except (ValueError, KeyError, TypeError):
        return text[:_SHOWN_CHARACTERS]


def _words(problem: BaseException) -> str:
    return str(problem) or type(problem).__name__
