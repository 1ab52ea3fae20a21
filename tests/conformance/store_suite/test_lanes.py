"""What every store's lanes do."""

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest
from tests.conformance.store_suite.conftest import OpenStore
from tests.conformance.store_suite.samples import (
    LEASE,
    NOW,
    at,
    claim,
    claim_one,
    entry,
    folded,
    item,
    lacking,
    open_in_tool,
    resolved,
    unreadable,
)

from secure_export.delivery.contract import Change, Release, StepResult
from secure_export.errors import LostLane
from secure_export.store.open import Store
from secure_export.workitems.outcome import Done, Outcome, Refused, TryLater, Unclear
from secure_export.workitems.work_item import StepKind, ToolState, WorkItem


async def test_a_claimed_lane_is_nobody_elses(store: Store, open_again: OpenStore) -> None:
    """Until its lease ends a lane has one owner, among all processes."""
    await store.journal.append(entry())
    lane = await claim_one(store.lanes)
    assert lane.lease_until == NOW + LEASE
    other = await open_again()
    assert await claim(other.lanes, now=NOW + LEASE - timedelta(seconds=1)) == []


async def test_side_by_side_claims_never_share_a_lane(store: Store, open_again: OpenStore) -> None:
    """However many claim at once, each lane is handed out once."""
    await asyncio.gather(*(store.journal.append(entry(f"alert:{n}")) for n in range(60)))
    other = await open_again()
    claims = await asyncio.gather(*(claim(one.lanes, limit=7) for one in (store, other) * 6))
    keys = [lane.correlation_key for lanes in claims for lane in lanes]
    assert len(keys) == len(set(keys)) == 60


async def test_the_longest_due_lanes_come_first(store: Store) -> None:
    """Lanes are served in the order in which they became due, and no more than asked for."""
    for seconds in (30, 10, 20):
        await store.journal.append(entry(f"alert:{seconds}", received_at=at(seconds)))
    assert [lane.correlation_key for lane in await claim(store.lanes, now=at(60), limit=2)] == ["alert:10", "alert:20"]
    assert [lane.correlation_key for lane in await claim(store.lanes, now=at(60))] == ["alert:30"]


async def test_a_lane_that_is_not_due_is_left_alone(store: Store) -> None:
    """What becomes due later is not claimed now."""
    await store.journal.append(entry())
    lane = await claim_one(store.lanes)
    await store.lanes.save(lane, folded(lane, release=Release(seen=99, wake_at=at(5))), now=NOW)
    assert await claim(store.lanes, now=at(4)) == []
    assert len(await claim(store.lanes, now=at(5))) == 1


@pytest.mark.parametrize("back", [timedelta(minutes=10), timedelta(days=4000)])
async def test_a_ready_lane_does_not_wait_for_a_clock_that_was_set_back(store: Store, back: timedelta) -> None:
    """Whatever the clock said when the notification came, its lane is worked on now, after those due before it."""
    await store.journal.append(entry("alert:late"))
    await store.journal.append(entry("alert:now", received_at=NOW - back))
    assert [one.correlation_key for one in await claim(store.lanes, now=NOW - back)] == ["alert:now", "alert:late"]


async def test_a_wait_does_not_last_until_a_clock_that_was_set_back_is_there_again(store: Store) -> None:
    """A lane that was to wait until another year is tried again within a day."""
    await store.journal.append(entry())
    lane = await claim_one(store.lanes)
    one = replace(item(), attempts=1, not_before=at(60), waiting="the tool is down")
    await store.lanes.save(lane, folded(lane, item=one, release=Release(seen=99, wake_at=at(60))), now=NOW)
    today = NOW - timedelta(days=4000)
    assert await claim(store.lanes, now=today) == []
    again = await claim_one(store.lanes, now=today + timedelta(days=1))
    assert again.item is not None
    assert again.item.not_before is not None
    assert again.item.not_before <= today + timedelta(days=1)


