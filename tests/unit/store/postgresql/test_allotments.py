"""Places in PostgreSQL: shared fairly, and free again when it is sure that nobody uses them."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import timedelta

import pytest
from tests.postgres import Server, own_server
from tests.unit.store.postgresql.proxy import COMMIT, Network

from secure_export.delivery.contract import Allotment, PlacesAsked
from secure_export.delivery.place_keeper import Terms
from secure_export.itsm.desk.contract import WriteInDoubt
from secure_export.store.postgresql.allotments import ALONE, PostgresAllotments, lock_of
from secure_export.store.postgresql.connect import Connection
from secure_export.store.postgresql.database import Database
from secure_export.store.postgresql.place import place_of

LEASE = 50.0
Join = Callable[[], Awaitable[PostgresAllotments]]


class Seconds:
    """A clock that moves when it is told to."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def seconds() -> Seconds:
    return Seconds()


@pytest.fixture
async def join(postgres: Server, seconds: Seconds) -> AsyncIterator[Join]:
    """Let processes join, each with connections of its own."""
    opened: list[Database] = []
    async with postgres.database() as name:

        async def joined() -> PostgresAllotments:
            opened.append(await Database.open(place_of(postgres.url(name, pool_size="2"))))
            return PostgresAllotments(opened[-1], seconds=seconds)

        yield joined
        for database in opened:
            await database.close()


async def renew(process: PostgresAllotments, keep: int = 0, *, places: int = 4) -> Allotment:
    return await process.renew("prod", PlacesAsked(places=places, keep=keep, lease=timedelta(seconds=LEASE)))


async def test_places_are_shared_fairly_as_processes_come_and_go(join: Join) -> None:
    """Each has as many as the others, or one more, after everybody has renewed two times."""
    processes = [await join() for _ in range(3)]
    told = [await renew(process) for process in processes]
    for _ in range(2):
        told = [await renew(process, told[n].fair) for n, process in enumerate(processes)]
    assert sorted(one.held for one in told) == [1, 1, 2]
    await processes[0].leave("prod")
    for _ in range(2):
        told[1:] = [await renew(process, told[n].fair) for n, process in enumerate(processes[1:], 1)]
    assert [one.held for one in told[1:]] == [2, 2]


async def test_with_fewer_places_than_processes_one_gets_what_another_leaves(join: Join) -> None:
    """Nobody waits for ever behind those who came first."""
    processes = [await join() for _ in range(3)]
    told = [await renew(process, places=1) for process in processes]
    for _ in range(2):
        told = [await renew(process, told[n].fair, places=1) for n, process in enumerate(processes)]
    assert sum(one.held for one in told) == 1
    (holder,) = (n for n, one in enumerate(told) if one.held)
    await processes.pop(holder).leave("prod")
    assert sum([(await renew(process, places=1)).held for process in processes]) == 1


async def test_places_of_a_dead_process_are_free_when_its_lease_was_watched_to_its_end(
    join: Join, seconds: Seconds
) -> None:
    """Not before, whatever else is known; who has just come has to watch for as long."""
    dead, other = await join(), await join()
    await renew(dead)
    assert (await renew(other)).held == 0
    seconds.now += LEASE - 0.1
    assert (await renew(other)).held == 0
    late = await join()
    assert (await renew(late)).held == 0
    seconds.now += 0.1
    assert (await renew(other)).fair in {1, 2}, "the dead one was counted as a process until now"
    seconds.now += LEASE
    assert (await renew(other)).held >= 2


async def test_a_stopped_process_that_comes_back_has_lost_its_places(join: Join, seconds: Seconds) -> None:
    """What it still believes to hold is not given back to it while another uses it."""
    stopped, other = await join(), await join()
    await renew(stopped)
    await renew(other)
    seconds.now += LEASE
    assert (await renew(other)).held == 4
    back = await renew(stopped, 4)
    assert back.held == 0
    assert back.fair == 2


async def test_a_process_that_renews_is_never_taken_for_dead(join: Join, seconds: Seconds) -> None:
    """However long others watch."""
    living, other = await join(), await join()
    await renew(living)
    for _ in range(6):
        await renew(living, 4)
        assert (await renew(other)).held == 0
        seconds.now += LEASE * 0.9


