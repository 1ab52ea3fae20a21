"""How fast alerts are taken in, at several numbers of connections, next to others, in turns in the same run.

All share all cores: the program, its database, and the load generator. What each of them used is told apart.
"""

import os
import signal
import tempfile
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from statistics import median

import msgspec

from bench.contenders import Contender, Running
from bench.load import Measured, Plan, run
from bench.machine import Core, cpu_seconds, family, own_mib

CONNECTIONS = (1, 16, 64, 256)


class Line(msgspec.Struct, frozen=True, kw_only=True):
    """Medians of several runs of one contender at one number of connections.

    Attributes:
        contender: Who.
        connections: How many senders at once, each with one request under way.
        rate: Alerts taken in a second.
        rates: Those of the single runs.
        p50: In milliseconds, as the next two.
        p99: 99 of 100 answers came within this.
        worst: The slowest answer of all runs.
        cpu_us: Processor time of the program for each request, in microseconds, of all its processes.
        database_cpu_us: That of its database.
        load_cpu_us: That of the load generator.
        resident_mib: Memory of the program after the last run, in all its processes.
        database_mib: That of its database.
        errors: Requests that were not taken, in all runs.
    """

    contender: str
    connections: int
    rate: float
    rates: list[float]
    p50: float
    p99: float
    worst: float
    cpu_us: float
    database_cpu_us: float
    load_cpu_us: float
    resident_mib: float
    database_mib: float
    errors: int


class _Run(msgspec.Struct, frozen=True):
    measured: Measured
    cpu_us: float
    database_cpu_us: float
    resident_mib: float
    database_mib: float


def measure_intake(
    contenders: Sequence[Contender],
    *,
    connections: Sequence[int] = CONNECTIONS,
    rounds: int,
    seconds: float,
    say: Callable[[str], None],
) -> list[Line]:
    """Measure all contenders in turns, so that what else the machine does meets all of them.

    Args:
        contenders: Who; all are started at first, and all but the one under load are stopped meanwhile: what they do
            between their turns (Alertmanager tidies up gigabytes) must not cost another.
        connections: At how many connections.
        rounds: How many runs of each.
        seconds: How long each run is.
        say: Told what is done now.
    """
    runs: dict[tuple[int, str], list[_Run]] = {}
    for many in connections:
        with ExitStack() as stack:
            say(f"{many} connections: starting")
            started = {one.name: _started(stack, one) for one in contenders}
            for number in range(rounds):
                for name, running in started.items():
                    say(f"{many} connections, run {number + 1} of {rounds}: {name}")
                    with alone(running, started.values()):
                        runs.setdefault((many, name), []).append(_one_run(running, many, seconds))
    return [_line(name, many, found) for (many, name), found in runs.items()]


def _started(stack: ExitStack, contender: Contender) -> Running:
    """Start a contender in a folder of its own: empty, so that no number of connections pays for the one before."""
    folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="secure-export-bench-")))
    return stack.enter_context(contender.started(folder))


@contextmanager
def alone(running: Running, everybody: Collection[Running]) -> Iterator[None]:
    """Stop all others, databases included, for as long as the block lasts."""
    firsts = [pid for one in everybody if one is not running for pid in (*one.pids, *one.database)]
    others = [pid for first in firsts for pid in family(first)]
    for pid in others:
        _signal(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        for pid in others:
            _signal(pid, signal.SIGCONT)


def plan_for(running: Running, connections: int, seconds: float, *, core: Core = Core.ANY) -> Plan:
    """Make the load for something that runs."""
    return Plan(
        ports=running.ports,
        path=running.path,
        connections=connections,
        seconds=seconds,
        token=running.token,
        template=running.template,
        core=core.number,
    )


def _signal(pid: int, number: signal.Signals) -> None:
    try:
        os.kill(pid, number)
    except ProcessLookupError:
        """It ended by itself."""


def _one_run(running: Running, connections: int, seconds: float) -> _Run:
    before, database_before = cpu_seconds(running.pids), cpu_seconds(running.database)
    measured = run(plan_for(running, connections, seconds))
    used, database_used = cpu_seconds(running.pids) - before, cpu_seconds(running.database) - database_before
    each = 1e6 / max(measured.sent, 1)
    return _Run(measured, used * each, database_used * each, own_mib(running.pids), own_mib(running.database))


def _line(name: str, connections: int, runs: list[_Run]) -> Line:
    return Line(
        contender=name,
        connections=connections,
        rate=median(one.measured.rate for one in runs),
        rates=[round(one.measured.rate, 1) for one in runs],
        p50=median(one.measured.p50 for one in runs),
        p99=median(one.measured.p99 for one in runs),
        worst=max(one.measured.worst for one in runs),
        cpu_us=median(one.cpu_us for one in runs),
        database_cpu_us=median(one.database_cpu_us for one in runs),
        load_cpu_us=median(one.measured.cpu_us for one in runs),
        resident_mib=runs[-1].resident_mib,
        database_mib=runs[-1].database_mib,
        errors=sum(one.measured.errors for one in runs),
    )