async def test_a_lease_does_not_last_until_a_clock_that_was_set_back_is_there_again(store: Store) -> None:
    """Its owner may be at work, so it is not taken at once; but no step lasts for an hour."""
    await store.journal.append(entry())
    lane = await claim_one(store.lanes)
    today = NOW - timedelta(days=4000)
    assert await claim(store.lanes, now=today) == []
    assert await claim(store.lanes, now=today + LEASE) == []
    again = await claim_one(store.lanes, now=today + timedelta(hours=1))
    assert again.token > lane.token


async def test_waits_of_a_usual_length_are_left_as_they_are(store: Store) -> None:
    """What a tool asked for is waited for, also by those who look in between."""
    await store.journal.append(entry())
    lane = await claim_one(store.lanes)
    hour = 3600.0
    one = replace(item(), attempts=1, not_before=at(20 * hour), waiting="the tool is down")
    await store.lanes.save(lane, folded(lane, item=one, release=Release(seen=99, wake_at=at(20 * hour))), now=NOW)
    for hours in range(20):
        assert await claim(store.lanes, now=at(hours * hour)) == []
    assert (await claim_one(store.lanes, now=at(20 * hour))).item == one


async def test_an_expired_lease_is_taken_over(store: Store) -> None:
    """A lane whose owner says nothing goes to another, with a larger token and everything that is pending."""
    await store.journal.append(entry())
    first = await claim_one(store.lanes)
    second = await claim_one(store.lanes, now=first.lease_until)
    assert second.token > first.token
    assert second.pending == first.pending


@pytest.mark.parametrize("write", ["save", "renew"])
async def test_an_owner_of_the_past_writes_nothing(store: Store, write: str) -> None:
    """After a take-over the stalled owner's write is refused whole."""
    await store.journal.append(entry())
    stalled = await claim_one(store.lanes)
    owner = await claim_one(store.lanes, now=stalled.lease_until)
    change = folded(stalled, item=item(), begin=StepKind.CREATE)
    attempt = (
        store.lanes.save(stalled, change, now=at(200))
        if write == "save"
        else store.lanes.renew(stalled, until=at(10_000))
    )
    with pytest.raises(LostLane):
        await attempt
    assert (await store.records.work_items()).rows == []
    later = await claim_one(store.lanes, now=owner.lease_until)
    assert (later.pending, later.item) == (owner.pending, None)


async def test_a_lane_given_back_is_no_longer_its_owners(store: Store) -> None:
    """Whoever gave a lane back cannot write to it any more, not even when it was made anew."""
    await store.journal.append(entry())
    lane = await claim_one(store.lanes)
    await store.lanes.save(lane, folded(lane), now=NOW)
    with pytest.raises(LostLane):
        await store.lanes.save(lane, Change(item=item()), now=NOW)
    await store.journal.append(entry())
    anew = await claim_one(store.lanes)
    assert anew.token > lane.token
    with pytest.raises(LostLane):
        await store.lanes.save(lane, Change(item=item()), now=NOW)


async def test_lost_lanes_do_not_disturb_saves_that_share_their_commit(store: Store) -> None:
    """Of many saves at once only those of lost lanes are refused, and those leave nothing behind."""
    await asyncio.gather(*(store.journal.append(entry(f"alert:{n}")) for n in range(20)))
    lanes = await claim(store.lanes)
    wrong = [replace(lane, token=lane.token - 1) if n % 2 else lane for n, lane in enumerate(lanes)]
    saves = (store.lanes.save(one, folded(one, item=item(one.correlation_key)), now=NOW) for one in wrong)
    results = await asyncio.gather(*saves, return_exceptions=True)
    assert [type(r) for r in results] == [LostLane if n % 2 else type(None) for n in range(20)]
    kept = {row["correlation_key"] for row in (await store.records.work_items()).rows}
    assert kept == {lane.correlation_key for lane in lanes[::2]}


