"""The page of fault runs."""

from collections import Counter
from pathlib import Path

from tests.faults.cluster.report import Totals, write_page
from tests.faults.cluster.run import Verdict
from tests.faults.cluster.schedule import Schedule
from tests.faults.cluster.world import PAIR, SINGLE

_FAULTS = Counter({"SIGKILL of a node": 7, "network cut to the database": 2, "tool restarts": 1})
_MISSES = Counter({"SIGKILL of a node": 1, "SIGSTOP of a node": 2})


def verdict(seed: int, *violations: str) -> Verdict:
    answers = Counter({"accepted": 50, "duplicate": 9})
    schedule, layout = Schedule(seed, 1.0, ()), str(SINGLE if seed == 1 else PAIR)
    return Verdict(schedule, list(violations), "x", layout, _FAULTS, _MISSES, alerts=40, taken=39, answers=answers)


def test_the_page_tells_of_the_last_run_and_keeps_those_before(tmp_path: Path) -> None:
    """Numbers of all seeds are added up; a broken promise is told of with its seed."""
    page = tmp_path / "fault-runs.md"
    first = Totals(minutes=3.0)
    first.add(verdict(1))
    first.add(verdict(2))
    write_page(first, page)
    assert "| 2 | 14 | 0 | 0 | 0 | 4 | 2 | 78 | 0 | 0 | every promise kept |" in page.read_text()
    assert "| notifications: accepted (202) | 100 |" in page.read_text()
    assert "| one process on a file of SQLite | 1 |" in page.read_text()
    assert "| 4 processes on PostgreSQL with a synchronous standby | 1 |" in page.read_text()
    assert "| SIGKILL of a node | 14 | 2 |" in page.read_text()
    assert "| SIGSTOP of a node | 0 | 4 |" in page.read_text()
    second = Totals(minutes=1.0)
    second.add(verdict(3, "Told(…) was taken and is in no work item"))
    write_page(second, page)
    text = page.read_text()
    assert "| 1 | 7 | 0 | 0 | 0 | 2 | 1 | 39 | 1 | 0 | 1 violations |" in text
    assert "| 2 | 14 | 0 | 0 | 0 | 4 | 2 | 78 | 0 | 0 | every promise kept |" in text
    assert "seed 3: Told(…) was taken" in text
    assert text.count("## The last run") == 1
