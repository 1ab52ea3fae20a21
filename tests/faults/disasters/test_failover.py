"""PostgreSQL dies, stops, starts again, or is followed by its standby, while alerts come in and are delivered."""

import asyncio
import os
import signal
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from time import monotonic
from typing import Any

import pytest
from tests.conformance.store_suite.samples import entry
from tests.faults.disasters.load import Load, comes_to_rest, judge, load_of, says_why, token_of
from tests.postgres import OwnProcess, Pair, Server, own_server, pair_running, promote, server_of
from tests.program import Program

from secure_export.errors import StoreUnavailable
from secure_export.intake.contract import Entry, Receipt
from secure_export.store.postgresql.place import place_of
from secure_export.store.postgresql.store import PostgresStore

pytestmark = pytest.mark.fault

ENOUGH = 40


@pytest.fixture
def pair() -> Iterator[Pair]:
    """Give a primary with a synchronous standby, both of which flush what they write."""
    with pair_running() as running:
        yield running


async def test_nothing_that_got_a_202_is_missing_after_the_promotion_of_the_standby(
    tmp_path: Path, entra: str, pair: Pair
) -> None:
    """With a synchronous standby the machine of the primary may be lost under load: meanwhile every answer is 503,
    after the promotion everything goes on by itself, and each 202 is in the new primary, delivered exactly once.
    """
    await pair.wait_until_synchronous()
    program = Program(tmp_path, entra, store=pair.url("postgres"))
    await asyncio.to_thread(program.start)
    load = load_of(program, await token_of(entra))
    try:
        async with load.running():
            await load.more(ENOUGH)
            pair.first.kill()
            await load.answered()
            before = load.accepted
            await load.refused(5)
            await asyncio.sleep(0.3)
            assert load.accepted == before, "a standby took writes"
            await asyncio.to_thread(says_why, program)
            await promote(pair.second)
            await load.more(ENOUGH)
        await asyncio.to_thread(comes_to_rest, program)
        await asyncio.to_thread(judge, program, load)
        async with server_of(pair.second).connection() as connection:
            await _has_all_of(connection, load)
    finally:
        program.stop()


async def test_a_primary_of_the_past_that_comes_back_gets_no_writes(pair: Pair) -> None:
    """After a standby took its place the old primary may be started again by mistake, and would take writes that
    nobody ever sees: neither a process that starts then, nor one that knew it before, uses it, though named first.
    """
    await pair.wait_until_synchronous()
    place = place_of(pair.url("postgres"))
    knew_both = await PostgresStore.open(place)
    first_only = await PostgresStore.open(replace(place, hosts=place.hosts[:1], ports=place.ports[:1]))
    told = [(await knew_both.journal.append(entry("alert:before"))).notification]
    pair.first.kill()
    await promote(pair.second)
    pair.first.settings.pop("synchronous_standby_names")
    told.append((await _kept(knew_both, entry("alert:between"))).notification)
    pair.first.start()
    started_then = await PostgresStore.open(place_of(pair.url("postgres")))
    await knew_both._database._pool.expire_connections()
    for store in (knew_both, started_then):
        many = (store.journal.append(entry(f"alert:{n}", key=f"{n}:{id(store)}".encode())) for n in range(20))
        told += [receipt.notification for receipt in await asyncio.gather(*many)]
    with pytest.raises(StoreUnavailable, match="older primary"):
        await _kept(first_only, entry("alert:lost"), seconds=0.5)
    assert "older primary" in (await first_only.ready() or "")
    there = {row[0] for row in await server_of(pair.second).fetch("SELECT id FROM notifications")}
    assert set(told) <= there
    for store in (knew_both, started_then, first_only):
        await store.close()


async def test_a_duplicate_is_acknowledged_only_once_its_first_is_on_the_standby(pair: Pair) -> None:
    """A primary that crashed while a commit waited for the standby comes back with it: what is sent again then is a
    duplicate of something that a promotion would lose, and gets its 202 when the standby has it, too.
    """
    await pair.wait_until_synchronous()
    store = await PostgresStore.open(place_of(pair.url("postgres")))
    one = entry("alert:one", key=b"one")
    await store.journal.append(entry("alert:before", key=b"before"))
    pair.second.kill()
    first = asyncio.create_task(store.journal.append(one))
    await asyncio.sleep(0.5)
    pair.first.kill()
    with pytest.raises(StoreUnavailable):
        await first
    pair.first.start()
    async with server_of(pair.first).connection() as connection:
        assert await connection.fetchval("SELECT count(*) FROM notifications") == 2
        with suppress(TimeoutError):  # the first number after a crash is kept, so that whoever takes it waits
            await connection.execute("SELECT nextval('notification_numbers')", timeout=0.5)
    again = asyncio.create_task(_kept(store, one))
    await asyncio.wait((again,), timeout=2)
    assert not again.done(), "it was acknowledged, though only the primary has it"
    pair.second.start()
    told = (await again).notification
    pair.first.kill()
    await promote(pair.second)
    assert told in {row[0] for row in await server_of(pair.second).fetch("SELECT id FROM notifications")}
    await store.close()


