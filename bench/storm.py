"""A storm into a remote tool: very many alerts fire, and end, while the tool takes few requests at a time, and slowly.

The tool is its sandbox in a process of its own. What its limit permits is known exactly: so many calls, each of which
keeps one of its threads for so long; what the service adds to that is measured, and how many calls an alert costs.
"""

import asyncio
import json
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import aiohttp
import msgspec

from bench.alert import ALERT_ID, FIRED_AT, SUBSCRIPTION, metric_alert
from bench.asking import asked
from bench.contenders import CONFIG
from bench.entra import Entra
from bench.machine import resident_mib
from bench.process import free_port, running
from bench.storm_tools import SECONDS_PER_CALL, THREADS, StormTool

MACHINES = 200
_SENDERS = 16
_LOOK_SECONDS = 0.5
_SAMPLE_SECONDS = 2.0
_PATIENCE = 3.0
_PATIENCE_SECONDS = 120.0
_CONNECTION = "storm"
_MOST_CALLS_TO_MAKE = 3
_MOST_CALLS_TO_RESOLVE = 2
_MOST_OVER_PERCENT = 10.0
_MOST_GROWTH_PERCENT = 10.0
_LARGE = 10_000  # by then the store's page cache is full, and a start weighs little


class Phase(msgspec.Struct, frozen=True, kw_only=True):
    """What it took to bring all alerts of a storm through one step.

    Attributes:
        alerts: How many.
        seconds: From the first alert to the last confirmation.
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
        if not self.mib:
            return 0.0
        return 100 * (self.mib[-1] / self.mib[len(self.mib) // 2] - 1)

    @property
    def complaints(self) -> list[str]:
        """Say what is not as it must be; nothing when all is well."""
        return [*self._lost(), *self._dear(), *(self._slow() if self.fired.alerts >= _LARGE else [])]

    def _lost(self) -> list[str]:
        wrong = {
            f"{self.records:,} records for {self.fired.alerts:,} alerts": self.records != self.fired.alerts,
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


def measure_storm(entra: Entra, tool: StormTool, *, alerts: int, say: Callable[[str], None]) -> Storm:
    """Send a storm into a tool.

    Args:
        entra: Whose token the alerts are sent with.
        tool: The tool.
        alerts: How many fire, and end.
        say: Told what is done now.
    """
    with tempfile.TemporaryDirectory(prefix="secure-export-bench-") as name, _tool_running(tool, Path(name)) as port:
        machines = [_resource_id(number) for number in range(MACHINES)]
        tool.prepare(port, machines)
        with _service_running(entra, tool, port, Path(name)) as service:
            scene = _Scene(tool, port, service, entra.token, machines, say)
            fired = scene.phase("fire", alerts)
            ended = scene.phase("end", alerts)
            made, items, still_open = tool.records(port)
            return Storm(
                tool=tool.name,
                fired=fired,
                ended=ended,
                mib=scene.mib,
                store_mib=sum(file.stat().st_size for file in Path(name).glob("store.db*")) / 2**20,
                records=made,
                work_items=items,
                open_records=still_open,
                lanes_left=len(service.get("/api/v1/lanes")["items"]),
            )


@dataclass(frozen=True)
class _Service:
    """The service under test."""

    pid: int
    port: int

    def get(self, path: str) -> Any:
        """Ask its JSON API."""
        return asked(self.port, path)

    def confirmed(self) -> float:
        """Say how often a work item became as it should be."""
        url = f"http://127.0.0.1:{self.port}/metrics"
        with urllib.request.urlopen(url, timeout=30) as answer:
            lines = answer.read().decode().splitlines()
        counts = [line.split()[-1] for line in lines if line.startswith("secure_export_delivery_seconds_count")]
        return sum(float(one) for one in counts)


@dataclass
class _Scene:
    """A storm while it goes on."""

    tool: StormTool
    port: int
    service: _Service
    token: str
    machines: Sequence[str]
    say: Callable[[str], None]
    mib: list[float] = field(default_factory=list)

    def phase(self, what: str, alerts: int) -> Phase:
        """Send the messages of one kind and wait until all of them are confirmed."""
        before, confirmed = dict(self.tool.calls(self.port)), self.service.confirmed()
        began = time.perf_counter()
        asyncio.run(self._sent(what, alerts))
        self._wait(what, confirmed + alerts, began, alerts)
        seconds = time.perf_counter() - began
        after = self.tool.calls(self.port)
        kinds = {kind: count - before.get(kind, 0) for kind, count in after.items() if count > before.get(kind, 0)}
        calls = sum(kinds.values())
        permitted = calls * SECONDS_PER_CALL / THREADS
        return Phase(alerts=alerts, seconds=seconds, permitted_seconds=permitted, calls=calls, kinds=kinds)

    async def _sent(self, what: str, alerts: int) -> None:
        """Post all alerts, many at a time; one that is not taken at once is sent again, as Azure does."""
        url = f"http://127.0.0.1:{self.service.port}/v1/connections/{_CONNECTION}/alerts"
        headers = {"Authorization": f"Bearer {self.token}", "Content-Type": "application/json"}
        numbers = iter(range(alerts))

        async def send(session: aiohttp.ClientSession) -> None:
            for number in numbers:
                body = _body(what, number, self.machines[number % len(self.machines)])
                while not await _taken(session, url, body):  # noqa: ASYNC110 - the service is another process
                    await asyncio.sleep(_LOOK_SECONDS)

        async with aiohttp.ClientSession(headers=headers) as session:
            await asyncio.gather(*(send(session) for _ in range(_SENDERS)))

    def _wait(self, what: str, wanted: float, began: float, alerts: int) -> None:
        patience = _PATIENCE * alerts * 3 * SECONDS_PER_CALL / THREADS + _PATIENCE_SECONDS
        sampled = 0.0
        while (confirmed := self.service.confirmed()) < wanted:
            now = time.perf_counter() - began
            if now > patience:
                raise RuntimeError(f"after {now:.0f} s {wanted - confirmed:g} of {alerts} alerts are not confirmed")
            if now - sampled >= _SAMPLE_SECONDS and confirmed > 0:
                self.mib.append(round(resident_mib(self.service.pid), 1))
                sampled = now
            self.say(f"{what}: {wanted - confirmed:,.0f} of {alerts:,} alerts to go, {now:.0f} s")
            time.sleep(_LOOK_SECONDS)


async def _taken(session: aiohttp.ClientSession, url: str, body: bytes) -> bool:
    async with session.post(url, data=body) as answer:
        if answer.status not in {202, 503}:
            raise RuntimeError(f"the service answered {answer.status}: {await answer.text()}")
        return answer.status == 202  # noqa: PLR2004 - HTTP's own number


@contextmanager
def _tool_running(tool: StormTool, folder: Path) -> Iterator[int]:
    """Run the tool's sandbox where the load comes from; gives its port."""
    port = free_port()
    command = [sys.executable, "-m", "secure_export", *tool.command(port)]
    with running(command, port, folder / "tool.log", beside=True):
        yield port


