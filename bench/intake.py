"""How fast alerts are taken in, at several numbers of connections, next to others, in turns in the same run."""

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
from bench.machine import cores, cpu_seconds, resident_mib

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
        cpu_us: Processor time for each request, in microseconds, of the whole process.
        resident_mib: Memory after the last run.
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
    resident_mib: float
    errors: int


class _Run(msgspec.Struct, frozen=True):
    measured: Measured
    cpu_us: float
    resident_mib: float


def measure_intake(
    contenders: Sequence[Contender], *, rounds: int, seconds: float, say: Callable[[str], None]
) -> list[Line]:
    """Measure all contenders in turns, so that what else the machine does meets all of them.

    Args:
        contenders: Who; all are started at first, and all but the one under load are stopped meanwhile: what they do
            between their turns (Alertmanager tidies up gigabytes) must not cost another.
        rounds: How many runs of each.
        seconds: How long each run is.
        say: Told what is done now.
    """
    runs: dict[tuple[int, str], list[_Run]] = {}
    for connections in CONNECTIONS:
        with ExitStack() as stack:
            started = {one.name: _started(stack, one) for one in contenders}
            for number in range(rounds):
                for name, running in started.items():
                    say(f"{connections} connections, run {number + 1} of {rounds}: {name}")
                    with _alone(running, started.values()):
                        runs.setdefault((connections, name), []).append(_one_run(running, connections, seconds))
    return [_line(name, connections, found) for (connections, name), found in runs.items()]


def _started(stack: ExitStack, contender: Contender) -> Running:
    """Start a contender in a folder of its own: empty, so that no number of connections pays for the one before."""
    folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="secure-export-bench-")))
    return stack.enter_context(contender.started(folder))


@contextmanager
def _alone(running: Running, everybody: Collection[Running]) -> Iterator[None]:
    """Stop all others for as long as the block lasts."""
    others = [one.pid for one in everybody if one.pid != running.pid]
    for pid in others:
        os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        for pid in others:
            os.kill(pid, signal.SIGCONT)


def plan_for(running: Running, connections: int, seconds: float) -> Plan:
    """Make the load for something that runs."""
    return Plan(
        port=running.port,
        path=running.path,
        connections=connections,
        seconds=seconds,
        token=running.token,
        template=running.template,
        core=cores().load,
    )


def _one_run(running: Running, connections: int, seconds: float) -> _Run:
    before = cpu_seconds(running.pid)
    measured = run(plan_for(running, connections, seconds))
    used = cpu_seconds(running.pid) - before
    return _Run(measured, used / max(measured.sent, 1) * 1e6, resident_mib(running.pid))


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
        resident_mib=runs[-1].resident_mib,
        errors=sum(one.measured.errors for one in runs),
    )
