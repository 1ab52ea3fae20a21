"""What stands around the console in its unit tests: rows kept in lists, a gate with a few tokens, ASGI calls."""

import asyncio
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import unquote, urlencode

from secure_export.console.contract import Page
from secure_export.errors import NotFound, NotUnderstood
from secure_export.identity.caller import Caller, Refusal

NOW = datetime(2026, 11, 24, 10, 30, tzinfo=UTC)
SUBSCRIPTION = "/subscriptions/11111111-2222-3333-4444-555555555555"
ALERT_ID = f"{SUBSCRIPTION}/providers/Microsoft.AlertsManagement/alerts/a-1"
VM = f"{SUBSCRIPTION}/resourceGroups/shop/providers/Microsoft.Compute/virtualMachines/web-1"


def at(seconds: float) -> str:
    """A time so many seconds before now, as the store writes times."""
    return (NOW - timedelta(seconds=seconds)).isoformat().replace("+00:00", "Z")


def alert_row(**changes: Any) -> dict[str, Any]:
    """An alert that fired and is in a confirmed work item."""
    row: dict[str, Any] = {
        "id": ALERT_ID,
        "connection": "desk",
        "condition": "fired",
        "monitoring_service": "Platform",
        "kind": "metric",
        "title": "CPU above 90 % on web-1",
        "rule": "cpu-high",
        "severity": "Sev1",
        "targets": [VM],
        "configuration_items": [
            {"id": "ci-1", "name": "web-1", "rule": "resource-id", "reason": "Its resource id is the alert's target."}
        ],
        "fired_at": at(120),
        "resolved_at": None,
        "is_test": False,
        "is_legacy_schema": False,
        "investigation_link": "https://portal.azure.com/#alert",
        "warnings": [],
        "work_item": "item-1",
        "reasons": ["Fired: went into a new work item."],
        "notifications": [
            {
                "id": 41,
                "received_at": at(118),
                "caller": {"tenant": "tenant-1", "application": "azns-1", "version": "2.0", "token_id": "uti-1"},
                "status": "accepted",
            }
        ],
    }
    return row | changes


def work_item_row(**changes: Any) -> dict[str, Any]:
    """The work item of that alert."""
    row: dict[str, Any] = {
        "id": "item-1",
        "connection": "desk",
        "correlation_key": ALERT_ID,
        "state": "open",
        "owed": False,
        "number": "INC0000007",
        "url": "http://127.0.0.1:8080/desk/incidents/INC0000007",
        "configuration_items": alert_row()["configuration_items"],
        "alerts": [ALERT_ID],
        "severity": "Sev1",
        "created_at": at(117.5),
        "resolved_at": None,
        "title": "CPU above 90 % on web-1",
        "priority": 2,
        "waiting": "",
        "parked": None,
        "reasons": ["The alert is its own correlation key."],
        "content": {
            "title": "CPU above 90 % on web-1",
            "description": "Percentage CPU is 97, above 90.",
            "impact": 2,
            "urgency": 1,
            "priority": 2,
            "assignment_group": "platform",
            "reasons": ["Sev1: urgency high."],
        },
        "steps": [{"kind": "create", "started_at": at(117), "finished_at": at(116.6), "outcome": "done", "reason": ""}],
    }
    return row | changes


def lane_row(**changes: Any) -> dict[str, Any]:
    """A parked lane."""
    row: dict[str, Any] = {
        "key": ALERT_ID,
        "connection": "desk",
        "state": "parked",
        "reason": "The tool refused the create: no such group.",
        "due_at": None,
        "pending": 0,
        "work_item": "item-1",
        "title": "CPU above 90 % on web-1",
    }
    return row | changes


def quarantined_row(**changes: Any) -> dict[str, Any]:
    """A body that was not understood."""
    row: dict[str, Any] = {
        "id": 9,
        "connection": "desk",
        "received_at": at(60),
        "reason": "The body is no JSON.",
        "caller": {"tenant": "tenant-1", "application": "azns-1", "version": "2.0", "token_id": "uti-2"},
        "body": "<html>not an alert</html>",
    }
    return row | changes


@dataclass
class RowsInMemory:
    """Records: rows in lists, filtered by equality and paged by position.

    Attributes:
        broken: What every read raises.
        gives_up: Whether a page ends before anything was found, as a long search does.
    """

    alert_rows: list[dict[str, Any]] = field(default_factory=list)
    item_rows: list[dict[str, Any]] = field(default_factory=list)
    lane_rows: list[dict[str, Any]] = field(default_factory=list)
    quarantine_rows: list[dict[str, Any]] = field(default_factory=list)
    broken: Exception | None = None
    gives_up: bool = False

    async def alerts(self, *, search: str | None = None, **asked: Any) -> Page:
        return self._page([row for row in self.alert_rows if search is None or search in json.dumps(row)], asked)

    async def alert(self, alert_id: str, *, connection: str | None = None) -> dict[str, Any]:
        return self._one(self.alert_rows, alert_id, "alert")

    async def work_items(self, *, unbound: bool | None = None, **asked: Any) -> Page:
        return self._page(self.item_rows, asked)

    async def work_item(self, item_id: str) -> dict[str, Any]:
        return self._one(self.item_rows, item_id, "work item")

    async def lanes(self, **asked: Any) -> Page:
        return self._page(self.lane_rows, asked)

    async def quarantine(self, **asked: Any) -> Page:
        return self._page(self.quarantine_rows, asked)

    async def quarantined(self, notification: int) -> dict[str, Any]:
        return self._one(self.quarantine_rows, notification, "quarantined notification")

    async def quarantined_body(self, notification: int) -> bytes:
        body: str = (await self.quarantined(notification))["body"]
        return body.encode()

    async def counts(self) -> dict[str, int]:
        states = [row["state"] for row in self.lane_rows]
        counted = {state: states.count(state) for state in ("ready", "waiting", "parked")}
        return {**counted, "oldest_due_seconds": 0, "quarantine": len(self.quarantine_rows)}

    def _page(self, rows: Sequence[dict[str, Any]], asked: Mapping[str, Any]) -> Page:
        if self.broken is not None:
            raise self.broken
        if self.gives_up:
            return Page([], "1")
        limit, start = asked.get("limit", 100), int(asked.get("cursor") or 0)
        filters = {k: v for k, v in asked.items() if k not in {"limit", "cursor"} and v is not None}
        found = [row for row in rows if all(row.get(name) == value for name, value in filters.items())]
        end = start + limit
        return Page(found[start:end], str(end) if len(found) > end else None)

    def _one(self, rows: Sequence[dict[str, Any]], key: Any, what: str) -> dict[str, Any]:
        if self.broken is not None:
            raise self.broken
        for row in rows:
            if row["id"] == key:
                return row
        raise NotFound(f"there is no {what} {key!r}")


