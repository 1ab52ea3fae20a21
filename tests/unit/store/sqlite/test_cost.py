"""What is done for every alert, or all the time, looks at few rows however much is kept."""

import sqlite3
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from tests.conformance.store_suite.samples import (
    LEASE,
    NOW,
    alert,
    at,
    entry,
    folded,
    item,
    lacking,
    open_in_tool,
    resolved,
)
from tests.conformance.store_suite.test_upkeep import RETENTION
from tests.sqlite import with_tables

from secure_export.delivery.contract import Change, ClaimedLane, Release, StepResult
from secure_export.store.instants import micros
from secure_export.store.keys import lane_key
from secure_export.store.signals import Signals
from secure_export.store.sqlite import actions, claiming, lane_lists, saving, upkeep, waking
from secure_export.store.sqlite.alert_table import put_alert, read_known
from secure_export.store.sqlite.appender import Appender
from secure_export.store.sqlite.connect import connect_to_write
from secure_export.store.sqlite.forgetting import forget
from secure_export.store.sqlite.work_item_lists import one_work_item
from secure_export.store.sqlite.work_item_table import put_work_item
from secure_export.workitems.outcome import Done
from secure_export.workitems.work_item import StepKind


@pytest.fixture
def connection(tmp_path: Path) -> Iterator[sqlite3.Connection]:
    opened = connect_to_write(with_tables(tmp_path / "store.db"))
    yield opened
    opened.close()


@pytest.fixture(scope="module")
def histories(tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[sqlite3.Connection]]:
    """Give two files: after few alerts, and after many."""
    opened = [connect_to_write(with_tables(tmp_path_factory.mktemp("history") / "store.db")) for _ in range(2)]
    for connection, count in zip(opened, (20, 600), strict=True):
        connection.execute("BEGIN")
        _live(connection, count)
        connection.execute("COMMIT")
    yield opened
    for connection in opened:
        connection.close()


def _claimed(connection: sqlite3.Connection) -> ClaimedLane:
    Appender(Signals()).write(connection, [entry(key=b"k" * 24), entry(key=b"l" * 24)])
    taken = claiming.take(connection, "desk", limit=1, now=NOW, lease_until=NOW + LEASE)
    (lane,) = claiming.read_taken(connection, "desk", taken, pending_limit=9, lease_until=NOW + LEASE)
    return lane


def _save_everything(connection: sqlite3.Connection) -> None:
    lane = _claimed(connection)
    one = lacking(item(), "vm1")
    saving.save(connection, lane, Change(item=one, begin=StepKind.CREATE), now=NOW)
    change = Change(
        folded=[p.notification for p in lane.pending],
        alerts=[alert("a", work_item=one.id), alert("b", problem="p")],
        item=one,
        finish=StepResult(Done(None), NOW),
        look_done=True,
        release=Release(seen=99, parked="refused"),
    )
    saving.renew(connection, lane, until=at(999))
    saving.save(connection, lane, change, now=NOW)


def _duplicates(connection: sqlite3.Connection) -> None:
    Appender(Signals()).write(connection, [entry(key=b"k" * 24) for _ in range(3)])


def _retry(connection: sqlite3.Connection) -> None:
    _save_everything(connection)
    actions._retry(connection, "alert:a", "ada", NOW)


def _by_number(connection: sqlite3.Connection) -> None:
    put_work_item(connection, open_in_tool(item("alert:numbered"), "INC77"))
    one_work_item(connection, "inc77")


_WORK: dict[str, Callable[[sqlite3.Connection], Any]] = {
    "append, claim": _claimed,
    "duplicates": _duplicates,
    "save": _save_everything,
    "known": lambda db: read_known(db, "desk", "w", ["a"], ["p"]),
    "wake": lambda db: waking.wake(db, "desk", "alert:a", now=NOW, look=True),
    "wake expired": lambda db: upkeep._wake_expired(db, NOW, 10),
    "wake for a look": lambda db: upkeep._wake_for_look(db, "desk", ["k"], NOW),
    "what ended lately": lambda db: upkeep._ended_keys(db, "desk", at(1), "", 10),
    "retry parked": lambda db: upkeep._retry_parked(db, "desk", "", 10, NOW),
    "wake unbound": lambda db: upkeep._wake_unbound(db, "desk", ["vm1"], NOW, 10),
    "names": lambda db: upkeep._names(db, "desk", "", 10),
    "counts": lambda db: lane_lists.count(db, now=NOW),
    "retry": _retry,
    "a work item by its number": _by_number,
}


def _live(connection: sqlite3.Connection, count: int) -> None:
    """Let so many alerts come, be folded into work items, and end."""
    for n in range(count):
        Appender(Signals()).write(connection, [entry(f"alert:h{n}", key=n.to_bytes(24, "big"), received_at=at(-n))])
        taken = claiming.take(connection, "desk", limit=1, now=NOW, lease_until=NOW + LEASE)
        (lane,) = claiming.read_taken(connection, "desk", taken, pending_limit=9, lease_until=NOW + LEASE)
        one = resolved(item(f"alert:h{n}"))
        told = alert(f"h{n}", problem=f"p{n}", work_item=one.id, ended_at=NOW)
        saving.save(connection, lane, Change(item=one, begin=StepKind.CREATE), now=NOW)
        finish = StepResult(Done(None), NOW)
        saving.save(connection, lane, folded(lane, item=one, alerts=[told], finish=finish), now=NOW)


