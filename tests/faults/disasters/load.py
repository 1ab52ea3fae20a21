"""Alerts that fire and end while a disaster goes on, and what must be true of them afterwards."""

import asyncio
import json
import random
import time
import uuid
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import aiohttp
from tests.program import Program

from secure_export.sandbox.azure_monitor.credentials import CachedToken, ClientCredentials
from secure_export.sandbox.entra.directory import (
    AZNS_APP_ID,
    AZNS_SANDBOX_SECRET,
    DEFAULT_TENANT_ID,
    RESOURCE_APP_ID,
)

SUBSCRIPTION = "b7c2e0d4-1f6a-4a93-8e25-94d3c6f10a77"
ACCEPTED = 202
UNAVAILABLE = 503
_BETWEEN_SECONDS = 0.02
_AGAIN_SECONDS = 0.05
_PATIENCE_SECONDS = 90.0
_ANSWER = aiohttp.ClientTimeout(total=60)


async def token_of(entra: str) -> str:
    """Get the token that Azure Monitor would come with."""
    asked = ClientCredentials(
        f"{entra}/{DEFAULT_TENANT_ID}/oauth2/v2.0/token", AZNS_APP_ID, AZNS_SANDBOX_SECRET, f"api://{RESOURCE_APP_ID}"
    )
    async with aiohttp.ClientSession() as session:
        return await CachedToken(asked).token(session)


@dataclass
class Sent:
    """What one alert's sender was promised.

    Attributes:
        alert_id: Which alert.
        padding: How many bytes it is made longer by.
        told: For each condition the notifications that were accepted.
        tried: The conditions that were sent, whatever became of them.
    """

    alert_id: str
    padding: int = 0
    told: dict[str, list[int]] = field(default_factory=dict)
    tried: set[str] = field(default_factory=set)


@dataclass
class Load:
    """Sends until it is told to stop; what is not accepted is sent again until it is.

    Attributes:
        webhook: Where to.
        token: Whose word it is.
        chance: Decides which alerts end.
        padding: How many bytes each alert is made longer by.
        sent: Every alert.
        answers: How often each status came; 0: none.
        without_retry_after: How many 503 did not say when to try again.
    """

    webhook: str
    token: str
    chance: random.Random
    padding: int = 0
    sent: list[Sent] = field(default_factory=list)
    answers: Counter[int] = field(default_factory=Counter)
    without_retry_after: int = 0
    _under_way: set[object] = field(default_factory=set)
    _stopping: bool = False
    _given_up: bool = False

    @property
    def accepted(self) -> int:
        """How many notifications were accepted so far."""
        return self.answers[ACCEPTED]

    @asynccontextmanager
    async def running(self, senders: int = 6) -> AsyncIterator[None]:
        """Send as long as the block runs, then finish every alert that was begun."""
        async with aiohttp.ClientSession(timeout=_ANSWER) as session, asyncio.TaskGroup() as group:
            for _ in range(senders):
                group.create_task(self._one_after_the_other(session))
            try:
                yield
            finally:
                self._stopping = True

    def gives_up(self) -> None:
        """Send nothing any more, not even what was begun: nobody will take it."""
        self._stopping = self._given_up = True

    async def more(self, count: int) -> None:
        """Wait until so many further notifications were accepted."""
        wanted = self.accepted + count
        await until(lambda: self.accepted >= wanted, self)

    async def refused(self, count: int = 1) -> None:
        """Wait until so many further notifications were not accepted."""
        wanted = self.answers[UNAVAILABLE] + count
        await until(lambda: self.answers[UNAVAILABLE] >= wanted, self)

    async def answered(self) -> None:
        """Wait until everything that is under way now has its answer, which may be of before what just happened."""
        under_way = set(self._under_way)
        await until(lambda: not under_way & self._under_way, self)

    async def _one_after_the_other(self, session: aiohttp.ClientSession) -> None:
        while not self._stopping:
            number = uuid.UUID(int=self.chance.getrandbits(128))
            alert = Sent(
                f"/subscriptions/{SUBSCRIPTION}/providers/Microsoft.AlertsManagement/alerts/{number}", self.padding
            )
            self.sent.append(alert)
            ends, at = self.chance.random() < 0.6, datetime.now(UTC)
            await self._tell(session, alert, at, "Fired")
            if ends:
                await asyncio.sleep(_BETWEEN_SECONDS)
                await self._tell(session, alert, at, "Resolved")

    async def _tell(self, session: aiohttp.ClientSession, alert: Sent, at: datetime, condition: str) -> None:
        """Tell one condition until it is accepted."""
        body = body_of(alert, at, condition)
        alert.tried.add(condition)
        for _ in range(int(_PATIENCE_SECONDS / _AGAIN_SECONDS)):
            if (number := await self._post(session, body)) is not None:
                alert.told.setdefault(condition, []).append(number)
                break
            if self._given_up:
                break
            await asyncio.sleep(_AGAIN_SECONDS)
        else:
            raise AssertionError(f"{alert} was never accepted; answers: {self.answers}")
        await asyncio.sleep(_BETWEEN_SECONDS)

    async def _post(self, session: aiohttp.ClientSession, body: bytes) -> int | None:
        headers = {"Authorization": f"Bearer {self.token}", "Content-Type": "application/json"}
        self._under_way.add(mark := object())
        try:
            async with session.post(self.webhook, data=body, headers=headers) as answer:
                told = await answer.read()
        except (aiohttp.ClientError, OSError, TimeoutError):
            self.answers[0] += 1
            return None
        finally:
            self._under_way.discard(mark)
        self.answers[answer.status] += 1
        self.without_retry_after += answer.status == UNAVAILABLE and "Retry-After" not in answer.headers
        return int(json.loads(told)["notification"]) if answer.status == ACCEPTED else None


