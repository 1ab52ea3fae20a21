"""A stand-in that listens, and a client that asks it as anybody: tests see what really comes over the wire."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote, urlencode

import aiohttp
from tests.unit.sandbox import asking
from tests.unit.sandbox.asking import asked, client_session, control
from yarl import URL

from secure_export.sandbox.bmc_helix.app import BmcHelixApp, bmc_helix_app
from secure_export.sandbox.bmc_helix.demo_data import INTEGRATION_USER
from secure_export.sandbox.bmc_helix.people import PASSWORD
from secure_export.sandbox.bmc_helix.person import Person
from secure_export.sandbox.bmc_helix.run import serving
from secure_export.sandbox.bmc_helix.server import ArServer
from secure_export.sandbox.bmc_helix.site import Site
from secure_export.sandbox.clock import Clock

NOON = datetime(2026, 11, 24, 12, 0, 0, tzinfo=UTC)
STAGING = "HPD:IncidentInterface_Create"
INTERFACE = "HPD:IncidentInterface"
BASE = "HPD:Help Desk"
WORK_LOG = "HPD:WorkLog"
MINIMAL: Mapping[str, Any] = {
    "Description": "CPU is high",
    "Impact": "3-Moderate/Limited",
    "Urgency": "2-High",
    "Status": "New",
    "Reported Source": "Systems Management",
    "Service_Type": "Infrastructure Event",
    "Company": "Contoso",
}
ENDED = {
    "Status": "Resolved",
    "Status_Reason": "Automated Resolution Reported",
    "Resolution": "It is fine again",
    "Assigned Group": "Linux",
    "Assignee Login ID": "ada.lovelace",
}


@dataclass(frozen=True)
class Seen(asking.Seen):
    """What a client saw."""

    @property
    def error(self) -> tuple[int, int, str]:
        """The status, and the number and appended text of the one AR message."""
        (message,) = self.json
        return self.status, message["messageNumber"], message["messageAppendedText"] or ""


class Client:
    """Asks a served stand-in over a connection of its own each time."""

    def __init__(self, app: BmcHelixApp, url: str, session: aiohttp.ClientSession) -> None:
        self.app = app
        self.server = app.server
        self.person = Person(app.server)
        self.url = url
        self.session = session
        self._tokens: dict[str, str] = {}

    async def ask(self, method: str, path: str, user: str = INTEGRATION_USER, **more: Any) -> Seen:
        headers = dict(more.pop("headers", {}))
        if user:
            headers.setdefault("Authorization", f"AR-JWT {await self.token(user)}")
        url = URL(self.url + path, encoded=True)
        return Seen(**vars(await asked(self.session, method, url, headers=headers, **more)))

    async def token(self, user: str = INTEGRATION_USER) -> str:
        if user not in self._tokens:
            seen = await self.login(user)
            assert seen.status == 200, seen.text
            self._tokens[user] = seen.text
        return self._tokens[user]

    async def login(self, user: str = INTEGRATION_USER, password: str = PASSWORD) -> Seen:
        return await self.ask("POST", "/api/jwt/login", user="", data={"username": user, "password": password})

    async def entries(self, form: str, q: str = "", **parameters: str) -> Any:
        asked = urlencode({**({"q": q} if q else {}), **parameters}, quote_via=quote)
        seen = await self.ask("GET", f"{path_of(form)}?{asked}")
        assert seen.status == 200, seen.text
        return seen.json

    async def create(self, **values: Any) -> str:
        """Create an incident.

        Returns:
            Its number.
        """
        seen = await self.try_create(**values)
        assert seen.status == 201, seen.text
        return str(seen.json["values"]["Incident Number"])

    async def try_create(self, **values: Any) -> Seen:
        sent = {name.replace("__", " "): value for name, value in {**MINIMAL, **values}.items() if value is not None}
        return await self.ask("POST", f"{path_of(STAGING)}?fields=values(Incident%20Number)", json={"values": sent})

    async def change(self, number: str, values: Mapping[str, Any], **more: Any) -> Seen:
        return await self.ask("PUT", await self.path(number), json={"values": dict(values)}, **more)

    async def path(self, number: str) -> str:
        entry = self.person.incident(number)["Entry ID"]
        return f"{path_of(INTERFACE)}/{entry}%7C{entry}"

    async def read(self, number: str) -> dict[str, Any]:
        seen = await self.ask("GET", await self.path(number))
        assert seen.status == 200, seen.text
        values: dict[str, Any] = seen.json["values"]
        return values

    async def control(self, method: str, path: str, **order: Any) -> Any:
        return await control(self.session, self.url, method, path, order)


def path_of(form: str) -> str:
    return f"/api/arsys/v1/entry/{quote(form, safe=':')}"


def new_server(**site: Any) -> ArServer:
    clock = Clock()
    clock.freeze(NOON)
    return ArServer(clock=clock, site=Site(**site))


@asynccontextmanager
async def served(server: ArServer | None = None, **more: Any) -> AsyncIterator[Client]:
    app, tls = bmc_helix_app(server or new_server()), more.pop("client_tls", True)
    async with serving(app, **more) as (_, url), client_session(tls=tls) as session:
        yield Client(app, url, session)
