"""``python -m bench [--quick] [part …]``, or ``make bench``; ``python -m bench page`` fills the documentation."""

import argparse
import sys
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console

from bench.backlog import measure_backlog
from bench.contenders import Contender, DoNothing, SecureExport
from bench.disk import disk_of
from bench.entra import Entra, entra_running
from bench.history import measure_history
from bench.intake import CONNECTIONS, measure_intake
from bench.machine import cores, machine
from bench.page import PAGE, fill_page
from bench.past import Amount
from bench.peers import peers
from bench.pipeline import Loads, Way, measure_pipeline
from bench.postgres import version
from bench.report import wide_console
from bench.results import PARTS, Results, write
from bench.stores import Kind
from bench.storm import Sent, measure_storm
from bench.storm_tools import TOOLS

_PAGE = "page"
_PROCESSES = (1, 2, 4)
_LEAST_FREE_GIB = 40
_MANY = 5_000_000


@dataclass(frozen=True)
class Size:
    """How much is measured.

    Attributes:
        rounds: Runs of each contender at each number of connections.
        seconds: The length of a run.
        calm_seconds: How long the whole way is measured with single alerts.
        flood: How many alerts come at once after that.
        steady_seconds: How long they come evenly after that.
        backlog: How many alerts an hour has that nothing was delivered in.
        past: What is stored before the same is measured again.
        storm: How many alerts fire, and end, into a remote tool.
    """

    rounds: int
    seconds: float
    calm_seconds: float
    flood: int
    steady_seconds: float
    backlog: int
    past: Amount
    storm: int


FULL = Size(5, 3.0, 20.0, 20_000, 10.0, 36_000, Amount(10_000_000, 1_000_000), 10_000)
QUICK = Size(1, 1.5, 3.0, 1_000, 3.0, 1_800, Amount(50_000, 5_000), 300)


def main() -> None:
    """Measure what was asked for, show it, and write it down."""
    console = wide_console()
    if sys.argv[1:2] == [_PAGE]:
        _fill(console, [Path(name) for name in sys.argv[2:]])
        return
    asked = _arguments()
    size = _size(asked)
    results = Results(machine=machine(version()), disk=disk_of(Path(tempfile.gettempdir())))
    console.print(results.told())
    _warn(console, results, size)
    with entra_running() as entra, console.status("starting") as status:
        bench = _Bench(asked, size, entra, console, status.update)
        for part in asked.parts:
            setattr(results, part, getattr(bench, part)())
            for grid in results.grids(part):
                grid.show(console)
    console.print(f"Written to {write(results)}")