async def _kept(store: PostgresStore, one: Entry, *, seconds: float = 20.0) -> Receipt:
    """Try to have something recorded for so long, and longer while nobody can be reached at all."""
    end = monotonic() + seconds
    while True:
        try:
            return await store.journal.append(one)
        except StoreUnavailable:
            if monotonic() > end:
                raise
            await asyncio.sleep(0.05)


async def _has_all_of(connection: Any, load: Load) -> None:
    """Every notification that was accepted is recorded under the number that was told."""
    there = {row[0] for row in await connection.fetch("SELECT id FROM notifications")}
    told = {number for alert in load.sent for numbers in alert.told.values() for number in numbers}
    assert told <= there, f"{len(told - there)} of {len(told)} acknowledged notifications are gone"


async def test_every_way_in_which_postgresql_stops_and_comes_back_is_waited_for(
    tmp_path: Path, entra: str, postgres: Server
) -> None:
    """A planned stop, an orderly one that waits for sessions, a crash, a machine that is gone, and a server that comes
    back in recovery: intake answers 503 in the meantime and never 500, and the same processes go on by themselves.
    """
    own = own_server(postgres)
    async with postgres.database(migrated=False) as name:
        program = Program(tmp_path, entra, store=f"postgresql://postgres@127.0.0.1:{own.port}/{name}")
        try:
            await asyncio.to_thread(program.start)
            load = load_of(program, await token_of(entra))
            async with load.running():
                for way in WAYS:
                    await load.more(ENOUGH)
                    await way(own, load)
                await load.more(ENOUGH)
            await asyncio.to_thread(comes_to_rest, program)
            await asyncio.to_thread(judge, program, load)
            assert load.answers[0] == 0, "the service itself was not to be reached"
            async with postgres.connection(name) as connection:
                await _has_all_of(connection, load)
        finally:
            program.stop()
            is_standby = own.folder / "data" / "standby.signal"
            if is_standby.exists():  # all tests share this server
                is_standby.unlink()
                own.stop()
            own.start()


async def _planned(own: OwnProcess, load: Load) -> None:
    """It ends all sessions and stops ("fast")."""
    own.stop(signal.SIGINT)
    await load.refused()
    own.start()


async def _orderly(own: OwnProcess, load: Load) -> None:
    """It takes no new sessions and waits for those that there are ("smart"), which is for ever: they go on."""
    os.kill(own.pid, signal.SIGTERM)
    await load.more(ENOUGH)
    own.stop(signal.SIGINT)
    await load.refused()
    own.start()


async def _crash(own: OwnProcess, load: Load) -> None:
    """It stops without a word, and recovers from its log ("immediate")."""
    own.stop(signal.SIGQUIT)
    await load.refused()
    own.start(wait=False)
    await load.more(1)
    own.wait_until_ready()


async def _gone(own: OwnProcess, load: Load) -> None:
    """All its processes are gone at once."""
    own.kill()
    await load.refused()
    own.start(wait=False)
    await load.more(1)
    own.wait_until_ready()


async def _one_session_crashes(own: OwnProcess, load: Load) -> None:
    """One of its processes dies; it ends all others, recovers, and goes on (PostgreSQL docs, restart_after_crash)."""
    rows = await server_of(own).fetch(
        "SELECT pid FROM pg_stat_activity WHERE backend_type = 'client backend' AND pid <> pg_backend_pid() "
        "AND application_name = 'secure-export'"
    )
    os.kill(rows[0][0], signal.SIGKILL)


async def _in_recovery(own: OwnProcess, load: Load) -> None:
    """It comes back as a standby that can only be read, until it is promoted."""
    own.stop(signal.SIGINT)
    (own.folder / "data" / "standby.signal").touch(mode=0o644)
    own.start()
    await load.answered()
    before = load.accepted
    await load.refused(5)
    assert load.accepted == before, "a standby took writes"
    await promote(own)


WAYS = (_planned, _orderly, _crash, _gone, _one_session_crashes, _in_recovery)
