"""Bringing a PostgreSQL database to the form that this program needs, with the rights of different roles."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any

import pytest
from structlog.testing import capture_logs
from tests.conformance.store_suite.samples import NOW, alert, claim_one, entry, folded, item, resolved
from tests.conformance.store_suite.test_upkeep import RETENTION, forget_all
from tests.postgres import Server

from secure_export.errors import SettingsError, StoreUnavailable
from secure_export.store.migrations import Migration
from secure_export.store.postgresql.concurrently import OUTSIDE, statements_of
from secure_export.store.postgresql.connect import connect
from secure_export.store.postgresql.migrate import BREAKS_OLDER_PROGRAMS, known_migrations, migrate
from secure_export.store.postgresql.place import Place, place_of
from secure_export.store.postgresql.store import PostgresStore, bring_up_to_date
from secure_export.store.sqlite.migrate import known_migrations as of_sqlite

FIRST = Migration(1, "0001_first.sql", "CREATE TABLE a (x integer); INSERT INTO a VALUES (1);")
SECOND = Migration(2, "0002_second.sql", "ALTER TABLE a ADD COLUMN y text;")
BREAKING = Migration(2, "0002_breaking.sql", f"{BREAKS_OLDER_PROGRAMS}\nALTER TABLE a DROP COLUMN x;")
BROKEN = Migration(3, "0003_broken.sql", "CREATE TABLE b (x integer); INSERT INTO nowhere VALUES (1);")
_SCHEMA = """
SELECT table_name, column_name, data_type FROM information_schema.columns WHERE table_schema = 'public'
UNION ALL SELECT tablename, indexname, indexdef FROM pg_indexes WHERE schemaname = 'public' ORDER BY 1, 2
"""
# What ``docs/decisions/0012-postgresql-store.md`` says of the role that runs the service.
_GRANTS = """
GRANT USAGE ON SCHEMA public TO {role};
GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO {role};
GRANT USAGE ON ALL SEQUENCES IN SCHEMA public TO {role};
GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA public TO {role};
"""
_LATER_GRANTS = """
ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO {role};
ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT USAGE ON SEQUENCES TO {role};
ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT EXECUTE ON FUNCTIONS TO {role};
"""


@pytest.fixture
async def empty(postgres: Server) -> AsyncIterator[str]:
    """Give the name of a database without tables."""
    async with postgres.database(migrated=False) as name:
        yield name


@pytest.fixture
async def connection(postgres: Server, empty: str) -> AsyncIterator[Any]:
    opened = await connect(place_of(postgres.url(empty)))
    yield opened
    await opened.close()


@asynccontextmanager
async def role(server: Server, database: str) -> AsyncIterator[str]:
    """Make a role that owns nothing, and take it away with everything that was granted to it."""
    name = f"{database}_runner"
    await server.execute(f"CREATE ROLE {name} LOGIN")
    try:
        yield name
    finally:
        await server.execute(f"DROP OWNED BY {name}", database=database)
        await server.execute(f"DROP ROLE {name}")


def test_numbers_and_names_are_those_of_sqlite() -> None:
    """Both stores have the same migrations, so that a database can be moved from one to the other."""
    assert [one.name for one in known_migrations()] == [one.name for one in of_sqlite()]


async def test_fresh_equals_migrated(postgres: Server, empty: str, database: str, connection: Any) -> None:
    """A database made at once has the same form as one that followed every version."""
    known = known_migrations()
    for count in range(1, len(known) + 1):
        assert await migrate(connection, known[:count]) == 1
    assert await migrate(connection, known) == 0
    partition = "_d[0-9]+"
    fresh = [tuple(row) for row in await postgres.fetch(_SCHEMA, database=database)]
    followed = [tuple(row) for row in await postgres.fetch(_SCHEMA, database=empty)]
    assert [row for row in fresh if "_d2" not in row[0]] == followed, partition


async def test_an_older_database_keeps_its_rows(connection: Any) -> None:
    """Only what is missing is applied, to the rows that are there."""
    await migrate(connection, [FIRST])
    assert await migrate(connection, [FIRST, SECOND]) == 1
    assert [tuple(row) for row in await connection.fetch("SELECT x, y FROM a")] == [(1, None)]


async def test_an_older_program_goes_on_with_what_was_only_added(connection: Any) -> None:
    """During an upgrade nodes of the version before start again on a database that has been migrated."""
    await migrate(connection, [FIRST, SECOND])
    assert await migrate(connection, [FIRST]) == 0


async def test_an_older_program_refuses_what_would_break_it(connection: Any) -> None:
    """A migration that takes something away says so, and who does not know it does not start."""
    await migrate(connection, [FIRST, BREAKING])
    with pytest.raises(SettingsError, match=r"newer than this program \(it has 0002_breaking\.sql\)"):
        await migrate(connection, [FIRST])


async def test_a_database_of_other_files_is_refused(connection: Any) -> None:
    """A migration whose text changed after it was applied is found by its checksum, also in a newer database."""
    await migrate(connection, [FIRST, SECOND])
    changed = Migration(1, FIRST.name, FIRST.sql + "-- changed\n")
    for known in ([changed], [changed, SECOND]):
        with pytest.raises(SettingsError, match=r"another 0001_first\.sql"):
            await migrate(connection, known)


async def test_a_migration_is_applied_whole_or_not_at_all(connection: Any) -> None:
    """A migration that fails half-way leaves the form before it."""
    with pytest.raises(Exception, match="nowhere"):
        await migrate(connection, [FIRST, SECOND, BROKEN])
    assert await connection.fetchval("SELECT to_regclass('b')") is None
    assert await connection.fetchval("SELECT max(number) FROM migrations") == 2


async def test_two_migrate_at_once(postgres: Server, empty: str) -> None:
    """Nodes that start together do not disturb each other: each migration is applied once."""
    place = place_of(postgres.url(empty))
    applied = await asyncio.gather(*(bring_up_to_date(place) for _ in range(4)))
    assert sum(applied) == len(known_migrations())
    stores = await asyncio.gather(*(PostgresStore.open(place, clock=lambda: NOW) for _ in range(3)))
    for store in stores:
        assert await store.ready() is None
        await store.close()


async def test_a_peer_that_migrates_for_long_is_waited_for(
    postgres: Server, empty: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Only tables that others use are given up on soon: whoever starts while a peer migrates starts afterwards."""
    monkeypatch.setattr("secure_export.store.postgresql.migrate._PATIENCE", "SET LOCAL lock_timeout = '50ms'")
    with capture_logs() as logs:
        async with postgres.connection(empty) as peer:
            await peer.execute("BEGIN")
            await peer.execute("SELECT pg_advisory_xact_lock(1397310820, 1)")
            starting = asyncio.create_task(bring_up_to_date(place_of(postgres.url(empty))))
            await asyncio.sleep(0.2)
            assert not starting.done()
            await peer.execute("COMMIT")
            assert await starting == len(known_migrations())
    assert [one["event"] for one in logs] == ["waiting for another process that migrates"]
    assert logs[0]["log_level"] == "info"


