"""What happens when the connection breaks just while a change is being committed."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any

import asyncpg
import pytest
from tests.conformance.store_suite.samples import LEASE, NOW, alert, at, claim, claim_one, entry, folded, item
from tests.postgres import Server, own_server
from tests.unit.store.postgresql.proxy import COMMIT, Network

from secure_export.delivery.contract import Change, Release, StepResult
from secure_export.errors import LostLane, StoreUnavailable
from secure_export.itsm.desk.contract import WriteInDoubt
from secure_export.itsm.desk.incident import IncidentDraft
from secure_export.store.postgresql.place import place_of
from secure_export.store.postgresql.store import PostgresStore
from secure_export.workitems.outcome import Done
from secure_export.workitems.work_item import StepKind

DRAFT = IncidentDraft(
    connection="desk", key="0f" * 16, title="t", description="d", impact=2, urgency=2, priority=3, revision=1
)


@pytest.fixture
async def network(postgres: Server) -> AsyncIterator[Network]:
    async with Network(own_server(postgres).port).running() as running:
        yield running


@pytest.fixture
async def store(database: str, network: Network) -> AsyncIterator[PostgresStore]:
    place = place_of(f"postgresql://postgres@127.0.0.1:{network.port}/{database}?pool_size=2")
    opened = await PostgresStore.open(place, clock=lambda: NOW)
    yield opened
    await opened.close()


@pytest.mark.parametrize("kept", [True, False])
async def test_a_notification_in_doubt_is_refused_and_known_when_it_comes_again(
    store: PostgresStore, network: Network, *, kept: bool
) -> None:
    """Azure is told to try again; it is then a duplicate, or new, and is folded once in any case."""
    await store.journal.append(entry("alert:first"))
    setattr(network, "cut_after" if kept else "cut_before", b"k" * 24)  # what is written commits at once
    with pytest.raises(WriteInDoubt):
        await store.journal.append(entry(key=b"k" * 24))
    assert network.cuts == 1
    again = await store.journal.append(entry(key=b"k" * 24))
    assert again.status == ("duplicate" if kept else "accepted")
    pending = [p.notification for lane in await claim(store.lanes) for p in lane.pending if lane.known_of == {"a"}]
    assert pending == [again.notification]


@pytest.mark.parametrize("kept", [True, False])
async def test_a_change_of_the_desk_in_doubt_is_told_as_such(
    store: PostgresStore, network: Network, *, kept: bool
) -> None:
    """The desk's connector must look before it tries again; nothing is there twice."""
    assert await store.desk.change_counter() == 0
    setattr(network, "cut_after" if kept else "cut_before", bytes.fromhex(DRAFT.key))
    with pytest.raises(WriteInDoubt):
        await store.desk.open_incident(DRAFT, now=NOW)
    there = await store.desk.incident_by_key("desk", DRAFT.key)
    assert (there is not None) is kept
    incident = await store.desk.open_incident(DRAFT, now=NOW)
    assert there is None or incident.number == there.number
    assert len((await store.desk.incidents()).incidents) == 1


@pytest.mark.parametrize("kept", [True, False])
async def test_a_change_of_a_lane_in_doubt_is_saved_once(store: PostgresStore, network: Network, *, kept: bool) -> None:
    """Saved again it neither breaks on the step that it began nor finishes that step with an older one's result."""
    await store.journal.append(entry())
    lane = await claim_one(store.lanes)
    one = item()
    await store.lanes.save(lane, Change(item=one, begin=StepKind.LOOK), now=NOW)
    finish = StepResult(Done(None), at(1))
    change = Change(
        folded=[p.notification for p in lane.pending],
        alerts=[alert("a", work_item=one.id)],
        item=one,
        finish=finish,
        begin=StepKind.CREATE,
    )
    setattr(network, "cut_after" if kept else "cut_before", COMMIT)
    with pytest.raises(StoreUnavailable):
        await store.lanes.save(lane, change, now=at(1))
    await store.lanes.save(lane, change, now=at(2))
    steps = (await store.records.work_item(one.id))["steps"]
    assert [(s["kind"], s["outcome"]) for s in steps] == [("look", "done"), ("create", None)]
    await store.lanes.save(lane, Change(finish=StepResult(Done(None), at(3)), release=Release()), now=at(3))
    assert (await store.records.lanes()).rows == []
    assert len((await store.records.alert("a"))["notifications"]) == 1


async def test_a_lane_that_was_given_back_in_doubt_is_nobodys(store: PostgresStore, network: Network) -> None:
    """What was written stays, and the owner hears that the lane is not its own any more."""
    await store.journal.append(entry())
    lane = await claim_one(store.lanes)
    network.cut_after = COMMIT
    with pytest.raises(StoreUnavailable):
        await store.lanes.save(lane, folded(lane, item=item()), now=NOW)
    with pytest.raises(LostLane):
        await store.lanes.save(lane, folded(lane, item=item()), now=NOW)
    assert len((await store.records.work_items()).rows) == 1


@pytest.mark.parametrize("kept", [True, False])
async def test_lanes_of_a_claim_in_doubt_are_given_back(store: PostgresStore, network: Network, *, kept: bool) -> None:
    """Nobody heard that they were taken: the next claim gets them at once and not after the lease."""
    await store.journal.append(entry())
    setattr(network, "cut_after" if kept else "cut_before", COMMIT)
    with pytest.raises(StoreUnavailable):
        await store.lanes.claim("desk", limit=9, pending_limit=9, now=NOW, lease=LEASE)
    assert network.cuts == 1
    # The server holds the lane until it has seen that the connection is broken.
    async with asyncio.timeout(5):
        while not (lanes := await claim(store.lanes, now=at(1))):  # noqa: ASYNC110 - see above
            await asyncio.sleep(0.01)
    assert len(lanes) == 1


async def test_only_the_doubtful_change_is_passed_over(store: PostgresStore, network: Network) -> None:
    """Another change after one in doubt is written, whatever became of that."""
    await store.journal.append(entry())
    lane = await claim_one(store.lanes)
    one = item()
    network.cut_after = COMMIT
    with pytest.raises(StoreUnavailable):
        await store.lanes.save(lane, Change(item=one, begin=StepKind.CREATE), now=NOW)
    with pytest.raises(Exception, match=r"(?i)unique"):
        await store.lanes.save(lane, Change(item=one, begin=StepKind.UPDATE), now=NOW)
    closed = datetime(2030, 1, 1, tzinfo=UTC)
    release = Release(seen=lane.pending[0].notification, wake_at=closed, waiting="later")
    await store.lanes.save(lane, folded(lane, finish=StepResult(Done(None), at(1)), release=release), now=at(1))
    assert (await store.records.lanes()).rows[0]["state"] == "waiting"


async def test_what_was_kept_is_told_though_its_connection_is_lost_on_the_way_back(
    store: PostgresStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A server that stops cuts off connections at every moment: else a claim would be nobody's until its lease ends."""
    release = asyncpg.pool.Pool.release

    async def lost(pool: Any, connection: Any, **how: Any) -> None:
        asyncio.get_running_loop().call_soon(connection.terminate)  # asyncpg finds it gone one step later
        await release(pool, connection, **how)

    monkeypatch.setattr(asyncpg.pool.Pool, "release", lost)
    assert (await store.journal.append(entry())).status == "accepted"
    lane = await claim_one(store.lanes)
    await store.lanes.save(lane, folded(lane, item=item()), now=NOW)
    assert len((await store.records.work_items()).rows) == 1
