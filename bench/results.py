"""Results on disk: each run is a file of its own, with date and machine."""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path

import msgspec

from bench.backlog import Backlog
from bench.disk import Disk
from bench.grid import Grid
from bench.history import History
from bench.intake import Line
from bench.machine import Machine
from bench.pipeline import Pipeline
from bench.report import backlog_grid, history_grid, intake_grid, pipeline_grid, storm_grid
from bench.sizing import costs_of, sizing_grid
from bench.storm import Storm

FOLDER = Path(__file__).parent / "results"
PARTS = ("intake", "pipeline", "backlog", "history", "storm")


class Results(msgspec.Struct, kw_only=True):
    """What one run found; parts that were not asked for are empty."""

    machine: Machine
    disk: Disk
    intake: list[Line] = msgspec.field(default_factory=list)
    pipeline: list[Pipeline] = msgspec.field(default_factory=list)
    backlog: list[Backlog] = msgspec.field(default_factory=list)
    history: list[History] = msgspec.field(default_factory=list)
    storm: list[Storm] = msgspec.field(default_factory=list)

    def grids(self, part: str) -> list[Grid]:
        """Make the tables of a part; none where it was not measured."""
        makers: dict[str, Callable[[], list[Grid]]] = {
            "intake": lambda: [intake_grid(self.intake)],
            "pipeline": lambda: [pipeline_grid(self.pipeline)],
            "backlog": lambda: [backlog_grid(self.backlog)],
            "history": lambda: [history_grid(one) for one in self.history],
            "storm": lambda: [storm_grid(self.storm)],
        }
        return makers[part]() if getattr(self, part) else []

    def told(self) -> str:
        """Say when and where it was, and on which disk."""
        machine, disk = self.machine, self.disk
        return (
            f"{machine.date}, {machine.cores} cores of {machine.cpu}, {machine.system}, {machine.python}, SQLite "
            f"{machine.sqlite}, PostgreSQL {machine.postgresql} (set up by `bench/postgres.py`). Until 8 KiB are on "
            f"this disk takes {disk.flush_p50_ms:.2f} ms (p50), {disk.flush_p99_ms:.2f} ms (p99)."
        )


def write(results: Results) -> Path:
    """Write a run down; gives the file."""
    FOLDER.mkdir(exist_ok=True)
    path = FOLDER / f"{datetime.now(UTC):%Y%m%d-%H%M%S}.json"
    path.write_bytes(msgspec.json.format(msgspec.json.encode(results), indent=2))
    return path


def read(paths: Sequence[Path]) -> list[Results]:
    """Read runs, the newest first; files of earlier forms are passed over."""
    found = []
    for path in sorted(paths, reverse=True):
        try:
            found.append(msgspec.json.decode(path.read_bytes(), type=Results))
        except msgspec.ValidationError:
            continue
    return found


def sizing(runs: Sequence[Results]) -> list[Grid]:
    """Make the sizing table from the newest runs that tell what it needs."""
    lines = next((one.intake for one in runs if one.intake), [])
    ways = next((one.pipeline for one in runs if one.pipeline), [])
    costs = costs_of(lines, ways)
    return [sizing_grid(costs)] if costs else []