async def test_a_renewed_lease_lasts_longer(store: Store) -> None:
    """A lane that its owner keeps is not taken over before the new end."""
    await store.journal.append(entry())
    lane = await claim_one(store.lanes)
    await store.lanes.renew(lane, until=at(1_000))
    assert await claim(store.lanes, now=at(999)) == []
    assert len(await claim(store.lanes, now=at(1_000))) == 1


async def test_what_is_folded_is_not_given_again(store: Store) -> None:
    """Folded notifications are gone from the lane; the others stay, oldest first."""
    for n in range(3):
        await store.journal.append(entry(body=str(n).encode()))
    lane = await claim_one(store.lanes)
    await store.lanes.save(lane, Change(folded=[lane.pending[0].notification]), now=NOW)
    later = await claim_one(store.lanes, now=lane.lease_until)
    assert [p.body for p in later.pending] == [b"1", b"2"]


async def test_no_more_is_given_than_asked_for_and_the_rest_keeps_the_lane_ready(store: Store) -> None:
    """A lane with very many notifications is folded a part at a time."""
    for n in range(5):
        await store.journal.append(entry(body=str(n).encode()))
    bodies: list[bytes] = []
    for expected in (2, 2, 1):
        (lane,) = await claim(store.lanes, pending_limit=2)
        assert len(lane.pending) == expected
        bodies += [p.body for p in lane.pending]
        await store.lanes.save(lane, folded(lane), now=NOW)
    assert bodies == [b"0", b"1", b"2", b"3", b"4"]
    assert await claim(store.lanes) == []


async def test_an_idle_lane_is_not_listed(store: Store) -> None:
    """A lane with nothing to do is not due, and no operator sees it."""
    await store.journal.append(entry())
    lane = await claim_one(store.lanes)
    await store.lanes.save(lane, folded(lane), now=NOW)
    assert (await store.records.lanes()).rows == []
    assert await store.lanes.next_due("desk") is None


async def test_a_lane_waits_until_its_time(store: Store) -> None:
    """A lane that waits is due again at the time asked for, and says why."""
    await store.journal.append(entry())
    lane = await claim_one(store.lanes)
    release = Release(seen=lane.pending[0].notification, wake_at=at(30), waiting="the tool is down")
    await store.lanes.save(lane, folded(lane, release=release), now=NOW)
    (row,) = (await store.records.lanes(state="waiting")).rows
    assert row["reason"] == "the tool is down"
    assert await store.lanes.next_due("desk") == at(30)
    assert await claim(store.lanes, now=at(29)) == []
    assert len(await claim(store.lanes, now=at(30))) == 1


async def test_a_parked_lane_is_not_due_by_time(store: Store) -> None:
    """A lane that needs a person says why, and does nothing by itself."""
    await store.journal.append(entry())
    lane = await claim_one(store.lanes)
    await store.lanes.save(lane, folded(lane, release=Release(seen=99, parked="refused")), now=NOW)
    (row,) = (await store.records.lanes(state="parked")).rows
    assert (row["reason"], row["due_at"]) == ("refused", None)
    assert await claim(store.lanes, now=at(10**8)) == []


@pytest.mark.parametrize(
    "release", [Release(), Release(parked="refused"), Release(wake_at=at(3600), waiting="later")], ids=repr
)
async def test_news_in_the_meantime_keeps_the_lane_ready(store: Store, release: Release) -> None:
    """A notification that came after its owner read the lane is folded next, whatever the owner asked for."""
    await store.journal.append(entry())
    lane = await claim_one(store.lanes)
    news = await store.journal.append(entry())
    release = replace(release, seen=lane.pending[0].notification)
    await store.lanes.save(lane, folded(lane, release=release), now=NOW)
    again = await claim_one(store.lanes)
    assert [p.notification for p in again.pending] == [news.notification]


@pytest.mark.parametrize("release", [Release(parked="refused"), Release(wake_at=at(3600), waiting="later")], ids=repr)
async def test_what_its_owner_has_seen_does_not_keep_the_lane_ready(store: Store, release: Release) -> None:
    """A notification that has to wait does not make its lane run in circles."""
    await store.journal.append(entry())
    lane = await claim_one(store.lanes)
    await store.lanes.save(lane, Change(release=replace(release, seen=lane.pending[0].notification)), now=NOW)
    assert await claim(store.lanes, now=at(60)) == []


