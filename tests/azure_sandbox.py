"""The sandbox's Azure for tests: Entra ID with Graph, and Azure Monitor with ARM, served over loopback."""

import json
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import aiohttp
from tests.azure_specs import SPECS, response_violations, violations
from yarl import URL

from secure_export.sandbox.azure_monitor.arm.world import World
from secure_export.sandbox.azure_monitor.run import Running, start_azure_monitor
from secure_export.sandbox.azure_monitor.station import Station
from secure_export.sandbox.entra import SandboxEntra, start_entra
from secure_export.sandbox.entra.identities import PASSWORD, Identity, User
from secure_export.sandbox.entra.keys import SigningKey

GRAPH_SCOPE = "https://graph.microsoft.com/.default"
ARM_SCOPE = "https://management.azure.com/.default"


@dataclass(frozen=True)
class Azure:
    """An Azure that runs.

    Attributes:
        entra: The state of Entra ID; ``entra.graph`` is that of Graph.
        monitor: What Azure Monitor consists of.
    """

    entra: SandboxEntra
    monitor: Running

    @property
    def authority(self) -> str:
        return self.entra.base_url

    @property
    def graph_url(self) -> str:
        return f"{self.authority}/graph"

    @property
    def arm_url(self) -> str:
        return self.monitor.arm_url

    @property
    def monitor_url(self) -> str:
        return self.monitor.base_url

    @property
    def tenant(self) -> str:
        return self.entra.default_tenant

    @property
    def station(self) -> Station:
        return self.monitor.station

    @property
    def arm(self) -> World:
        return self.monitor.world

    @asynccontextmanager
    async def client(
        self, who: Identity | User, scope: str = ARM_SCOPE, tenant: str | None = None
    ) -> AsyncIterator["Client"]:
        """Let somebody ask ARM, or Graph if the scope says so."""
        base = self.arm_url if scope == ARM_SCOPE else f"{self.graph_url}/v1.0"
        token = await self.token(who, scope, tenant)
        async with aiohttp.ClientSession() as session:
            yield Client(session, base, token)

    async def token(self, who: Identity | User, scope: str = ARM_SCOPE, tenant: str | None = None) -> str:
        """Sign somebody in over HTTP."""
        form = {"scope": scope, **_credentials(who)}
        where = f"{self.authority}/{tenant or self.tenant}/oauth2/v2.0/token"
        async with aiohttp.ClientSession() as session, session.post(where, data=form) as answer:
            body = await answer.json()
            assert answer.status == 200, body
            return str(body["access_token"])


def _credentials(who: Identity | User) -> dict[str, str]:
    if isinstance(who, Identity):
        return {"grant_type": "client_credentials", "client_id": who.client_id, "client_secret": who.client_secret}
    cli = "04b07795-8ddb-461a-bbee-02f9e1bf7b46"
    return {"grant_type": "password", "client_id": cli, "username": who.upn, "password": PASSWORD}


@asynccontextmanager
async def azure_running(
    *, time_scale: float = 0.001, make_key: Callable[[], SigningKey] | None = None
) -> AsyncIterator[Azure]:
    """Run an Azure while the block lasts: an empty tenant, and two subscriptions with resources, rules and groups.

    Args:
        time_scale: What Azure's waits between retries, and its ban, are multiplied by.
        make_key: Makes signing keys; None: new ones, some tenths of a second.
    """
    entra, listening = await start_entra(SandboxEntra(make_key=make_key))
    monitor = await start_azure_monitor(entra=entra.base_url, time_scale=time_scale)
    try:
        yield Azure(entra, monitor)
    finally:
        await monitor.stop()
        await listening.stop()


@dataclass(frozen=True)
class Answer:
    """An answer, read whole.

    Attributes:
        status: Its HTTP status.
        headers: Its headers.
        body: The JSON that it carries; None: none.
    """

    status: int
    headers: Mapping[str, str]
    body: Any

    @property
    def code(self) -> str:
        """The code of an error, in either envelope."""
        return str(self.body["error"]["code"] if "error" in self.body else self.body["code"])

    @property
    def message(self) -> str:
        """The message of an error, in either envelope."""
        return str(self.body["error"]["message"] if "error" in self.body else self.body["message"])

    @property
    def values(self) -> list[Any]:
        """What a list holds."""
        assert self.status == 200, self.body
        return list(self.body["value"])


class Client:
    """Somebody who asks Graph or ARM over HTTP.

    Every answer of ARM is held against the official descriptions, where those are beside the checkout.
    """

    def __init__(self, session: aiohttp.ClientSession, base: str, token: str) -> None:
        self._session = session
        self._base = base
        self._token = token

    async def ask(self, method: str, path: str, body: Any = None, **headers: str) -> Answer:
        """Send a request; a path that is a whole address is taken as it is."""
        url = path if path.startswith("http") else f"{self._base}{path}"
        sent = {
            "Authorization": f"Bearer {self._token}",
            **{name.replace("_", "-"): one for name, one in headers.items()},
        }
        async with self._session.request(method, URL(url, encoded="%" in url), json=body, headers=sent) as answer:
            text = await answer.text()
            found = Answer(answer.status, answer.headers, json.loads(text) if text else None)
        if "/arm/" in url and SPECS.is_dir() and _is_described(method, url):
            assert response_violations(method, url, found.status, found.body) == []
        return found

    async def get(self, path: str, **headers: str) -> Answer:
        return await self.ask("GET", path, **headers)

    async def post(self, path: str, body: Any = None, **headers: str) -> Answer:
        return await self.ask("POST", path, body, **headers)

    async def put(self, path: str, body: Any) -> Answer:
        return await self.ask("PUT", path, body)

    async def patch(self, path: str, body: Any, **headers: str) -> Answer:
        return await self.ask("PATCH", path, body, **headers)

    async def delete(self, path: str) -> Answer:
        return await self.ask("DELETE", path)


def _is_described(method: str, url: str) -> bool:
    return not any(
        "description" in one or "described" in one or "no api-version" in one for one in violations(method, url)
    )
