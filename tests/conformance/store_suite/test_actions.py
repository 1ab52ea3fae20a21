"""What every store does for operators."""

from dataclasses import replace

import pytest
from tests.conformance.store_suite.samples import NOW, alert, at, claim, claim_one, entry, folded, item, unreadable

from secure_export.delivery.contract import Change, Release
from secure_export.errors import NotFound, NotUnderstood
from secure_export.store.open import Store


async def _given_back(store: Store, release: Release, *, connection: str = "desk", **parts: object) -> None:
    receipt = await store.journal.append(entry(connection=connection))
    lane = await claim_one(store.lanes, connection=connection)
    change = folded(lane, release=replace(release, seen=receipt.notification), **parts)
    await store.lanes.save(lane, change, now=NOW)


@pytest.mark.parametrize(
    "release", [Release(parked="refused"), Release(wake_at=at(10**6), waiting="the tool is down")], ids=repr
)
async def test_retry_makes_a_lane_ready_at_once(store: Store, release: Release) -> None:
    """A parked or waiting lane is due now, and its work item has forgotten its failed attempts."""
    one = item(parked="refused", attempts=7, not_before=at(10**6), waiting="the tool is down")
    await _given_back(store, release, item=one)
    assert await store.actions.retry("alert:a", by="ada", now=at(1)) == 1
    lane = await claim_one(store.lanes, now=at(1))
    assert lane.item is not None
    assert (lane.item.parked, lane.item.attempts, lane.item.not_before, lane.item.waiting) == (None, 0, None, "")


async def test_retry_of_a_lane_without_a_work_item(store: Store) -> None:
    """A lane that has made no work item yet is retried as well."""
    await _given_back(store, Release(parked="no such policy"))
    await store.actions.retry("alert:a", by="ada", now=NOW)
    assert (await claim_one(store.lanes)).item is None


async def test_retry_wakes_the_lanes_of_every_connection_that_has_the_key(store: Store) -> None:
    """The key is what people see; it can be one of several connections."""
    for name in ("desk", "prod"):
        await _given_back(store, Release(parked="refused"), connection=name)
    assert await store.actions.retry("alert:a", by="ada", now=NOW) == 2
    assert len(await claim(store.lanes, connection="desk")) == len(await claim(store.lanes, connection="prod")) == 1


async def test_there_is_nothing_to_retry(store: Store) -> None:
    """A lane that is unknown, idle, ready or at work cannot be retried."""
    with pytest.raises(NotFound):
        await store.actions.retry("alert:a", by="ada", now=NOW)
    await store.journal.append(entry())
    with pytest.raises(NotFound):
        await store.actions.retry("alert:a", by="ada", now=NOW)
    lane = await claim_one(store.lanes)
    with pytest.raises(NotFound):
        await store.actions.retry("alert:a", by="ada", now=NOW)
    await store.lanes.save(lane, folded(lane), now=NOW)
    with pytest.raises(NotFound):
        await store.actions.retry("alert:a", by="ada", now=NOW)


async def test_everything_that_is_parked_or_waits_is_retried_at_once(store: Store) -> None:
    """However many there are, of one connection or of all; who did it is written down."""
    releases = (Release(parked="refused"), Release(wake_at=at(10**6), waiting="the tool is down"))
    for n in range(450):
        receipt = await store.journal.append(entry(f"alert:{n}", connection="prod" if n % 3 == 0 else "desk"))
        (lane,) = await claim(store.lanes, connection="prod" if n % 3 == 0 else "desk")
        one = item(f"alert:{n}", connection=lane.connection, parked="refused", attempts=7)
        change = folded(lane, item=one, release=replace(releases[n % 2], seen=receipt.notification))
        await store.lanes.save(lane, change, now=NOW)
    assert await store.actions.retry_all(connection="prod", by="ada", now=at(1)) == 150
    assert len(await claim(store.lanes, connection="prod", now=at(1), limit=999)) == 150
    assert await claim(store.lanes, now=at(1)) == []
    assert await store.actions.retry_all(connection=None, by="ada", now=at(1)) == 300
    lanes = await claim(store.lanes, now=at(1), limit=999)
    assert len(lanes) == 300
    assert all(lane.item is not None and (lane.item.parked, lane.item.attempts) == (None, 0) for lane in lanes)
    assert await store.actions.retry_all(connection=None, by="ada", now=at(1)) == 0


async def test_replay_sends_a_notification_on_its_way(store: Store) -> None:
    """It leaves quarantine and waits in its lane under the number and with the body that it had."""
    receipt = await store.journal.append(unreadable(body=b'{"now": "understood"}'))
    assert await store.actions.replay(receipt.notification, entry=entry(), by="ada", now=at(5)) == receipt.notification
    assert (await store.records.quarantine()).rows == []
    lane = await claim_one(store.lanes, now=at(5))
    assert [(p.notification, p.body) for p in lane.pending] == [(receipt.notification, b'{"now": "understood"}')]
    await store.lanes.save(lane, folded(lane, alerts=[alert("a")]), now=at(5))
    assert len((await store.records.alert("a"))["notifications"]) == 1


async def test_replay_into_a_lane_at_work_is_not_overlooked(store: Store) -> None:
    """An older notification that comes into a claimed lane keeps it ready."""
    quarantined = await store.journal.append(unreadable())
    await store.journal.append(entry())
    lane = await claim_one(store.lanes)
    await store.actions.replay(quarantined.notification, entry=entry(), by="ada", now=NOW)
    await store.lanes.save(lane, folded(lane, release=Release(seen=999, parked="refused")), now=NOW)
    again = await claim_one(store.lanes)
    assert [p.notification for p in again.pending] == [quarantined.notification]


async def test_what_is_not_in_quarantine_cannot_be_replayed(store: Store) -> None:
    """Neither an unknown notification nor one that was accepted, nor one a second time."""
    accepted = await store.journal.append(entry())
    quarantined = await store.journal.append(unreadable())
    await store.actions.replay(quarantined.notification, entry=entry(), by="ada", now=NOW)
    for number in (12_345, accepted.notification, quarantined.notification):
        with pytest.raises(NotFound):
            await store.actions.replay(number, entry=entry(), by="ada", now=NOW)


async def test_what_is_still_not_understood_stays_in_quarantine(store: Store) -> None:
    """An entry without a lane cannot be delivered."""
    receipt = await store.journal.append(unreadable())
    with pytest.raises(NotUnderstood):
        await store.actions.replay(receipt.notification, entry=unreadable("no"), by="ada", now=NOW)
    assert len((await store.records.quarantine()).rows) == 1


async def test_a_retry_does_not_take_the_lane_from_its_owner(store: Store) -> None:
    """The owner who claimed after a retry writes as usual."""
    await _given_back(store, Release(parked="refused"), item=item())
    await store.actions.retry("alert:a", by="ada", now=NOW)
    lane = await claim_one(store.lanes)
    await store.lanes.save(lane, Change(release=Release()), now=NOW)
    assert await claim(store.lanes) == []
