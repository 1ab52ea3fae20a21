"""A storm into a remote tool: very many alerts fire, and end, while the tool takes few requests at a time, and slowly.

The tool is its sandbox in a process of its own. What its limit permits is known exactly: so many calls, each of which
keeps one of its threads for so long; what the service adds to that is measured, and how many calls an alert costs.
"""

import asyncio
import json
import tempfile
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import aiohttp
import msgspec

from bench.alert import ALERT_ID, FIRED_AT, SUBSCRIPTION, metric_alert
from bench.entra import Entra
from bench.machine import resident_mib
from bench.service import ALL_ROLES, Connection, Node, nodes_running
from bench.stores import Kind, store_running
from bench.storm_tools import SLOW, StormTool, tool_running

MACHINES = 200
_SENDERS = 16
_LOOK_SECONDS = 0.5
_SAMPLE_SECONDS = 2.0
_PATIENCE = 3.0
_PATIENCE_SECONDS = 120.0
_MOST_CALLS_TO_MAKE = 3
_MOST_CALLS_TO_RESOLVE = 2
_MOST_OVER_PERCENT = 10.0
_MOST_GROWTH_PERCENT = 10.0
_LARGE = 10_000  # by then the store's page cache is full, and a start weighs little


class Phase(msgspec.Struct, frozen=True, kw_only=True):
    """What it took to bring all alerts of a storm through one step.

    Attributes:
        alerts: How many.
        seconds: From the first alert until nothing is owed any more.
        permitted_seconds: What the tool's limit permits for the calls that were made.
        calls: How many calls the tool got, signing in and look-ups of CIs included.
        kinds: How many of each kind.
    """

    alerts: int
    seconds: float
    permitted_seconds: float
    calls: int
    kinds: dict[str, int]

    @property
    def calls_per_alert(self) -> float:
        """How many calls an alert costs."""
        return self.calls / self.alerts

    @property
    def over_percent(self) -> float:
        """By how many percent the time is over what the limit permits."""
        return 100 * (self.seconds / self.permitted_seconds - 1)


