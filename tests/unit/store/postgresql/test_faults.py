"""What the PostgreSQL store does when its sessions are ended, its server stops, or its limits are reached."""

import asyncio
import os
import signal
import sys
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

import asyncpg
import pytest
from tests.conformance.store_suite.samples import NOW, alert, claim, claim_one, entry, folded, item, lacking
from tests.postgres import Server, own_server
from tests.unit.store.postgresql.conftest import OpenStore

from secure_export.cmdb.drafts import CiDraft
from secure_export.delivery.contract import Change
from secure_export.errors import StoreUnavailable
from secure_export.store.postgresql.outages import is_outage, leaves_connection_unusable, store_errors
from secure_export.store.postgresql.place import place_of
from secure_export.store.postgresql.store import PostgresStore
from secure_export.workitems.work_item import StepKind

Act = Callable[[PostgresStore], Coroutine[Any, Any, None]]

_END_ALL = """
SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = $1 AND pid <> pg_backend_pid()
    AND application_name = 'secure-export'
"""
_WAITING_FOR_LOCK = "SELECT count(*) FROM pg_stat_activity WHERE datname = $1 AND wait_event_type = 'Lock'"


async def _end_sessions(server: Server, database: str) -> None:
    await server.fetch(_END_ALL, database, database=database)


async def _until_one_waits(server: Server, database: str) -> None:
    """Return when a session of the store waits for what the test has locked."""
    while not (await server.fetch(_WAITING_FOR_LOCK, database))[0][0]:  # noqa: ASYNC110 - the server tells nobody
        await asyncio.sleep(0.01)


async def _append(store: PostgresStore) -> None:
    await store.journal.append(entry())


async def _claim(store: PostgresStore) -> None:
    await claim(store.lanes)


async def _save(store: PostgresStore) -> None:
    (lane,) = await claim(store.lanes)
    await store.lanes.save(lane, folded(lane, item=item(), begin=StepKind.CREATE), now=NOW)


async def _keep_cursor(store: PostgresStore) -> None:
    await store.upkeep.keep_cursor("a", "b")


async def _retry(store: PostgresStore) -> None:
    await store.actions.audit(by="ada", action="looked", subject="x", now=NOW)


@pytest.mark.parametrize(
    ("locked", "act"),
    [
        ("notification_keys, lanes", _append),
        ("lanes", _claim),
        ("steps, work_items", _save),
        ("cursors", _keep_cursor),
        ("audit_log", _retry),
    ],
)
async def test_a_session_that_is_ended_in_the_middle_keeps_nothing(
    postgres: Server, database: str, store: PostgresStore, locked: str, act: Act
) -> None:
    """Whoever waits hears of an outage, nothing of the change is there, and the next try works by itself."""
    await store.journal.append(entry())
    async with postgres.connection(database) as other, asyncio.timeout(20):
        await other.execute(f"BEGIN; LOCK TABLE {locked} IN EXCLUSIVE MODE")
        task = asyncio.create_task(act(store))
        await _until_one_waits(postgres, database)
        await _end_sessions(postgres, database)
        with pytest.raises(StoreUnavailable):
            await task
        await other.execute("ROLLBACK")
    assert (await store.records.work_items()).rows == []
    later = NOW.replace(year=2027)
    lanes = await claim(store.lanes, now=later)
    assert [len(lane.pending) for lane in lanes] == [1]
    await act_again(store, act, lanes[0])


async def act_again(store: PostgresStore, act: Act, lane: Any) -> None:
    """Do what failed once more."""
    if act is _save:
        await store.lanes.save(lane, folded(lane, item=item()), now=NOW)
        assert len((await store.records.work_items()).rows) == 1
    else:
        await act(store)


async def test_idle_sessions_that_were_ended_are_not_noticed(
    postgres: Server, database: str, store: PostgresStore
) -> None:
    """A failover ends every session; those in the pool are replaced."""
    await asyncio.gather(*(store.upkeep.keep_cursor(f"c{n}", "1") for n in range(8)))
    await _end_sessions(postgres, database)
    await asyncio.sleep(0.05)
    assert (await store.journal.append(entry())).status == "accepted"
    assert len(await claim(store.lanes)) == 1


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGQUIT], ids=["stopped", "crashed"])
async def test_a_server_that_comes_back_is_used_again(
    postgres: Server, database: str, open_store: OpenStore, how: signal.Signals
) -> None:
    """Until then everything is an outage; what was acknowledged is there afterwards, and waiting tasks are told."""
    server = own_server(postgres)
    store, other = await open_store(), await open_store()
    assert await other.lanes.take_over("desk", now=NOW) == 0
    await store.journal.append(entry("alert:before"))
    server.stop(how)
    for act in (_append, _claim, _keep_cursor):
        with pytest.raises(StoreUnavailable):
            await act(store)
    assert "cannot be used now" in str(await store.ready())
    server.start()
    await store.journal.append(entry("alert:after"))
    lanes = await claim(other.lanes)
    assert {lane.correlation_key for lane in lanes} == {"alert:before", "alert:after"}
    assert await store.ready() is None
    async with asyncio.timeout(10):
        while not other.lanes._presence.listens:  # noqa: ASYNC110 - it tells nobody
            await asyncio.sleep(0.05)


