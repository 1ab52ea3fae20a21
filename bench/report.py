"""The tables of what was measured: each says what of it is a ratio of the same run, and what was not measured."""

from collections.abc import Iterator, Sequence

from rich.console import Console

from bench.backlog import Backlog
from bench.figures import ratio
from bench.grid import Grid
from bench.history import History
from bench.intake import Line
from bench.pipeline import Pipeline
from bench.storm import Phase, Storm
from bench.storm_tools import SLOW

_WIDTH = 160
_WHOLE_WAY = (
    "*Calm*: some 20 alerts a second; *steady*: half of what the flood reached. *Ratio*: of the first line. "
    "*1 + n*: one process takes alerts in and shows the console, n deliver. All share all cores, the tool's sandbox "
    "included. Not measured: a tool on another machine, TLS, resolves, grouping."
)
_BACKLOGS = (
    "*Overtaken*: by how much a work item was confirmed after one whose alert came later, at most. Not measured: "
    "alerts that end while they wait, a tool that is slow."
)
_PASTS = (
    "Bodies of old notifications are short, because nothing reads them. Not measured: a past in the desk, a cold "
    "cache, a store that is larger than the memory."
)
_STORMS = (
    "*Permitted* is what the tool's limit permits for the calls that were made. *Rules*: alerts of a rule share a work "
    "item; without it each alert has its own. Not measured: alerts with several CIs, a real instance."
)
_NOTHING = "the server, doing nothing"
_AIM = 15_000


def wide_console() -> Console:
    """Make a console on which the tables are not squeezed, whatever the output goes to."""
    console = Console()
    return console if console.width >= _WIDTH else Console(width=_WIDTH)


def intake_grid(lines: Sequence[Line]) -> Grid:
    """Make the table of intake."""
    columns = ("<", "connections", "alerts/s", "of nothing", "p50 ms", "p99 ms", "worst ms")
    rows: list[tuple[str, ...]] = []
    before = 0
    for line in lines:
        if before not in (0, line.connections):
            rows.append(())
        before = line.connections
        rows.append((*_rate_cells(line, lines), *_cost_cells(line)))
    return Grid(
        "Intake: every alert new, 2.4 KB, on disk before 202; medians of the runs",
        (*columns, "µs program", "µs database", "µs load", "MiB program", "MiB database", "errors"),
        rows,
        [*_of_the_best(lines), _NOT_IN_INTAKE],
    )


_NOT_IN_INTAKE = (
    "All share all cores, load generator and databases included: µs are processor time of each for one alert. *Of "
    f'nothing* is the share of what "{_NOTHING}" reaches at as many connections. Not measured: TLS, a network, a '
    "load balancer, a standby."
)


def _rate_cells(line: Line, lines: Sequence[Line]) -> tuple[str, ...]:
    nothing = next((o.rate for o in lines if o.contender == _NOTHING and o.connections == line.connections), 0.0)
    return (
        line.contender,
        str(line.connections),
        f"{line.rate:,.0f}",
        f"{ratio(line.rate, nothing):.0%}" if nothing else "",
        f"{line.p50:.1f}",
        f"{line.p99:.1f}",
        f"{line.worst:.0f}",
    )


def _cost_cells(line: Line) -> tuple[str, ...]:
    return (
        f"{line.cpu_us:,.0f}",
        f"{line.database_cpu_us:,.0f}" if line.database_mib else "",
        f"{line.load_cpu_us:,.0f}",
        f"{line.resident_mib:,.0f}",
        f"{line.database_mib:,.0f}" if line.database_mib else "",
        f"{line.errors:,}",
    )


def _of_the_best(lines: Sequence[Line]) -> Iterator[str]:
    """Compare the best of ours on PostgreSQL with the aim and with the others at as many connections."""
    ours = [line for line in lines if line.contender.startswith("Secure Export, PostgreSQL")]
    if not ours:
        return
    best = max(ours, key=lambda line: line.rate)
    yield (
        f"Best on PostgreSQL: {best.rate:,.0f} alerts/s ({best.contender}, {best.connections} connections), "
        f"{ratio(best.rate, _AIM):.0%} of the aim of {_AIM:,}."
    )
    others = [o for o in lines if o.connections == best.connections and not o.contender.startswith("Secure Export")]
    told = [f"{ratio(best.rate, other.rate):,.1f} times {other.contender}" for other in others]
    if told:
        yield f"That is {', '.join(told)}, in the same run."


