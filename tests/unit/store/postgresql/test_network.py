"""What the PostgreSQL store does when nobody answers: a network that swallows bytes, and hosts that are gone."""

import asyncio
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import ExitStack
from time import monotonic
from typing import Any

import asyncpg
import pytest
from tests.conformance.store_suite.samples import NOW, claim, entry
from tests.postgres import Server, own_server
from tests.unit.store.postgresql.proxy import Network

from secure_export.errors import SettingsError, StoreUnavailable
from secure_export.store.postgresql import hosts
from secure_export.store.postgresql.connect import connect
from secure_export.store.postgresql.place import place_of
from secure_export.store.postgresql.store import PostgresStore

_SHORT_SECONDS = 0.3
_LONGER_SECONDS = 2.0


@pytest.fixture
async def network(postgres: Server) -> AsyncIterator[Network]:
    async with Network(own_server(postgres).port).running() as running:
        yield running


@pytest.fixture
def short(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let nobody wait for an answer for long."""
    for module in ("connect", "database"):
        monkeypatch.setattr(f"secure_export.store.postgresql.{module}.ANSWER_SECONDS", _SHORT_SECONDS)
    monkeypatch.setattr("secure_export.store.postgresql.connect._CONNECT_SECONDS", _SHORT_SECONDS)
    monkeypatch.setattr("secure_export.store.postgresql.database._TIDY_SECONDS", _SHORT_SECONDS)


@pytest.fixture
async def store(short: None, database: str, network: Network) -> AsyncIterator[PostgresStore]:
    place = place_of(f"postgresql://postgres@127.0.0.1:{network.port}/{database}?pool_size=8")
    opened = await PostgresStore.open(place, clock=lambda: NOW)
    yield opened
    await opened.close()


async def test_a_network_that_swallows_everything_is_an_outage_and_no_endless_wait(
    store: PostgresStore, network: Network
) -> None:
    """Who waits hears of it after the time for one answer, and neither a roll-back nor a cancellation waits longer."""
    await store.journal.append(entry("alert:before"))
    network.silent = True
    began = monotonic()
    for act in (
        store.journal.append(entry()),
        claim(store.lanes),
        store.lanes.next_due("desk"),
        store.desk.change_counter(),
    ):
        with pytest.raises(StoreUnavailable):
            await act
    assert monotonic() - began < 4 * (2 * _SHORT_SECONDS + 1)


async def test_connections_of_a_network_that_was_gone_are_not_tried_one_by_one(
    store: PostgresStore, network: Network
) -> None:
    """When it is back those from before still lead nowhere: the first that shows it condemns them all."""
    await asyncio.gather(*(store.upkeep.keep_cursor(f"c{n}", "1") for n in range(8)))
    network.silent = True
    with pytest.raises(StoreUnavailable):
        await store.journal.append(entry())
    network.silent = False
    async with asyncio.timeout(_SHORT_SECONDS + 2):
        assert (await store.journal.append(entry())).status == "accepted"
    receipts = await asyncio.gather(*(store.upkeep.cursor(f"c{n}") for n in range(8)))
    assert receipts == ["1"] * 8


@pytest.mark.parametrize("when", ["statement", "commit"])
async def test_who_gave_up_while_nobody_answers_is_let_go(
    database: str, network: Network, monkeypatch: pytest.MonkeyPatch, when: str
) -> None:
    """A request that is cancelled, or a process that ends, waits neither for an answer nor for the cancellation."""
    monkeypatch.setattr("secure_export.store.postgresql.database._TIDY_SECONDS", _SHORT_SECONDS)
    store = await PostgresStore.open(place_of(f"postgresql://postgres@127.0.0.1:{network.port}/{database}"))
    started = asyncio.Event()

    async def job(db: Any) -> None:
        await db.execute("INSERT INTO cursors (name, value) VALUES ('x', '')")
        network.silent = True
        started.set()
        if when == "statement":
            await db.execute("SELECT 1")

    task = asyncio.create_task(store._database.write(job))
    await started.wait()
    await asyncio.sleep(0.02)
    task.cancel()
    done, _ = await asyncio.wait((task,), timeout=3 * _SHORT_SECONDS + 1)
    assert done
    assert task.cancelled()
    network.silent = False
    await store.close()


async def test_a_session_beside_the_pool_does_not_wait_for_ever(short: None, database: str, network: Network) -> None:
    """The session that listens has a time limit for each answer, too, from its first question on."""
    connection = await connect(place_of(f"postgresql://postgres@127.0.0.1:{network.port}/{database}"))
    network.silent = True
    async with asyncio.timeout(5):
        with pytest.raises(TimeoutError):
            await connection.fetchval("SELECT 1")
    connection.terminate()


async def test_the_server_notices_a_machine_that_is_gone(postgres: Server, database: str) -> None:
    """It says no good-bye, and the system's usual two hours are too long for what its session holds."""
    place = place_of(f"postgresql://postgres@127.0.0.1:{own_server(postgres).port}/{database}")
    connection = await connect(place)
    names = ("tcp_keepalives_idle", "tcp_keepalives_interval", "tcp_keepalives_count")
    idle, interval, count = [int(await connection.fetchval("SELECT current_setting($1)", name)) for name in names]
    assert 0 < idle + interval * count <= 30
    await connection.close()


@pytest.fixture
def nowhere() -> Iterator[int]:
    """Give a port where somebody listens and never says a word."""
    with ExitStack() as stack:
        listening = stack.enter_context(socket.socket())
        listening.bind(("127.0.0.1", 0))
        listening.listen(16)
        yield listening.getsockname()[1]


async def test_a_host_that_is_gone_does_not_keep_from_the_others(postgres: Server, database: str, nowhere: int) -> None:
    """After a failover the machine of the old primary may not even refuse; the next in the URL is found at once."""
    port = own_server(postgres).port
    url = f"postgresql://postgres@127.0.0.1:{nowhere},127.0.0.1:{nowhere},127.0.0.1:{port}/{database}"
    began = monotonic()
    store = await PostgresStore.open(place_of(url), clock=lambda: NOW)
    assert (await store.journal.append(entry())).status == "accepted"
    assert monotonic() - began < 4
    began = monotonic()
    await asyncio.gather(*(store.upkeep.cursor(f"c{n}") for n in range(6)))
    assert monotonic() - began < hosts._AHEAD_SECONDS  # who took writes the last time is asked first
    await store.close()


async def test_of_hosts_the_one_that_takes_writes_is_used(postgres: Server, database: str, network: Network) -> None:
    """A standby, or what has become one, is passed over; when none takes writes that is an outage."""
    await postgres.execute(f"ALTER DATABASE {database} SET default_transaction_read_only = on")
    with pytest.raises(StoreUnavailable, match="read-write"):
        await PostgresStore.open(place_of(f"postgresql://postgres@127.0.0.1:{network.port}/{database}"))
    await postgres.execute(f"ALTER DATABASE {database} RESET default_transaction_read_only")
    async with postgres.database() as other:
        await postgres.execute(f"ALTER DATABASE {other} SET default_transaction_read_only = on")
    store = await PostgresStore.open(place_of(f"postgresql://postgres@127.0.0.1:{network.port}/{database}"))
    await store.close()


async def test_a_server_older_than_one_that_was_used_is_refused(postgres: Server, database: str) -> None:
    """A server on a lower timeline was replaced by a standby: what it would take nobody would see."""
    place = place_of(postgres.url(database))
    store = await PostgresStore.open(place, clock=lambda: NOW)
    await store.journal.append(entry("alert:before"))
    assert place.timelines.highest >= 1
    place.timelines.admit(0xFFFF)
    with pytest.raises(StoreUnavailable, match="older primary"):
        await store.journal.append(entry())
    await store.close()


async def test_of_several_errors_the_most_telling_is_told(nowhere: int, postgres: Server, database: str) -> None:
    """That the right host wants a password says more than that another is only a standby."""
    told = [asyncpg.TargetServerAttributeNotMatched("none"), asyncpg.InvalidPasswordError("wrong")]
    assert isinstance(hosts._most_telling(told), asyncpg.InvalidPasswordError)


async def test_a_primary_that_became_a_standby_is_left(postgres: Server, database: str) -> None:
    """Every connection to it is given up at the first refusal, so that the next try finds the new primary."""
    store = await PostgresStore.open(place_of(postgres.url(database, pool_size="4")), clock=lambda: NOW)

    async def pid(db: Any) -> int:
        await asyncio.sleep(0.05)
        return int(await db.fetchval("SELECT pg_backend_pid()"))

    async def write_as_a_standby(db: Any) -> None:
        await db.execute("SET TRANSACTION READ ONLY")
        await db.execute("INSERT INTO cursors (name, value) VALUES ('a', '')")

    before = set(await asyncio.gather(*(store._database.read(pid) for _ in range(4))))
    with pytest.raises(StoreUnavailable, match="read-only"):
        await store._database.write(write_as_a_standby)
    after = set(await asyncio.gather(*(store._database.read(pid) for _ in range(4))))
    assert not before & after
    await store.close()


async def test_a_password_that_cannot_be_read_now_is_an_outage(postgres: Server, database: str) -> None:
    """While its file is being replaced the service waits; it does not fail on each notification in another way."""
    readable = True

    def password() -> str:
        if not readable:
            raise SettingsError("store.url: the password cannot be read")
        return "any"

    place = place_of(postgres.url(database), password=password)
    store = await PostgresStore.open(place, clock=lambda: NOW)
    readable = False
    await store._database._pool.expire_connections()
    with pytest.raises(StoreUnavailable, match="password cannot be read"):
        await store.journal.append(entry())
    readable = True
    assert (await store.journal.append(entry())).status == "accepted"
    await store.close()


async def _until(answered: Callable[[], Awaitable[bool]]) -> None:
    async with asyncio.timeout(5):
        while not await answered():  # noqa: ASYNC110 - the server tells nobody
            await asyncio.sleep(0.01)


async def test_a_commit_that_waits_for_its_standby_is_left_alone(postgres: Server, short: None, database: str) -> None:
    """The standby is gone: 503, and nobody sees what is not safe; sent again it is no duplicate until it is safe."""
    server = own_server(postgres)
    store = await PostgresStore.open(place_of(postgres.url(database, pool_size="4")), clock=lambda: NOW)
    await store.journal.append(entry("alert:before"))
    waits = "SELECT count(*) FROM pg_stat_activity WHERE datname = $1 AND wait_event = 'SyncRep'"

    async def committed() -> bool:
        return not (await postgres.fetch(waits, database))[0][0]

    def settle(names: str) -> str:
        return f"ALTER SYSTEM SET synchronous_standby_names = '{names}'"

    assert server.runs
    try:
        await postgres.execute(settle("nobody"))
        await postgres.execute("SELECT pg_reload_conf()")
        await asyncio.sleep(0.1)
        for _ in range(2):
            with pytest.raises(StoreUnavailable):
                await store.journal.append(entry(key=b"k" * 24))
        leaving = asyncio.create_task(store.upkeep.keep_cursor("cancelled", "1"))
        await asyncio.sleep(0.1)
        leaving.cancel()
        await asyncio.wait((leaving,))
        unsafe = "SELECT name FROM cursors WHERE name = 'cancelled' UNION ALL SELECT 'key' FROM notification_keys"
        await asyncio.sleep(0.1)
        assert await postgres.fetch(unsafe, database=database) == []
        assert not await committed()
    finally:
        async with postgres.connection() as connection:
            await connection.execute("SET synchronous_commit = local")
            await connection.execute("ALTER SYSTEM RESET synchronous_standby_names")
            await connection.execute("SELECT pg_reload_conf()")
    await _until(committed)
    assert (await store.journal.append(entry(key=b"k" * 24))).status == "duplicate"
    await store.close()


async def test_who_sends_hears_in_time_that_the_database_takes_too_long(
    database: str, network: Network, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Azure gives up after some seconds: those who wait hear of it before, and what is kept later is a duplicate."""
    monkeypatch.setattr("secure_export.store.postgresql.appender._PATIENCE_SECONDS", _SHORT_SECONDS)
    for module in ("connect", "database"):  # longer than their patience, and no longer than the test needs
        monkeypatch.setattr(f"secure_export.store.postgresql.{module}.ANSWER_SECONDS", _LONGER_SECONDS)
    place = place_of(f"postgresql://postgres@127.0.0.1:{network.port}/{database}")
    store = await PostgresStore.open(place, clock=lambda: NOW)
    await store.journal.append(entry("alert:before"))
    network.silent = True
    async with asyncio.timeout(_SHORT_SECONDS * 4):
        with pytest.raises(StoreUnavailable, match="in time"):
            await store.journal.append(entry())
        with pytest.raises(StoreUnavailable, match="in time"):
            await store.journal.append(entry("alert:other"))
    network.silent = False
    async with asyncio.timeout(10):
        while True:
            try:
                assert (await store.journal.append(entry())).status in {"accepted", "duplicate"}
                break
            except StoreUnavailable:
                await asyncio.sleep(0.05)
    await store.close()
