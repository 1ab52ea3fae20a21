"""What every store does by timer."""

from dataclasses import replace
from datetime import datetime, timedelta

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
    lacking,
    open_in_tool,
    resolved,
    unreadable,
)

from secure_export.delivery.contract import Change, Release, Retention, StepResult
from secure_export.errors import NotFound
from secure_export.itsm.desk.incident import Addition, IncidentDraft
from secure_export.store.open import Store
from secure_export.workitems.outcome import Done
from secure_export.workitems.work_item import StepKind, WorkItem

RETENTION = Retention(notifications=timedelta(days=90), work_items=timedelta(days=400), quarantine=timedelta(days=180))


async def keep(store: Store, one: WorkItem, *, release: Release | None = None, **parts: object) -> int:
    """Keep a work item whose lane is given back; the notification that came for it."""
    receipt = await store.journal.append(entry(one.correlation_key, connection=one.connection))
    lane = await claim_one(store.lanes, connection=one.connection)
    release = replace(release or Release(), seen=receipt.notification)
    await store.lanes.save(lane, folded(lane, item=one, release=release, **parts), now=NOW)
    return receipt.notification


async def forget_all(store: Store, now: datetime, *, limit: int = 100) -> int:
    """Forget until there is nothing left to forget."""
    total = 0
    while deleted := await store.upkeep.forget(RETENTION, now=now, limit=limit):
        total += deleted
    return total


async def test_what_time_ends_is_woken_when_its_time_is_over(store: Store) -> None:
    """An open work item's lane is made ready once at its ``close_at``, and not again while it is."""
    await keep(store, open_in_tool(item(close_at=at(60))))
    assert await store.upkeep.wake_expired(now=at(59), limit=10) == 0
    assert await store.upkeep.wake_expired(now=at(60), limit=10) == 1
    assert await store.upkeep.wake_expired(now=at(61), limit=10) == 0
    assert (await claim_one(store.lanes, now=at(60))).correlation_key == "alert:a"
    assert await store.upkeep.wake_expired(now=at(61), limit=10) == 0


@pytest.mark.parametrize(
    "release", [Release(parked="refused"), Release(wake_at=at(10**6), waiting="the tool is down")], ids=repr
)
async def test_time_ends_what_is_parked_or_waits_too(store: Store, release: Release) -> None:
    """A lane that waits or is parked is woken as well."""
    await keep(store, item(close_at=at(60)), release=release)
    assert await store.upkeep.wake_expired(now=at(60), limit=10) == 1
    assert len(await claim(store.lanes, now=at(60))) == 1


async def test_time_does_not_end_what_is_over(store: Store) -> None:
    """Resolved work items and those left to people have no time left to end."""
    await keep(store, resolved(item("alert:a", close_at=at(60))))
    await keep(store, replace(open_in_tool(item("alert:b", close_at=at(60))), hands_off="a person closed it"))
    assert await store.upkeep.wake_expired(now=at(10**6), limit=10) == 0


async def test_expired_work_items_are_woken_a_few_at_a_time(store: Store) -> None:
    """At most ``limit`` are woken, and the next call wakes others."""
    for n in range(5):
        await keep(store, item(f"alert:{n}", close_at=at(n)))
    assert [await store.upkeep.wake_expired(now=at(60), limit=2) for _ in range(4)] == [2, 2, 1, 0]


async def test_open_work_items_are_listed_by_key(store: Store) -> None:
    """The keys of what is open in the tool come in order, a part at a time, of one connection."""
    keys = sorted([(await _opened(store, f"alert:{n}")).key for n in range(5)])
    await keep(store, resolved(item("alert:over")))
    await keep(store, item("alert:unknown-to-the-tool"))
    await _opened(store, "alert:other", connection="prod")
    assert await store.upkeep.open_keys("desk", after="", limit=3) == keys[:3]
    assert await store.upkeep.open_keys("desk", after=keys[2], limit=3) == keys[3:]


async def test_a_look_is_asked_for_by_key(store: Store) -> None:
    """Known keys wake their lanes; unknown keys, other connections' and those of earlier generations wake nothing."""
    first = resolved(item())
    await keep(store, first)
    second = await _opened(store, "alert:a", generation=2)
    assert await store.upkeep.wake_for_look("desk", ["0" * 32, first.key], now=NOW) == 0
    assert await store.upkeep.wake_for_look("prod", [second.key], now=NOW) == 0
    assert await store.upkeep.wake_for_look("desk", [second.key], now=NOW) == 1
    lane = await claim_one(store.lanes)
    assert (lane.look, lane.item) == (True, second)


async def test_a_resolved_work_item_can_be_looked_at(store: Store) -> None:
    """A person may have reopened it."""
    one = resolved(item())
    await keep(store, one)
    assert await store.upkeep.wake_for_look("desk", [one.key], now=NOW) == 1
    assert (await claim_one(store.lanes)).look