def _steps_of(connection: sqlite3.Connection, work: Callable[[sqlite3.Connection], Any]) -> int:
    """Run something, and count the steps of SQLite's machine (SQLite docs, "sqlite3_progress_handler")."""
    steps = 0

    def count() -> None:
        nonlocal steps
        steps += 1

    connection.set_progress_handler(count, 10)
    work(connection)
    connection.set_progress_handler(None, 0)
    return steps


@pytest.mark.parametrize("name", _WORK)
def test_everyday_work_costs_the_same_however_much_is_kept(histories: list[sqlite3.Connection], name: str) -> None:
    """What is done for every alert and by every timer takes no more steps after 600 alerts than after 20."""
    steps: list[int] = []
    for connection in histories:
        connection.execute("BEGIN")
        steps.append(_steps_of(connection, _WORK[name]))
        connection.execute("ROLLBACK")
    few, many = steps
    assert many <= few * 1.2 + 5


def _lanes(connection: sqlite3.Connection, count: int, *, first: int) -> None:
    """Let so many lanes wait, because a tool is down."""
    connection.execute("BEGIN")
    for n in range(first, first + count):
        waking.wake(connection, "desk", f"alert:w{n}", now=NOW)
    connection.execute("UPDATE lanes SET state = 'waiting', due_at = ?", (micros(at(300)),))
    connection.execute("COMMIT")


_WITH_LANES: dict[str, Callable[[sqlite3.Connection], Any]] = {
    "claim": _claimed,
    "parked lanes": lambda db: lane_lists.list_lanes(db, name=None, state="parked", cursor=None, limit=100),
    "how many are parked": lambda db: db.execute(lane_lists.HOW_MANY_PARKED).fetchone(),
}


@pytest.mark.parametrize("name", _WITH_LANES)
def test_what_waits_does_not_slow_down_what_is_ready_or_parked(connection: sqlite3.Connection, name: str) -> None:
    """While a tool is down for thousands of lanes, new alerts are claimed and parked lanes told at the same cost."""
    steps: list[int] = []
    for more in (20, 1500):
        _lanes(connection, more, first=20 * len(steps))
        connection.execute("BEGIN")
        steps.append(_steps_of(connection, _WITH_LANES[name]))
        connection.execute("ROLLBACK")
    few, many = steps
    assert many <= few * 1.2 + 5


def test_counting_lanes_walks_over_them_once(connection: sqlite3.Connection) -> None:
    """All that operators watch is counted in one go over a small index."""
    _lanes(connection, 2000, first=0)
    once = _steps_of(connection, lambda db: db.execute("SELECT count(due_at), state FROM lanes GROUP BY 2").fetchall())
    assert _steps_of(connection, lambda db: lane_lists.count(db, now=NOW)) <= once * 1.5


def test_a_problem_costs_the_same_however_many_alerts_tell_of_it(connection: sqlite3.Connection) -> None:
    """Thousands of alert ids of one service-health event do not make each further one dearer than the one before."""
    steps: list[int] = []
    for more in (300, 1500):
        connection.execute("BEGIN")
        for n in range(more):
            told = alert(f"{len(steps)}-{n}", problem="p", work_item="another", fired_at=at(n))
            put_alert(connection, "desk", told, now=NOW)
        connection.execute("COMMIT")
        steps.append(_steps_of(connection, lambda db: read_known(db, "desk", None, ["a"], ["p"])))
    few, many = steps
    assert many <= few * 1.2 + 5


def test_forgetting_walks_from_the_oldest_row_and_stops(connection: sqlite3.Connection) -> None:
    """Retention looks at the oldest notifications only: as many as it deletes, and one more."""
    appender = Appender(Signals())
    appender.write(connection, [entry(f"alert:{n}", received_at=at(n)) for n in range(500)])
    connection.execute("DELETE FROM pending")
    few = _steps_of(connection, lambda db: _forgets(db, seconds=5))
    appender.write(connection, [entry(f"alert:more{n}", received_at=at(n)) for n in range(5_000)])
    connection.execute("DELETE FROM pending")
    assert _steps_of(connection, lambda db: _forgets(db, seconds=10)) < 3 * few


def _forgets(connection: sqlite3.Connection, *, seconds: int) -> None:
    assert forget(connection, RETENTION, now=NOW + timedelta(days=90, seconds=seconds), limit=100) == 5


def test_a_lane_key_is_found_whatever_its_length(connection: sqlite3.Connection) -> None:
    """A correlation key of any length is one short key in every index."""
    long = "rule:" + "r" * 10_000
    waking.wake(connection, "desk", long, now=NOW)
    row = connection.execute("SELECT correlation_key FROM lanes WHERE key = ?", (lane_key("desk", long),)).fetchone()
    assert row == (long,)