async def test_an_old_program_runs_while_a_new_one_migrates(postgres: Server, database: str) -> None:
    """Notifications are taken all the time, and nobody waits long for the new version's tables."""
    store = await PostgresStore.open(place_of(postgres.url(database)), clock=lambda: NOW)
    known = known_migrations()
    newer = [
        *known,
        Migration(
            len(known) + 1, "9999_more.sql", "ALTER TABLE alerts ADD COLUMN more text; CREATE TABLE more (x integer);"
        ),
    ]
    accepted = 0
    connection = await connect(place_of(postgres.url(database)))
    migrating = asyncio.create_task(migrate(connection, newer))
    while not migrating.done() or accepted < 20:
        accepted += (await store.journal.append(entry(f"alert:{accepted}"))).status == "accepted"
    assert await migrating == 1
    lane = await claim_one_of_many(store)
    await store.lanes.save(lane, folded(lane, alerts=[alert("a")], item=item(lane.correlation_key)), now=NOW)
    await store.close()
    again = await PostgresStore.open(place_of(postgres.url(database)), clock=lambda: NOW)
    assert await again.ready() is None
    await again.close()
    await connection.close()


_INDEX = f"""{OUTSIDE}
-- What operators look for.
CREATE INDEX CONCURRENTLY IF NOT EXISTS lanes_more
    ON lanes (connection, token);
ANALYZE lanes;
"""
_BEING_MADE = "SELECT 1 FROM pg_stat_progress_create_index"
_IS_VALID = "SELECT indisvalid FROM pg_index WHERE indexrelid = to_regclass($1)"