class Storm(msgspec.Struct, frozen=True, kw_only=True):
    """What came of a storm.

    Attributes:
        tool: Which tool.
        store: Which store.
        rules: Of how many rules the alerts were, each with one work item; 0: each alert had one of its own.
        fired: From the first alert that fired to the last record that was made.
        ended: From the first end to the last record that was resolved.
        mib: The service's memory every few seconds, from the moment when the first alerts were brought in. Until the
            store's page cache is full (64 MiB) it grows with the store.
        store_mib: How large the store is at the end.
        records: How many records the tool has of them.
        work_items: Of how many work items those are; less when one has two records.
        open_records: How many of the records are open.
        lanes_left: How many lanes are not at rest.
    """

    tool: str
    store: str
    rules: int
    fired: Phase
    ended: Phase
    mib: list[float]
    store_mib: float
    records: int
    work_items: int
    open_records: int
    lanes_left: int

    @property
    def growth_percent(self) -> float:
        """By how many percent the service's memory grew through the last half of the storm."""
        if not self.mib or not self.mib[len(self.mib) // 2]:
            return 0.0
        return 100 * (self.mib[-1] / self.mib[len(self.mib) // 2] - 1)

    @property
    def wanted(self) -> int:
        """How many records there must be."""
        return min(self.rules, self.fired.alerts) or self.fired.alerts

    @property
    def complaints(self) -> list[str]:
        """Say what is not as it must be; nothing when all is well."""
        return [*self._lost(), *self._dear(), *(self._slow() if self.fired.alerts >= _LARGE and not self.rules else [])]

    def _lost(self) -> list[str]:
        wrong = {
            f"{self.records:,} records, and not {self.wanted:,}": self.records != self.wanted,
            f"{self.records:,} records of {self.work_items:,} work items": self.records != self.work_items,
            f"{self.open_records:,} records are open": self.open_records > 0,
            f"{self.lanes_left:,} lanes are not at rest": self.lanes_left > 0,
        }
        return _that_are(wrong)

    def _dear(self) -> list[str]:
        fired, ended = self.fired.calls_per_alert, self.ended.calls_per_alert
        wrong = {
            f"{fired:.2f} calls for each create, and not {_MOST_CALLS_TO_MAKE}": fired > _MOST_CALLS_TO_MAKE,
            f"{ended:.2f} calls for each resolve, and not {_MOST_CALLS_TO_RESOLVE}": ended > _MOST_CALLS_TO_RESOLVE,
        }
        return _that_are(wrong)

    def _slow(self) -> list[str]:
        """Judge time and memory, which say little in a small storm: its beginning and end weigh too much."""
        fired, ended, growth = self.fired.over_percent, self.ended.over_percent, self.growth_percent
        wrong = {
            f"creates took {fired:.1f} % longer than the limit permits": fired > _MOST_OVER_PERCENT,
            f"resolves took {ended:.1f} % longer than the limit permits": ended > _MOST_OVER_PERCENT,
            f"memory grew by {growth:.0f} % through the last half": growth > _MOST_GROWTH_PERCENT,
        }
        return _that_are(wrong)


def _that_are(wrong: dict[str, bool]) -> list[str]:
    return [what for what, is_wrong in wrong.items() if is_wrong]


@dataclass(frozen=True)
class Sent:
    """What a storm is.

    Attributes:
        alerts: How many fire, and end.
        rules: Of how many alert rules they are, each of which has one work item; 0: each alert has one of its own.
    """

    alerts: int
    rules: int = 0


def measure_storm(entra: Entra, tool: StormTool, kind: Kind, sent: Sent, *, say: Callable[[str], None]) -> Storm:
    """Send a storm into a tool.

    Args:
        entra: Whose token the alerts are sent with.
        tool: The tool.
        kind: The store.
        sent: What is sent.
        say: Told what is done now.
    """
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="secure-export-bench-")))
        _, port = stack.enter_context(tool_running(tool, folder))
        machines = [_resource_id(number) for number in range(MACHINES)]
        tool.prepare(port, machines, SLOW)
        place = stack.enter_context(store_running(kind, folder))
        connection = _connection(tool, port, folder, by_rule=bool(sent.rules))
        nodes = stack.enter_context(nodes_running(entra, place.url, [ALL_ROLES], folder, connection=connection))
        scene = _Scene(tool, port, nodes[0], connection, entra.token, machines, sent.rules, say)
        fired = scene.phase("fire", sent.alerts)
        ended = scene.phase("end", sent.alerts)
        made, items, still_open = tool.records(port)
        return Storm(
            tool=tool.name,
            store=kind.shown,
            rules=sent.rules,
            fired=fired,
            ended=ended,
            mib=scene.mib,
            store_mib=place.mib(),
            records=made,
            work_items=items,
            open_records=still_open,
            lanes_left=len(nodes[0].get("/api/v1/lanes")["items"]),
        )


