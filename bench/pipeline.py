"""The whole way: from a POST to a work item that the desk confirmed, all roles in one process on one core."""

import json
import subprocess
import sys
import tempfile
import time
import urllib.parse
import urllib.request
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

import msgspec

from bench.alert import TARGET
from bench.contenders import CONFIG, Running, SecureExport
from bench.entra import Entra
from bench.intake import plan_for
from bench.load import Plan, run
from bench.machine import cpu_seconds, resident_mib

_ALL_ROLES = "intake,delivery,console"
_CALM_PAUSE_SECONDS = 0.05
_SAMPLE = 400
_LOOK_SECONDS = 0.1
_PATIENCE_SECONDS = 300.0
_FLOOD_CONNECTIONS = 64


class Pipeline(msgspec.Struct, frozen=True, kw_only=True):
    """What the whole way takes.

    Attributes:
        calm_alerts: How many alerts came one by one, some 20 in a second.
        calm_p50: From received to confirmed by the desk, in milliseconds, as the next two.
        calm_p99: 99 of 100 were confirmed within this.
        calm_worst: The slowest of those looked at.
        flood_alerts: How many alerts came as fast as they were taken.
        flood_intake_rate: How many of them were taken in a second, with delivery working beside.
        flood_rate: How many went the whole way in a second, from the first POST to the last confirmation.
        cpu_us: Processor time for each alert of the flood, in microseconds.
        resident_mib: Memory at the end.
        errors: Alerts that were not taken.
    """

    calm_alerts: int
    calm_p50: float
    calm_p99: float
    calm_worst: float
    flood_alerts: int
    flood_intake_rate: float
    flood_rate: float
    cpu_us: float
    resident_mib: float
    errors: int


def measure_pipeline(entra: Entra, *, calm_seconds: float, flood: int, say: Callable[[str], None]) -> Pipeline:
    """Measure the whole way with alerts that come calmly, then with as many as come in at once.

    Args:
        entra: Whose token is sent.
        calm_seconds: How long alerts come one by one.
        flood: How many alerts come at once after that.
        say: Told what is done now.
    """
    contender = SecureExport(entra, roles=_ALL_ROLES)
    with (
        tempfile.TemporaryDirectory(prefix="secure-export-bench-") as folder,
        contender.started(Path(folder)) as running,
    ):
        _fill_cmdb(Path(folder))
        say(f"one alert after the other for {calm_seconds:g} s")
        calm = run(_plan(running, connections=1, seconds=calm_seconds, pause_seconds=_CALM_PAUSE_SECONDS))
        _wait_until_delivered(running, calm.sent)
        waits = sorted(_waits(running))
        say(f"{flood:,} alerts at once")
        cpu_before, began = cpu_seconds(running.pid), time.perf_counter()
        flooded = run(_plan(running, connections=_FLOOD_CONNECTIONS, seconds=_PATIENCE_SECONDS, count=flood))
        _wait_until_delivered(running, calm.sent + flooded.sent)
        seconds = time.perf_counter() - began
        used = cpu_seconds(running.pid) - cpu_before
        return Pipeline(
            calm_alerts=calm.sent,
            calm_p50=_percentile(waits, 0.50),
            calm_p99=_percentile(waits, 0.99),
            calm_worst=waits[-1],
            flood_alerts=flooded.sent,
            flood_intake_rate=flooded.rate,
            flood_rate=flooded.sent / seconds,
            cpu_us=used / flooded.sent * 1e6,
            resident_mib=resident_mib(running.pid),
            errors=calm.errors + flooded.errors,
        )


def _fill_cmdb(folder: Path) -> None:
    """Put the CI there that the alerts are about."""
    found = folder / "resources.json"
    resource = {"id": TARGET, "name": "checkout-workers", "type": "microsoft.compute/virtualmachinescalesets"}
    found.write_bytes(msgspec.json.encode([resource]))
    command = ["-m", "secure_export", "cmdb", "import", str(found), "--config", str(folder / CONFIG)]
    subprocess.run([sys.executable, *command], check=True, capture_output=True)


def _plan(running: Running, connections: int, seconds: float, **how: Any) -> Plan:
    return msgspec.structs.replace(plan_for(running, connections, seconds), warm_up_seconds=0.0, **how)


def _wait_until_delivered(running: Running, alerts: int) -> None:
    end = time.monotonic() + _PATIENCE_SECONDS
    while _delivered(running) < alerts:
        if time.monotonic() > end:
            raise RuntimeError(f"only {_delivered(running):g} of {alerts} alerts became work items in time")
        time.sleep(_LOOK_SECONDS)


def _delivered(running: Running) -> float:
    """Read from the metrics how many work items are as they should be."""
    lines = _get(running, "/metrics").decode().splitlines()
    values = [line.split()[-1] for line in lines if line.startswith("secure_export_delivery_seconds_count")]
    return float(values[0]) if values else 0.0


def _waits(running: Running) -> list[float]:
    """Give, for the latest work items, the milliseconds from the notification to the desk's confirmation."""
    waits = []
    for row in json.loads(_get(running, f"/api/v1/work-items?limit={_SAMPLE}"))["items"]:
        item = json.loads(_get(running, f"/api/v1/work-items/{row['id']}"))
        alert = json.loads(_get(running, "/api/v1/alerts/" + urllib.parse.quote(item["alerts"][0], safe="")))
        received = min(_instant(one["received_at"]) for one in alert["notifications"])
        confirmed = max(_instant(step["finished_at"]) for step in item["steps"])
        waits.append((confirmed - received).total_seconds() * 1000)
    return waits


def _instant(text: str) -> datetime:
    return datetime.fromisoformat(text)


def _percentile(ordered: list[float], share: float) -> float:
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


def _get(running: Running, path: str) -> bytes:
    url = f"http://127.0.0.1:{running.port}{path}"
    with urllib.request.urlopen(url, timeout=30) as answer:
        body: bytes = answer.read()
        return body
