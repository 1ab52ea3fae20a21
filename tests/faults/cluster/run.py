"""One run: a world under load, a schedule of faults, and the judge."""

import asyncio
import json
from collections import Counter
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from random import Random

from tests.faults.cluster.collect import collect
from tests.faults.cluster.evidence import Evidence
from tests.faults.cluster.judge import doubles, violations
from tests.faults.cluster.load import Load, Said, load_for
from tests.faults.cluster.schedule import Entry, Schedule
from tests.faults.cluster.world import World

_SHOWN = 8


@dataclass
class Verdict:
    """How a run ended.

    Attributes:
        schedule: What happened.
        violations: What is wrong.
        again: How to run it again.
        layout: What the world was made of.
        faults: How often what was done.
        misses: How often what was to be done and could not be.
        alerts: How many alerts were sent.
        taken: How many alerts got a 202 for their firing.
        answers: How many notifications ended how.
        doubles: How many records were made twice and set aside.
        writes: How many requests that may change a record went to tools.
        steps: How many steps the service wrote down.
        lost_answers: How many answers were lost on the way after what was asked for was done.
        restarts: How often nodes ended because the database was not there when they began.
    """

    schedule: Schedule
    violations: list[str]
    again: str
    layout: str = ""
    faults: Counter[str] = field(default_factory=Counter)
    misses: Counter[str] = field(default_factory=Counter)
    alerts: int = 0
    taken: int = 0
    answers: Counter[str] = field(default_factory=Counter)
    doubles: int = 0
    writes: int = 0
    steps: int = 0
    lost_answers: int = 0
    restarts: int = 0

    def require(self, world: World) -> None:
        """Fail with everything that is needed to look into it, if a promise was broken."""
        assert not self.violations, self.told(world)

    def told(self, world: World) -> str:
        """Say what is wrong, what happened, and how to run it again."""
        shown = [*self.violations[:_SHOWN], f"{len(self.violations)} violations in all"]
        again = f"Run it again: {self.again}. Evidence: {world.folder}"
        return "\n".join([*shown, again, str(self.schedule), *world.log])


class Runs:
    """Runs schedules on one world, one after the other; alerts of earlier runs are judged again each time.

    Args:
        world: The world.
        entra: The base URL of a sandbox Entra ID.
        again: How to run them again, for people.
    """

    def __init__(self, world: World, entra: str, *, again: str) -> None:
        self._world = world
        self._entra = entra
        self._again = again
        self._loads: list[Load] = []

    async def run(self, schedule: Schedule) -> Verdict:
        """Send alerts while faults come and go; then let calm return, and judge."""
        world = self._world
        world.say(f"seed {schedule.seed}")
        assert world.front is not None
        front = f"http://127.0.0.1:{world.front.port}"
        webhooks = {name: f"{front}/v1/connections/{name}/alerts" for name in world.connections}
        chance = Random(schedule.seed)  # noqa: S311 - chance, no secret
        async with load_for(webhooks, self._entra, chance) as load:
            self._loads.append(load)
            sending = asyncio.create_task(load.run())
            await asyncio.gather(
                *[self._happens(number, entry, schedule.seed) for number, entry in enumerate(schedule.entries)],
                asyncio.sleep(schedule.seconds),
            )
            load.stopping = True
            await self._calm()
            await sending
        world.say("all alerts are sent")
        evidence = await collect(world, [told for one in self._loads for told in one.told])
        world.say("judged")
        verdict = self._verdict(schedule, evidence)
        if verdict.violations:
            keep(evidence, verdict, world)
        return verdict

    async def _happens(self, number: int, entry: Entry, seed: int) -> None:
        world, fault = self._world, entry.fault
        await asyncio.sleep(entry.at)
        world.say(f"{fault.name}: {fault.target}")
        await fault.inject(world, Random(f"{seed}/{number}"))  # noqa: S311 - chance, no secret
        await asyncio.sleep(entry.lasts)
        await fault.heal(world)
        world.say(f"over: {fault.name}: {fault.target}")

    async def _calm(self) -> None:
        """Wait until every node is there and says that all is well."""
        for node in self._world.nodes.values():
            await node.ensure_running()
        for node in self._world.nodes.values():
            await node.ready()

    def _verdict(self, schedule: Schedule, evidence: Evidence) -> Verdict:
        counts = sum((load.results for load in self._loads), Counter[str]())
        return Verdict(
            schedule,
            violations(evidence),
            self._again,
            layout=str(self._world.layout),
            faults=Counter(self._world.counts),
            misses=Counter(self._world.misses),
            alerts=len(evidence.told),
            taken=sum(told.fired is Said.TAKEN for told in evidence.told),
            answers=counts,
            doubles=doubles(evidence),
            writes=sum(request.writes for request in evidence.requests),
            steps=len(evidence.snapshot.steps),
            lost_answers=sum(link.losses for link in self._world.links.values()),
            restarts=sum(node.false_starts for node in self._world.nodes.values()),
        )


def keep(evidence: Evidence, verdict: Verdict, world: World) -> Path:
    """Write everything that was judged by into the world's folder."""
    folder = world.folder / "evidence"
    folder.mkdir(exist_ok=True)
    (folder / "verdict.txt").write_text(verdict.told(world), encoding="utf-8")
    (folder / "all-violations.txt").write_text("\n".join(verdict.violations), encoding="utf-8")
    for name in ("told", "items", "rows", "requests"):
        _write(folder / f"{name}.jsonl", [asdict(one) for one in getattr(evidence, name)])
    _write(folder / "steps.jsonl", [asdict(one) for one in evidence.snapshot.steps])
    _write(folder / "lanes.jsonl", [asdict(one) for one in evidence.snapshot.lanes])
    return folder


def _write(file: Path, rows: Iterable[object]) -> None:
    lines = [json.dumps(row, default=_plain) for row in rows]
    file.write_text("\n".join(lines) + "\n", encoding="utf-8")


def _plain(value: object) -> object:
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace") if value[:1] in b"{[" else value.hex()
    if isinstance(value, frozenset | set):
        return sorted(value)
    return str(value)