async def test_an_index_of_a_table_with_rows_is_made_while_notifications_are_taken(
    postgres: Server, database: str
) -> None:
    """Nobody who writes waits for it, however long it takes; of processes that migrate one makes it.

    Somebody who has written to the table and goes on makes it take as long as the test wants.
    """
    place = place_of(postgres.url(database))
    store = await PostgresStore.open(place, clock=lambda: NOW)
    for number in range(20):
        await store.journal.append(entry(f"alert:{number}"))
    sessions = [await connect(place) for _ in range(3)]
    async with postgres.connection(database) as busy:
        await busy.execute("BEGIN; UPDATE lanes SET look = false")
        migrating = [asyncio.create_task(migrate(one, _next(_INDEX))) for one in sessions]
        async with asyncio.timeout(10):
            while not await postgres.fetch(_BEING_MADE, database=database):  # noqa: ASYNC110 - the server tells nobody
                await asyncio.sleep(0.01)
            for number in range(20):
                assert (await store.journal.append(entry(f"alert:later-{number}"))).status == "accepted"
        assert not any(task.done() for task in migrating)
        await busy.execute("COMMIT")
    assert sorted(await asyncio.gather(*migrating)) == [0, 0, 1]
    assert await sessions[0].fetchval(_IS_VALID, "lanes_more") is True
    assert [await one.fetchval("SHOW lock_timeout") for one in sessions] == ["5s"] * 3
    assert await sessions[1].fetchval("SELECT pg_try_advisory_lock(1397310820, 1)") is True
    for one in sessions:
        await one.close()
    await store.close()


async def test_what_is_left_of_an_index_goes_before_it_is_made_again(connection: Any) -> None:
    """An index that failed half-way is there by its name, is of no use, and would be taken for made."""
    sql = f"{OUTSIDE}\nCREATE UNIQUE INDEX CONCURRENTLY IF NOT EXISTS only_one ON a (x);\n"
    known = [FIRST, Migration(2, "0002_only_one.sql", sql)]
    await migrate(connection, [FIRST])
    await connection.execute("INSERT INTO a VALUES (1)")
    with pytest.raises(Exception, match="could not create unique index"):
        await migrate(connection, known)
    assert await connection.fetchval(_IS_VALID, "only_one") is False
    await connection.execute("DELETE FROM a; INSERT INTO a VALUES (1)")
    with capture_logs() as logs:
        assert await migrate(connection, known) == 1
        assert await connection.fetchval(_IS_VALID, "only_one") is True
        assert await migrate(connection, known) == 0
    (told,) = logs
    assert told["event"].startswith("making an index while others write")
    assert (told["log_level"], told["index"], told["migration"]) == ("info", "only_one", "0002_only_one.sql")


async def test_through_a_pooler_nothing_is_applied_outside_a_transaction(connection: Any) -> None:
    """The lock of those who migrate would be left in somebody else's session: the way past the pooler is named."""
    known = [FIRST, Migration(2, "0002_index.sql", _INDEX)]
    with pytest.raises(SettingsError, match=r"lacks 0002_index\.sql.*without pooler=transaction"):
        await migrate(connection, known, through_pooler=True)
    assert await connection.fetchval("SELECT max(number) FROM migrations") == 1


