"""Adds up runs, and writes the page that tells of them."""

import os
import platform
import re
from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

from tests.faults.cluster.run import Verdict

PAGE = Path(__file__).parents[3] / "docs" / "reference" / "fault-runs.md"

_KEPT_RUNS = 30
_ROW = re.compile(r"^\| \d{4}-\d{2}-\d{2} .*\|$", re.MULTILINE)
_COLUMNS = (
    *("when (UTC)", "minutes", "runs", "kills", "stops", "ends", "database kills", "network", "tools"),
    *("alerts taken", "lost", "made twice", "verdict"),
)
_HEAD = f"| {' | '.join(_COLUMNS)} |\n|{' --- |' * len(_COLUMNS)}"
_LOST = "is in no work item"
_TWICE = re.compile(r"is in \d+ work items|has a second open record|records of the tool are open for it")


@dataclass
class Totals:
    """What all runs together come to.

    Attributes:
        minutes: How long they took.
        seeds: The seed of each run.
        layouts: How many runs were on what.
        faults: How often what was done.
        misses: How often what was to be done and could not be: another fault was there already.
        answers: How many notifications ended how.
        taken: How many alerts got a 202 for their firing.
        alerts: How many alerts were sent.
        doubles: How many records were made twice and set aside.
        writes: How many requests that may change a record went to tools.
        steps: How many steps the service wrote down.
        lost_answers: How many answers were lost after what was asked for was done.
        restarts: How often nodes ended because the database was not there when they began.
        violations: What was wrong, with the seed.
    """

    minutes: float = 0.0
    seeds: list[int] = field(default_factory=list)
    layouts: Counter[str] = field(default_factory=Counter)
    faults: Counter[str] = field(default_factory=Counter)
    misses: Counter[str] = field(default_factory=Counter)
    answers: Counter[str] = field(default_factory=Counter)
    taken: int = 0
    alerts: int = 0
    doubles: int = 0
    writes: int = 0
    steps: int = 0
    lost_answers: int = 0
    restarts: int = 0
    violations: list[str] = field(default_factory=list)

    def add(self, verdict: Verdict) -> None:
        """Add a run."""
        self.seeds.append(verdict.schedule.seed)
        self.layouts[verdict.layout] += 1
        self.faults += verdict.faults
        self.misses += verdict.misses
        self.answers += verdict.answers
        for name in ("taken", "alerts", "doubles", "writes", "steps", "lost_answers", "restarts"):
            setattr(self, name, getattr(self, name) + getattr(verdict, name))
        self.violations += [f"seed {verdict.schedule.seed}: {one}" for one in verdict.violations]

    @property
    def kills(self) -> int:
        """How many nodes were killed."""
        return self.counted("SIGKILL of a node")

    def counted(self, *beginnings: str) -> int:
        """Count the faults whose names begin so."""
        return sum(count for name, count in self.faults.items() if name.startswith(beginnings))

    def row(self, now: datetime) -> str:
        """Write the line of the table."""
        lost = sum(_LOST in one for one in self.violations)
        twice = sum(_TWICE.search(one) is not None for one in self.violations)
        network = self.counted("network", "half-open", "slow", "answers lost")
        cells = [
            f"{now:%Y-%m-%d %H:%M}",
            f"{self.minutes:.0f}",
            len(self.seeds),
            self.kills,
            self.faults["SIGSTOP of a node"],
            self.faults["SIGTERM of a node"],
            self.counted("kill -9 of PostgreSQL", "kill -9 and a torn write of PostgreSQL", "promotion"),
            network,
            self.counted("tool"),
            self.taken,
            lost,
            twice,
            f"{len(self.violations)} violations" if self.violations else "every promise kept",
        ]
        return f"| {' | '.join(map(str, cells))} |"


def write_page(totals: Totals, page: Path = PAGE) -> None:
    """Write the page: all runs in a table, and the last one in full."""
    before = _ROW.findall(page.read_text(encoding="utf-8")) if page.exists() else []
    rows = [totals.row(datetime.now(UTC)), *before][:_KEPT_RUNS]
    page.write_text("\n".join([_BEGINNING, _HEAD, *rows, "", *_last_run(totals)]) + "\n", encoding="utf-8")


