"""How many processes, cores and gigabytes a number of alerts takes: derived from what was measured, and no more."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil

from bench.grid import Grid
from bench.intake import Line
from bench.pipeline import Pipeline

PEAK = 3.0
FREE = 0.5
RATES = (1_000, 10_000, 100_000, 500_000, 1_000_000, 3_000_000)
_HOUR_SECONDS = 3600
_MOST_BUFFERS_GIB = 8


@dataclass(frozen=True)
class Costs:
    """What one alert costs, measured; times in microseconds of processor time.

    Attributes:
        intake_us: Taking it in, in the program.
        intake_database_us: The same in the database.
        way_us: The whole way, taking in included, in the program.
        way_database_us: The same in the database.
        bytes: On disk, for good.
    """

    intake_us: float
    intake_database_us: float
    way_us: float
    way_database_us: float
    bytes: float


@dataclass(frozen=True)
class Size:
    """What a rate takes.

    Attributes:
        alerts_per_hour: The average.
        intake: Processes that take alerts in.
        delivery: Processes that deliver.
        cores: Cores for these together.
        database_cores: Cores for PostgreSQL.
        buffers_gib: PostgreSQL's ``shared_buffers``.
        disk_gib_a_day: What comes in each day takes on disk.
    """

    alerts_per_hour: int
    intake: int
    delivery: int
    cores: float
    database_cores: float
    buffers_gib: float
    disk_gib_a_day: float


def sizes(costs: Costs, rates: Sequence[int] = RATES) -> list[Size]:
    """Say what each rate takes, with ``FREE`` of every core left free at a peak of ``PEAK`` times the average."""
    return [_size(costs, rate) for rate in rates]


def _size(costs: Costs, rate: int) -> Size:
    peak = rate / _HOUR_SECONDS * PEAK
    intake = _cores(peak, costs.intake_us)
    delivery = _cores(peak, max(costs.way_us - costs.intake_us, 0.0))
    database = _cores(peak, costs.way_database_us)
    return Size(
        alerts_per_hour=rate,
        intake=ceil(intake),
        delivery=ceil(delivery),
        cores=intake + delivery,
        database_cores=database,
        buffers_gib=min(_MOST_BUFFERS_GIB, max(0.25, database)),
        disk_gib_a_day=rate * 24 * costs.bytes / 2**30,
    )


def _cores(alerts_a_second: float, each_us: float) -> float:
    """Give how many cores are used, those left free included; one process uses one core."""
    return alerts_a_second * each_us / 1e6 / (1 - FREE)


def costs_of(lines: Sequence[Line], ways: Sequence[Pipeline]) -> Costs | None:
    """Find what an alert costs on PostgreSQL in what was measured; None where that is not there."""
    taken = [line for line in lines if line.contender.startswith("Secure Export, PostgreSQL")]
    whole = [one for one in ways if one.way.startswith("PostgreSQL") and one.deliverers]
    if not taken or not whole:
        return None
    dearest_way = max(whole, key=lambda one: one.cpu_us + one.database_cpu_us)
    usual = max(taken, key=lambda line: line.rate)
    return Costs(
        usual.cpu_us, usual.database_cpu_us, dearest_way.cpu_us, dearest_way.database_cpu_us, dearest_way.disk_bytes
    )


def sizing_grid(costs: Costs) -> Grid:
    """Make the sizing table."""
    return Grid(
        "Sizing, derived from the tables above",
        ("alerts an hour", "intake", "delivery", "cores", "PostgreSQL cores", "shared_buffers GiB", "disk GiB a day"),
        [_size_cells(size) for size in sizes(costs)],
        [_derived(costs)],
    )


def _derived(costs: Costs) -> str:
    kib, gib = costs.bytes / 1024, costs.bytes * 1e6 / 2**30
    return (
        f"Computed, not measured: an alert costs {costs.intake_us:.0f} µs at intake and {costs.way_us:,.0f} µs on the "
        f"whole way in the program, and {costs.way_database_us:,.0f} µs in PostgreSQL (the dearest arrangement above). "
        f"It takes {kib:.1f} KiB on disk, {gib:.1f} GiB for a million alerts, each with a work item of its own. Peaks "
        f"are {PEAK:g} times the average, and {FREE:.0%} of every core stay free at a peak. So that any process may "
        "fail take one more of each. Buffers follow the database's cores, 0.25 to 8 GiB; all else was measured with "
        "0.25."
    )


def _size_cells(size: Size) -> tuple[str, ...]:
    return (
        f"{size.alerts_per_hour:,}",
        f"{size.intake:,}",
        f"{size.delivery:,}",
        _shown(size.cores),
        _shown(size.database_cores),
        f"{size.buffers_gib:.2g}",
        f"{size.disk_gib_a_day:,.1f}",
    )


def _shown(value: float) -> str:
    return "under 0.1" if value < 0.1 else f"{value:.1f}"  # noqa: PLR2004 - less means nothing