async def test_a_peer_that_does_not_end_is_told(postgres: Server, empty: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever waited long enough says for what, and leaves no transaction open."""
    monkeypatch.setattr("secure_export.store.postgresql.migrate._PATIENCE_WITH_PEERS_SECONDS", 0.0)
    async with postgres.connection(empty) as peer:
        await peer.execute("SELECT pg_advisory_lock(1397310820, 1)")
        with pytest.raises(StoreUnavailable, match="another process has been migrating"):
            await bring_up_to_date(place_of(postgres.url(empty)))


def test_what_is_applied_outside_a_transaction_may_be_applied_again() -> None:
    """It is applied from its beginning after whatever ended it; a statement that may not be repeated is a mistake."""
    assert statements_of(Migration(1, "0001_index.sql", _INDEX)) == [
        "CREATE INDEX CONCURRENTLY IF NOT EXISTS lanes_more\n    ON lanes (connection, token)",
        "ANALYZE lanes",
    ]
    with pytest.raises(ValueError, match=r"0001_index\.sql: .*repeatable: CREATE INDEX CONCURRENTLY x"):
        statements_of(Migration(1, "0001_index.sql", f"{OUTSIDE}\nCREATE INDEX CONCURRENTLY x ON lanes (token);\n"))
    for known in known_migrations():
        if known.sql.startswith(OUTSIDE):
            assert statements_of(known)


@pytest.mark.parametrize(
    "statement",
    [
        'CREATE INDEX CONCURRENTLY IF NOT EXISTS "Lanes" ON lanes (token)',
        "CREATE INDEX CONCURRENTLY IF NOT EXISTS public.lanes_more ON lanes (token)",
        "create unique index concurrently if not exists lanes$more on lanes (token)",
        "REINDEX INDEX CONCURRENTLY lanes_more /* IF EXISTS */",
    ],
)
def test_an_index_whose_leftover_would_not_be_found_is_a_mistake(statement: str) -> None:
    """What an interrupted attempt leaves is invalid, and would be taken for made; to drop one is no danger."""
    with pytest.raises(ValueError, match=r"0001_x\.sql: what an interrupted attempt leaves is found by the name in"):
        statements_of(Migration(1, "0001_x.sql", f"{OUTSIDE}\n{statement};\n"))
    drop = 'DROP INDEX CONCURRENTLY IF EXISTS "Lanes"'
    assert statements_of(Migration(1, "0001_x.sql", f"{OUTSIDE}\n{drop};\n")) == [drop]


def _next(sql: str) -> list[Migration]:
    """Give what the program of the version after this one brings along."""
    known = known_migrations()
    return [*known, Migration(len(known) + 1, "9999_next.sql", sql)]


async def _open(place: Place, migrations: list[Migration] | None = None) -> PostgresStore:
    """Open a database as this version does, or as one that brings along other migrations."""
    with pytest.MonkeyPatch.context() as patch:
        if migrations is not None:
            patch.setattr("secure_export.store.postgresql.store.known_migrations", lambda: migrations)
        return await PostgresStore.open(place, clock=lambda: NOW)


async def _passes(intake: PostgresStore, delivery: PostgresStore, name: str) -> None:
    """Let one process take a notification and another deliver it."""
    assert (await intake.journal.append(entry(name))).status == "accepted"
    lane = await claim_one(delivery.lanes)
    await delivery.lanes.save(lane, folded(lane, alerts=[alert(name)], item=item(name)), now=NOW)
    assert lane.correlation_key == name


async def test_versions_work_side_by_side_and_the_old_one_may_start_again(postgres: Server, database: str) -> None:
    """Nodes are replaced one by one: what one version takes the other delivers, whichever migrated."""
    place = place_of(postgres.url(database, pool_size="4"))
    newer = _next(
        "ALTER TABLE alerts ADD COLUMN more text; ALTER TABLE lanes ADD COLUMN more integer NOT NULL DEFAULT 1;"
        "CREATE TABLE more (x integer); CREATE INDEX more_alerts ON alerts (more);"
    )
    old = await _open(place)
    await _passes(old, old, "alert:before")
    new = await _open(place, newer)
    for n, (intake, delivery) in enumerate(((old, new), (new, old), (old, old))):
        await _passes(intake, delivery, f"alert:{n}")
    await old.close()
    again = await _open(place)
    await _passes(again, new, "alert:again")
    await _passes(new, again, "alert:still")
    assert len((await again.records.work_items()).rows) == 6
    for store in (new, again):
        await store.close()


async def test_what_breaks_the_old_version_keeps_it_from_starting_again(postgres: Server, database: str) -> None:
    """The error names what it does not know and what to do, before anything is touched."""
    place = place_of(postgres.url(database))
    new = await _open(place, _next(f"{BREAKS_OLDER_PROGRAMS}\nALTER TABLE lanes DROP COLUMN reason;"))
    await new.close()
    with pytest.raises(
        SettingsError, match=r"newer than this program \(it has 9999_next\.sql\); use the newer program"
    ):
        await _open(place)


async def test_a_role_that_migrates_and_one_that_runs(postgres: Server, database: str) -> None:
    """The runner neither migrates nor starts before the owner has; what the owner adds then is the runner's, too."""
    newer = _next("CREATE TABLE more (x integer GENERATED ALWAYS AS IDENTITY, y integer);")
    async with role(postgres, database) as name:
        await postgres.execute(_GRANTS.format(role=name) + _LATER_GRANTS.format(role=name), database=database)
        runner, owner = (place_of(postgres.url(database, **by)) for by in ({"role": name}, {}))
        old = await _open(runner)
        with pytest.raises(SettingsError, match=r"lacks 9999_next\.sql.*`secure-export store migrate`"):
            await _open(runner, newer)
        await _passes(old, old, "alert:before")
        connection = await connect(owner)
        assert await migrate(connection, newer) == 1
        await connection.close()
        new = await _open(runner, newer)
        await _passes(old, new, "alert:after")
        await new._database.write(lambda db: db.execute("INSERT INTO more (y) VALUES (1)"))
        for store in (old, new):
            await store.close()


async def claim_one_of_many(store: PostgresStore) -> Any:
    """Claim one of the lanes that are due."""
    (lane,) = await store.lanes.claim("desk", limit=1, pending_limit=9, now=NOW, lease=timedelta(minutes=1))
    return lane


async def test_a_role_that_may_not_migrate_is_told_so(postgres: Server, empty: str) -> None:
    """The text says what is missing, who may not, and what to do."""
    async with role(postgres, empty) as name:
        said = rf"lacks 0001_core\.sql.*{name} may not.*`secure-export store migrate` once with the role that owns the"
        with pytest.raises(SettingsError, match=said):
            await PostgresStore.open(place_of(postgres.url(empty, role=name)), clock=lambda: NOW)


async def test_the_service_runs_with_a_role_that_owns_nothing(postgres: Server, database: str) -> None:
    """Everything works with the rights that the docs name, partitions that come and go included."""
    async with role(postgres, database) as name:
        await postgres.execute(_GRANTS.format(role=name), database=database)
        store = await PostgresStore.open(place_of(postgres.url(database, role=name)), clock=lambda: NOW)
        one = resolved(item())
        await store.journal.append(entry())
        assert await store.lanes.take_over("desk", now=NOW) == 0
        lane = await claim_one(store.lanes)
        told = [alert("a", work_item=one.id, ended_at=NOW)]
        await store.lanes.save(lane, folded(lane, item=one, alerts=told), now=NOW)
        assert await store.desk.change_counter() == 0
        await store.desk.try_out()
        assert await forget_all(store, NOW + RETENTION.notifications + timedelta(days=2)) == 1
        assert (await store.records.alert("a"))["notifications"] == []
        with pytest.raises(Exception, match=r"(?i)must be owner|permission denied"):
            await store._database.write(lambda db: db.execute("DROP TABLE lanes"))
        await store.close()


async def test_a_role_without_rights_is_told_at_once(postgres: Server, database: str) -> None:
    """A migrated database that nothing was granted on cannot be used, and the error names what is missing."""
    async with role(postgres, database) as name:
        with pytest.raises(StoreUnavailable, match=r"lacks a right: permission denied.*grant it"):
            await PostgresStore.open(place_of(postgres.url(database, role=name)), clock=lambda: NOW)


async def test_nobody_calls_the_functions_who_was_not_allowed_to(postgres: Server, database: str) -> None:
    """They run with their owner's rights, so that they are for the service's role only."""
    async with role(postgres, database) as name:
        connection = await connect(place_of(postgres.url(database, role=name)))
        for call in ("make_partitions(1, 2)", "drop_partitions(1)"):
            with pytest.raises(Exception, match="permission denied"):
                await connection.fetchval(f"SELECT {call}")
        await connection.close()