async def test_nothing_unfolded_is_lost_with_an_idle_lane(store: Store) -> None:
    """A lane that is given back as idle with something unfolded stays ready."""
    await store.journal.append(entry())
    lane = await claim_one(store.lanes)
    await store.lanes.save(lane, Change(release=Release(seen=lane.pending[0].notification)), now=NOW)
    assert (await claim_one(store.lanes)).pending == lane.pending


async def test_an_unreadable_notification_goes_from_its_lane_to_quarantine(store: Store) -> None:
    """What this version cannot read any more is kept with its reason, and the lane goes on without it."""
    await store.journal.append(entry(body=b"?"))
    lane = await claim_one(store.lanes)
    number = lane.pending[0].notification
    change = Change(folded=[number], quarantined=[(number, "no JSON")], release=Release(seen=number))
    await store.lanes.save(lane, change, now=NOW)
    assert await claim(store.lanes) == []
    assert (await store.records.quarantined(number))["reason"] == "no JSON"


async def test_a_quarantined_notification_of_another_lane_is_never_pending(store: Store) -> None:
    """Quarantine makes no lane due."""
    await store.journal.append(unreadable())
    assert await store.lanes.next_due("desk") is None


async def test_the_latest_work_item_comes_with_the_lane(store: Store) -> None:
    """Whoever claims a lane gets its work item as it was saved, and the latest generation of several."""
    first = item()
    kept = open_in_tool(lacking(first, "vm1"))
    for one in (first, kept, resolved(kept), item(generation=2)):
        await store.journal.append(entry())
        lane = await claim_one(store.lanes)
        await store.lanes.save(lane, folded(lane, item=one), now=NOW)
        await store.journal.append(entry())
        lane = await claim_one(store.lanes)
        assert lane.item == one
        await store.lanes.save(lane, folded(lane), now=NOW)
    assert len((await store.records.work_items()).rows) == 2


async def test_a_work_item_whose_generation_grows_stays_one(store: Store) -> None:
    """A work item keeps its id when the tool's record turned out to be another's: its key changes with it."""
    await store.journal.append(entry())
    lane = await claim_one(store.lanes)
    first = item()
    await store.lanes.save(lane, Change(item=first), now=NOW)
    grown = open_in_tool(replace(first, generation=2))
    await store.lanes.save(lane, folded(lane, item=grown), now=NOW)
    assert len((await store.records.work_items()).rows) == 1
    assert await store.upkeep.open_keys("desk", after="", limit=9) == [grown.key]


@pytest.mark.parametrize(
    ("outcome", "name", "reason"),
    [
        (Done(None), "done", None),
        (TryLater("busy"), "try-later", "busy"),
        (Refused("no"), "refused", "no"),
        (Unclear("?"), "unclear", "?"),
    ],
)
async def test_a_step_is_written_down_before_and_after(
    store: Store, outcome: Outcome, name: str, reason: str | None
) -> None:
    """Each step is told with its times, its outcome and the reason."""
    await store.journal.append(entry())
    lane = await claim_one(store.lanes)
    one = item()
    await store.lanes.save(lane, Change(item=one, begin=StepKind.CREATE), now=at(1))
    (step,) = (await store.records.work_item(one.id))["steps"]
    assert (step["kind"], step["outcome"], step["finished_at"]) == ("create", None, None)
    await store.lanes.save(lane, folded(lane, finish=StepResult(outcome, at(2))), now=at(3))
    (step,) = (await store.records.work_item(one.id))["steps"]
    assert (step["outcome"], step["reason"]) == (name, reason)
    assert (step["started_at"], step["finished_at"]) == ("2026-03-02T09:19:06.117123Z", "2026-03-02T09:19:07.117123Z")