async def _ended(store: Store, after: str = "", *, since: datetime = NOW, limit: int = 2) -> tuple[list[str], str]:
    keys, following = await store.upkeep.ended_keys("desk", since=since, after=after, limit=limit)
    return list(keys), following


async def test_what_ended_lately_is_listed_by_its_end(store: Store) -> None:
    """The keys come a part at a time, those of one moment too; what is open or another's, or ended before, does not."""
    ended = [resolved(item(f"alert:{n}"), at(60 * (n // 2))) for n in range(5)]
    for one in ended:
        await keep(store, one)
    await keep(store, resolved(item("alert:long-ago"), at(-1)))
    await _opened(store, "alert:open")
    await keep(store, resolved(item("alert:other", connection="prod"), at(60)))
    first, following = await _ended(store)
    second, following = await _ended(store, following)
    third, following = await _ended(store, following)
    assert [*first, *second, *third] == [one.key for one in ended]
    assert following == ""
    assert await _ended(store, since=at(61)) == ([ended[4].key], "")


async def test_an_end_is_in_the_list_however_exact_its_time_is(store: Store) -> None:
    """Nothing is passed over when as many ended as a part holds."""
    for n in range(4):
        await keep(store, resolved(item(f"alert:{n}"), NOW))
    _, following = await _ended(store)
    second, following = await _ended(store, following)
    assert len(second) == 2
    assert (await _ended(store, following)) == ([], "")


async def _parked(store: Store, lane: str, *, connection: str = "desk", is_open: bool = False) -> WorkItem:
    one = item(lane, connection=connection, parked="no such group", attempts=3)
    one = open_in_tool(one) if is_open else one
    await keep(store, one, release=Release(parked="no such group"))
    return one


async def test_what_is_parked_is_tried_once_more(store: Store) -> None:
    """Parked lanes become ready a part at a time, and their work items may be tried at once; those of others stay."""
    for n in range(3):
        await _parked(store, f"alert:{n}")
    await _parked(store, "alert:other", connection="prod")
    assert (await store.upkeep.retry_parked("desk", after="", limit=2, now=NOW))[0] == 2
    lanes = await claim(store.lanes)
    assert [lane.correlation_key for lane in lanes] == ["alert:0", "alert:1"]
    assert [(lane.item.parked, lane.item.attempts) for lane in lanes if lane.item] == [(None, 0), (None, 0)]
    assert await claim(store.lanes, connection="prod") == []


async def test_what_parks_again_meanwhile_is_not_tried_in_a_circle(store: Store) -> None:
    """The next part goes on behind the lanes of this one, and the last part says that it is the last."""
    for n in range(4):
        await _parked(store, f"alert:{n}")
    after, tried = "", []
    for _ in range(3):
        _, after = await store.upkeep.retry_parked("desk", after=after, limit=2, now=NOW)
        for lane in await claim(store.lanes):
            tried.append(lane.correlation_key)
            await store.lanes.save(lane, Change(item=lane.item, release=Release(parked="still refused")), now=NOW)
    assert tried == [f"alert:{n}" for n in range(4)]
    assert after == ""


async def test_what_is_parked_and_open_in_the_tool_is_left_to_its_reading_back(store: Store) -> None:
    """A look finds out first whether a person did by hand what was refused."""
    await _parked(store, "alert:a", is_open=True)
    await _parked(store, "alert:b")
    assert (await store.upkeep.retry_parked("desk", after="", limit=9, now=NOW)) == (1, "")
    assert (await claim_one(store.lanes)).correlation_key == "alert:b"


async def test_what_waits_is_not_tried_before_its_time(store: Store) -> None:
    """A lane that waits comes back by itself."""
    await keep(store, item(), release=Release(wake_at=at(60), waiting="the tool is down"))
    assert (await store.upkeep.retry_parked("desk", after="", limit=9, now=NOW)) == (0, "")


async def test_what_the_cmdb_lacks_is_listed_in_lower_case(store: Store) -> None:
    """Names and resource ids of open work items' unbound CIs are listed, each once."""
    vm = "/subscriptions/S/resourceGroups/g/providers/Microsoft.Compute/virtualMachines/VM1"
    await keep(store, lacking(item("alert:a"), vm, "Web01"))
    await keep(store, lacking(item("alert:b"), "WEB01"))
    await keep(store, lacking(item("alert:c"), "a budget", rule="not-a-ci"))
    await keep(store, lacking(resolved(item("alert:d")), "gone"))
    await keep(store, lacking(item("alert:e", connection="prod"), "elsewhere"))
    names = await store.upkeep.unbound_names("desk", limit=100)
    assert len(names) == len(set(names))
    assert {vm.lower(), "web01"} <= set(names)
    assert not {"a budget", "gone", "elsewhere"} & set(names)


async def test_all_that_the_cmdb_lacks_has_its_turn(store: Store) -> None:
    """Where there are more names than asked for at a time, the following calls go on, and begin again."""
    await keep(store, lacking(item(), *(f"vm{n}" for n in range(5))))
    calls = [await store.upkeep.unbound_names("desk", limit=2) for _ in range(6)]
    assert {name for call in calls[:3] for name in call} == {f"vm{n}" for n in range(5)}
    assert {name for call in calls[3:] for name in call} == {f"vm{n}" for n in range(5)}


async def test_a_ci_that_appeared_wakes_those_who_lack_it(store: Store) -> None:
    """The lanes of the open work items that lack it are made ready, and no others."""
    await keep(store, lacking(item("alert:a"), "Web01"))
    await keep(store, lacking(item("alert:b"), "web02"))
    assert await store.upkeep.wake_unbound("prod", ["web01"], now=NOW, limit=10) == 0
    assert await store.upkeep.wake_unbound("desk", ["web01", "other"], now=NOW, limit=10) == 1
    lane = await claim_one(store.lanes)
    assert lane.correlation_key == "alert:a"


async def test_a_ci_that_does_not_bind_does_not_wake_all_the_time(store: Store) -> None:
    """For the same name a lane is woken again only after a while."""
    await keep(store, lacking(item(), "web01"))
    woken = [await store.upkeep.wake_unbound("desk", ["web01"], now=at(s), limit=10) for s in (0, 60, 601)]
    assert woken == [1, 0, 1]


async def test_what_is_bound_is_lacking_no_more(store: Store) -> None:
    """Once a work item has its CI, its name is not asked for."""
    one = lacking(item(), "web01")
    await keep(store, one)
    await keep(store, replace(one, desired=item().desired))
    assert await store.upkeep.unbound_names("desk", limit=10) == []


async def test_cursors_are_kept(store: Store) -> None:
    """A named cursor is empty at first and keeps its latest value."""
    assert await store.upkeep.cursor("changes:desk") == ""
    for value in ("1", "2", "2"):
        await store.upkeep.keep_cursor("changes:desk", value)
    assert await store.upkeep.cursor("changes:desk") == "2"
    assert await store.upkeep.cursor("changes:prod") == ""


async def test_old_notifications_are_forgotten_and_their_alerts_are_not(store: Store) -> None:
    """Notifications go after their time; the alert and its work item are kept longer."""
    one = resolved(item())
    await keep(store, one, alerts=[alert("a", work_item=one.id, ended_at=NOW)])
    assert len((await store.records.alert("a"))["notifications"]) == 1
    assert await forget_all(store, NOW + timedelta(days=89)) == 0
    assert await forget_all(store, NOW + timedelta(days=91)) == 1
    assert (await store.records.alert("a"))["notifications"] == []
    assert (await store.records.work_item(one.id))["alerts"] == ["a"]


async def test_a_late_duplicate_of_a_forgotten_notification_finds_its_alert(store: Store) -> None:
    """When the dedupe key is gone, the alert still says that all this was told."""
    one = resolved(item())
    await keep(store, one, alerts=[alert("a", work_item=one.id, ended_at=NOW)])
    await forget_all(store, NOW + timedelta(days=91))
    await store.journal.append(entry())
    lane = await claim_one(store.lanes)
    known = await store.lanes.known(lane, alert_ids=["a"], problems=[])
    assert known.alerts["a"].work_item == one.id
    assert lane.item == one


async def test_what_is_not_folded_is_never_forgotten(store: Store) -> None:
    """Retention deletes no notification that still has to be worked on."""
    await store.journal.append(entry())
    assert await forget_all(store, NOW + timedelta(days=10_000)) == 0
    assert len((await claim_one(store.lanes, now=at(10**9))).pending) == 1


async def test_what_is_at_work_is_not_forgotten(store: Store) -> None:
    """A lane that waits or is parked keeps its notifications, its alerts and its work item."""
    one = resolved(item())
    release = Release(parked="a person is needed")
    await keep(store, one, release=release, alerts=[alert("a", work_item=one.id, ended_at=NOW)])
    assert await forget_all(store, NOW + timedelta(days=10_000)) == 0
    assert len((await store.records.alert("a"))["notifications"]) == 1


async def test_quarantine_is_forgotten_after_its_own_time(store: Store) -> None:
    """A quarantined notification is kept as long as quarantine is, and then goes whole."""
    receipt = await store.journal.append(unreadable())
    assert await forget_all(store, NOW + timedelta(days=179)) == 0
    assert await forget_all(store, NOW + timedelta(days=181)) == 1
    with pytest.raises(NotFound):
        await store.records.quarantined(receipt.notification)


async def test_an_old_work_item_is_forgotten_with_all_that_belongs_to_it(store: Store) -> None:
    """After its time a finished work item goes, with its steps and its alerts, those too that never ended."""
    one = resolved(item())
    await store.journal.append(entry())
    lane = await claim_one(store.lanes)
    await store.lanes.save(lane, Change(item=one, begin=StepKind.CREATE), now=NOW)
    alerts = [alert("a", work_item=one.id)]
    await store.lanes.save(lane, folded(lane, finish=StepResult(Done(None), NOW), alerts=alerts), now=NOW)
    assert await forget_all(store, NOW + timedelta(days=399)) == 1
    assert await forget_all(store, NOW + timedelta(days=401)) == 3
    with pytest.raises(NotFound):
        await store.records.work_item(one.id)
    with pytest.raises(NotFound):
        await store.records.alert("a")


@pytest.mark.parametrize("kept", ["open", "owed"])
async def test_an_unfinished_work_item_is_never_forgotten(store: Store, kept: str) -> None:
    """However old it is: what is open or owed stays."""
    one = open_in_tool(item())
    if kept == "owed":
        one = replace(resolved(item()), confirmed=one.confirmed)
    await keep(store, one, alerts=[alert("a", work_item=one.id, ended_at=NOW)])
    assert await forget_all(store, NOW + timedelta(days=10_000)) == 1
    assert (await store.records.work_item(one.id))["alerts"] == ["a"]


async def test_the_latest_work_item_of_a_key_that_comes_again_is_kept(store: Store) -> None:
    """Its generation says which keys the tool has seen: the next work item must not get one of those."""
    for generation in (1, 2):
        one = resolved(item("ci:vm1", generation=generation))
        await keep(store, one, alerts=[alert(f"a{generation}", work_item=one.id, ended_at=NOW)])
    await forget_all(store, NOW + timedelta(days=10_000))
    await store.journal.append(entry("ci:vm1"))
    lane = await claim_one(store.lanes)
    assert lane.item is not None
    assert lane.item.generation == 2
    assert len((await store.records.work_items()).rows) == 1


async def test_an_alert_of_no_work_item_is_forgotten_after_a_work_items_time(store: Store) -> None:
    """An end without a beginning is remembered as long as a work item is."""
    await store.journal.append(entry())
    lane = await claim_one(store.lanes)
    await store.lanes.save(lane, folded(lane, alerts=[alert("a", fired_at=None, ended_at=NOW)]), now=NOW)
    assert await forget_all(store, NOW + timedelta(days=399)) == 1
    assert await forget_all(store, NOW + timedelta(days=401)) == 1


@pytest.mark.parametrize("limit", [1, 3, 100])
async def test_forgetting_goes_on_a_little_at_a_time(store: Store, limit: int) -> None:
    """Each call deletes a bounded number of rows, and repeated calls delete everything that is old."""
    old = resolved(item("ci:vm1"))
    await keep(store, old, alerts=[alert(f"a{n}", work_item=old.id, ended_at=NOW) for n in range(7)])
    await keep(store, resolved(item("ci:vm1", generation=2)))
    for n in range(7):
        one = resolved(item(f"alert:{n}"))
        await keep(store, one, alerts=[alert(str(n), work_item=one.id, ended_at=NOW)])
    now = NOW + timedelta(days=401)
    assert await store.upkeep.forget(RETENTION, now=now, limit=limit) <= 10 * limit
    await forget_all(store, now, limit=limit)
    assert len((await store.records.work_items()).rows) == 1
    assert (await store.records.alerts()).rows == []


async def _opened(store: Store, lane: str, *, connection: str = "desk", generation: int = 1) -> WorkItem:
    one = open_in_tool(item(lane, connection=connection, generation=generation))
    await keep(store, one)
    return one


async def test_the_desks_old_incidents_are_forgotten_with_old_work_items(store: Store) -> None:
    """The embedded desk grows no more than the work items that its incidents belong to."""
    draft = IncidentDraft(
        connection="desk", key="0f" * 16, title="t", description="d", impact=2, urgency=2, priority=3, revision=1
    )
    incident = await store.desk.open_incident(draft, now=NOW)
    await store.desk.add("desk", "0f" * 16, Addition(revision=2, resolution="over"), now=NOW)
    await store.upkeep.forget(RETENTION, now=NOW + RETENTION.work_items, limit=10)
    assert (await store.desk.incident(incident.number)).incident.resolution == "over"
    await store.upkeep.forget(RETENTION, now=NOW + RETENTION.work_items + timedelta(days=1), limit=10)
    with pytest.raises(NotFound):
        await store.desk.incident(incident.number)
