"""The clock is set forward or back by an hour: nothing is done twice, nothing is lost, and nothing waits for ever."""

import asyncio
import json
import random
import time
import urllib.request
from datetime import timedelta
from pathlib import Path

import pytest
from tests.faults.disasters.clocks import HOUR, DatabaseClock, ProgramClock
from tests.faults.disasters.load import comes_to_rest, judge, load_of
from tests.faults.test_crash_points import World, sqlite_file
from tests.faults.tool_faults.mortal import Life
from tests.postgres import Server
from tests.program import Program

from secure_export.sandbox.entra.directory import AZNS_APP_ID, RESOURCE_APP_ID

pytestmark = pytest.mark.fault

ENOUGH = 40
RETRIES = timedelta(minutes=10)


def lasting_token(entra: str) -> str:
    """Get a token that is good by clocks that are an hour wrong: Entra ID's own live a little longer than that."""
    now = int(time.time())
    order = {
        "client_id": AZNS_APP_ID,
        "audience": f"api://{RESOURCE_APP_ID}",
        "claims": {"iat": now - 7200, "nbf": now - 7200, "exp": now + 7200},
    }
    request = urllib.request.Request(f"{entra}/control/tokens", data=json.dumps(order).encode(), method="POST")  # noqa: S310 - our own loopback address
    with urllib.request.urlopen(request, timeout=10) as answer:  # noqa: S310 - as above
        return str(json.load(answer)["access_token"])


async def test_the_clock_of_the_machine_jumps_under_load(tmp_path: Path, entra: str) -> None:
    """With SQLite there is one machine: its clock goes an hour forward, two back and one forward, alerts are taken and
    delivered all the time, each exactly once.
    """
    program = Program(tmp_path, entra)
    clock = ProgramClock(program)
    load = load_of(program, await asyncio.to_thread(lasting_token, entra))
    try:
        await asyncio.to_thread(program.start)
        async with load.running():
            for offset in (0, HOUR, -HOUR, 0):
                clock.set(offset)
                await load.more(ENOUGH)
        await asyncio.to_thread(comes_to_rest, program)
        await asyncio.to_thread(judge, program, load)
    finally:
        program.stop()


async def test_clocks_of_nodes_and_of_the_database_jump_under_load(
    tmp_path: Path, entra: str, postgres: Server
) -> None:
    """On PostgreSQL leases go by the database's clock: one node may be an hour fast, one an hour slow, and the database
    itself be set forward and back: no lane is taken from a node at work and done twice, and none is stuck.
    """
    async with postgres.database() as name:
        shared = DatabaseClock(postgres, name)
        await shared.make()
        programs = []
        for folder in ("one", "two"):
            (tmp_path / folder).mkdir()
            programs.append(Program(tmp_path / folder, entra, store=postgres.url(name)))
        one, two = programs
        fast, slow = map(ProgramClock, programs)
        load = load_of(one, await asyncio.to_thread(lasting_token, entra))
        try:
            await asyncio.gather(asyncio.to_thread(one.start), asyncio.to_thread(two.start, "--role", "delivery"))
            async with load.running():
                fast.set(HOUR)
                slow.set(-HOUR)
                await load.more(ENOUGH)
                for offset in (HOUR, -HOUR, 0):
                    await shared.set(offset)
                    await load.more(ENOUGH)
            await asyncio.to_thread(comes_to_rest, one)
            await asyncio.to_thread(judge, one, load)
        finally:
            for program in programs:
                program.stop()


class Jumping(Life):
    """A life in which the clock jumps there and back, again and again, between things that last."""

    def __init__(self, world: World, chance: random.Random, number: int | None) -> None:
        super().__init__(number, after=True)
        self._clock = world.clock
        self._chance = chance
        self._jumps = [HOUR, -HOUR] if chance.random() < 0.5 else [-HOUR, HOUR]

    def lasts(self) -> None:
        if self._chance.random() < 0.2:
            self._clock.forward(self._jumps[0])
            self._jumps.reverse()
        super().lasts()


async def test_the_clock_jumps_between_things_that_last(tmp_path: Path) -> None:
    """Leases, retries and deaths are in play when the clock jumps an hour, by chance between any two things that last:
    one record of each problem, in the right state, and no wait longer than the jump and what was asked for.
    """
    for seed in range(24):
        chance = random.Random(seed)  # noqa: S311 - chance, no secret
        (folder := tmp_path / str(seed)).mkdir()
        async with sqlite_file(folder) as open_store:
            world = World(open_store, concurrency=4)
            for number in (chance.randint(1, 40), None):
                await world.live(life := Jumping(world, chance, number))
                if life.over.is_set():
                    await world.after_a_crash()
            await world.judge(f"seed {seed}")
            assert max(world.waits, default=RETRIES) <= timedelta(seconds=HOUR) + RETRIES, f"seed {seed}: {world.waits}"
