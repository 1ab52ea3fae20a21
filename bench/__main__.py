"""``python -m bench [--quick] [intake|pipeline|history|storm|all]``, or ``make bench``."""

import argparse
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from rich.console import Console

from bench.contenders import Contender, DoNothing, SecureExport, alertmanager
from bench.entra import Entra, entra_running
from bench.history import measure_history
from bench.intake import measure_intake
from bench.machine import cores, machine
from bench.pipeline import measure_pipeline
from bench.report import show_history, show_intake, show_pipeline, show_storm, wide_console, write
from bench.storm import measure_storm
from bench.storm_tools import TOOLS

_PARTS = ("intake", "pipeline", "history", "storm")


@dataclass(frozen=True)
class Size:
    """How much is measured.

    Attributes:
        rounds: Runs of each contender at each number of connections.
        seconds: The length of a run.
        calm_seconds: How long the whole way is measured with single alerts.
        flood: How many alerts come at once after that.
        notifications: How many are stored before intake is measured again.
        storm: How many alerts fire, and end, into a remote tool.
    """

    rounds: int
    seconds: float
    calm_seconds: float
    flood: int
    notifications: int
    storm: int


FULL = Size(rounds=5, seconds=3.0, calm_seconds=20.0, flood=20_000, notifications=10_000_000, storm=10_000)
QUICK = Size(rounds=3, seconds=1.5, calm_seconds=5.0, flood=3_000, notifications=200_000, storm=300)


def main() -> None:
    """Measure what was asked for, show it, and write it down."""
    asked = _arguments()
    size = QUICK if asked.quick else FULL
    notifications = asked.notifications or size.notifications
    console, here = wide_console(), machine()
    console.print(f"{here.date} · {here.cpu}, {here.cores} cores · {here.python}, SQLite {here.sqlite}")
    _warn_of_one_core(console)
    results: dict[str, Any] = {}
    with entra_running() as entra, console.status("starting") as status:
        say = status.update
        if "intake" in asked.parts:
            contenders = _contenders(entra, console)
            results["intake"] = measure_intake(contenders, rounds=size.rounds, seconds=size.seconds, say=say)
            show_intake(console, results["intake"])
        if "pipeline" in asked.parts:
            results["pipeline"] = measure_pipeline(entra, calm_seconds=size.calm_seconds, flood=size.flood, say=say)
            show_pipeline(console, results["pipeline"])
        if "history" in asked.parts:
            results["history"] = measure_history(
                entra, notifications=notifications, rounds=size.rounds, seconds=size.seconds, say=say
            )
            show_history(console, results["history"])
        if "storm" in asked.parts:
            results["storm"] = []
            for tool in asked.tool or TOOLS:
                storm = measure_storm(entra, TOOLS[tool], alerts=asked.alerts or size.storm, say=say)
                results["storm"].append(storm)
                show_storm(console, storm)
    console.print(f"Written to {write(here, results)}")


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench", description="Measures Secure Export on this machine.")
    parser.add_argument("parts", nargs="*", metavar="part", help=f"{', '.join(_PARTS)}, or all (the default)")
    parser.add_argument("--quick", action="store_true", help="short runs, to see that everything works")
    parser.add_argument("--notifications", type=int, help="how many are stored for the part history")
    parser.add_argument(
        "--tool",
        choices=sorted(TOOLS),
        action="append",
        help="into which tool the storm goes; each in turn if not given",
    )
    parser.add_argument("--alerts", type=int, help="how many alerts the storm has")
    asked = parser.parse_args()
    if unknown := set(asked.parts) - {*_PARTS, "all"}:
        parser.error(f"there is no part {', '.join(sorted(unknown))}; there are: {', '.join(_PARTS)}, all")
    if not asked.parts or "all" in asked.parts:
        asked.parts = list(_PARTS)
    return asked


def _contenders(entra: Entra, console: Console) -> Sequence[Contender]:
    found: list[Contender] = [SecureExport(entra), DoNothing()]
    other = alertmanager()
    if other is None:
        console.print("Alertmanager is not installed (apt install prometheus-alertmanager): measuring without it.")
    else:
        found.append(other)
    return found


def _warn_of_one_core(console: Console) -> None:
    if cores().are_apart:
        console.print(f"The program runs on core {cores().server}, the load generator on core {cores().load}.")
        return
    console.print(
        "[bold red]ONLY ONE CORE CAN BE USED: the load generator takes its share of it. "
        "The numbers say how much the two do together, not how fast the program is.[/]"
    )


if __name__ == "__main__":
    main()
