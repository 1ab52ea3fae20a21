"""Several processes on one database: who owns what, and who hears of what."""

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest
from tests.conformance.store_suite.samples import LEASE, NOW, alert, at, claim, claim_one, entry, folded, item
from tests.postgres import Server
from tests.unit.delivery.scene import ManualClock, Told
from tests.unit.delivery.tool import Tool
from tests.unit.store.postgresql.conftest import OpenStore

from secure_export.delivery.connection import Target
from secure_export.delivery.contract import Basis, Change, Release
from secure_export.delivery.worker import Worker
from secure_export.errors import LostLane
from secure_export.itsm.desk.incident import IncidentDraft
from secure_export.itsm.desk.people_changes import Comment
from secure_export.policy.decide import Policy
from secure_export.policy.settings import RouteSettings
from secure_export.store.postgresql.store import PostgresStore
from secure_export.workitems.work_item import StepKind


async def test_claims_of_many_never_share_a_lane(open_store: OpenStore) -> None:
    """While notifications come for the same lanes, each lane has one owner at a time, and each one folds it whole."""
    stores = [await open_store() for _ in range(3)]
    held: set[str] = set()
    folded_numbers: list[int] = []
    accepted: list[int] = []

    async def intake(store: PostgresStore) -> None:
        for n in range(120):
            receipt = await store.journal.append(entry(f"alert:{n % 7}"))
            accepted.append(receipt.notification)

    async def deliver(store: PostgresStore) -> None:
        idle = 0
        while idle < 20:
            lanes = await claim(store.lanes, limit=3)
            idle = 0 if lanes else idle + 1
            for lane in lanes:
                assert lane.correlation_key not in held
                held.add(lane.correlation_key)
            await asyncio.sleep(0.002)
            for lane in lanes:
                held.remove(lane.correlation_key)
                await store.lanes.save(lane, folded(lane), now=NOW)
                folded_numbers.extend(p.notification for p in lane.pending)

    async with asyncio.timeout(30):
        await asyncio.gather(*map(intake, stores), *map(deliver, stores))
    assert sorted(folded_numbers) == sorted(accepted)
    assert (await stores[0].records.lanes()).rows == []


async def test_a_stalled_owner_writes_nothing(open_store: OpenStore) -> None:
    """It was stopped for longer than its lease; what it then writes is refused, in whichever process."""
    stalled, other = await open_store(), await open_store()
    await stalled.journal.append(entry())
    mine = await claim_one(stalled.lanes)
    theirs = await claim_one(other.lanes, now=mine.lease_until)
    with pytest.raises(LostLane):
        await stalled.lanes.save(mine, folded(mine, item=item()), now=mine.lease_until)
    await other.lanes.save(theirs, folded(theirs, item=item()), now=mine.lease_until)
    with pytest.raises(LostLane):
        await stalled.lanes.renew(mine, until=at(10_000))


@pytest.mark.parametrize(
    "release", [Release(parked="refused"), Release(wake_at=at(3600), waiting="later"), Release()], ids=repr
)
async def test_a_smaller_number_that_comes_later_is_not_overlooked(open_store: OpenStore, release: Release) -> None:
    """Clocks of nodes differ, and commits overtake each other: what comes for a lane at work is folded next."""
    store, behind = await open_store(), await open_store()
    first = await store.journal.append(entry())
    lane = await claim_one(store.lanes)
    second = await behind.journal.append(entry(received_at=at(-60)))
    assert second.notification < first.notification
    await store.lanes.save(lane, folded(lane, release=replace(release, seen=first.notification)), now=NOW)
    assert [p.notification for p in (await claim_one(store.lanes)).pending] == [second.notification]


async def test_a_lane_is_claimed_only_with_all_that_was_acknowledged_for_it(
    postgres: Server, database: str, store: PostgresStore
) -> None:
    """While a notification for it is being recorded a lane is passed over, whatever else waits in it."""
    await store.journal.append(entry())
    async with postgres.connection(database) as other:
        await other.execute("BEGIN")
        await other.execute("SELECT 1 FROM lanes FOR UPDATE")
        assert await claim(store.lanes) == []
        await other.execute("COMMIT")
    assert len(await claim(store.lanes)) == 1


async def test_a_lane_that_is_held_again_and_again_is_waited_for(
    postgres: Server, database: str, store: PostgresStore
) -> None:
    """While notifications come for it all the time, a lane's row is never free when it is looked at by chance."""
    await store.journal.append(entry())
    async with postgres.connection(database) as other:
        await other.execute("BEGIN")
        await other.execute("SELECT 1 FROM lanes FOR UPDATE")
        claiming = asyncio.create_task(claim(store.lanes, now=at(5)))
        await asyncio.sleep(0.1)
        assert not claiming.done()
        await other.execute("COMMIT")
        async with asyncio.timeout(5):
            assert len(await claiming) == 1


