"""What every store's journal does."""

import asyncio
import os
from dataclasses import replace

import pytest
from tests.conformance.store_suite.conftest import OpenStore
from tests.conformance.store_suite.samples import CALLER, NOW, at, claim, claim_one, entry, folded, unreadable

from secure_export.delivery.contract import Release
from secure_export.store.open import Store


async def test_an_accepted_notification_waits_in_its_lane(store: Store) -> None:
    """What was accepted is found, body and time of receipt unchanged, by whoever claims its lane."""
    receipt = await store.journal.append(entry(body=b'{"a": 1}'))
    lane = await claim_one(store.lanes)
    assert receipt.status == "accepted"
    assert (lane.connection, lane.correlation_key) == ("desk", "alert:a")
    assert [(p.notification, p.body, p.received_at) for p in lane.pending] == [(receipt.notification, b'{"a": 1}', NOW)]


async def test_the_same_said_again_is_a_duplicate(store: Store) -> None:
    """A second notification with the same dedupe key gets the first one's id, and nothing is folded twice."""
    first = await store.journal.append(entry(key=b"k" * 24))
    second = await store.journal.append(entry(key=b"k" * 24, lane="alert:other"))
    assert (second.status, second.notification) == ("duplicate", first.notification)
    assert [len(lane.pending) for lane in await claim(store.lanes)] == [1]


async def test_duplicates_that_arrive_at_once_are_told_apart_from_news(store: Store) -> None:
    """Of notifications that share a commit, each is judged by its own key."""
    entries = [entry(f"alert:{n % 10}", key=bytes([n % 10]) * 24) for n in range(40)]
    receipts = await asyncio.gather(*map(store.journal.append, entries))
    accepted = {r.notification for r in receipts if r.status == "accepted"}
    assert len(accepted) == 10
    assert [r.status for r in receipts].count("duplicate") == 30
    assert {r.notification for r in receipts} == accepted
    assert sum(len(lane.pending) for lane in await claim(store.lanes)) == 10


async def test_duplicates_are_known_after_a_restart_and_beside_another_process(
    store: Store, open_again: OpenStore
) -> None:
    """Dedupe keys are kept, and seen by every process."""
    first = await store.journal.append(entry(key=b"k" * 24))
    again = await (await open_again()).journal.append(entry(key=b"k" * 24))
    assert (again.status, again.notification) == ("duplicate", first.notification)


async def test_without_a_key_nothing_is_a_duplicate(store: Store) -> None:
    """Tests have no key: each arrival counts."""
    receipts = [await store.journal.append(entry("test:1")), await store.journal.append(entry("test:1"))]
    assert [r.status for r in receipts] == ["accepted", "accepted"]
    assert len((await claim_one(store.lanes)).pending) == 2


async def test_what_was_not_understood_goes_to_quarantine(store: Store) -> None:
    """It is kept with its reason and makes no lane ready, however often it comes."""
    receipts = [await store.journal.append(unreadable()) for _ in range(2)]
    assert [r.status for r in receipts] == ["quarantined", "quarantined"]
    assert await claim(store.lanes) == []
    kept = await store.records.quarantined(receipts[0].notification)
    assert (kept["reason"], kept["body"], kept["connection"]) == ("not JSON", "{", "desk")
    assert len((await store.records.quarantine()).rows) == 2


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"x",
        b'{"a": "' + b"b" * 5_000 + b'"}',
        os.urandom(3_000),
        os.urandom(1024 * 1024),
        b"\x28\xb5\x2f\xfd" + b"\x00" * 500,
    ],
    ids=["empty", "short", "compressible", "noise", "largest", "looks like a zstd frame"],
)
async def test_bodies_come_back_as_they_came(store: Store, body: bytes) -> None:
    """However a body is kept, it is read byte for byte as it was sent."""
    await store.journal.append(entry(body=body))
    assert (await claim_one(store.lanes)).pending[0].body == body


async def test_many_at_once_all_arrive(store: Store) -> None:
    """Notifications that come side by side each get a number of their own and reach their lanes."""
    count = 700
    entries = [entry(f"alert:{n}", body=str(n).encode(), key=n.to_bytes(24, "big")) for n in range(count)]
    receipts = await asyncio.gather(*map(store.journal.append, entries))
    assert len({r.notification for r in receipts}) == count
    lanes = await claim(store.lanes, limit=count)
    assert {lane.correlation_key: lane.pending[0].body for lane in lanes} == {
        f"alert:{n}": str(n).encode() for n in range(count)
    }


async def test_numbers_grow_and_are_not_given_twice(store: Store, open_again: OpenStore) -> None:
    """A later notification has a larger number, whichever process took it."""
    other = await open_again()
    numbers = [
        (await one.journal.append(entry(f"alert:{n}"))).notification for n, one in enumerate((store, other, store))
    ]
    assert numbers == sorted(set(numbers))


async def test_connections_do_not_share_lanes(store: Store) -> None:
    """The same correlation key of two connections is two lanes."""
    await store.journal.append(entry(connection="desk"))
    await store.journal.append(entry(connection="prod"))
    assert [lane.connection for lane in await claim(store.lanes, connection="prod")] == ["prod"]
    assert [lane.connection for lane in await claim(store.lanes, connection="desk")] == ["desk"]


async def test_who_sent_it_is_kept(store: Store) -> None:
    """The caller stands beside the notification, for whoever looks."""
    receipt = await store.journal.append(unreadable())
    kept = await store.records.quarantined(receipt.notification)
    assert kept["caller"]["token_id"] == "u"
    assert b"Bearer" not in CALLER


async def test_a_wrong_entry_takes_no_other_with_it(store: Store) -> None:
    """An entry that cannot be written fails alone, even in one commit with good ones."""
    wrong = entry("alert:\ud800")
    results = await asyncio.gather(
        *(store.journal.append(e) for e in (entry("alert:1"), wrong, entry("alert:2"))), return_exceptions=True
    )
    assert isinstance(results[1], Exception)
    assert {lane.correlation_key for lane in await claim(store.lanes)} == {"alert:1", "alert:2"}


@pytest.mark.parametrize(
    "release", [Release(parked="refused"), Release(wake_at=at(10**8), waiting="the tool is down")], ids=repr
)
async def test_what_comes_for_a_waiting_or_parked_lane_makes_it_due(store: Store, release: Release) -> None:
    """A new notification is folded at once, whatever the lane waits for."""
    first = await store.journal.append(entry())
    lane = await claim_one(store.lanes)
    await store.lanes.save(lane, folded(lane, release=replace(release, seen=first.notification)), now=NOW)
    assert await claim(store.lanes) == []
    second = await store.journal.append(entry())
    assert [p.notification for p in (await claim_one(store.lanes)).pending] == [second.notification]
