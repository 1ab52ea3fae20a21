"""The long form: one seed after the other, for an hour. ``make faults``; see ``docs/reference/fault-runs.md``."""

import argparse
import asyncio
import logging
import random
import shutil
import sys
import tempfile
import time
from collections.abc import Iterator
from itertools import count
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeRemainingColumn
from tests.entra import entra_running
from tests.faults.cluster.fault import Layout
from tests.faults.cluster.report import PAGE, Totals, write_page
from tests.faults.cluster.run import Runs, Verdict
from tests.faults.cluster.schedule import Schedule
from tests.faults.cluster.world import CLUSTER, PAIR, SINGLE, world_running
from tests.postgres import Server, postgres_running

RUN_SECONDS = 30.0
LAYOUTS = (SINGLE, CLUSTER, PAIR, CLUSTER)
_HIGHEST_SEED = 1_000_000

out = Console()


def layout_of(seed: int) -> Layout:
    """Say what the world of a seed is made of."""
    return LAYOUTS[seed % len(LAYOUTS)]


async def run_seed(seed: int, entra: str, postgres: Server) -> tuple[Verdict, Path]:
    """Build a world, break it, and judge it; its folder is left where something is wrong."""
    layout = layout_of(seed)
    folder = Path(tempfile.mkdtemp(prefix=f"secure-export-faults-{seed}-"))
    async with world_running(layout, folder, entra, postgres) as world:
        runs = Runs(world, entra, again=f"make faults SEED={seed}")
        verdict = await runs.run(Schedule.of(seed, layout, seconds=RUN_SECONDS))
        if verdict.violations:
            out.print(verdict.told(world), markup=False, soft_wrap=True)
    if not verdict.violations:
        shutil.rmtree(folder)
    return verdict, folder


async def run_all(seeds: Iterator[int], minutes: float, entra: str, postgres: Server) -> Totals:
    """Run seeds until the time is over; at least one."""
    totals, began, kept = Totals(), time.monotonic(), list[Path]()
    columns = (TextColumn("{task.description}"), BarColumn(), TimeRemainingColumn())
    with Progress(*columns, console=out) as progress:
        line = progress.add_task("begins", total=minutes * 60)
        for seed in seeds:
            _show(progress, line, totals, seed, time.monotonic() - began)
            verdict, folder = await run_seed(seed, entra, postgres)
            totals.add(verdict)
            kept += [folder] if verdict.violations else []
            totals.minutes = (time.monotonic() - began) / 60
            if totals.minutes >= minutes:
                break
        _show(progress, line, totals, totals.seeds[-1], minutes * 60)
    for folder in kept:
        out.print(f"evidence: {folder}", markup=False)
    return totals


def _show(progress: Progress, line: TaskID, totals: Totals, seed: int, seconds: float) -> None:
    told = (
        f"seed {seed} · {len(totals.seeds)} runs · {totals.kills} kills · {totals.faults.total()} faults · "
        f"{totals.taken} alerts taken · {len(totals.violations)} violations"
    )
    progress.update(line, description=told, completed=seconds)


def main() -> int:
    """Read the command line, run, and write the page; 1 where a promise was broken."""
    parser = argparse.ArgumentParser(prog="make faults", description=__doc__)
    parser.add_argument("--minutes", type=float, default=60.0, help="how long")
    parser.add_argument("--seed", type=int, help="run this seed alone, and leave the page as it is")
    asked = parser.parse_args()
    logging.disable(logging.WARNING)
    first = random.randrange(_HIGHEST_SEED)  # noqa: S311 - chance, no secret
    seeds = iter((asked.seed,)) if asked.seed is not None else count(first)
    with entra_running() as entra, postgres_running() as postgres:
        totals = asyncio.run(run_all(seeds, asked.minutes, entra, postgres))
    out.print(totals.faults)
    out.print("found nothing to meet:", totals.misses)
    if asked.seed is None:
        write_page(totals)
        out.print(f"written: {PAGE}", markup=False)
    out.print(f"{len(totals.violations)} violations" if totals.violations else "Every promise was kept.")
    return 1 if totals.violations else 0


if __name__ == "__main__":
    sys.exit(main())
