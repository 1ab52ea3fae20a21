"""Instances for tests, and a client that asks the Table API without a connection."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlencode

from starlette.applications import Starlette

from secure_export.sandbox.servicenow import table_api
from secure_export.sandbox.servicenow.clock import Clock
from secure_export.sandbox.servicenow.errors import SnowError
from secure_export.sandbox.servicenow.instance import Instance
from secure_export.sandbox.servicenow.tables import Row
from secure_export.sandbox.servicenow.users import User

NOON = datetime(2026, 5, 4, 12, 0, tzinfo=UTC)
HOST = "http://snow.example"
RESOLUTION = {"state": "6", "close_code": "Solution provided", "close_notes": "Done"}


def new_instance(*, seed: int | None = 1, demo: bool = False) -> Instance:
    """Give an instance whose clock stands still at noon."""
    clock = Clock()
    clock.freeze(NOON)
    return Instance(url="https://configured.example", clock=clock, seed=seed, demo=demo)


def incident(instance: Instance, user: User | None = None, /, **values: Any) -> Row:
    """Write an incident, as the integration user if not told otherwise."""
    return instance.insert("incident", {"short_description": "Test", **values}, user or agent(instance))


def agent(instance: Instance) -> User:
    """Give the integration user."""
    return instance.user("azure.integration")


def refusal(error: SnowError) -> str:
    """Give all that a refusal says."""
    return f"{error.status} {error.message} / {error.detail}"


@dataclass(frozen=True)
class Answer:
    """What the Table API answered."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def result(self) -> Any:
        return self.json["result"]


class Client:
    """Asks the Table API as one user."""

    def __init__(self, instance: Instance, user: User) -> None:
        self._app = Starlette(routes=table_api.routes(instance))
        self._user = user

    async def get(self, path: str, headers: Mapping[str, str] | None = None, /, **query: str) -> Answer:
        return await self.ask("GET", path, query=query, headers=headers)

    async def post(self, path: str, body: Any, headers: Mapping[str, str] | None = None, /, **query: str) -> Answer:
        return await self.ask("POST", path, body=body, query=query, headers=headers)

    async def patch(self, path: str, body: Any, headers: Mapping[str, str] | None = None, /, **query: str) -> Answer:
        return await self.ask("PATCH", path, body=body, query=query, headers=headers)

    async def ask(
        self,
        method: str,
        path: str,
        *,
        body: Any = None,
        query: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Answer:
        raw = b"" if body is None else body if isinstance(body, bytes) else json.dumps(body).encode()
        sent = {"host": "snow.example", **({"content-type": "application/json"} if raw else {}), **(headers or {})}
        scope = {
            "type": "http",
            "method": method,
            "path": path if path.startswith("/api/") else f"/api/now/table/{path}",
            "query_string": urlencode(query or {}).encode(),
            "headers": [(name.encode(), value.encode()) for name, value in sent.items() if value],
            "scheme": "http",
            "server": ("snow.example", 80),
            "state": {"user": self._user},
        }
        return await self._sent(scope, raw)

    async def _sent(self, scope: dict[str, Any], raw: bytes) -> Answer:
        start: dict[str, Any] = {}
        parts: list[bytes] = []

        async def receive() -> dict[str, Any]:
            return {"type": "http.request", "body": raw, "more_body": False}

        async def send(message: Any) -> None:
            if message["type"] == "http.response.start":
                start.update(message)
            else:
                parts.append(message.get("body", b""))

        await self._app(scope, receive, send)
        headers = {name.decode().lower(): value.decode() for name, value in start["headers"]}
        return Answer(start["status"], headers, b"".join(parts))
