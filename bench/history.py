"""What a long history costs: the same asked of a store with a past of millions and of one with nearly none, in turns.

All share all cores. Whoever is not asked is stopped meanwhile.
"""

import asyncio
import tempfile
import time
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from statistics import median
from urllib.parse import quote

import msgspec

from bench.contenders import Running
from bench.entra import Entra
from bench.figures import percentile, ratio
from bench.intake import alone, plan_for
from bench.load import run
from bench.machine import Core, own_mib
from bench.past import Amount, fill
from bench.retention import KEPT_DAYS, Retention, measure_retention
from bench.service import DESK, Node, nodes_running
from bench.stores import Kind, Place, store_running
from secure_export.store.open import Store, open_store

CONNECTIONS = 64
SMALL = Amount(2_000, 200)
_LANES_AT_A_TIME = 20
_WARM_UP_CLAIMS, _CLAIMS = 500, 200
_WARM_UP_SECONDS = 2.0
_LEASE = timedelta(minutes=10)
_TIMES = 20
_ENOUGH = 0.9


class Compared(msgspec.Struct, frozen=True, kw_only=True):
    """One thing, asked of both stores.

    Attributes:
        what: What was done.
        unit: What the values are, more is better for those that end in ``/s``.
        small: The median on the store with nearly no past.
        full: The median on the store with a long one.
    """

    what: str
    unit: str
    small: float
    full: float

    @property
    def percent(self) -> float:
        """How much of the rate is left."""
        return 100 * (ratio(self.full, self.small) if self.unit.endswith("/s") else ratio(self.small, self.full))


class History(msgspec.Struct, frozen=True, kw_only=True):
    """A store with a past, and one with nearly none.

    Attributes:
        store: Which.
        notifications: How many are stored beforehand.
        work_items: How many of these.
        fill_seconds: How long it took to write them.
        store_mib: How large the store is with them.
        compared: What was asked of both.
        intake_p99: In milliseconds, with the past.
        small_mib: Memory of program and database with nearly no past, at the end.
        full_mib: The same with the past; the database's buffers fill up to what they may have.
        errors: Requests that were not taken.
        retention: Forgetting under load.
    """

    store: str
    notifications: int
    work_items: int
    fill_seconds: float
    store_mib: float
    compared: list[Compared]
    intake_p99: float
    small_mib: float
    full_mib: float
    errors: int
    retention: Retention

    @property
    def complaints(self) -> list[str]:
        """Say what is not as it must be; nothing when all is well."""
        return [
            f"{one.what}: {one.percent:.0f} % of the rate without a past, and not {_ENOUGH:.0%}"
            for one in self.compared
            if one.percent < _ENOUGH * 100
        ]


@dataclass(frozen=True)
class _Subject:
    """A store with the program on it."""

    entra: Entra
    folder: Path
    place: Place
    node: Node
    running: Running
    values: dict[str, list[float]]
    waits: list[float]

    def note(self, what: str, value: float) -> None:
        """Keep a value."""
        self.values.setdefault(what, []).append(value)


def measure_history(  # noqa: PLR0913 - how much is measured
    entra: Entra, kind: Kind, amount: Amount, *, rounds: int, seconds: float, say: Callable[[str], None]
) -> History:
    """Fill one store, leave another nearly empty, and ask the same of both in turns.

    Args:
        entra: Whose token is sent.
        kind: Which store.
        amount: What the one holds.
        rounds: How many times.
        seconds: How long each run of intake is.
        say: Told what is done now.
    """
    with ExitStack() as stack:
        small = _subject(stack, entra, kind, SMALL, say)
        began = time.perf_counter()
        full = _subject(stack, entra, kind, amount, say)
        fill_seconds, store_mib = time.perf_counter() - began, full.place.mib()
        errors = 0
        for number in range(rounds):
            for name, subject in (("small", small), ("full", full)):
                say(f"{kind.shown}, run {number + 1} of {rounds}: {name} store")
                with alone(subject.running, [small.running, full.running]):
                    errors += _one_run(subject, seconds)
        memory = [own_mib([one.node.pid, *one.place.pids]) for one in (small, full)]
        with alone(full.running, [small.running, full.running]):
            say(f"{kind.shown}: forgetting what is older than {KEPT_DAYS:g} days, under load")
            retention = measure_retention(full.place, full.running, seconds * rounds)
        return History(
            store=kind.shown,
            notifications=amount.notifications,
            work_items=amount.work_items,
            fill_seconds=fill_seconds,
            store_mib=store_mib,
            compared=_compared(small, full),
            intake_p99=median(full.waits),
            small_mib=memory[0],
            full_mib=memory[1],
            errors=errors,
            retention=retention,
        )


