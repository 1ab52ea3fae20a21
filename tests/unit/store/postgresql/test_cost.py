"""What is done for every alert, or all the time, reads few rows however much is kept."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta
from functools import partial
from itertools import product
from typing import Any

import pytest
from tests.conformance.store_suite.samples import LEASE, NOW, alert, at, claim, entry, folded, item, lacking, resolved
from tests.conformance.store_suite.test_upkeep import RETENTION
from tests.postgres import Server

from secure_export.delivery.contract import Change, ClaimedLane, Release, StepResult
from secure_export.errors import StoreUnavailable
from secure_export.store.instants import micros
from secure_export.store.postgresql import (
    actions,
    alert_lists,
    claiming,
    forgetting,
    lane_lists,
    saving,
    upkeep,
    waking,
    work_item_lists,
)
from secure_export.store.postgresql.alert_table import lock_alerts, locks_for, put_alerts, read_known
from secure_export.store.postgresql.appender import Appender
from secure_export.store.postgresql.lanes import _NEXT_DUE
from secure_export.store.postgresql.store import PostgresStore
from secure_export.workitems.outcome import Done
from secure_export.workitems.work_item import StepKind

Work = Callable[[Any], Awaitable[object]]

# Rows that this transaction read (PostgreSQL docs, "pg_stat_xact_all_tables").
_READ = "SELECT sum(coalesce(seq_tup_read, 0) + coalesce(idx_tup_fetch, 0))::bigint FROM pg_stat_xact_user_tables"
_FEW, _MANY = 20, 600
_PLANS = ("force_custom_plan", "force_generic_plan")


class _Borrowed:
    """A database that runs every job on one connection, within its transaction."""

    def __init__(self, connection: Any) -> None:
        self._connection = connection

    async def write(self, job: Work) -> object:
        return await job(self._connection)

    async def write_at_once(self, statement: str, *values: object) -> object:
        return await self._connection.fetch(statement, *values)

    read = write


async def _append(db: Any, *names: str) -> None:
    appender = Appender(_Borrowed(db), lambda: None)  # type: ignore[arg-type] # what the appender needs of a database
    await asyncio.gather(*(appender.append(entry(f"alert:{n}", key=n.encode().rjust(24, b"k"))) for n in names))


async def _claimed(db: Any) -> ClaimedLane:
    await _append(db, "a", "b")
    taken = await claiming.take(db, "desk", limit=1, owner=1, number=7, now=NOW, lease_until=NOW + LEASE)
    (lane,) = await claiming.read_taken(db, "desk", taken, pending_limit=9, lease_until=NOW + LEASE)
    return lane


async def _save_everything(db: Any) -> None:
    lane = await _claimed(db)
    one = lacking(item(lane.correlation_key), "vm1")
    await saving.save(db, lane, Change(item=one, begin=StepKind.CREATE), now=NOW, number=1)
    change = Change(
        folded=[p.notification for p in lane.pending],
        moved=[(p.notification, "ci:x") for p in lane.pending],
        alerts=[alert("a", work_item=one.id), alert("b", problem="p")],
        item=one,
        finish=StepResult(Done(None), NOW),
        look_done=True,
        release=Release(seen=2**62, parked="refused"),
    )
    await saving.renew(db, lane, until=at(999))
    await saving.save(db, lane, change, now=NOW, number=2)


async def _retry(db: Any) -> None:
    await _save_everything(db)
    await actions._retry(db, "alert:a", "ada", NOW)


async def _take_over(db: Any) -> None:
    await claiming.take_over(db, "desk", now=NOW, patience=timedelta(0), locks=1, own=1)


def _first_page(of: Any, **filters: object) -> Work:
    return lambda db: of(db, cursor=None, limit=10, **filters)


_WORK: dict[str, Work] = {
    "append": lambda db: _append(db, "new"),
    "duplicates": lambda db: _append(db, "h1", "h2"),
    "claim": _claimed,
    "take over": _take_over,
    "save": _save_everything,
    "known": lambda db: read_known(db, "desk", "w", ["a"], ["p"]),
    "wake": lambda db: waking.wake(db, "desk", ["alert:a"], now=NOW, look=True),
    "wake expired": lambda db: upkeep._wake_expired(db, NOW, 10),
    "wake for a look": lambda db: upkeep._wake_for_look(db, "desk", ["k"], NOW),
    "what ended lately": lambda db: upkeep._ended_keys(db, "desk", at(1), "", 10),
    "retry parked": lambda db: upkeep._retry_parked(db, "desk", "", 10, NOW),
    "wake unbound": lambda db: upkeep._wake_unbound(db, "desk", ["vm1"], NOW, 10),
    "names": lambda db: db.fetch(upkeep._NAMES, "desk", "", 10),
    "open keys": lambda db: db.fetch(upkeep._OPEN, "desk", "", 10),
    "next due": lambda db: db.fetchval(_NEXT_DUE, "desk"),
    "counts": lambda db: lane_lists.count(db, now=NOW),
    "retry": _retry,
    "forget nothing": lambda db: forgetting.forget_rest(db, RETENTION, now=NOW, limit=10),
    "forget no notifications": lambda db: forgetting.forget_notifications(db, RETENTION, now=NOW, limit=10),
    "alerts": _first_page(alert_lists.list_alerts, name=None, condition=None, work_item_id=None, search=None),
    "alerts that fire": _first_page(
        alert_lists.list_alerts, name="desk", condition="fired", work_item_id=None, search=None
    ),
    "an alert": lambda db: alert_lists.one_alert(db, "h3", None),
    "alerts of a work item": _first_page(
        alert_lists.list_alerts, name=None, condition=None, work_item_id="w", search=None
    ),
    "a work item by number": lambda db: db.fetch(work_item_lists._OF_NUMBER, "INC7", 10),
    "unbound work items": _first_page(
        work_item_lists.list_work_items, name="desk", state="open", owed=None, unbound=True
    ),
    "work items": _first_page(work_item_lists.list_work_items, name=None, state=None, owed=None, unbound=None),
    "open work items": _first_page(work_item_lists.list_work_items, name=None, state="open", owed=None, unbound=None),
    "owed work items": _first_page(work_item_lists.list_work_items, name=None, state=None, owed=True, unbound=None),
    "lanes": _first_page(lane_lists.list_lanes, name=None, state=None),
    "quarantine": _first_page(lane_lists.list_quarantine, name=None),
}


async def _live(store: PostgresStore, count: int, *, first: int) -> None:
    """Let so many alerts come, be folded into work items, and end."""
    numbers = range(first, first + count)
    await asyncio.gather(
        *(
            store.journal.append(
                entry(f"alert:h{n}", key=f"h{n}".encode().rjust(24, b"k"), received_at=at(-n), alert_id=f"h{n}")
            )
            for n in numbers
        )
    )
    await asyncio.gather(*(_end(store, lane) for lane in await claim(store.lanes, limit=count)))


async def _end(store: PostgresStore, lane: ClaimedLane) -> None:
    name = lane.correlation_key.removeprefix("alert:")
    one = resolved(item(lane.correlation_key))
    told = alert(name, problem=f"p{name}", work_item=one.id, ended_at=NOW)
    await store.lanes.save(lane, Change(item=one, begin=StepKind.CREATE), now=NOW)
    finish = StepResult(Done(None), NOW)
    await store.lanes.save(lane, folded(lane, item=one, alerts=[told], finish=finish), now=NOW)


async def _rows_read(store: PostgresStore, work: Work, *, plan: str = "auto") -> int:
    """Run something, take it back, and say how many rows it read; plans are those of large tables.

    Args:
        store: The store.
        work: What to run.
        plan: Which plans prepared statements have (PostgreSQL docs, "plan_cache_mode"): after some calls the server may
            choose one that is made for any parameter.
    """
    read = 0

    async def job(db: Any) -> None:
        nonlocal read
        await db.execute(f"SET LOCAL enable_seqscan = off; SET LOCAL plan_cache_mode = {plan}")
        before = int(await db.fetchval(_READ) or 0)
        await work(db)
        read = int(await db.fetchval(_READ) or 0) - before
        raise StoreUnavailable("taken back")

    with pytest.raises(StoreUnavailable, match=r"^taken back$"):
        await store._database.write(job)
    return read


async def test_everyday_work_costs_the_same_however_much_is_kept(
    postgres: Server, database: str, store: PostgresStore
) -> None:
    """What is done for every alert, by every timer and for every page reads no more rows of many than of few."""
    read: dict[tuple[str, str], list[int]] = {}
    for first, more in ((0, _FEW), (_FEW, _MANY - _FEW)):
        await _live(store, more, first=first)
        await postgres.execute("ANALYZE", database=database)
        for (name, work), plan in product(_WORK.items(), _PLANS):
            read.setdefault((name, plan), []).append(await _rows_read(store, work, plan=plan))
    dearer = {name: (few, many) for name, (few, many) in read.items() if many > few * 1.2 + 10}
    assert dearer == {}


async def _with_lanes(store: PostgresStore, count: int, *, first: int) -> None:
    """Let so many lanes wait, because a tool is down."""

    async def job(db: Any) -> None:
        await waking.wake(db, "desk", [f"alert:w{n}" for n in range(first, first + count)], now=NOW)
        await db.execute("UPDATE lanes SET state = 'waiting', due_at = $1", micros(at(300)))

    await store._database.write(job)


async def test_what_waits_does_not_slow_down_what_is_ready_or_parked(
    postgres: Server, database: str, store: PostgresStore
) -> None:
    """While a tool is down for thousands of lanes, new alerts are claimed and parked lanes told at the same cost."""
    works: list[Work] = [
        _claimed,
        _first_page(lane_lists.list_lanes, name=None, state="parked"),
        lambda db: db.fetchval(lane_lists.HOW_MANY_PARKED),
        lambda db: db.fetchval(_NEXT_DUE, "desk"),
    ]
    read: list[list[int]] = []
    for first, more in ((0, 20), (20, 1500)):
        await _with_lanes(store, more, first=first)
        await postgres.execute("VACUUM ANALYZE lanes", database=database)
        read.append([await _rows_read(store, work) for work in works])
    assert all(many <= few * 1.2 + 10 for few, many in zip(*read, strict=True)), read


async def test_a_problem_costs_the_same_however_many_alerts_tell_of_it(
    postgres: Server, database: str, store: PostgresStore
) -> None:
    """Thousands of alert ids of one service-health event do not make each further one dearer than the one before."""
    read: list[int] = []
    for more in (300, 1500):
        told = [alert(f"{more}-{n}", problem="p", work_item="another", fired_at=at(n)) for n in range(more)]
        await store._database.write(partial(put_alerts, name="desk", records=told, before={}, now=NOW))
        await postgres.execute("VACUUM ANALYZE alerts", database=database)
        read.append(await _rows_read(store, lambda db: read_known(db, "desk", None, ["a"], ["p"])))
    assert read[1] <= read[0] * 1.2 + 10


async def test_only_the_days_that_are_asked_for_are_touched(store: PostgresStore) -> None:
    """Reading bodies locks no partition but those of the notifications, however many days are kept."""

    async def job(db: Any) -> set[str]:
        lane = await _claimed(db)
        assert lane.pending
        rows = await db.fetch(
            "SELECT relation::regclass::text FROM pg_locks WHERE pid = pg_backend_pid() AND relation IS NOT NULL"
        )
        return {row[0] for row in rows if row[0].startswith("notifications_d") and "pkey" not in row[0]}

    assert len(await store._database.write(job)) == 1


async def test_alerts_of_others_are_not_waited_for(store: PostgresStore) -> None:
    """Who writes an alert holds up only those who write the same one, or tell of the same problem."""
    first = asyncio.Event()
    let_go = asyncio.Event()

    async def hold(db: Any) -> None:
        await lock_alerts(db, locks_for("desk", None, [alert("a", problem="p")]))
        first.set()
        await let_go.wait()

    async def want(db: Any, name: str, problem: str) -> None:
        await lock_alerts(db, locks_for("desk", None, [alert(name, problem=problem)]))

    holding = asyncio.create_task(store._database.write(hold))
    await first.wait()
    async with asyncio.timeout(5):
        await store._database.write(partial(want, name="b", problem="q"))
    waiting = [
        asyncio.create_task(store._database.write(partial(want, name=name, problem=problem)))
        for name, problem in (("A", "q"), ("b", "p"))
    ]
    await asyncio.sleep(0.1)
    assert not any(task.done() for task in waiting)
    let_go.set()
    async with asyncio.timeout(5):
        await asyncio.gather(holding, *waiting)
