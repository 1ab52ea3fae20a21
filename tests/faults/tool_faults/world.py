"""What takes part in a story: the database file, the processes that deliver from it, the tool, people, and time."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from tests.faults.tool_faults.adapter import Found, ToolUnderFault
from tests.faults.tool_faults.mortal import Died, Hook, Life, MortalConnector, mortal
from tests.sqlite import with_tables
from tests.unit.delivery.scene import CONNECTION, GROUP, LEASE, ManualClock, PatientLanes, Scene, alert

from secure_export.delivery.upkeep import Upkeep
from secure_export.delivery.worker import Worker
from secure_export.errors import NotFound
from secure_export.store.sqlite.store import SqliteStore

_REAL_SECONDS = 20.0
_STEP_SECONDS = 60.0
_LONGEST = timedelta(hours=3)
_ROUND = timedelta(minutes=10)


async def _nothing(*_: Any) -> None:
    pass


@dataclass
class Node:
    """A process: its own handle of the database, its own connector, its worker and its timers."""

    scene: Scene
    connector: MortalConnector
    life: Life
    worker: Worker
    upkeep: Upkeep
    running: "asyncio.Task[None]"

    @property
    def works(self) -> bool:
        """Whether it lives, goes on, and works on lanes just now."""
        return bool(self.worker._running) and self.life.goes.is_set() and not self.life.over.is_set()

    def searches(self) -> None:
        """Have it search for lanes that are due: that the clock moved is nothing it hears of."""
        self.scene.store._database.signals.ready()

    async def stop(self) -> None:
        """End in order; a dead one ends at once."""
        await self.worker.stop(grace_seconds=0 if self.life.over.is_set() else 5)
        self.running.cancel()
        with suppress(asyncio.CancelledError, Died):
            await self.running
        await self.connector.close()
        await self.scene.store.close()


@dataclass
class Problem:
    """What Azure says of one machine.

    Attributes:
        firing: The alerts of it that fire, by name, with the rule of each.
        told: The titles of those that fired, so that each must be told of somewhere.
        outages: How often it began to fire while nothing of it fired.
    """

    firing: dict[str, str] = field(default_factory=dict)
    told: list[str] = field(default_factory=list)
    outages: int = 0


class World:
    """A story's stage.

    Args:
        folder: Where the database lies.
        tool: The tool.
        clock: The time, which is the tool's, too.
        route: The route's settings.
    """

    def __init__(self, folder: Path, tool: ToolUnderFault, clock: ManualClock, **route: Any) -> None:
        self._path = folder / "store.db"
        self._route = {"group_by": "ci", "work_item": tool.work_item, **route}
        self._agenda: list[tuple[datetime, Callable[[], Awaitable[None]]]] = []
        self.tool = tool
        self.clock = clock
        self.nodes: list[Node] = []
        self.problems: dict[str, Problem] = {}
        self.log: list[str] = []

    async def start(
        self,
        *,
        life: Life | None = None,
        before: Hook = _nothing,
        after: Hook = _nothing,
    ) -> Node:
        """Start one more process that delivers."""
        life = life or Life()
        store = await SqliteStore.open(with_tables(self._path), clock=self.clock)
        store.lanes = mortal(store, life).lanes
        connector = MortalConnector(await self.tool.connector(CONNECTION), life, before=before, after=after)
        scene = Scene(
            store,
            self.clock,
            route=self._route,
            concurrency=self.tool.concurrency,
            step_timeout_seconds=_STEP_SECONDS,
        )
        scene.target = replace(scene.target, connector=connector)
        worker = scene.worker(PatientLanes(store))
        upkeep = Upkeep(store.upkeep, [scene.target], clock=self.clock, sleep=self.clock.sleep)
        with suppress(Exception):
            await upkeep.take_in_changes(scene.target)
        node = Node(scene, connector, life, worker, upkeep, asyncio.create_task(worker.run()))
        self.nodes.append(node)
        return node

    async def stop(self, node: Node | None = None) -> None:
        """End one process, or all."""
        for one in [node] if node is not None else list(self.nodes):
            self.nodes.remove(one)
            await one.stop()

    async def fires(self, vm: str, name: str = "a") -> None:
        """Azure says that an alert of a machine fired."""
        self.say(f"{vm}/{name} fires")
        problem = self.problems.setdefault(vm, Problem())
        problem.outages += not problem.firing
        rule = f"rule-{name}{len(problem.told) + 1}"
        problem.told.append(f"{rule} on {vm} fired")
        problem.firing[name] = rule
        await self._post(alert(f"{vm}-{rule}", vm=vm, rule=rule, fired_at=self.clock()))

    async def ends(self, vm: str, *names: str) -> None:
        """Azure says that alerts of a machine are resolved; all that fire, if none is named."""
        problem, now = self.problems[vm], self.clock()
        for name in names or sorted(problem.firing):
            self.say(f"{vm}/{name} ends")
            rule = problem.firing.pop(name)
            await self._post(alert(f"{vm}-{rule}", vm=vm, rule=rule, fired_at=now, resolved_at=now))

    def later(self, after: timedelta, act: Callable[[], Awaitable[None] | None]) -> None:
        """Have something happen when so much time has passed."""

        async def do() -> None:
            if (doing := act()) is not None:
                await doing

        self._agenda.append((self.clock() + after, do))
        self._agenda.sort(key=lambda one: one[0])

    async def rests(self, *, at_most: timedelta = _LONGEST, or_death: bool = False) -> None:
        """Let time pass until nothing is to be done by itself, or nothing within this time, or the process is dead."""
        end = self.clock() + at_most
        async with asyncio.timeout(_REAL_SECONDS):
            while (until := await self._due()) is not None and until <= end:
                if or_death and self.nodes[0].life.over.is_set():
                    return
                if until > self.clock():
                    self.clock.now = until
                while self._agenda and self._agenda[0][0] <= self.clock():
                    await self._agenda.pop(0)[1]()
                if not any(node.works for node in self.nodes):
                    for node in self.nodes:
                        node.searches()
                await asyncio.sleep(0.001)

    async def passes(self, time: timedelta) -> None:
        """Let time pass, and what is due in it happen."""
        end = self.clock() + time
        await self.rests(at_most=time)
        self.clock.now = max(end, self.clock())

    async def looks_round(self) -> None:
        """Have every timer of delivery run once, and what it wakes come to rest."""
        node = self.nodes[0]
        timers = node.upkeep
        jobs = (timers.take_in_changes, timers.read_back, timers.read_back_ended, timers.retry_parked, timers.bind_late)
        for job in jobs:
            with suppress(Exception):  # as the timer does, which goes on
                await job(node.scene.target)
        await timers.expire()
        await self.rests(at_most=_ROUND)

    async def tries_again(self) -> None:
        """Have an operator try everything again that waits or is parked."""
        store = self.nodes[0].scene.store
        for lane in await self.lanes():
            with suppress(NotFound):
                await store.actions.retry(lane["key"], by="operator", now=self.clock())

    async def dies(self, node: Node) -> None:
        """Wait until a process is dead, and for as long as others must believe that it lives."""
        async with asyncio.timeout(_REAL_SECONDS):
            await node.life.over.wait()
        self.say(f"a process died after {node.connector.steps}")
        await self.stop(node)
        self.clock.forward(LEASE.total_seconds() + 1)

    async def records_of(self, vm: str) -> list[Found]:
        """Give the records that tell of a machine and were not put aside as doubles."""
        return [one for one in await self.tool.found() if f" {vm} " in f"{one.title} " and not one.aside]

    async def record_of(self, vm: str) -> Found:
        """Give the only record of a machine that there is, or the open one of several."""
        records = await self.records_of(vm)
        return min(records, key=lambda one: one.state.value != "open")

    async def items_of(self, vm: str) -> list[dict[str, Any]]:
        """Give our work items about a machine, newest first, with everything that we tell of them."""
        records = self.nodes[0].scene.store.records
        rows = (await records.work_items()).rows
        return [await records.work_item(row["id"]) for row in rows if f" {vm} " in f"{row['title']} "]

    async def lanes(self) -> list[dict[str, Any]]:
        """Give the lanes that are not idle."""
        return await self.nodes[0].scene.lane_rows()

    def say(self, what: str) -> None:
        """Write down what happened, for those who read of a failure."""
        self.log.append(f"{self.clock():%H:%M:%S} {what}")

    async def _post(self, body: bytes) -> None:
        await self.nodes[0].scene.post(body)

    async def _due(self) -> datetime | None:
        """Say when the next thing is due; now, while lanes are worked on."""
        if any(node.works for node in self.nodes):
            return self.clock()
        store = self.nodes[0].scene.store
        due = await store.lanes.next_due(CONNECTION)
        counts = await store.records.counts()
        # A lane that is claimed is due when its lease ends: who looks just then must not let that time pass.
        if counts["claimed"] or due != await store.lanes.next_due(CONNECTION):
            return self.clock()
        times = [due] if due is not None else []
        return min([*times, *(at for at, _ in self._agenda[:1])], default=None)


def resource_id(vm: str) -> str:
    """Give the resource id of a machine that alerts name."""
    return f"{GROUP}/{vm}"
