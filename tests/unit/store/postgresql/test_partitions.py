"""Partitions of notifications: made ahead, filled, and dropped whole."""

from datetime import timedelta

import pytest
from tests.conformance.store_suite.samples import (
    NOW,
    alert,
    at,
    claim,
    claim_one,
    entry,
    folded,
    item,
    resolved,
    unreadable,
)
from tests.conformance.store_suite.test_upkeep import RETENTION, forget_all
from tests.postgres import Server

from secure_export.delivery.contract import Change, Release
from secure_export.store.instants import micros
from secure_export.store.postgresql.partitions import (
    day_of,
    drop_partitions,
    first_number_at,
    make_partitions,
    only_day,
)
from secure_export.store.postgresql.place import place_of
from secure_export.store.postgresql.store import PostgresStore

_OF_PARTITIONS = """
SELECT tableoid::regclass::text, count(*) FROM notifications GROUP BY 1 ORDER BY 1
"""
_NAMES = "SELECT relname FROM pg_class WHERE relname ~ '^notifications_d[0-9]+$' AND relkind = 'r'"
DAY = 20514  # of NOW, since 1970


async def _filled(server: Server, database: str) -> dict[str, int]:
    return {row[0]: row[1] for row in await server.fetch(_OF_PARTITIONS, database=database)}


async def _days(server: Server, database: str) -> set[int]:
    return {int(row[0].rpartition("_d")[2]) for row in await server.fetch(_NAMES, database=database)}


async def _done(store: PostgresStore, name: str, *, seconds: float = 0, **parts: object) -> None:
    """Let a notification come, be folded, and be over."""
    await store.journal.append(entry(f"alert:{name}", received_at=at(seconds)))
    lane = await claim_one(store.lanes, now=at(seconds))
    one = resolved(item(f"alert:{name}"))
    told = alert(name, work_item=one.id, ended_at=at(seconds))
    await store.lanes.save(lane, folded(lane, item=one, alerts=[told], **parts), now=at(seconds))


def test_numbers_say_the_day() -> None:
    """The number of a notification begins with its time, and its day is that of its partition."""
    number = first_number_at(NOW)
    assert day_of(number) == DAY == micros(NOW) // 86_400_000_000
    low, _, high = only_day(DAY).removeprefix("notifications.id >= ").partition(" AND notifications.id < ")
    assert int(low) <= number < int(high)
    assert day_of(int(low)) == DAY
    assert day_of(int(high) - 1) == DAY
    assert day_of(int(high)) == DAY + 1


async def test_notifications_go_to_the_partition_of_their_day(
    postgres: Server, database: str, store: PostgresStore
) -> None:
    """Those of a time without one are kept as well, and claimed like all others."""
    for seconds in (0, 86_400, -(10**8)):
        await store.journal.append(entry(f"alert:{seconds}", received_at=at(seconds)))
    assert await _filled(postgres, database) == {
        f"notifications_d{DAY}": 1,
        f"notifications_d{DAY + 1}": 1,
        "notifications_other": 1,
    }
    assert {len(lane.pending) for lane in await claim(store.lanes, now=at(10**6))} == {1}


async def test_partitions_are_made_ahead(postgres: Server, database: str, store: PostgresStore) -> None:
    """Upkeep makes those of the days to come, long before they are needed, and does not make them again."""
    for _ in range(2):
        await store.upkeep.forget(RETENTION, now=NOW + timedelta(days=3), limit=10)
    assert {DAY + 3 + n for n in range(7)} <= await _days(postgres, database)


async def test_what_came_before_its_partition_was_made_moves_there(
    postgres: Server, database: str, store: PostgresStore
) -> None:
    """After a long time without upkeep nothing is in the way, and nothing is lost."""
    late = 40 * 86_400
    await store.journal.append(entry(received_at=at(late)))
    assert await _filled(postgres, database) == {"notifications_other": 1}
    await make_partitions(store._database, at(late))
    assert await _filled(postgres, database) == {f"notifications_d{DAY + 40}": 1}
    assert len((await claim_one(store.lanes, now=at(late))).pending) == 1


async def test_retention_drops_whole_days(postgres: Server, database: str, store: PostgresStore) -> None:
    """A day that is over for retention goes with its table; a younger one is not looked at."""
    for n in range(20):
        await _done(store, f"old{n}")
    await _done(store, "young", seconds=86_400)
    now = NOW + RETENTION.notifications
    assert await forget_all(store, now) == 0, "the day is not over yet"
    assert await forget_all(store, now + timedelta(days=1)) == 1, "one partition"
    assert await _filled(postgres, database) == {f"notifications_d{DAY + 1}": 1}
    assert DAY not in await _days(postgres, database)
    assert (await store.records.alert("old3"))["notifications"] == []
    assert len((await store.records.alert("young"))["notifications"]) == 1


