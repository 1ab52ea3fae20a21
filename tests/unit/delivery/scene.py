"""A real store in a file, a real lane runner or worker, a tool in memory, and a clock that moves when it is told to."""

import asyncio
import json
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any

from tests.sqlite import with_tables
from tests.unit.delivery.tool import Tool

from secure_export.cmdb.contract import ConfigurationItem
from secure_export.delivery.connection import Target
from secure_export.delivery.contract import Change, ClaimedLane, Known
from secure_export.delivery.lane_run import LaneRunner
from secure_export.delivery.pace import Pace
from secure_export.delivery.worker import Worker
from secure_export.identity.caller import Caller
from secure_export.intake.door import ConnectionDoor
from secure_export.intake.entry import Post, entry_of
from secure_export.policy.decide import Policy
from secure_export.policy.settings import RouteSettings
from secure_export.store.sqlite.store import SqliteStore
from secure_export.telemetry.complaints import Complaints
from secure_export.workitems.retry import RetryPolicy

START = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
LEASE = timedelta(seconds=90)
SUBSCRIPTION = "/subscriptions/11111111-2222-3333-4444-555555555555"
GROUP = f"{SUBSCRIPTION}/resourceGroups/shop/providers/Microsoft.Compute/virtualMachines"
CONNECTION = "desk"
SAMPLES = Path(__file__).parents[2] / "samples" / "common"
_CALLER = Caller(
    tenant_id="t", application_id="a", object_id="o", roles=("r",), token_version="2.0", token_id="u", expires_at=0
)


class ManualClock:
    """A time that moves when it is told to; its sleep moves it, too."""

    def __init__(self) -> None:
        self.now = START
        self.slept: list[float] = []

    def __call__(self) -> datetime:
        return self.now

    def forward(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)

    def seconds(self) -> float:
        return (self.now - START).total_seconds()

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.forward(seconds)
        await asyncio.sleep(0)


@dataclass
class Told:
    """A watch that remembers what it was told."""

    steps: list[tuple[str, str]] = field(default_factory=list)
    waited: list[float] = field(default_factory=list)

    def stepped(self, connection: str, kind: str, outcome: str, seconds: float) -> None:
        self.steps.append((kind, outcome))

    def delivered(self, connection: str, seconds: float) -> None:
        self.waited.append(seconds)


Before = Callable[[str, ClaimedLane | None], Awaitable[None]]


class WatchedLanes:
    """The store's lanes, with something done before each call and, for workers, a wait that does not last."""

    def __init__(self, store: SqliteStore, before: Before | None = None) -> None:
        self._lanes = store.lanes
        self._before = before
        self.claims: list[int] = []
        self.saved: list[Change] = []

    async def claim(
        self, connection: str, *, limit: int, pending_limit: int, now: datetime, lease: timedelta
    ) -> Sequence[ClaimedLane]:
        await self._tell("claim", None)
        self.claims.append(limit)
        return await self._lanes.claim(connection, limit=limit, pending_limit=pending_limit, now=now, lease=lease)

    async def take_over(self, connection: str, *, now: datetime, patience: timedelta = timedelta(0)) -> int:
        return await self._lanes.take_over(connection, now=now, patience=patience)

    async def known(self, lane: ClaimedLane, *, alert_ids: Sequence[str], problems: Sequence[str]) -> Known:
        await self._tell("known", lane)
        return await self._lanes.known(lane, alert_ids=alert_ids, problems=problems)

    async def save(self, lane: ClaimedLane, change: Change, *, now: datetime) -> None:
        await self._tell("save", lane)
        await self._lanes.save(lane, change, now=now)
        self.saved.append(change)

    async def renew(self, lane: ClaimedLane, *, until: datetime) -> None:
        await self._tell("renew", lane)
        await self._lanes.renew(lane, until=until)

    async def next_due(self, connection: str) -> datetime | None:
        return await self._lanes.next_due(connection)

    async def wait(self, *, timeout_seconds: float) -> None:
        await self._lanes.wait(timeout_seconds=0.002)

    async def _tell(self, call: str, lane: ClaimedLane | None) -> None:
        if self._before is not None:
            await self._before(call, lane)


class PatientLanes(WatchedLanes):
    """Lanes that are not searched all the time: only when something comes, or somebody says that it may have."""

    async def wait(self, *, timeout_seconds: float) -> None:
        await self._lanes.wait(timeout_seconds=0.02)