def _last_run(totals: Totals) -> list[str]:
    return [
        "## The last run",
        "",
        f"Secure Export {version('secure-export')} on {_machine()}.",
        f"Seeds {min(totals.seeds)} to {max(totals.seeds)}, {totals.minutes:.1f} minutes.",
        "",
        "| layout | runs |",
        "| --- | --- |",
        *(f"| {name} | {count} |" for name, count in sorted(totals.layouts.items())),
        "",
        "| fault | times | found nothing to meet |",
        "| --- | --- | --- |",
        *(f"| {name} | {totals.faults[name]} | {totals.misses[name]} |" for name in _names(totals)),
        f"| answers lost after what was asked for was done | {totals.lost_answers} | |",
        "",
        "| counted | |",
        "| --- | --- |",
        f"| alerts sent | {totals.alerts} |",
        f"| alerts of which the firing got a 202 | {totals.taken} |",
        *(f"| notifications: {_ANSWERS.get(name, name)} | {n} |" for name, n in sorted(totals.answers.items())),
        f"| steps written down | {totals.steps} |",
        f"| requests that change a record, on their way to tools | {totals.writes} |",
        f"| records made twice and set aside (BMC Helix takes no key of ours) | {totals.doubles} |",
        f"| starts that ended because the database was not there | {totals.restarts} |",
        f"| violations | {len(totals.violations)} |",
        *(["", "```text", *totals.violations[:20], "```"] if totals.violations else []),
    ]


def _names(totals: Totals) -> list[str]:
    return sorted({*totals.faults, *totals.misses})


def _machine() -> str:
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1024**3
    system = f"{platform.system()} {platform.machine()}, Python {platform.python_version()}"
    return f"{os.cpu_count()} cores with {memory:.0f} GiB, {system}"


_ANSWERS = {
    "accepted": "accepted (202)",
    "duplicate": "told before (202, duplicate)",
    "GaveUp": "given up after all of Azure's retries",
    "Dropped": "refused with a status that Azure does not retry",
}

_BEGINNING = """# Fault runs

This page is written by `make faults`, which breaks the real program again and again and judges what is left. It holds
the results of its last runs.

Each run has a seed that decides everything, the layout too:

- of two seeds in four: four processes (two take alerts in, two deliver) on a PostgreSQL server;
- of one: the same on a pair of PostgreSQL servers of its own, of which the second is a synchronous standby. The
  machine of the primary is lost and the standby promoted, under load, again and again; the lost machine is then built
  anew and follows. Disks fill under the primary, and what it wrote last is torn;
- of one: one process with a file of SQLite, under which the disk fills and the last write is torn, too.

There is a TCP proxy between each process and whatever it calls, each of the two servers by itself.
ServiceNow's and BMC Helix' sandboxes and Entra ID's are processes beside them, and the desk is the third tool.
A client with Azure's retry rules, its waits shortened to a twentieth, sends alerts that fire, are told twice, end, end
before they fire, and are told of late. Meanwhile faults come and go, alone and several at once. Then calm returns, and
the same judge looks at the service's records, the tools' own rows, and every request that went by on the wire:

- every alert whose firing got a 202 is in exactly one work item, in the right final state, in the tool too;
- no work item and no record is there without an alert;
- no step was done by an owner that was fenced off: fencing tokens of a lane never go back, and every write to a tool
  happened while a step of its work item was under way that the same process had begun;
- no lane waits, and nothing is left in flight;
- no process ended by itself, and each that was asked to end ended well.

`make faults` takes an hour; `MINUTES=10` is shorter, and `SEED=7` runs one seed again. A run with a violation keeps its
folder and says where it is. The short form, with seeds that stay, is part of `make test`
(`tests/faults/cluster/test_cluster.py`), and the judge has tests of its own (`test_judge.py`).

## Runs

*Stops* are SIGSTOP for longer than a lease, *ends* SIGTERM, *database kills* those of a whole PostgreSQL server, also
where its last write is torn or its standby is promoted, *network* cuts, half-open and slow connections and lost
answers, *tools* misbehaviour and restarts of ITSM tools. *Lost* are alerts with a 202 and no work item, *made twice*
alerts with two. Below, a fault *found nothing to meet* where another was there already: a node that is to be stopped
may be dead just then.
"""