async def _looked(store: Store, one: WorkItem, outcome: Outcome, found: WorkItem | None) -> WorkItem:
    """Read a work item back, as is done every hour while it is open."""
    await store.upkeep.wake_for_look(one.connection, [one.key], now=NOW)
    lane = await claim_one(store.lanes)
    assert lane.item is not None
    await store.lanes.save(lane, Change(begin=StepKind.LOOK), now=NOW)
    change = Change(item=found, finish=StepResult(outcome, NOW), look_done=True, release=Release())
    await store.lanes.save(lane, change, now=NOW)
    return found or lane.item


async def test_of_looks_that_found_nothing_new_the_last_is_kept(store: Store) -> None:
    """A work item that is open for a year does not have a step for each hour of it."""
    one = await _open_work_item(store)
    for hour in range(1, 30):
        assert one.confirmed is not None
        told = replace(one.confirmed, at=at(hour))
        one = await _looked(store, one, Done(told), replace(one, confirmed=told))
    steps = (await store.records.work_item(one.id))["steps"]
    assert [(s["kind"], s["outcome"], s["reason"]) for s in steps] == [("look", "done", "nothing had changed")]


async def test_a_look_that_found_something_or_failed_is_kept(store: Store) -> None:
    """What a look found, and why one brought no answer, can be told later."""
    one = await _open_work_item(store)
    assert one.confirmed is not None
    closed = replace(one, hands_off="a person closed it", confirmed=replace(one.confirmed, state=ToolState.CLOSED))
    await _looked(store, one, Done(one.confirmed), one)
    one = await _looked(store, one, Done(closed.confirmed), closed)
    one = await _looked(store, one, TryLater("busy"), None)
    one = await _looked(store, one, Done(one.confirmed), one)
    steps = (await store.records.work_item(one.id))["steps"]
    assert [(s["outcome"], s["reason"]) for s in steps] == [
        ("done", None),
        ("try-later", "busy"),
        ("done", "nothing had changed"),
    ]


async def test_one_save_can_finish_a_step_and_begin_the_next(store: Store) -> None:
    """The end of one step and the beginning of the next share a transaction."""
    await store.journal.append(entry())
    lane = await claim_one(store.lanes)
    one = item()
    await store.lanes.save(lane, Change(item=one, begin=StepKind.CREATE), now=NOW)
    change = Change(item=one, finish=StepResult(Done(None), at(1)), begin=StepKind.RESOLVE)
    await store.lanes.save(lane, change, now=at(1))
    steps = (await store.records.work_item(one.id))["steps"]
    assert [(s["kind"], s["outcome"]) for s in steps] == [("create", "done"), ("resolve", None)]


async def test_a_second_step_in_flight_is_impossible(store: Store) -> None:
    """A lane with an unfinished step takes no other, and nothing of the attempt is kept."""
    await store.journal.append(entry())
    lane = await claim_one(store.lanes)
    one = item()
    await store.lanes.save(lane, Change(item=one, begin=StepKind.CREATE), now=NOW)
    with pytest.raises(Exception, match=r"(?i)unique"):
        await store.lanes.save(lane, Change(item=open_in_tool(one), begin=StepKind.UPDATE), now=NOW)
    shown = await store.records.work_item(one.id)
    assert (shown["number"], len(shown["steps"])) == (None, 1)


@pytest.mark.parametrize(("kind", "doubt"), [(StepKind.CREATE, True), (StepKind.LOOK, False)])
async def test_a_step_whose_owner_is_gone_is_closed_as_unclear(store: Store, kind: StepKind, *, doubt: bool) -> None:
    """After a take-over nobody knows what came of the step; what may have changed the tool leaves doubt."""
    await store.journal.append(entry())
    lane = await claim_one(store.lanes)
    one = item()
    await store.lanes.save(lane, Change(item=one, begin=kind), now=NOW)
    later = await claim_one(store.lanes, now=lane.lease_until)
    assert later.item is not None
    assert later.item.doubt is doubt
    (step,) = (await store.records.work_item(one.id))["steps"]
    assert (step["outcome"], step["reason"]) == ("unclear", "its owner stopped or stalled before it had an answer")
    await store.lanes.save(later, Change(item=one, begin=StepKind.LOOK), now=later.lease_until)