class _Bench:
    """Carries out the parts.

    Args:
        asked: What the command line says.
        size: How much is measured.
        entra: Whose tokens are sent.
        console: Where to tell what is left out.
        say: Told what is done now.
    """

    def __init__(
        self, asked: argparse.Namespace, size: Size, entra: Entra, console: Console, say: Callable[[str], None]
    ) -> None:
        self._asked = asked
        self._size = size
        self._entra = entra
        self._console = console
        self._say = say

    def intake(self) -> object:
        """Measure how fast alerts are taken in."""
        found: list[Contender] = []
        if Kind.SQLITE in self._asked.store:
            found.append(SecureExport(self._entra, Kind.SQLITE))
        if Kind.POSTGRESQL in self._asked.store:
            found += [SecureExport(self._entra, Kind.POSTGRESQL, many) for many in self._asked.processes]
        found.append(DoNothing())
        if self._asked.peers:
            found += peers(lambda what: self._console.print(f"[bold red]LEFT OUT: {what}[/]"))
        return measure_intake(
            found,
            connections=self._asked.connections,
            rounds=self._size.rounds,
            seconds=self._size.seconds,
            say=self._say,
        )

    def pipeline(self) -> object:
        """Measure the whole way, into the desk and into a tool that answers at once."""
        size = self._size
        loads = Loads(size.calm_seconds, size.flood, size.steady_seconds)
        return [measure_pipeline(self._entra, way, loads, say=self._say) for way in self._ways()]

    def backlog(self) -> object:
        """Measure how a backlog is worked off, by each store's usual arrangement."""
        ways = [Way(kind, 2 if kind is Kind.POSTGRESQL else 0) for kind in self._asked.store]
        alerts = self._asked.alerts or self._size.backlog
        return [measure_backlog(self._entra, way, alerts=alerts, say=self._say) for way in ways]

    def history(self) -> object:
        """Measure what a past costs."""
        size = self._size
        return [
            measure_history(
                self._entra, kind, size.past, rounds=min(3, size.rounds), seconds=size.seconds, say=self._say
            )
            for kind in self._asked.store
        ]

    def storm(self) -> object:
        """Measure storms into remote tools."""
        sent = Sent(self._asked.alerts or self._size.storm, self._asked.rules)
        tools = [TOOLS[name] for name in self._asked.tool or TOOLS]
        kinds = self._asked.store
        return [measure_storm(self._entra, tool, kind, sent, say=self._say) for kind in kinds for tool in tools]

    def _ways(self) -> Sequence[Way]:
        """Give both stores with one process into the desk; and into a tool, with more and more processes."""
        tool = TOOLS[(self._asked.tool or ["servicenow"])[0]]
        ways = [Way(kind, tool=into) for kind in self._asked.store for into in (None, tool)]
        if Kind.POSTGRESQL in self._asked.store:
            ways += [Way(Kind.POSTGRESQL, many, tool) for many in self._asked.processes]
        return ways


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m bench",
        description="Measures Secure Export on this machine.",
        epilog="python -m bench page [FILE …] fills the tables of docs/reference/performance.md from results.",
    )
    add = parser.add_argument
    add("parts", nargs="*", metavar="part", help=f"{', '.join(PARTS)}, or all (the default)")
    add("--quick", action="store_true", help="short runs, to see that everything works")
    add("--store", type=Kind, choices=list(Kind), action="append", help="on which store; each in turn if not given")
    add("--peers", action="store_true", help="measure intake of Alertmanager and Alerta too (bench/peers.py)")
    add("--connections", type=int, nargs="+", default=CONNECTIONS, help="at how many connections intake is measured")
    add("--processes", type=int, nargs="+", default=_PROCESSES, help="with how many processes on PostgreSQL")
    add("--rounds", type=int, help="how many runs of each")
    add("--seconds", type=float, help="how long each run is")
    add("--flood", type=int, help="how many alerts come at once in the part pipeline")
    add("--notifications", type=int, help="how many are stored for the part history")
    add("--work-items", type=int, help="how many are stored for the part history")
    add("--tool", choices=sorted(TOOLS), action="append", help="into which tool; each in turn if not given")
    add("--alerts", type=int, help="how many alerts a storm, or the hour of a backlog, has")
    add("--rules", type=int, default=0, help="of how many rules a storm is, each with one work item; 0: each alert")
    asked = parser.parse_args()
    if unknown := set(asked.parts) - {*PARTS, "all"}:
        parser.error(f"there is no part {', '.join(sorted(unknown))}; there are: {', '.join(PARTS)}, all")
    if not asked.parts or "all" in asked.parts:
        asked.parts = list(PARTS)
    asked.store = asked.store or list(Kind)
    return asked


def _size(asked: argparse.Namespace) -> Size:
    usual = QUICK if asked.quick else FULL
    past = Amount(asked.notifications or usual.past.notifications, asked.work_items or usual.past.work_items)
    return Size(
        rounds=asked.rounds or usual.rounds,
        seconds=asked.seconds or usual.seconds,
        calm_seconds=usual.calm_seconds,
        flood=asked.flood or usual.flood,
        steady_seconds=usual.steady_seconds,
        backlog=usual.backlog,
        past=past,
        storm=usual.storm,
    )


def _fill(console: Console, files: Sequence[Path]) -> None:
    missing = fill_page(files)
    console.print(f"Filled the tables of {PAGE.name}.")
    for name in missing:
        console.print(f"[bold red]No results of {name}: its table stays as it was.[/]")


def _warn(console: Console, results: Results, size: Size) -> None:
    """Say loudly what takes the meaning from the numbers."""
    complaints = []
    if not cores().are_apart:
        complaints.append("ONLY ONE CORE CAN BE USED: the load generator takes its share of it.")
    if results.disk.in_memory:
        complaints.append(f"{tempfile.gettempdir()} IS MEMORY, NOT A DISK: flushing costs nothing. Set TMPDIR.")
    if size.past.notifications > _MANY and results.disk.free_gib < _LEAST_FREE_GIB:
        complaints.append(f"ONLY {results.disk.free_gib:.0f} GiB ARE FREE, and a long past takes {_LEAST_FREE_GIB}.")
    for complaint in complaints:
        console.print(f"[bold red]{complaint}[/]")


if __name__ == "__main__":
    main()