def pipeline_grid(found: Sequence[Pipeline]) -> Grid:
    """Make the table of the whole way."""
    first = found[0]
    rows = [
        (
            one.way,
            f"{one.calm_p50:.1f}",
            f"{one.calm_p99:.1f}",
            f"{one.flood_rate:,.0f}",
            f"{ratio(one.flood_rate, first.flood_rate):.2f}",
            f"{one.steady_rate:,.0f}",
            f"{one.steady_p50:.1f}",
            f"{one.steady_p99:.1f}",
            f"{one.cpu_us:,.0f}",
            f"{one.database_cpu_us:,.0f}",
            f"{one.tool_cpu_us:,.0f}",
            f"{one.disk_bytes / 1024:.1f}",
            f"{one.resident_mib:,.0f}",
        )
        for one in found
    ]
    columns = ("<", "calm p50 ms", "calm p99 ms", "flood alerts/s", "ratio", "steady alerts/s", "p50 ms", "p99 ms")
    return Grid(
        f"From POST to a confirmed work item: {first.flood_alerts:,} alerts at once, each a work item of its own",
        (*columns, "µs program", "µs database", "µs tool", "KiB on disk", "MiB"),
        rows,
        [
            _WHOLE_WAY,
            f"Alerts that were not taken: {sum(one.errors for one in found):,}.",
        ],
    )


def backlog_grid(found: Sequence[Backlog]) -> Grid:
    """Make the table of backlogs."""
    rows = [
        (
            one.way,
            f"{one.backlog:,}",
            f"{one.drain_seconds:.1f}",
            f"{one.drain_rate:,.0f}",
            f"{ratio(one.drain_rate, one.new_rate):,.0f}",
            f"{one.overtaken_seconds:.2f}",
            f"{one.new_p50 / 1000:.1f}",
            f"{one.after_p50:.0f}",
        )
        for one in found
    ]
    columns = ("<", "backlog", "drained in s", "alerts/s", "times as fast as they came", "overtaken by s")
    return Grid(
        "An hour's backlog worked off while new alerts come as fast as in that hour",
        (*columns, "new waited s", "afterwards ms"),
        rows,
        [_BACKLOGS],
        [f"{one.way}: {complaint}" for one in found for complaint in one.complaints],
    )


def history_grid(found: History) -> Grid:
    """Make the table of the cost of a past."""
    rows = [(one.what, one.unit, _short(one.small), _short(one.full), f"{one.percent:.0f} %") for one in found.compared]
    past = f"{found.notifications:,} notifications and {found.work_items:,} work items"
    return Grid(
        f"{found.store} with a past of {past}, next to one with nearly none",
        ("<", "<unit", "without", "with", "of the rate without"),
        rows,
        [
            *_history_notes(found),
            _PASTS,
        ],
        found.complaints,
    )


def _history_notes(found: History) -> Iterator[str]:
    yield (
        f"The store has {found.store_mib:,.0f} MiB with the past. Memory of program and database: "
        f"{found.small_mib:,.0f} MiB without, {found.full_mib:,.0f} MiB with. Intake's p99 with it: "
        f"{found.intake_p99:.1f} ms. Requests that were not taken: {found.errors:,}."
    )
    kept = found.retention
    yield (
        f"Forgetting all but {kept.kept_days:g} days under load, for {kept.seconds:g} s: {kept.gone:,} notifications "
        f"gone ({kept.gone / kept.seconds:,.0f}/s), {kept.deleted:,} deletions counted, intake at {kept.rate:,.0f} "
        f"alerts/s ({ratio(kept.rate, kept.rate_before):.0%} of {kept.rate_before:,.0f} without), p99 {kept.p99:.0f} "
        f"ms, {kept.errors:,} errors."
    )


def storm_grid(found: Sequence[Storm]) -> Grid:
    """Make the table of storms into remote tools."""
    rows = [
        (
            f"{one.tool}, {one.store}" + (f", {one.rules:,} rules" if one.rules else ""),
            what,
            *_storm_cells(phase),
            f"{_ends_of(one.mib)}",
        )
        for one in found
        for what, phase in (("fired", one.fired), ("ended", one.ended))
    ]
    return Grid(
        f"Storms into a tool that takes {SLOW.threads} calls at a time, each for {SLOW.seconds_per_call * 1000:.0f} ms",
        ("<", "<", "alerts", "seconds", "permitted", "over", "calls", "calls/alert", "MiB"),
        rows,
        [
            *(_storm_note(one) for one in found),
            _STORMS,
        ],
        [f"{one.tool}: {complaint}" for one in found for complaint in one.complaints],
    )


def _storm_cells(phase: Phase) -> tuple[str, ...]:
    return (
        f"{phase.alerts:,}",
        f"{phase.seconds:,.1f}",
        f"{phase.permitted_seconds:,.1f}",
        f"{phase.over_percent:+.1f} %",
        f"{phase.calls:,}",
        f"{phase.calls_per_alert:.3g}",
    )


def _ends_of(values: Sequence[float]) -> str:
    return f"{values[0]:.0f} to {values[-1]:.0f}" if values else ""


def _storm_note(found: Storm) -> str:
    return (
        f"{found.tool}, {found.store}: {found.records:,} records of {found.wanted:,} wanted, {found.open_records:,} "
        f"open, {found.lanes_left:,} lanes not at rest; memory {found.growth_percent:+.0f} % through the last half; "
        f"store {found.store_mib:,.0f} MiB."
    )


def _short(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else f"{value:.2f}"  # noqa: PLR2004 - digits that mean something
