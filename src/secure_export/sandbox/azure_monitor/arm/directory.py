"""What ARM asks Entra ID: whose token it is, and who owns the application of a secure webhook."""

import time
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Protocol

import aiohttp

_TIMEOUT: Final = aiohttp.ClientTimeout(total=10)
_KEPT: Final = 500


@dataclass(frozen=True, slots=True)
class Application:
    """An application registration.

    Attributes:
        app_id: Its application id.
        identifier_uris: Its Application ID URIs.
        owners: The object ids of its owners.
    """

    app_id: str
    identifier_uris: tuple[str, ...]
    owners: frozenset[str]


class Directory(Protocol):
    """Entra ID as ARM sees it."""

    async def claims(self, token: str) -> Mapping[str, Any] | None:
        """Give what a sound token for ARM claims; None: it is none."""
        ...

    async def application(self, tenant: str, object_id: str) -> Application | None:
        """Find an application by its object id; None: there is none, or ARM has not heard of it."""
        ...


class NoDirectory:
    """No Entra ID at all: nobody gets in."""

    async def claims(self, token: str) -> Mapping[str, Any] | None:  # noqa: ARG002 - the contract's argument
        """Know no token."""
        return None

    async def application(self, tenant: str, object_id: str) -> Application | None:  # noqa: ARG002 - as above
        """Know no application."""
        return None


class SandboxDirectory:
    """The sandbox's Entra ID, asked over its control doors: it may run in another process.

    Args:
        base_url: Where it is reached.
    """

    def __init__(self, base_url: str) -> None:
        self._base = base_url.rstrip("/")
        self._session: aiohttp.ClientSession | None = None
        self._known: OrderedDict[str, Mapping[str, Any]] = OrderedDict()

    async def close(self) -> None:
        """Close the connections."""
        if self._session is not None:
            await self._session.close()
            self._session = None

    async def claims(self, token: str) -> Mapping[str, Any] | None:
        """Ask whose token it is, once for each token."""
        known = self._known.get(token)
        if known is None:
            document = await self._asked("POST", "who", {"token": token})
            known = document.get("claims")
            if known is not None:
                self._remember(token, known)
        return known if known is not None and int(known.get("exp", 0)) > time.time() else None

    async def application(self, tenant: str, object_id: str) -> Application | None:
        """Ask who owns an application."""
        found = (await self._asked("GET", f"tenants/{tenant}/applications/{object_id}")).get("application")
        if found is None:
            return None
        return Application(found["appId"], tuple(found["identifierUris"]), frozenset(found["owners"]))

    def _remember(self, token: str, claims: Mapping[str, Any]) -> None:
        self._known[token] = claims
        if len(self._known) > _KEPT:
            self._known.popitem(last=False)

    async def _asked(self, method: str, path: str, body: Any = None) -> dict[str, Any]:
        if self._session is None:
            self._session = aiohttp.ClientSession(timeout=_TIMEOUT)
        async with self._session.request(method, f"{self._base}/control/graph/{path}", json=body) as answer:
            document: dict[str, Any] = await answer.json()
            return document