def _subject(stack: ExitStack, entra: Entra, kind: Kind, amount: Amount, say: Callable[[str], None]) -> _Subject:
    folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="secure-export-bench-")))
    place = stack.enter_context(store_running(kind, folder))
    fill(entra, place, amount, folder, say)
    (node,) = stack.enter_context(nodes_running(entra, place.url, ["intake,console"], folder, core=Core.ANY))
    running = Running(pids=(node.pid,), ports=(node.port,), database=place.pids, token=entra.token)
    return _Subject(entra, folder, place, node, running, {}, [])


def _one_run(subject: _Subject, seconds: float) -> int:
    """Take alerts in, claim their lanes, ask what the console asks, and deliver; how many requests were not taken."""
    measured = run(plan_for(subject.running, CONNECTIONS, seconds))
    subject.note("intake", measured.rate)
    subject.waits.append(measured.p99)
    subject.note("claim", asyncio.run(_claim_rate(subject.place.url, measured.sent)))
    for what, path in _questions(subject.node).items():
        subject.note(what, _asked_ms(subject.node, path))
    subject.note("delivery into the desk", _delivery_rate(subject, seconds))
    return measured.errors


async def _claim_rate(url: str, ready: int) -> float:
    """Say how many lanes a process that has run for a while claims in a second, with everything their owner reads.

    Half of those that are ready are left for delivery.
    """
    store = await open_store(url)
    try:
        claims = ready // 2 // _LANES_AT_A_TIME
        measured = min(_CLAIMS, max(1, claims // 4))
        await _claimed(store, min(_WARM_UP_CLAIMS, claims - measured))
        began = time.perf_counter()
        return await _claimed(store, measured) / (time.perf_counter() - began)
    finally:
        await store.close()


async def _claimed(store: Store, times: int) -> int:
    claimed = 0
    for _ in range(times):
        now = datetime.now(UTC)
        lanes = await store.lanes.claim(
            DESK.name, limit=_LANES_AT_A_TIME, pending_limit=_LANES_AT_A_TIME, now=now, lease=_LEASE
        )
        claimed += len(lanes)
    return claimed


def _delivery_rate(subject: _Subject, seconds: float) -> float:
    """Say how many alerts a process makes work items of in a second while very many wait."""
    with nodes_running(subject.entra, subject.place.url, ["delivery"], subject.folder, core=Core.ANY):
        time.sleep(_WARM_UP_SECONDS)
        ((newest,),) = subject.place.fetch("SELECT coalesce(max(seq), 0) FROM work_items")
        began = time.perf_counter()
        time.sleep(seconds)
        ((made,),) = subject.place.fetch(f"SELECT count(*) FROM work_items WHERE seq > {newest}")  # noqa: S608 - a number
        return float(made) / (time.perf_counter() - began)


def _questions(node: Node) -> Mapping[str, str]:
    """Say what the console asks: lists, filters, and one of each from the middle of the list."""
    items = node.get("/api/v1/work-items?limit=200")["items"]
    item = items[len(items) // 2]
    return {
        "work items, newest 100": "/api/v1/work-items?limit=100",
        "work items, resolved": "/api/v1/work-items?state=resolved&limit=100",
        "one work item": f"/api/v1/work-items/{item['id']}",
        "a work item by its number": f"/api/v1/work-items/{item['number']}",
        "alerts, newest 100": "/api/v1/alerts?limit=100",
        "one alert": f"/api/v1/alerts/{quote(item['alerts'][0], safe='')}",
        "alerts that contain a text": "/api/v1/alerts?search=checkout&limit=100",
        "lanes": "/api/v1/lanes?limit=100",
    }


def _asked_ms(node: Node, path: str) -> float:
    took: list[float] = []
    for _ in range(_TIMES):
        began = time.perf_counter()
        node.get(path)
        took.append((time.perf_counter() - began) * 1000)
    return percentile(sorted(took), 0.5)


def _compared(small: _Subject, full: _Subject) -> list[Compared]:
    units = {"intake": "alerts/s", "claim": "lanes/s", "delivery into the desk": "alerts/s"}
    return [
        Compared(what=what, unit=units.get(what, "ms"), small=median(values), full=median(full.values[what]))
        for what, values in small.values.items()
    ]