async def test_a_lane_that_is_held_for_long_does_not_hold_up_the_others(
    postgres: Server, database: str, store: PostgresStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Somebody who forgot to end a transaction keeps one lane from being claimed, and no other."""
    monkeypatch.setattr("secure_export.store.postgresql.claiming._PATIENCE", "SET LOCAL lock_timeout = '50ms'")
    await store.journal.append(entry())
    async with postgres.connection(database) as other, asyncio.timeout(5):
        await other.execute("BEGIN")
        await other.execute("SELECT 1 FROM lanes FOR UPDATE")
        await store.journal.append(entry("alert:b", received_at=at(1)))
        assert [lane.correlation_key for lane in await claim(store.lanes, now=at(5))] == ["alert:b"]
        await store.journal.append(entry("alert:c", received_at=at(1)))
        assert [lane.correlation_key for lane in await claim(store.lanes, now=at(5))] == ["alert:c"]
        await other.execute("ROLLBACK")


async def test_a_notice_wakes_another_process(open_store: OpenStore) -> None:
    """Who waits hears of what another process has taken, long before it would look by itself."""
    intake, delivery = await open_store(), await open_store()
    await delivery.lanes.take_over("desk", now=NOW)
    assert await claim(delivery.lanes) == []
    waiting = asyncio.create_task(delivery.lanes.wait(timeout_seconds=60))
    await asyncio.sleep(0.05)
    assert not waiting.done()
    await intake.journal.append(entry())
    async with asyncio.timeout(5):
        await waiting
    assert len(await claim(delivery.lanes)) == 1


async def test_without_notices_lanes_are_found_by_looking(open_store: OpenStore) -> None:
    """Through a pooler nothing can be heard, so that waiting ends early, and everything else works."""
    intake, delivery = await open_store(), await open_store(pooler="transaction")
    assert await delivery.lanes.take_over("desk", now=NOW) == 0
    await intake.journal.append(entry())
    async with asyncio.timeout(5):
        while not (lanes := await claim(delivery.lanes)):
            await delivery.lanes.wait(timeout_seconds=60)
        await delivery.lanes.wait(timeout_seconds=60)
    assert len(lanes) == 1


async def test_through_a_pooler_sessions_are_left_as_they_were(
    postgres: Server, database: str, open_store: OpenStore
) -> None:
    """Nothing is prepared, locked or listened to beyond a transaction, and each transaction has its limits."""
    store = await open_store(pooler="transaction", pool_size="2")
    await store.journal.append(entry())
    lane = await claim_one(store.lanes)
    await store.lanes.save(lane, folded(lane, item=item()), now=NOW)
    await store.desk.change_counter()
    names = ("statement_timeout", "synchronous_commit")

    async def ask(db: object) -> list[str]:
        return [await db.fetchval("SELECT current_setting($1)", name) for name in names]  # type: ignore[attr-defined]

    assert await store._database.write(ask) == ["15s", "on"]
    async with store._database._pool.acquire() as connection:
        assert await connection.fetchval("SELECT count(*) FROM pg_prepared_statements WHERE name <> ''") == 0
        assert await connection.fetchval("SELECT count(*) FROM pg_listening_channels()") == 0
        assert await connection.fetchval("SELECT current_setting('statement_timeout')") == "0"
    assert not await postgres.fetch("SELECT 1 FROM pg_locks WHERE locktype = 'advisory'", database=database)


async def _joined(store: PostgresStore, lane: str = "alert:a") -> None:
    """Let a process deliver, and hold a lane."""
    await store.lanes.take_over("desk", now=NOW)
    await store.journal.append(entry(lane))
    assert len(await claim(store.lanes)) == 1


async def test_what_the_dead_had_claimed_is_due_at_once(open_store: OpenStore) -> None:
    """Its owner's session is gone: its lease need not end, and others' lanes stay theirs."""
    dead, living = await open_store(), await open_store()
    await _joined(dead)
    await _joined(living, "alert:b")
    await dead.close()
    store = await open_store()
    assert await store.lanes.take_over("desk", now=NOW) == 1
    assert [lane.correlation_key for lane in await claim(store.lanes)] == ["alert:a"]


async def test_a_process_that_was_killed_is_gone(postgres: Server, database: str, open_store: OpenStore) -> None:
    """The system closes its sessions, and the server takes back the lock on its number."""
    dead = await open_store()
    await _joined(dead)
    assert dead.lanes._presence._task is not None
    dead.lanes._presence._task.cancel()
    store = await open_store()
    async with asyncio.timeout(5):
        while not await store.lanes.take_over("desk", now=NOW):  # noqa: ASYNC110 - no event tells of it
            await asyncio.sleep(0.02)


async def test_a_peer_that_dies_later_is_missed_soon(open_store: OpenStore) -> None:
    """Whoever delivers asks again and again; what was made due already is not told of again."""
    living, dying = await open_store(), await open_store()
    await _joined(living)
    await _joined(dying, "alert:b")
    assert await living.lanes.take_over("desk", now=NOW) == 0
    await dying.lanes._presence.close()
    async with asyncio.timeout(5):
        while not (taken := await living.lanes.take_over("desk", now=NOW)):  # noqa: ASYNC110 - no event tells of it
            await asyncio.sleep(0.02)
    assert (taken, await living.lanes.take_over("desk", now=NOW)) == (1, 0)
    assert [lane.correlation_key for lane in await claim(living.lanes)] == ["alert:b"]


async def test_a_worker_takes_over_from_a_peer_that_is_killed(
    open_store: OpenStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Long before the lease ends, a process that runs all the time works on the lanes of one that died."""
    monkeypatch.setattr("secure_export.delivery.worker._LONGEST_SLEEP_SECONDS", 0.05)
    living, dying = await open_store(), await open_store()
    await _joined(dying)
    asked = 0.0
    target = Target("desk", Policy(RouteSettings()), Tool(ManualClock()))
    worker = Worker(target, living.lanes, watch=Told(), clock=lambda: at(1), seconds=lambda: asked)
    running = asyncio.create_task(worker.run())
    await asyncio.sleep(0.2)
    assert (await living.records.lanes()).rows[0]["state"] == "claimed"
    await dying.lanes._presence.close()
    async with asyncio.timeout(10):
        while (await living.records.lanes()).rows:
            asked += 4
            await asyncio.sleep(0.02)
    await worker.stop()
    await running


async def test_after_a_failover_nobody_takes_the_others_for_dead(
    open_store: OpenStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """All sessions ended at once: who is back first waits until the others have had the time."""
    one, other = await open_store(), await open_store()
    await _joined(one)
    await _joined(other, "alert:b")
    await other.lanes._presence.close()
    one.lanes._presence._sessions = 2
    assert await one.lanes.take_over("desk", now=NOW) == 0
    monkeypatch.setattr("secure_export.store.postgresql.presence._SETTLED_SECONDS", 0.0)
    async with asyncio.timeout(5):
        while not await one.lanes.take_over("desk", now=NOW):  # noqa: ASYNC110 - no event tells of it
            await asyncio.sleep(0.02)


async def test_nothing_is_taken_from_the_living(open_store: OpenStore) -> None:
    """However often others come and ask, and whatever they deliver for."""
    living, other = await open_store(), await open_store()
    await _joined(living)
    assert await other.lanes.take_over("desk", now=NOW) == 0
    assert await living.lanes.take_over("desk", now=NOW) == 0
    assert await claim(other.lanes) == []


async def test_who_never_said_that_it_delivers_keeps_its_lease(open_store: OpenStore) -> None:
    """Nobody can know that such an owner is gone."""
    unknown, store = await open_store(), await open_store()
    await unknown.journal.append(entry())
    await claim_one(unknown.lanes)
    await unknown.close()
    assert await store.lanes.take_over("desk", now=NOW) == 0
    assert len(await claim(store.lanes, now=NOW + LEASE)) == 1


async def test_a_living_process_gets_its_number_back(postgres: Server, database: str, open_store: OpenStore) -> None:
    """A failover ends its session; it opens another, with the same number as before."""
    living = await open_store()
    await _joined(living)
    number = living.lanes._presence.owner
    await postgres.fetch(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = $1 AND pid <> pg_backend_pid()",
        database,
        database=database,
    )
    async with asyncio.timeout(10):
        while living.lanes._presence.owner is not None:  # noqa: ASYNC110 - as above
            await asyncio.sleep(0.01)
        while living.lanes._presence.owner is None:  # noqa: ASYNC110 - as above
            await asyncio.sleep(0.02)
    assert living.lanes._presence.owner == number
    assert await (await open_store()).lanes.take_over("desk", now=NOW) == 0


async def test_what_the_dead_had_begun_in_a_tool_elsewhere_is_given_the_time_to_end(open_store: OpenStore) -> None:
    """A create may still run there though its process is gone: a look before that would not find it."""
    dead = await open_store()
    await dead.lanes.take_over("desk", now=NOW)
    await dead.journal.append(entry())
    (lane,) = await claim(dead.lanes)
    numbers = [one.notification for one in lane.pending]
    await dead.lanes.save(lane, Change(folded=numbers, item=item(), begin=StepKind.CREATE), now=NOW)
    await dead.close()
    store = await open_store()
    minute = timedelta(minutes=1)
    assert await store.lanes.take_over("desk", now=NOW, patience=minute) == 1
    assert await store.lanes.take_over("desk", now=at(5), patience=minute) == 0
    assert not await claim(store.lanes, now=NOW + timedelta(seconds=59))
    assert len(await claim(store.lanes, now=NOW + minute)) == 1


async def test_peoples_changes_are_not_passed_over_by_later_numbers(
    postgres: Server, database: str, open_store: OpenStore
) -> None:
    """While somebody's change is being written, nobody is told a position that may lie behind it."""
    writer, reader = await open_store(), await open_store()
    draft = IncidentDraft(
        connection="desk", key="0f" * 16, title="t", description="d", impact=2, urgency=2, priority=3, revision=1
    )
    incident = await writer.desk.open_incident(draft, now=NOW)
    before = await reader.desk.change_counter()
    async with postgres.connection(database) as other, asyncio.timeout(5):
        await other.execute("BEGIN; LOCK TABLE desk_events IN EXCLUSIVE MODE")
        writing = asyncio.create_task(writer.desk.act(incident.number, Comment("hello"), by="ada", now=NOW))
        await asyncio.sleep(0.1)
        reading = asyncio.create_task(reader.desk.changed_since("desk", before, limit=10))
        await asyncio.sleep(0.1)
        assert not reading.done()
        await other.execute("COMMIT")
        await writing
        assert (await reading).keys == (draft.key,)


async def test_of_two_who_fold_by_the_same_state_one_is_refused(open_store: OpenStore) -> None:
    """However close together two lanes write what they made of one alert, the second hears that it has changed."""
    stores = (await open_store(), await open_store())
    for n in range(15):
        lanes = []
        for name, store in zip("xy", stores, strict=True):
            await store.journal.append(entry(f"alert:{name}"))
            lanes.append(await claim_one(store.lanes))
        known = await stores[0].lanes.known(lanes[0], alert_ids=[f"a{n}"], problems=["p"])
        basis = Basis(None, [f"a{n}"], ["p"], known.alerts)
        told = alert(f"a{n}", problem="p", ended_at=at(n))
        results = await asyncio.gather(
            *(
                store.lanes.save(lane, folded(lane, alerts=[told], basis=basis), now=NOW)
                for store, lane in zip(stores, lanes, strict=True)
            ),
            return_exceptions=True,
        )
        assert sorted(type(result).__name__ for result in results) == ["NoneType", "Outdated"]
        for store, lane, result in zip(stores, lanes, results, strict=True):
            if result is not None:
                await store.lanes.save(lane, folded(lane), now=NOW)


async def test_two_who_give_each_other_notifications_do_not_wait_in_a_circle(
    postgres: Server, database: str, open_store: OpenStore
) -> None:
    """Lanes are locked in one order, and alerts after them: no deadlock has to be found, which takes a second."""
    stores = (await open_store(), await open_store())
    for n in range(8):
        lanes = []
        for name, store in zip("xy", stores, strict=True):
            await store.journal.append(entry(f"alert:{name}"))
            (lane,) = await claim(store.lanes)
            lanes.append(lane)
        changes = [
            Change(
                moved=[(lane.pending[0].notification, other.correlation_key)],
                alerts=[alert(f"{n}-{lane.correlation_key}", problem="p")],
                release=Release(),
            )
            for lane, other in zip(lanes, reversed(lanes), strict=True)
        ]
        saves = zip(stores, lanes, changes, strict=True)
        await asyncio.gather(*(store.lanes.save(lane, change, now=NOW) for store, lane, change in saves))
        for lane in await claim(stores[0].lanes):
            await stores[0].lanes.save(lane, folded(lane), now=NOW)
    for store in stores:
        await store.close()  # sessions tell of what they counted when they end
    found = await postgres.fetch("SELECT deadlocks FROM pg_stat_database WHERE datname = $1", database)
    assert found[0][0] == 0