async def test_a_day_that_holds_what_is_kept_is_emptied_of_the_rest(
    postgres: Server, database: str, store: PostgresStore
) -> None:
    """What waits to be folded, and what a work item at work tells of, stays; when it is over, the day goes."""
    for n in range(5):
        await _done(store, f"old{n}")
    await _done(store, "parked", release=Release(seen=2**62, parked="a person is needed"))
    await store.journal.append(entry("alert:waits"))
    now = NOW + RETENTION.notifications + timedelta(days=2)
    assert await forget_all(store, now) == 5
    assert await _filled(postgres, database) == {f"notifications_d{DAY}": 2}
    assert len((await store.records.alert("parked"))["notifications"]) == 1
    await store.actions.retry("alert:parked", by="ada", now=NOW)
    for lane in await claim(store.lanes):
        await store.lanes.save(lane, folded(lane), now=NOW)
    assert await forget_all(store, now) == 1
    assert DAY not in await _days(postgres, database)


async def test_quarantine_does_not_keep_a_day(postgres: Server, database: str, store: PostgresStore) -> None:
    """It is kept elsewhere for its own time, and can still be sent on its way when its day is gone."""
    receipt = await store.journal.append(unreadable(body=b"kept"))
    await _done(store, "old")
    now = NOW + RETENTION.notifications + timedelta(days=2)
    assert await forget_all(store, now) == 1
    assert DAY not in await _days(postgres, database)
    await store.actions.replay(receipt.notification, entry=entry("alert:b"), by="ada", now=now)
    lane = await claim_one(store.lanes, now=now)
    assert [(p.notification, p.body) for p in lane.pending] == [(receipt.notification, b"kept")]
    await store.lanes.save(lane, Change(folded=[receipt.notification], release=Release()), now=now)
    assert await forget_all(store, now) == 1


async def test_a_day_in_use_is_dropped_another_time(postgres: Server, database: str, store: PostgresStore) -> None:
    """Retention does not make intake wait for a long query: it gives up, and everything else goes on."""
    await _done(store, "old")
    now = NOW + RETENTION.notifications + timedelta(days=2)
    await make_partitions(store._database, now)
    async with postgres.connection(database) as other:
        await other.execute("BEGIN; SELECT count(*) FROM notifications")
        assert await store.upkeep.forget(RETENTION, now=now, limit=10) == 1, "by row"
        assert DAY in await _days(postgres, database)
        await other.execute("COMMIT")
    await store.upkeep.forget(RETENTION, now=now, limit=10)
    assert DAY not in await _days(postgres, database)


@pytest.mark.parametrize("known_time", [True, False])
async def test_keys_are_forgotten_with_what_they_were_of(store: PostgresStore, *, known_time: bool) -> None:
    """Duplicates are known for as long as notifications are kept, also where the event's time is not known."""
    key = (micros(NOW) if known_time else 0).to_bytes(8, "big") + b"k" * 16
    first = await store.journal.append(entry(key=key))
    await forget_all(store, NOW + RETENTION.notifications - timedelta(days=1))
    assert (await store.journal.append(entry(key=key))).notification == first.notification
    lane = await claim_one(store.lanes)
    await store.lanes.save(lane, folded(lane), now=NOW)
    await forget_all(store, NOW + RETENTION.notifications + timedelta(days=2))
    assert (await store.journal.append(entry(key=key))).status == "accepted"


async def test_a_partition_of_many_days_is_dropped_a_few_at_a_time(
    postgres: Server, database: str, store: PostgresStore
) -> None:
    """After a long time without upkeep tables are locked for no longer than a few drops take."""
    await make_partitions(store._database, NOW + timedelta(days=9))
    days = await _days(postgres, database)
    assert len(days) > 10
    before = NOW + timedelta(days=60)
    assert await drop_partitions(store._database, before) == 0
    assert await _days(postgres, database) == set(sorted(days)[10:])


async def test_a_backup_that_is_being_made_keeps_nobody_from_starting(postgres: Server, database: str) -> None:
    """It holds every table, so that no partition can be made: what comes then goes to the one of other times."""
    for function in ("make_partitions", "drop_partitions"):
        await postgres.execute(f"ALTER FUNCTION {function} SET lock_timeout = '50ms'", database=database)
    later = NOW + timedelta(days=30)
    async with postgres.connection(database) as other:
        await other.execute("BEGIN; LOCK TABLE notifications_other, alert_notifications_other IN ACCESS SHARE MODE")
        store = await PostgresStore.open(place_of(postgres.url(database)), clock=lambda: later)
        await store.journal.append(entry(received_at=later))
        await store.upkeep.forget(RETENTION, now=later, limit=10)
        assert (await _filled(postgres, database)) == {"notifications_other": 1}
        await other.execute("COMMIT")
    await store.upkeep.forget(RETENTION, now=later, limit=10)
    assert (await _filled(postgres, database)) == {f"notifications_d{DAY + 30}": 1}
    await store.close()