def body_of(alert: Sent, at: datetime, condition: str) -> bytes:
    """Give the body of a notification."""
    essentials: dict[str, Any] = {
        "alertId": alert.alert_id,
        "alertRule": "queue-depth",
        "severity": "Sev2",
        "signalType": "Metric",
        "monitorCondition": condition,
        "monitoringService": "Platform",
        "alertTargetIDs": [
            f"/subscriptions/{SUBSCRIPTION}/resourcegroups/shop/providers/microsoft.compute/virtualmachines/vm1"
        ],
        "firedDateTime": at.isoformat(),
    }
    if condition == "Resolved":
        essentials["resolvedDateTime"] = (at + timedelta(seconds=1)).isoformat()
    context = {"padding": random.Random(alert.alert_id).randbytes(alert.padding // 2).hex()}  # noqa: S311 - no secret
    return json.dumps(
        {"schemaId": "azureMonitorCommonAlertSchema", "data": {"essentials": essentials, "alertContext": context}}
    ).encode()


def load_of(program: Program, token: str, *, padding: int = 0, seed: int | None = None) -> Load:
    """Make a load, and print its seed, with which a failing run can be looked into."""
    seed = random.randrange(2**32) if seed is None else seed  # noqa: S311 - no secret
    print(f"seed {seed}")  # noqa: T201 - shown when the test fails
    return Load(program.webhook, token, random.Random(seed), padding)  # noqa: S311 - as above


async def until(wanted: Callable[[], bool], told: object, *, seconds: float = _PATIENCE_SECONDS) -> None:
    """Wait until something is so; how things stand is told when it never is."""
    for _ in range(int(seconds / _AGAIN_SECONDS)):
        if wanted():
            return
        await asyncio.sleep(_AGAIN_SECONDS)
    raise AssertionError(f"in vain waited for something; this is how it stands: {told}"[:2000])


def says_why(program: Program, *words: str) -> str:
    """Wait until the service says that its store is in trouble, with one of these words; gives what it says."""
    end = time.monotonic() + _PATIENCE_SECONDS
    status, said = 0, ""
    while time.monotonic() < end:
        status, body = program.get("/readyz")
        said = str(json.loads(body)["checks"]["store"])
        if status == UNAVAILABLE and said != "ok" and (not words or any(word in said for word in words)):
            return said
        time.sleep(0.05)
    raise AssertionError(f"the service does not say what is wrong with its store: {status}, {said}")


def comes_to_rest(program: Program) -> None:
    """Wait until no lane has anything to do."""
    program.wait_until("/api/v1/lanes?limit=5", lambda answer: not answer["items"], seconds=_PATIENCE_SECONDS)


def judge(program: Program, load: Load) -> None:
    """Compare what was promised with what there is, when everything has come to rest.

    Every alert that got a 202 is in exactly one work item, in the right state, and the tool has exactly one record of
    each; every answer was 202 or a 503 that says when to try again.
    """
    assert set(load.answers) <= {ACCEPTED, UNAVAILABLE, 0}, load.answers
    assert not load.without_retry_after
    items = list(_pages(program, "/api/v1/work-items"))
    of_alert = Counter(alert for item in items for alert in item["alerts"])
    state = {alert: item["state"] for item in items for alert in item["alerts"]}
    wanted = {alert.alert_id: _states_of(alert) for alert in load.sent if alert.told}
    wrong = {alert: (state.get(alert), one) for alert, one in wanted.items() if state.get(alert) not in one}
    assert not wrong, f"{len(wrong)} of {len(wanted)} are not as they should be: {list(wrong.items())[:3]}"
    assert set(of_alert.values()) <= {1}, "an alert is in two work items"
    assert set(of_alert) <= {alert.alert_id for alert in load.sent if alert.tried}, "a work item without an alert"
    assert not [item for item in items if item["owed"]], "a promise is still owed"
    incidents = list(_pages(program, "/api/v1/desk/incidents"))
    assert Counter(one["number"] for one in incidents) == Counter(item["number"] for item in items)
    done = {one["number"]: one["state"] in {"resolved", "closed"} for one in incidents}
    assert done == {item["number"]: item["state"] == "resolved" for item in items}


def _states_of(alert: Sent) -> set[str]:
    """Say how the work item of an alert may be: an end that was recorded and not acknowledged counts, or does not."""
    if "Resolved" in alert.told:
        return {"resolved"}
    return {"open", "resolved"} if "Resolved" in alert.tried else {"open"}


def _pages(program: Program, path: str) -> Any:
    cursor: str | None = ""
    while cursor is not None:
        answer = program.json(f"{path}?limit=200" + (f"&cursor={cursor}" if cursor else ""))
        yield from answer["items"]
        cursor = answer["next_cursor"]