@pytest.mark.parametrize(("was", "others_get"), [("kept", 2), ("not kept", 0)])
async def test_a_renewal_that_nobody_heard_of_is_simply_made_again(
    postgres: Server, seconds: Seconds, was: str, others_get: int
) -> None:
    """The connection breaks while places are given back: others get them, now or after the next, and no more."""
    own = own_server(postgres)
    async with postgres.database() as name, Network(own.port).running() as network:
        far = await Database.open(place_of(f"postgresql://postgres@127.0.0.1:{network.port}/{name}?sslmode=disable"))
        near = await Database.open(place_of(postgres.url(name)))
        try:
            process, other = (PostgresAllotments(one, seconds=seconds) for one in (far, near))
            assert (await renew(process)).held == 4
            assert (await renew(other)).held == 0
            fair = (await renew(process, 4)).fair
            network.cut_after, network.cut_before = (COMMIT, None) if was == "kept" else (None, COMMIT)
            with pytest.raises(WriteInDoubt):
                await renew(process, fair)
            network.cut_after = network.cut_before = None
            assert (await renew(other)).held == others_get
            assert (await renew(process, fair)).held == 2
            assert (await renew(other, 2)).held == 2
        finally:
            await far.close()
            await near.close()


async def test_who_starts_and_dies_again_and_again_does_not_get_all_places(join: Join, seconds: Seconds) -> None:
    """Each of its lives leaves a lease behind; one that lives in peace keeps its half of the places all the time."""
    steady = await join()
    told = await renew(steady)
    for _ in range(6):
        crashes = await join()
        for lives in (True, True, False, False):
            told = await renew(steady, told.fair)
            if lives:
                await renew(crashes, 4)
            seconds.now += 3.0
            assert told.held >= 2


async def test_who_waits_for_another_sees_what_it_took_whatever_the_default_of_the_database(
    postgres: Server, seconds: Seconds
) -> None:
    """Two ask while a third is at it: with what they saw before they waited, both would take all."""
    async with postgres.database() as name:
        await postgres.execute(f"ALTER DATABASE {name} SET default_transaction_isolation = 'repeatable read'")
        databases = [await Database.open(place_of(postgres.url(name))) for _ in range(3)]
        ahead, *behind = databases
        is_there, may_go = asyncio.Event(), asyncio.Event()

        async def is_at_it(db: Connection) -> None:
            await db.execute(ALONE, lock_of("prod"))
            is_there.set()
            await may_go.wait()

        async def waiting(db: Connection) -> int:
            query = "SELECT count(*) FROM pg_locks l JOIN pg_database d ON d.oid = l.database WHERE NOT granted"
            return int(await db.fetchval(f"{query} AND datname = $1", name))

        try:
            first = asyncio.create_task(ahead.write(is_at_it))
            await is_there.wait()
            asking = [asyncio.create_task(renew(PostgresAllotments(one, seconds=seconds))) for one in behind]
            async with asyncio.timeout(10):
                while await ahead.read(waiting) < 2:  # noqa: ASYNC110 - the server tells nobody
                    await asyncio.sleep(0.005)
            may_go.set()
            await first
            assert sorted(one.held for one in await asyncio.gather(*asking)) == [0, 4]
        finally:
            for database in databases:
                await database.close()


async def test_who_is_stopped_in_the_middle_of_a_question_does_not_keep_others_from_theirs(postgres: Server) -> None:
    """The server ends its session well within the time for which others may go on without a renewal."""
    async with postgres.database() as name:
        database = await Database.open(place_of(postgres.url(name)))

        async def is_at_it(db: Connection) -> timedelta:
            await db.execute(ALONE, lock_of("prod"))
            idle: timedelta = await db.fetchval(
                "SELECT current_setting('idle_in_transaction_session_timeout')::interval"
            )
            return idle

        try:
            assert await database.write(is_at_it) <= timedelta(seconds=Terms().window / 3)
        finally:
            await database.close()


async def test_questions_at_the_same_time_wait_for_each_other(join: Join) -> None:
    """Ten at once, again and again: never more than there are."""
    processes = [await join() for _ in range(5)]
    keeps, held = [0] * 5, 0
    for _ in range(6):
        told = await asyncio.gather(
            *(renew(process, keep, places=3) for process, keep in zip(processes, keeps, strict=True))
        )
        held = sum(one.held for one in told)
        assert held <= 3
        keeps = [min(one.held, one.fair) for one in told]
    assert held == 3
