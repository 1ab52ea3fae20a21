"""Everything below the console for real: a store in a file, filled through intake's reading and delivery's lanes.

Only the clock is made up, and a tool ("prod") that refuses every work item, so that something is parked.
"""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any

from tests.sqlite import with_tables
from tests.unit.console.standins import VM, FewTokens

from secure_export.cmdb.contract import Cmdb
from secure_export.cmdb.drafts import CiDraft, RelationDraft
from secure_export.console.app import console_app
from secure_export.delivery.connection import Target
from secure_export.delivery.lane_run import LaneRunner
from secure_export.delivery.lease import lease_for
from secure_export.delivery.pace import Pace
from secure_export.identity.caller import Caller
from secure_export.intake.door import ConnectionDoor
from secure_export.intake.entry import Post, entry_of
from secure_export.intake.replay import Replay
from secure_export.itsm.contract import Changes, CheckResult, Connector
from secure_export.itsm.desk import connector as desk_type
from secure_export.itsm.desk.desk_cmdb import DeskCmdb
from secure_export.itsm.desk.settings import DeskSettings
from secure_export.itsm.resources import Resources
from secure_export.policy.decide import Policy
from secure_export.policy.settings import RouteSettings
from secure_export.store.sqlite.store import SqliteStore
from secure_export.telemetry.metrics import Metrics
from secure_export.workitems.outcome import Done, Outcome, Refused
from secure_export.workitems.work_item import WorkItem

SAMPLES = Path(__file__).parents[2] / "samples"
START = datetime(2026, 2, 10, 6, 15, tzinfo=UTC)  # just after the sample fired
FIRED = SAMPLES / "common" / "metric-static-fired.json"
RESOLVED = SAMPLES / "common" / "metric-static-resolved.json"
AZNS = Caller(
    tenant_id="72f988bf-0000-0000-0000-2d7cd011db47",
    application_id="461e8683-5575-4561-ac7f-899cc907d62a",
    object_id="0b7e3c1a-0000-0000-0000-000000000001",
    roles=("ActionGroupsSecureWebhook",),
    token_version="2.0",
    token_id="p2r5zFv0kU2",
    expires_at=0,
)


class RefusingTool:
    """A tool that has nothing and takes nothing."""

    def __init__(self, cmdb: Cmdb) -> None:
        self.cmdb = cmdb

    async def look(self, item: WorkItem) -> Outcome:
        return Done(None)

    async def create(self, item: WorkItem) -> Outcome:
        return Refused("assignment_group 'Cloud Ops' does not exist: make the group, or name another in the route")

    async def update(self, item: WorkItem) -> Outcome:
        return Refused("there is no such record")

    async def resolve(self, item: WorkItem) -> Outcome:
        return Refused("there is no such record")

    async def reopen(self, item: WorkItem) -> Outcome:
        return Refused("there is no such record")

    async def changes(self, cursor: str) -> Changes:
        return Changes((), cursor)

    async def check(self) -> Sequence[CheckResult]:
        return []

    async def close(self) -> None:
        pass


@dataclass
class MovingClock:
    """A time that moves when it is told to, and a little whenever somebody looks."""

    now: datetime

    def __call__(self) -> datetime:
        self.now += timedelta(milliseconds=7)
        return self.now

    def wait(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)


@dataclass
class Whole:
    """A service without its network: what it keeps, and what works on it."""

    store: SqliteStore
    clock: MovingClock
    targets: Mapping[str, Target]

    async def take(self, body: bytes, connection: str = "desk") -> int:
        """Record a notification as intake would; its id."""
        entry = entry_of(
            Post(connection=connection, caller=AZNS, received_at=self.clock(), body=body), self.doors[connection]
        )
        return (await self.store.journal.append(entry)).notification

    async def deliver(self) -> None:
        """Work on every lane until nothing is due."""
        for name, target in self.targets.items():
            lease = lease_for(target.step_timeout_seconds)
            runner = LaneRunner(
                target,
                self.store.lanes,
                pace=Pace(None),
                clock=self.clock,
                random=Random(1),  # noqa: S311 - spreads retries
                lease=lease,
                watch=Metrics(),
            )
            while lanes := await self.store.lanes.claim(
                name, limit=10, pending_limit=100, now=self.clock(), lease=lease
            ):
                for lane in lanes:
                    await runner.run(lane)

    @property
    def doors(self) -> dict[str, ConnectionDoor]:
        return {name: _door(target.policy) for name, target in self.targets.items()}

    def app(self) -> Any:
        replay = Replay(self.store.records, self.store.actions, self.doors, clock=self.clock)
        return console_app(
            records=self.store.records,
            actions=self.store.actions,
            desk=self.store.desk,
            gate=FewTokens(),
            replay=replay,
            local_access=True,
            clock=self.clock,
        )


def _door(policy: Policy) -> ConnectionDoor:
    return ConnectionDoor(frozenset({"*"}), None, lambda alert: policy.correlate(alert).key)


@asynccontextmanager
async def whole_service(folder: Path, console_url: str = "http://127.0.0.1:8080") -> AsyncIterator[Whole]:
    """Open an empty one."""
    clock = MovingClock(START)
    store = await SqliteStore.open(with_tables(folder / "store.db"), clock=clock)
    try:
        policy = Policy(RouteSettings())
        resources = Resources(desk=store.desk, clock=clock, console_url=console_url)
        refusing: Connector = RefusingTool(DeskCmdb(store.desk))
        yield Whole(
            store,
            clock,
            {
                "desk": Target("desk", policy, desk_type.make("desk", DeskSettings(), resources)),
                "prod": Target("prod", policy, refusing),
            },
        )
    finally:
        await store.close()


async def fill(whole: Whole) -> None:
    """Have every kind of alert come in, one resolve, one body that is no alert, and one work item that is refused."""
    await whole.store.desk.put_cis(
        [
            CiDraft(name="shop", class_name="application", attributes={"environment": "production"}),
            CiDraft(
                name="web-1",
                class_name="virtual-machine",
                resource_id=VM.lower(),
                attributes={"environment": "production"},
                relations=(RelationDraft("part-of", "shop"),),
            ),
            CiDraft(name="test-vm", class_name="virtual-machine", attributes={"environment": "test"}),
        ],
        now=whole.clock(),
    )
    await whole.take(FIRED.read_bytes(), "prod")
    for sample in sorted((SAMPLES / "common").glob("*-fired.json")) + sorted((SAMPLES / "legacy").glob("*.json")):
        await whole.take(sample.read_bytes())
        whole.clock.wait(3)
    await whole.deliver()
    whole.clock.wait(240)
    await whole.take(RESOLVED.read_bytes())
    await whole.deliver()
    await whole.take(b"<html>no alert</html>")
    whole.clock.wait(30)
