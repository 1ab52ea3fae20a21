"""A backlog: an hour's alerts wait because nothing delivered; then they are worked off while new ones go on coming."""

import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import msgspec

from bench.confirmations import confirmations, waits
from bench.entra import Entra
from bench.figures import longest_overtaking, percentile
from bench.load import run
from bench.machine import Core
from bench.pipeline import Scene, Way, connection_to, fill_cmdb
from bench.service import nodes_running
from bench.stores import store_running

_HOUR_SECONDS = 3600
_FEED_SECONDS = 4.0
_FEEDERS = 4
_FLOOD_CONNECTIONS = 64
_LEAST_A_SECOND = 20  # slower than this it is taken to hang


class Backlog(msgspec.Struct, frozen=True, kw_only=True):
    """How a backlog is worked off.

    Attributes:
        way: Which arrangement; it is started when the backlog is there, which one process took in before.
        backlog: How many alerts had come by then.
        new: How many came meanwhile and shortly after.
        new_rate: How many of those in a second; the backlog is what an hour of that would be.
        drain_seconds: From when it was started to the confirmation of the last of the backlog.
        drain_rate: How many of the backlog were worked off in a second.
        overtaken_seconds: By how much a work item was overtaken by one whose alert came later, at most.
        new_p50: How long new alerts waited, in milliseconds, while the backlog was there.
        after_p50: How long new alerts waited that came after the backlog was gone.
        confirmed: How many alerts have a confirmed work item at the end.
        errors: Alerts that were not taken.
    """

    way: str
    backlog: int
    new: int
    new_rate: float
    drain_seconds: float
    drain_rate: float
    overtaken_seconds: float
    new_p50: float
    after_p50: float
    confirmed: int
    errors: int

    @property
    def complaints(self) -> list[str]:
        """Say what is not as it must be; nothing when all is well."""
        missing = self.backlog + self.new - self.confirmed
        return [f"{missing:,} alerts have no confirmed work item"] if missing else []


def measure_backlog(entra: Entra, way: Way, *, alerts: int, say: Callable[[str], None]) -> Backlog:
    """Build a backlog up and work it off.

    Args:
        entra: Whose token is sent.
        way: Which arrangement.
        alerts: How many alerts an hour has.
        say: Told what is done now.
    """
    with (
        tempfile.TemporaryDirectory(prefix="secure-export-bench-") as name,
        connection_to(way.tool, Path(name)) as (connection, tool),
        store_running(way.kind, Path(name)) as place,
    ):
        start = partial(nodes_running, entra, place.url, folder=Path(name), connection=connection, core=Core.ANY)
        with start(["intake"]) as doors:
            if way.tool is None:
                fill_cmdb(doors[0], Path(name))
            say(f"{way.name}: {alerts:,} alerts come while nothing is delivered")
            door = Scene(doors, place, tool, connection, entra.token)
            first = run(door.plan(connections=_FLOOD_CONNECTIONS, seconds=_HOUR_SECONDS, count=alerts))
        say(f"{way.name}: {alerts:,} alerts are worked off while new ones come")
        with start(way.roles) as nodes:
            scene = Scene(nodes, place, tool, connection, entra.token)
            began = time.time()
            with _fed(scene, alerts / _HOUR_SECONDS) as fed:
                scene.wait_until_confirmed(first.sent, patience_seconds=first.sent / _LEAST_A_SECOND)
                time.sleep(_FEED_SECONDS)
            scene.wait_until_confirmed(first.sent + fed.sent)
        return _found(way, scene, began, backlog=first.sent, errors=first.errors + fed.errors)


def _found(way: Way, scene: Scene, began: float, *, backlog: int, errors: int) -> Backlog:
    ways = confirmations(scene.place)
    old, new = ways[:backlog], ways[backlog:]
    drained_at = max(one.confirmed_at for one in old)
    return Backlog(
        way=way.name,
        backlog=backlog,
        new=len(new),
        new_rate=backlog / _HOUR_SECONDS,
        drain_seconds=drained_at - began,
        drain_rate=backlog / (drained_at - began),
        overtaken_seconds=longest_overtaking([one.confirmed_at for one in ways]),
        new_p50=percentile(waits([one for one in new if one.received_at < drained_at]), 0.5),
        after_p50=percentile(waits([one for one in new if one.received_at >= drained_at]), 0.5),
        confirmed=len(ways),
        errors=errors,
    )


class _Feeding(threading.Thread):
    """Sends alerts evenly until it is told to stop."""

    def __init__(self, scene: Scene, a_second: float) -> None:
        super().__init__(name="new alerts")
        self._scene = scene
        self._pause_seconds = _FEEDERS / a_second
        self._over = threading.Event()
        self.sent = 0
        self.errors = 0

    def run(self) -> None:
        """Send, a few seconds at a time."""
        while not self._over.is_set():
            plan = self._scene.plan(connections=_FEEDERS, seconds=_FEED_SECONDS, pause_seconds=self._pause_seconds)
            measured = run(plan)
            self.sent += measured.sent
            self.errors += measured.errors

    def stop(self) -> None:
        """Send no more."""
        self._over.set()
        self.join()


@contextmanager
def _fed(scene: Scene, a_second: float) -> Iterator[_Feeding]:
    feeding = _Feeding(scene, a_second)
    feeding.start()
    try:
        yield feeding
    finally:
        feeding.stop()
