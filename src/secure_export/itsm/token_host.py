"""Tokens that another host gives than the tool itself: how it is reached, and that its connections end with them."""

from collections.abc import Awaitable, Callable
from urllib.parse import urlsplit

from pydantic import ValidationError

from secure_export.errors import SettingsError
from secure_export.itsm.http import Http, HttpSettings
from secure_export.itsm.sign_in import KeptToken


class TokensOfAnotherHost:
    """Signs in with tokens of another host, whose connections end with it."""

    def __init__(self, sign_in: KeptToken, close: Callable[[], Awaitable[None]]) -> None:
        self.headers = sign_in.headers
        self.rejected = sign_in.rejected
        self._sign_in = sign_in
        self._close = close

    async def close(self) -> None:
        """Stop a renewal, and close the connections."""
        await self._sign_in.close()
        await self._close()


def token_host(address: str, settings: HttpSettings, *, name: str) -> Http:
    """Make what reaches the host of a token endpoint, as the tool itself is reached.

    Args:
        address: The token endpoint.
        settings: How the tool is reached.
        name: What the setting with the address is called.

    Raises:
        SettingsError: The address cannot be used.
    """
    try:
        reached = HttpSettings(
            url=origin(address),
            connections=1,
            request_timeout_seconds=settings.request_timeout_seconds,
            ca_file=settings.ca_file,
        )
    except ValidationError as error:
        raise SettingsError(f"{name} cannot be used: {error.errors()[0]['msg']}") from None
    return Http(reached)


def origin(url: str) -> str:
    """Give scheme, host and port of a URL."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc.lower()}"
