"""Fetching what a tenant publishes, within bounds of time and size."""

from collections.abc import Awaitable, Callable
from urllib.parse import urlsplit

import aiohttp

from secure_export.identity.authority import is_loopback, is_safe_url
from secure_export.identity.signing_keys import KeysNotUsable

Fetch = Callable[[str], Awaitable[bytes]]
"""Gives the body that a URL answers with 200, or raises ``KeysNotUsable``."""

MAX_DOCUMENT_BYTES = 512 * 1024
TIMEOUT_SECONDS = 5.0
_OK = 200
_TIMEOUT = aiohttp.ClientTimeout(total=TIMEOUT_SECONDS)
_HEADERS = {"accept": "application/json", "accept-encoding": "identity"}


async def fetch_document(url: str) -> bytes:
    """Get a document by HTTP. Redirects are not followed: the URL says where the truth is.

    A session of its own costs nothing at two requests an hour, and nothing of it has to be closed at shutdown.

    Raises:
        KeysNotUsable: There was no answer 200 within 5 s, it is too large, or the URL is not encrypted.
    """
    if not is_safe_url(url):
        raise KeysNotUsable(f"{url[:200]} is not https:// and not on this machine; it is not fetched.")
    try:
        return await _get(url)
    except TimeoutError:
        raise KeysNotUsable(f"{url} did not answer within {TIMEOUT_SECONDS:g} s.") from None
    except (aiohttp.ClientError, OSError, ValueError) as error:
        reason = f"{type(error).__name__}: {error}"
        raise KeysNotUsable(f"{url} could not be reached ({reason[:200]}).") from error


async def _get(url: str) -> bytes:
    # A proxy out of the environment is for the world outside, not for this machine.
    use_proxy = not is_loopback(urlsplit(url).hostname or "")
    async with (
        aiohttp.ClientSession(
            timeout=_TIMEOUT, headers=_HEADERS, trust_env=use_proxy, auto_decompress=False
        ) as session,
        session.get(url, allow_redirects=False) as response,
    ):
        if response.status != _OK:
            raise KeysNotUsable(f"{url} answered with status {response.status} instead of {_OK}.")
        return await _read_bounded(response.content, url)


async def _read_bounded(content: aiohttp.StreamReader, url: str) -> bytes:
    document = bytearray()
    async for part in content.iter_any():
        document += part
        if len(document) > MAX_DOCUMENT_BYTES:
            raise KeysNotUsable(f"{url} answered more than {MAX_DOCUMENT_BYTES} bytes.")
    return bytes(document)