@contextmanager
def _service_running(entra: Entra, tool: StormTool, port: int, folder: Path) -> Iterator[_Service]:
    own = free_port()
    config = folder / CONFIG
    settings = "\n".join(f"{name} = {value}" for name, value in tool.settings(port, folder).items())
    config.write_text(
        f'[server]\nlisten = "127.0.0.1:{own}"\n\n[store]\nurl = "sqlite:///{folder / "store.db"}"\n\n'
        f'[identity]\nauthority = "{entra.authority}"\ntenant_id = "{entra.tenant}"\n'
        f'audience = ["{entra.audience}"]\n\n'
        f'[connections.{_CONNECTION}]\ntype = "{tool.name}"\nsubscriptions = ["{SUBSCRIPTION}"]\n{settings}\n',
        encoding="utf-8",
    )
    command = [sys.executable, "-m", "secure_export", "serve", "--config", str(config)]
    with running(command, own, folder / "service.log") as pid:
        yield _Service(pid, own)


def _resource_id(number: int) -> str:
    group = f"/subscriptions/{SUBSCRIPTION}/resourceGroups/storm/providers/Microsoft.Compute/virtualMachines"
    return f"{group}/worker-{number:03d}"


def _body(what: str, number: int, machine: str) -> bytes:
    """Give one alert of the storm: it fires, or it is resolved."""
    now = datetime.now(UTC).isoformat().replace("+00:00", "Z")
    told = json.loads(metric_alert().replace(ALERT_ID, f"storm-{number:030d}".encode()).replace(FIRED_AT, now.encode()))
    essentials = told["data"]["essentials"]
    essentials["alertTargetIDs"] = [machine.lower()]
    essentials["configurationItems"] = [machine.rpartition("/")[2]]
    if what == "end":
        essentials |= {"monitorCondition": "Resolved", "resolvedDateTime": now}
    return msgspec.json.encode(told)
