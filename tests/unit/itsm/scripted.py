"""Requests that are answered by a script instead of the network."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from secure_export.itsm.answer import Answer

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)


class Clock:
    """A clock that a test sets."""

    def __init__(self) -> None:
        self.now = NOW

    def __call__(self) -> datetime:
        return self.now

    def forward(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)


@dataclass(frozen=True, slots=True)
class Request:
    method: str
    path: str
    query: Mapping[str, str]
    json: Any
    form: Mapping[str, str]
    headers: Mapping[str, str]


def answer(status: int = 200, body: Any = None, **headers: str) -> Answer:
    """Give an answer with a JSON body; a text is sent as it is."""
    data = body.encode() if isinstance(body, str) else json.dumps(body).encode() if body is not None else b""
    return Answer(status, {name.replace("_", "-"): value for name, value in headers.items()}, data)


@dataclass
class Script:
    """Answers each request by ``reply``, which may raise; remembers what was asked."""

    reply: Callable[[Request], Answer]
    requests: list[Request] = field(default_factory=list)

    async def request(
        self,
        method: str,
        path: str,
        *,
        query: Mapping[str, str] | None = None,
        json: Any = None,
        form: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
        timeout: float | None = None,  # noqa: ASYNC109 - as Http has it
    ) -> Answer:
        request = Request(str(method), path, query or {}, json, form or {}, headers or {})
        self.requests.append(request)
        return self.reply(request)


class AlwaysIn:
    """A sign-in that always works."""

    async def headers(self) -> Mapping[str, str]:
        return {"Authorization": "Bearer t"}

    def rejected(self, headers: Mapping[str, str]) -> None:
        """Nothing to forget."""

    async def close(self) -> None:
        """Nothing to close."""