class Scene:
    """Everything that takes part in delivering for one connection."""

    def __init__(self, store: SqliteStore, clock: ManualClock, **options: Any) -> None:
        self.store = store
        self.clock = clock
        self.tool = Tool(clock)
        self.told = Told()
        self.random = Random(7)  # noqa: S311 - spreads retries
        self.policy = Policy(RouteSettings(**options.pop("route", {})))
        options.setdefault("retry", RetryPolicy(first_seconds=2, longest_seconds=300, longest_asked_seconds=3600))
        self.target = Target(CONNECTION, self.policy, self.tool, **options)
        self.lanes = WatchedLanes(store)

    def use(self, tool: Tool) -> None:
        """Deliver to a tool that was there before."""
        self.tool = tool
        self.target = replace(self.target, connector=tool)

    def runner(self, lanes: WatchedLanes | None = None) -> LaneRunner:
        return LaneRunner(
            self.target,
            lanes or self.lanes,
            pace=Pace(self.target.rate_per_second, seconds=self.clock.seconds),
            clock=self.clock,
            random=self.random,
            lease=LEASE,
            watch=self.told,
            complaints=Complaints(self.clock.seconds, connection=CONNECTION),
            sleep=self.clock.sleep,
        )

    def worker(self, lanes: WatchedLanes | None = None) -> Worker:
        return Worker(
            self.target,
            lanes or self.lanes,
            watch=self.told,
            clock=self.clock,
            random=self.random,
            seconds=self.clock.seconds,
            sleep=self.clock.sleep,
        )

    async def fire(self, alert_id: str = "a", **said: Any) -> int:
        return await self.post(alert(alert_id, fired_at=said.pop("fired_at", self.clock()), **said))

    async def end(self, alert_id: str = "a", **said: Any) -> int:
        said.setdefault("fired_at", self.clock())
        return await self.post(alert(alert_id, resolved_at=said.pop("resolved_at", self.clock()), **said))

    async def post(self, body: bytes) -> int:
        door = ConnectionDoor(frozenset({"*"}), None, lambda told: self.policy.correlate(told).key)
        post = Post(connection=CONNECTION, caller=_CALLER, received_at=self.clock(), body=body)
        return (await self.store.journal.append(entry_of(post, door))).notification

    async def claim(self, limit: int = 100) -> list[ClaimedLane]:
        now = self.clock()
        return list(await self.lanes.claim(CONNECTION, limit=limit, pending_limit=200, now=now, lease=LEASE))

    async def claim_one(self) -> ClaimedLane:
        (lane,) = await self.claim()
        return lane

    async def deliver(self, runner: LaneRunner | None = None, *, rounds: int = 50) -> None:
        """Work on every lane that is due now, until none is."""
        runner = runner or self.runner()
        for _ in range(rounds):
            claimed = await self.claim()
            if not claimed:
                return
            for lane in claimed:
                await runner.run(lane)
        raise AssertionError("the lanes never come to rest")

    async def items(self) -> list[dict[str, Any]]:
        return list((await self.store.records.work_items()).rows)

    async def item(self) -> dict[str, Any]:
        (only,) = await self.items()
        return only

    async def lane_rows(self) -> list[dict[str, Any]]:
        return list((await self.store.records.lanes()).rows)

    async def lane_row(self) -> dict[str, Any]:
        (only,) = await self.lane_rows()
        return only

    async def is_idle(self) -> bool:
        return not await self.lane_rows()

    async def seconds_until_due(self) -> float:
        due = await self.store.lanes.next_due(CONNECTION)
        assert due is not None, "no lane waits"
        return (due - self.clock()).total_seconds()


def alert(
    alert_id: str = "a",
    *,
    fired_at: datetime = START,
    resolved_at: datetime | None = None,
    vm: str = "vm1",
    rule: str = "cpu-high",
    target: str | None = None,
) -> bytes:
    """Give the body of a metric alert in the common alert schema."""
    essentials: dict[str, Any] = {
        "alertId": f"{SUBSCRIPTION}/providers/Microsoft.AlertsManagement/alerts/{alert_id}",
        "alertRule": rule,
        "severity": "Sev2",
        "signalType": "Metric",
        "monitorCondition": "Resolved" if resolved_at else "Fired",
        "monitoringService": "Platform",
        "alertTargetIDs": [target or f"{GROUP}/{vm}"],
        "firedDateTime": fired_at.isoformat(),
    }
    if resolved_at is not None:
        essentials["resolvedDateTime"] = resolved_at.isoformat()
    context = {"conditionType": "SingleResourceMultipleMetricCriteria", "condition": {"allOf": []}}
    return json.dumps(
        {"schemaId": "azureMonitorCommonAlertSchema", "data": {"essentials": essentials, "alertContext": context}}
    ).encode()


def sample(name: str) -> bytes:
    """Give the body of a sample."""
    return (SAMPLES / f"{name}.json").read_bytes()


def ci(name: str = "vm1") -> ConfigurationItem:
    """Give the CI of a machine that alerts name."""
    return ConfigurationItem(f"ci-{name}", name, "virtual-machine", f"{GROUP}/{name}".lower())


async def open_scene(folder: Path, **options: Any) -> Scene:
    clock = ManualClock()
    return Scene(await SqliteStore.open(with_tables(folder / "store.db"), clock=clock), clock, **options)


async def until(condition: Callable[[], bool]) -> None:
    """Let others run until something is so; a test that waits in vain fails."""
    async with asyncio.timeout(10):
        while not condition():  # noqa: ASYNC110 - what is tested knows no event that a test could wait for
            await asyncio.sleep(0.001)


async def until_idle(scene: Scene) -> None:
    """Let a worker run until no lane has anything to do by itself."""
    async with asyncio.timeout(10):
        while await scene.store.lanes.next_due(CONNECTION) is not None:  # noqa: ASYNC110 - as above
            await asyncio.sleep(0.002)