@dataclass
class AuditInMemory:
    """Actions: what was done, by whom, in order."""

    known_keys: set[str] = field(default_factory=lambda: {ALERT_ID})
    done: list[tuple[str, str, str]] = field(default_factory=list)

    async def retry(self, key: str, *, by: str, now: datetime) -> int:
        if key not in self.known_keys:
            raise NotFound(f"no lane {key!r} is parked or waiting")
        self.done.append((by, "retry", key))
        return 1

    async def retry_all(self, *, connection: str | None, by: str, now: datetime) -> int:
        self.done.append((by, "retry-all", connection or "*"))
        return len(self.known_keys)

    async def replay(self, notification: int, *, entry: Any, by: str, now: datetime) -> int:
        self.done.append((by, "replay", str(notification)))
        return notification

    async def audit(self, *, by: str, action: str, subject: str, now: datetime) -> None:
        self.done.append((by, action, subject))


@dataclass
class ReplayInMemory:
    """What is understood now, and what still is not."""

    actions: AuditInMemory
    understood: set[int] = field(default_factory=lambda: {9})
    known: set[int] = field(default_factory=lambda: {9, 10})

    async def __call__(self, notification: int, by: str) -> None:
        if notification not in self.known:
            raise NotFound(f"notification {notification} is not in quarantine")
        if notification not in self.understood:
            raise NotUnderstood("it is still not understood: the body is no JSON")
        await self.actions.replay(notification, entry=None, by=by, now=NOW)


class FewTokens:
    """A gate that knows a token for each role: ``Bearer SecureExport.Viewer`` and so on."""

    async def admit(self, authorization: Sequence[bytes], *, roles: frozenset[str]) -> Caller:
        known = re.fullmatch(rb"Bearer (SecureExport\.\w+)", authorization[0]) if len(authorization) == 1 else None
        if known is None:
            raise Refusal(401, "wrong-token", "SECRET-DETAIL", authenticate='Bearer error="invalid_token"')
        role = known[1].decode()
        if role not in roles:
            raise Refusal(403, "missing-role", "SECRET-DETAIL", authenticate='Bearer error="insufficient_scope"')
        return Caller(
            tenant_id="tenant-1",
            application_id="app-1",
            object_id="object-1",
            roles=(role,),
            token_version="2.0",
            token_id="uti-9",
            expires_at=0,
        )


@dataclass(frozen=True)
class Answer:
    """What came back."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def text(self) -> str:
        return self.body.decode()

    def json(self) -> Any:
        return json.loads(self.body)


@dataclass(frozen=True)
class Asker:
    """Sends requests straight into an ASGI application, as a server on loopback would."""

    app: Any
    peer: str = "127.0.0.1"
    headers: Mapping[str, str] = field(default_factory=lambda: {"host": "127.0.0.1:8080"})

    async def get(self, path: str, query: str = "", **headers: str) -> Answer:
        return await self.ask("GET", path, query=query, headers=headers)

    async def post_json(self, path: str, content: Any, **headers: str) -> Answer:
        return await self.ask("POST", path, body=json.dumps(content).encode(), headers=headers)

    async def post_form(self, path: str, fields: Mapping[str, str], **headers: str) -> Answer:
        return await self.ask("POST", path, body=urlencode(fields).encode(), headers=headers)

    async def ask(
        self, method: str, path: str, *, query: str = "", body: bytes = b"", headers: Mapping[str, str] | None = None
    ) -> Answer:
        """``headers`` with underscores for hyphens come on top of the usual ones; an empty value takes one away."""
        merged = {**self.headers, **{k.replace("_", "-"): v for k, v in (headers or {}).items()}}
        scope = {
            "type": "http",
            "asgi": {"version": "3.0"},
            "http_version": "1.1",
            "method": method,
            "scheme": "http",
            "path": unquote(path),
            "raw_path": path.encode(),
            "query_string": query.encode(),
            "root_path": "",
            "headers": [(k.encode(), v.encode()) for k, v in merged.items() if v],
            "client": (self.peer, 50000),
            "server": ("127.0.0.1", 8080),
        }
        sent: list[Any] = []
        received = [{"type": "http.request", "body": body, "more_body": False}]

        async def receive() -> Any:
            if not received:
                await asyncio.Event().wait()
            return received.pop(0)

        async def send(message: Any) -> None:
            sent.append(message)

        await self.app(scope, receive, send)
        answered = {k.decode(): v.decode() for k, v in sent[0]["headers"]}
        return Answer(sent[0]["status"], answered, b"".join(part.get("body", b"") for part in sent[1:]))