@dataclass
class _Scene:
    """A storm while it goes on."""

    tool: StormTool
    port: int
    node: Node
    connection: Connection
    token: str
    machines: Sequence[str]
    rules: int
    say: Callable[[str], None]
    mib: list[float] = field(default_factory=list)

    def phase(self, what: str, alerts: int) -> Phase:
        """Send the messages of one kind and wait until all of them are confirmed."""
        before, confirmed = dict(self.tool.calls(self.port)), self.node.confirmed()
        began = time.perf_counter()
        asyncio.run(self._sent(what, alerts))
        self._wait(what, confirmed, began, alerts)
        seconds = time.perf_counter() - began
        after = self.tool.calls(self.port)
        kinds = {kind: count - before.get(kind, 0) for kind, count in after.items() if count > before.get(kind, 0)}
        calls = sum(kinds.values())
        permitted = calls * SLOW.seconds_per_call / SLOW.threads
        return Phase(alerts=alerts, seconds=seconds, permitted_seconds=permitted, calls=calls, kinds=kinds)

    async def _sent(self, what: str, alerts: int) -> None:
        """Post all alerts, many at a time; one that is not taken at once is sent again, as Azure does."""
        url = f"http://127.0.0.1:{self.node.port}{self.connection.webhook}"
        headers = {"Authorization": f"Bearer {self.token}", "Content-Type": "application/json"}
        numbers = iter(range(alerts))

        async def send(session: aiohttp.ClientSession) -> None:
            for number in numbers:
                body = self._body(what, number)
                while not await _taken(session, url, body):  # noqa: ASYNC110 - the service is another process
                    await asyncio.sleep(_LOOK_SECONDS)

        async with aiohttp.ClientSession(headers=headers) as session:
            await asyncio.gather(*(send(session) for _ in range(_SENDERS)))

    def _body(self, what: str, number: int) -> bytes:
        """Give one alert of the storm; one rule is about one machine, and all of its alerts are."""
        rule = number % self.rules if self.rules else number
        machine = self.machines[rule % len(self.machines)]
        return _body(what, number, machine, rule if self.rules else None)

    def _wait(self, what: str, before: float, began: float, alerts: int) -> None:
        """Wait until nothing is to be done any more: a lane has a row only while something is."""
        patience = _PATIENCE * alerts * 3 * SLOW.seconds_per_call / SLOW.threads + _PATIENCE_SECONDS
        sampled = 0.0
        while self.node.get("/api/v1/lanes?limit=1")["items"]:
            now, confirmed = time.perf_counter() - began, self.node.confirmed() - before
            if now > patience:
                raise RuntimeError(f"after {now:.0f} s lanes are still owed; {confirmed:g} work items were confirmed")
            if now - sampled >= _SAMPLE_SECONDS and confirmed > 0:
                self.mib.append(round(resident_mib(self.node.pid), 1))
                sampled = now
            self.say(f"{what}: {confirmed:,.0f} confirmations for {alerts:,} alerts, {now:.0f} s")
            time.sleep(_LOOK_SECONDS)


async def _taken(session: aiohttp.ClientSession, url: str, body: bytes) -> bool:
    async with session.post(url, data=body) as answer:
        if answer.status not in {202, 503}:
            raise RuntimeError(f"the service answered {answer.status}: {await answer.text()}")
        return answer.status == 202  # noqa: PLR2004 - HTTP's own number


def _connection(tool: StormTool, port: int, folder: Path, *, by_rule: bool) -> Connection:
    routes = {"group_by": '"rule"'} if by_rule else {}
    return Connection("storm", tool.name, tool.settings(port, folder, SLOW), routes)


def _resource_id(number: int) -> str:
    group = f"/subscriptions/{SUBSCRIPTION}/resourceGroups/storm/providers/Microsoft.Compute/virtualMachines"
    return f"{group}/worker-{number:03d}"


def _body(what: str, number: int, machine: str, rule: int | None) -> bytes:
    """Give one alert of the storm: it fires, or it is resolved."""
    now = datetime.now(UTC).isoformat().replace("+00:00", "Z")
    told = json.loads(metric_alert().replace(ALERT_ID, f"storm-{number:030d}".encode()).replace(FIRED_AT, now.encode()))
    essentials = told["data"]["essentials"]
    essentials["alertTargetIDs"] = [machine.lower()]
    essentials["configurationItems"] = [machine.rpartition("/")[2]]
    if rule is not None:
        essentials["alertRule"] = f"storm-rule-{rule}"
        essentials["alertRuleID"] = f"{essentials['alertRuleID']}-{rule}"
    if what == "end":
        essentials |= {"monitorCondition": "Resolved", "resolvedDateTime": now}
    return msgspec.json.encode(told)
