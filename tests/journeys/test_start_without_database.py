"""A service that starts before its database can be used, as after a power cut that hit both."""

import time
from pathlib import Path

import pytest
from tests.postgres import Server
from tests.program import Program

pytestmark = pytest.mark.journey


async def test_a_service_waits_for_its_database_and_goes_on_by_itself(
    tmp_path: Path, entra: str, postgres: Server
) -> None:
    """It says what it waits for; told to end meanwhile it ends in order; once the database is there it is ready."""
    name = "not_there_yet"
    program = Program(tmp_path, entra, store=postgres.url(name))
    program.start("--role", "intake", ready=False)
    wait_for(program, "waiting for the store")
    assert program.stop() == 0
    program.start("--role", "intake", ready=False)
    wait_for(program, "waiting for the store", times=2)
    await postgres.execute(f"CREATE DATABASE {name}")
    try:
        program.wait_until_ready()
        assert program.stop() == 0
    finally:
        program.kill()
        await postgres.execute(f"DROP DATABASE {name} WITH (FORCE)")


def wait_for(program: Program, event: str, *, times: int = 1) -> None:
    end = time.monotonic() + 20
    while program.log.read_text(encoding="utf-8").count(event) < times:
        assert time.monotonic() < end, program.log.read_text(encoding="utf-8")
        time.sleep(0.05)
