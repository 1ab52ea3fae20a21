"""Shows what was measured, and writes it down."""

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
from rich.console import Console
from rich.table import Table

from bench.history import History
from bench.intake import Line
from bench.machine import Machine
from bench.pipeline import Pipeline
from bench.storm import Phase, Storm
from bench.storm_tools import SECONDS_PER_CALL, THREADS

_WIDTH = 110
_RESULTS = Path(__file__).parent / "results"


def wide_console() -> Console:
    """Make a console on which the tables are not squeezed, whatever the output goes to."""
    console = Console()
    return console if console.width >= _WIDTH else Console(width=_WIDTH)


def show_intake(console: Console, lines: Sequence[Line]) -> None:
    """Print the table of intake."""
    table = Table(
        title="Intake: every alert new, 2.4 KB, on disk before 202; medians of the runs", title_justify="left"
    )
    table.add_column("")
    for name in ("connections", "alerts/s", "p50 ms", "p99 ms", "worst ms", "CPU µs", "MiB", "errors"):
        table.add_column(name, justify="right")
    before = 0
    for line in lines:
        if before not in (0, line.connections):
            table.add_section()
        before = line.connections
        table.add_row(
            line.contender,
            str(line.connections),
            f"{line.rate:,.0f}",
            f"{line.p50:.1f}",
            f"{line.p99:.1f}",
            f"{line.worst:.0f}",
            f"{line.cpu_us:.0f}",
            f"{line.resident_mib:.0f}",
            f"{line.errors:,}",
        )
    console.print(table)


def show_pipeline(console: Console, found: Pipeline) -> None:
    """Print the table of the whole way."""
    table = Table(title="From POST to a work item confirmed by the desk, all roles on one core", title_justify="left")
    for name in ("alerts", "how they came", "p50 ms", "p99 ms", "worst ms", "alerts/s", "CPU µs each"):
        table.add_column(name, justify="right")
    table.add_row(
        f"{found.calm_alerts:,}",
        "one by one",
        f"{found.calm_p50:.1f}",
        f"{found.calm_p99:.1f}",
        f"{found.calm_worst:.0f}",
        "",
        "",
    )
    table.add_row(
        f"{found.flood_alerts:,}",
        f"at once (taken at {found.flood_intake_rate:,.0f}/s)",
        "",
        "",
        "",
        f"{found.flood_rate:,.0f}",
        f"{found.cpu_us:,.0f}",
    )
    console.print(table)
    console.print(f"Memory at the end: {found.resident_mib:.0f} MiB. Errors: {found.errors:,}.")


def show_history(console: Console, found: History) -> None:
    """Print the table of the cost of a past."""
    table = Table(title="Intake with and without a past, 64 connections", title_justify="left")
    for name in ("notifications stored", "alerts/s", "p99 ms", "of the empty rate"):
        table.add_column(name, justify="right")
    table.add_row("0", f"{found.empty_rate:,.0f}", f"{found.empty_p99:.1f}", "")
    full = (f"{found.full_rate:,.0f}", f"{found.full_p99:.1f}", f"{found.percent:.0f} %")
    table.add_row(f"{found.notifications:,}", *full)
    console.print(table)
    console.print(f"Store with the past: {found.store_mib:,.0f} MiB. Errors: {found.errors:,}.")


def show_storm(console: Console, found: Storm) -> None:
    """Print the table of a storm into a remote tool, and what is not as it must be."""
    title = f"Storm into {found.tool}: each call takes it {SECONDS_PER_CALL * 1000:.0f} ms, {THREADS} at a time"
    table = Table(title=title, title_justify="left")
    table.add_column("")
    for name in ("alerts", "seconds", "permitted", "over", "calls", "calls/alert"):
        table.add_column(name, justify="right")
    for what, phase in (("fired, until made", found.fired), ("ended, until resolved", found.ended)):
        table.add_row(what, *_storm_row(phase))
    console.print(table)
    for what, phase in (("fired", found.fired), ("ended", found.ended)):
        kinds = sorted(phase.kinds.items(), key=lambda one: -one[1])
        console.print(f"Calls ({what}): " + ", ".join(f"{count:,} {kind}" for kind, count in kinds))
    first, last = (found.mib[0], found.mib[-1]) if found.mib else (0.0, 0.0)
    console.print(
        f"Memory: {first:.0f} MiB at first, {max(found.mib, default=0.0):.0f} at most, {last:.0f} at the end "
        f"({found.growth_percent:+.0f} % through the last half); "
        f"store at the end: {found.store_mib:.0f} MiB (64 MiB of it are kept in memory). "
        f"Records: {found.records:,}, open: {found.open_records:,}; lanes not at rest: {found.lanes_left:,}."
    )
    for complaint in found.complaints:
        console.print(f"[bold red]NOT AS IT MUST BE: {complaint}[/]")


def _storm_row(phase: Phase) -> tuple[str, ...]:
    return (
        f"{phase.alerts:,}",
        f"{phase.seconds:,.1f}",
        f"{phase.permitted_seconds:,.1f}",
        f"{phase.over_percent:+.1f} %",
        f"{phase.calls:,}",
        f"{phase.calls_per_alert:.2f}",
    )


def write(machine: Machine, results: dict[str, Any]) -> Path:
    """Write everything down; gives the file."""
    _RESULTS.mkdir(exist_ok=True)
    path = _RESULTS / f"{datetime.now(UTC):%Y%m%d-%H%M%S}.json"
    path.write_bytes(msgspec.json.format(msgspec.json.encode({"machine": machine, **results}), indent=2))
    return path