async def test_what_waits_too_long_for_a_lock_is_an_outage(
    postgres: Server, database: str, store: PostgresStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Somebody who holds a table for long does not hold the service for ever."""
    await postgres.execute(f"ALTER DATABASE {database} SET lock_timeout = '200ms'")
    async with postgres.connection(database) as other:
        await other.execute("BEGIN; LOCK TABLE cursors IN EXCLUSIVE MODE")
        async with store._database._pool.acquire() as connection:
            await connection.execute("SET lock_timeout = '200ms'")
        with pytest.raises(StoreUnavailable, match="lock"):
            await store.upkeep.keep_cursor("a", "b")


async def test_every_session_has_time_limits(store: PostgresStore) -> None:
    """Statements, locks and forgotten transactions end, and commits are flushed whatever the role's default is."""
    settings = ("statement_timeout", "lock_timeout", "idle_in_transaction_session_timeout", "synchronous_commit")

    async def ask(db: Any) -> list[str]:
        return [await db.fetchval("SELECT current_setting($1)", name) for name in settings]

    assert await store._database.read(ask) == ["15s", "5s", "15s", "on"]


async def test_a_database_that_does_not_flush_commits_is_overruled(
    postgres: Server, database: str, open_store: OpenStore
) -> None:
    """202 means on disk, also where the database says that commits need not be."""
    await postgres.execute(f"ALTER DATABASE {database} SET synchronous_commit = off")
    for options in ({}, {"pooler": "transaction"}):
        store = await open_store(**options)
        shown = await store._database.write(lambda db: db.fetchval("SELECT current_setting('synchronous_commit')"))
        assert shown == "on"


async def test_no_server_is_an_outage(tmp_path: Path) -> None:
    """The text says what to check."""
    with pytest.raises(StoreUnavailable, match="check that it runs"):
        await PostgresStore.open(place_of(f"postgresql://u@/db?host={tmp_path}"))


async def test_an_unknown_database_is_an_outage(postgres: Server) -> None:
    """It may be made meanwhile."""
    with pytest.raises(StoreUnavailable, match="does not exist"):
        await PostgresStore.open(place_of(postgres.url("se_test_nowhere")))


async def test_who_may_come_in_and_to_what_is_told_with_what_to_do(postgres: Server, database: str) -> None:
    """That the server runs is known then: database, role or password are what is wrong."""
    roles = (
        r"does not exist; deploy/postgresql/roles\.sql makes database and roles; or name the right one in store\.url"
    )
    for place in (postgres.url("se_test_nowhere"), postgres.url(database, role="se_test_nobody")):
        with pytest.raises(StoreUnavailable, match=roles):
            await PostgresStore.open(place_of(place))
    for code, words in (("28P01", r"the user in store\.url and the password"), ("28000", r"pg_hba\.conf")):
        with pytest.raises(StoreUnavailable, match=words), store_errors():
            raise asyncpg.PostgresError.new({"C": code, "M": "refused"})


async def test_a_wrong_job_is_no_outage_and_leaves_nothing(store: PostgresStore) -> None:
    """A fault of the program is told as what it is, and its transaction is gone."""

    async def wrong(db: Any) -> None:
        await db.execute("INSERT INTO cursors (name, value) VALUES ('half', '')")
        raise KeyError("wrong")

    with pytest.raises(KeyError):
        await store._database.write(wrong)
    with pytest.raises(asyncpg.UndefinedTableError):
        await store._database.write(lambda db: db.execute("INSERT INTO nowhere VALUES (1)"))
    assert await store.upkeep.cursor("half") == ""


async def test_who_gave_up_waiting_leaves_a_clean_session(store: PostgresStore) -> None:
    """A cancelled change is not kept, and its connection serves others."""

    async def slow(db: Any) -> None:
        await db.execute("INSERT INTO cursors (name, value) VALUES ('cancelled', '1')")
        await db.execute("SELECT pg_sleep(30)")

    tasks = [asyncio.create_task(store._database.write(slow)) for _ in range(6)]
    await asyncio.sleep(0.1)
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    async with asyncio.timeout(10):
        await asyncio.gather(*(store.upkeep.keep_cursor(f"c{n}", "1") for n in range(20)))
    assert await store.upkeep.cursor("cancelled") == ""


async def test_changes_in_each_others_way_are_tried_again(store: PostgresStore) -> None:
    """Two that lock the same rows in different order both succeed: one of them is repeated."""
    for name in ("a", "b"):
        await store.upkeep.keep_cursor(name, "0")
    both = asyncio.Barrier(2)
    tries = 0

    async def lock(db: Any, first: str, second: str) -> None:
        nonlocal tries
        tries += 1
        await db.execute("UPDATE cursors SET value = value || '1' WHERE name = $1", first)
        if tries <= 2:
            await both.wait()
        await db.execute("UPDATE cursors SET value = value || '1' WHERE name = $1", second)

    async with asyncio.timeout(15):
        await asyncio.gather(
            store._database.write(lambda db: lock(db, "a", "b")), store._database.write(lambda db: lock(db, "b", "a"))
        )
    assert tries > 2  # a repetition may be in the way once more
    assert (await store.upkeep.cursor("a"), await store.upkeep.cursor("b")) == ("011", "011")


async def test_more_than_can_wait_is_refused_at_once(store: PostgresStore, monkeypatch: pytest.MonkeyPatch) -> None:
    """Overload is told before memory grows, and what was taken is recorded."""
    monkeypatch.setattr("secure_export.store.postgresql.appender._WAITING_LIMIT", 5)
    results = await asyncio.gather(
        *(store.journal.append(entry(f"alert:{n}")) for n in range(9)), return_exceptions=True
    )
    assert sum(isinstance(result, StoreUnavailable) for result in results) == 4
    assert len(await claim(store.lanes)) == 5
    assert (await store.journal.append(entry("alert:later"))).status == "accepted"


async def test_what_waits_is_recorded_when_the_store_closes(open_store: OpenStore) -> None:
    """Closing finishes what was begun, and then takes nothing more."""
    store = await open_store()
    tasks = [asyncio.create_task(store.journal.append(entry(f"alert:{n}"))) for n in range(600)]
    await asyncio.sleep(0)
    await store.close()
    assert {receipt.status for receipt in await asyncio.gather(*tasks)} == {"accepted"}
    with pytest.raises(StoreUnavailable, match="closed"):
        await store.journal.append(entry())
    with pytest.raises(StoreUnavailable, match="closed"):
        await claim(store.lanes)
    assert len(await claim((await open_store()).lanes, limit=1000)) == 600


async def test_texts_hold_any_character(store: PostgresStore) -> None:
    """PostgreSQL has no NUL in texts, and Azure may send one: it is kept and told all the same."""
    odd = "alert:\0 \x1a\x1a0 \x1a"
    await store.journal.append(entry(odd))
    lane = await claim_one(store.lanes)
    assert (lane.correlation_key, set(lane.known_of)) == (odd, {odd.removeprefix("alert:")})
    await store.lanes.save(lane, Change(item=item(odd)), now=NOW)
    assert (await store.records.work_items()).rows[0]["correlation_key"] == odd


async def test_texts_of_any_length_are_looked_for(store: PostgresStore) -> None:
    """A correlation key, an alert's id and a problem may be longer than an index of PostgreSQL takes."""
    long = os.urandom(8_000).hex()
    await store.journal.append(entry(f"alert:{long}"))
    lane = await claim_one(store.lanes)
    told = alert(long, problem=f"p{long}", facts=b'{"id": "%s"}' % long.upper().encode())
    one = lacking(item(f"alert:{long}"), long)
    await store.lanes.save(lane, folded(lane, item=one, alerts=[told]), now=NOW)
    assert (await store.lanes.known(lane, alert_ids=[], problems=[f"p{long}"])).alerts[long].firing
    assert len((await store.records.work_items()).rows) == 1
    await store.desk.put_cis([CiDraft(long, "server", f"/subscriptions/{long}")], now=NOW)
    assert len(await store.desk.cis_by_names([long])) == 1
    assert len(await store.desk.cis_by_resource_ids([f"/subscriptions/{long}"])) == 1


@pytest.mark.parametrize(
    ("code", "is_left"),
    [
        ("08006", True),  # connection failure
        ("25006", True),  # read_only_sql_transaction: a standby, or what has become one
        ("25P03", True),  # idle_in_transaction_session_timeout
        ("26000", True),  # invalid_sql_statement_name: a pooler gave the session to another
        ("28P01", False),  # invalid_password
        ("40001", False),  # serialization_failure
        ("40P01", False),  # deadlock_detected
        ("53100", False),  # disk_full
        ("53200", False),  # out_of_memory
        ("53300", False),  # too_many_connections
        ("55P03", False),  # lock_not_available
        ("57014", False),  # query_canceled: it took too long
        ("57P01", True),  # admin_shutdown
        ("57P02", True),  # crash_shutdown
        ("57P03", True),  # cannot_connect_now: starting up, or recovering
        ("58030", False),  # io_error
        ("XX001", False),  # data_corrupted
    ],
)
def test_trouble_of_the_server_is_an_outage(code: str, *, is_left: bool) -> None:
    """It may pass; where it is about the session or its server, the connection is not used again."""
    error = asyncpg.PostgresError.new({"C": code, "M": "trouble"})
    assert (is_outage(error), leaves_connection_unusable(error)) == (True, is_left)


def test_what_is_an_outage() -> None:
    """Trouble of network and server may pass; a wrong statement or value will not."""
    assert is_outage(ConnectionResetError())
    assert is_outage(TimeoutError())
    assert is_outage(asyncpg.TargetServerAttributeNotMatched())
    assert not is_outage(asyncpg.UniqueViolationError())
    assert not is_outage(asyncpg.UndefinedColumnError())
    assert not is_outage(asyncpg.InterfaceError("cannot perform operation: another operation is in progress"))
    assert not is_outage(KeyError())


async def test_fewer_connections_than_asked_for_are_an_outage_that_passes(postgres: Server, database: str) -> None:
    """A server that has no more connections to give costs those who come too much, and nobody afterwards."""
    name = f"{database}_few"
    await postgres.execute(f"CREATE ROLE {name} LOGIN CONNECTION LIMIT 2")
    await postgres.execute(
        f"GRANT SELECT, INSERT, UPDATE ON ALL TABLES IN SCHEMA public TO {name};"
        f"GRANT USAGE ON ALL SEQUENCES IN SCHEMA public TO {name};"
        f"GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA public TO {name}",
        database=database,
    )
    try:
        store = await PostgresStore.open(place_of(postgres.url(database, role=name, pool_size="6")), clock=lambda: NOW)
        results = await asyncio.gather(
            *(store._database.read(lambda db: db.fetchval("SELECT 1 FROM pg_sleep(0.05)")) for _ in range(6)),
            return_exceptions=True,
        )
        assert {type(result) for result in results} == {int, StoreUnavailable}
        for _ in range(4):
            assert (await store.journal.append(entry())).status == "accepted"
        await store.close()
    finally:
        await postgres.execute(f"DROP OWNED BY {name}", database=database)
        await postgres.execute(f"DROP ROLE {name}")


_APPENDING = """
import asyncio, sys
from secure_export.store.open import open_store
from tests.conformance.store_suite.samples import entry

async def append_forever(store, task):
    for n in range(10**9):
        key = f"{task}:{n}"
        receipt = await store.journal.append(entry("alert:" + key, body=key.encode(), key=key.encode().rjust(24)))
        sys.stdout.write(f"{receipt.notification} {key}\\n")
        sys.stdout.flush()

async def main():
    store = await open_store(sys.argv[1])
    await asyncio.gather(*(append_forever(store, task) for task in range(32)))

asyncio.run(main())
"""


@pytest.mark.parametrize("lines", [1, 1500])
async def test_what_was_acknowledged_survives_a_kill(
    postgres: Server, database: str, store: PostgresStore, lines: int
) -> None:
    """After SIGKILL of a process in the middle of appending everything that it acknowledged is there."""
    root = Path(__file__).parents[4]
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-c",
        _APPENDING,
        postgres.url(database),
        cwd=root,
        env=os.environ | {"PYTHONPATH": f"{root}{os.pathsep}{root / 'src'}"},
        stdout=asyncio.subprocess.PIPE,
    )
    assert process.stdout is not None
    acknowledged = [await process.stdout.readline() for _ in range(lines)]
    process.send_signal(signal.SIGKILL)
    acknowledged += [line for line in (await process.stdout.read()).splitlines(keepends=True) if line.endswith(b"\n")]
    await process.wait()
    lanes = await claim(store.lanes, limit=10**6)
    found = {str(lane.pending[0].notification).encode(): lane.pending[0].body for lane in lanes}
    for line in acknowledged:
        number, key = line.split()
        assert found[number] == key
    assert (await store.journal.append(entry())).status == "accepted"
