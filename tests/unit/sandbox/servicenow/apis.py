"""Asks the APIs of a stand-in without a connection, as any user."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol
from urllib.parse import urlencode

from starlette.applications import Starlette
from starlette.routing import Route
from tests.unit.sandbox.servicenow.instances import new_instance

from secure_export.sandbox.reply import Reply
from secure_export.sandbox.servicenow import table_api
from secure_export.sandbox.servicenow.call import Call
from secure_export.sandbox.servicenow.instance import Instance
from secure_export.sandbox.wire import perform

HOST = "https://configured.example"


@dataclass(frozen=True)
class Answer:
    """What an API answered."""

    reply: Reply

    @property
    def status(self) -> int:
        return self.reply.status

    @property
    def json(self) -> Any:
        return json.loads(self.reply.body)

    @property
    def result(self) -> Any:
        return self.json["result"]

    @property
    def headers(self) -> dict[str, str]:
        return {name.lower(): value for name, value in self.reply.headers}

    @property
    def refusal(self) -> str:
        error = self.json["error"]
        return f"{self.status} {error['message']} / {error['detail']}"


class MakesRoutes(Protocol):
    """A module with an API."""

    def routes(self, instance: Instance) -> Iterable[Route]: ...


class Apis:
    """The Table API of a new instance, and others."""

    def __init__(self, *others: MakesRoutes) -> None:
        self.instance = new_instance()
        modules: tuple[MakesRoutes, ...] = (table_api, *others)
        self._app = Starlette(routes=[route for module in modules for route in module.routes(self.instance)])

    async def ask(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        user: str = "admin",
        headers: Mapping[str, str] | None = None,
        **query: str,
    ) -> Answer:
        raw = b"" if body is None else body if isinstance(body, bytes) else json.dumps(body).encode()
        sent = {"host": "configured.example", "content-type": "application/json", **(headers or {})}
        path, _, more = path.partition("?")
        call = Call(method, path, more or urlencode(query), sent, raw)
        scope = {
            "type": "http",
            "method": method,
            "path": path,
            "query_string": call.query.encode(),
            "headers": [(name.encode(), value.encode()) for name, value in sent.items()],
            "scheme": "https",
            "server": ("configured.example", 443),
            "state": {"user": self.instance.user(user)} if user else {},
        }
        return Answer(await perform(self._app, scope, call.body))

    async def get(self, path: str, **more: Any) -> Answer:
        return await self.ask("GET", path, **more)

    async def post(self, path: str, body: Any = None, **more: Any) -> Answer:
        return await self.ask("POST", path, body, **more)