async def test_a_look_is_asked_for_until_it_is_done(store: Store) -> None:
    """The wish to read a work item back survives a wait and ends with the look."""
    one = await _open_work_item(store)
    assert await store.upkeep.wake_for_look("desk", [one.key], now=NOW) == 1
    lane = await claim_one(store.lanes)
    assert lane.look
    await store.lanes.save(lane, Change(release=Release(wake_at=at(5), waiting="the tool is down")), now=NOW)
    lane = await claim_one(store.lanes, now=at(5))
    assert lane.look
    await store.lanes.save(lane, Change(look_done=True, release=Release()), now=at(5))
    assert await claim(store.lanes, now=at(10**6)) == []


async def test_a_look_asked_for_meanwhile_keeps_the_lane_ready(store: Store) -> None:
    """Somebody asks while the lane is at work: what its owner read may be older than the wish."""
    one = await _open_work_item(store)
    await store.upkeep.wake_for_look("desk", [one.key], now=NOW)
    lane = await claim_one(store.lanes)
    await store.upkeep.wake_for_look("desk", [one.key], now=NOW)
    await store.lanes.save(lane, Change(look_done=True, release=Release(parked="refused")), now=NOW)
    again = await claim_one(store.lanes)
    assert again.look
    await store.lanes.save(again, Change(look_done=True, release=Release()), now=NOW)
    assert await claim(store.lanes) == []


async def test_waiting_ends_when_a_lane_becomes_ready(store: Store) -> None:
    """A worker that found nothing hears of the next notification at once, even of one that came before it listened."""

    async def worker() -> int:
        found = await claim(store.lanes)
        while not found:
            await asyncio.sleep(0)
            await store.lanes.wait(timeout_seconds=60)
            found = await claim(store.lanes)
        return len(found)

    async with asyncio.timeout(5):
        task = asyncio.create_task(worker())
        await asyncio.sleep(0.05)
        await store.journal.append(entry())
        assert await task == 1
        assert await claim(store.lanes) == []
        await store.journal.append(entry("alert:b"))
        await store.lanes.wait(timeout_seconds=60)


async def test_waiting_ends_after_the_time_out(store: Store) -> None:
    """Other processes and clocks are not heard, so waiting never lasts longer than asked for."""
    async with asyncio.timeout(5):
        await store.lanes.wait(timeout_seconds=0.01)


async def _open_work_item(store: Store) -> WorkItem:
    await store.journal.append(entry())
    lane = await claim_one(store.lanes)
    one = open_in_tool(item())
    await store.lanes.save(lane, folded(lane, item=one), now=NOW)
    return one


async def test_a_notification_can_be_given_to_another_lane(store: Store) -> None:
    """It is pending there, in a lane that is ready, and no longer here: in the same transaction."""
    receipt = await store.journal.append(entry("alert:a"))
    lane = await claim_one(store.lanes)
    release = Release(seen=receipt.notification)
    await store.lanes.save(lane, Change(moved=[(receipt.notification, "ci:vm1")], release=release), now=NOW)
    other = await claim_one(store.lanes)
    assert other.correlation_key == "ci:vm1"
    assert [one.notification for one in other.pending] == [receipt.notification]


async def test_nothing_is_taken_over_from_the_living(store: Store, open_again: OpenStore) -> None:
    """However often those who deliver ask whose owner died, lanes that somebody works on stay theirs."""
    other = await open_again()
    for one in (store, other):
        await one.lanes.take_over("desk", now=NOW)
    await store.journal.append(entry())
    lane = await claim_one(store.lanes)
    for one in (store, other) * 2:
        assert await one.lanes.take_over("desk", now=at(1)) == 0
    assert await claim(other.lanes, now=at(1)) == []
    await store.lanes.save(lane, folded(lane, item=item()), now=at(1))
