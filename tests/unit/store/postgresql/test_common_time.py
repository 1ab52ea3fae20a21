"""The time that all processes on one database share."""

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import cast
from unittest.mock import AsyncMock, MagicMock

import pytest
from tests.postgres import Server
from tests.unit.delivery.scene import ManualClock
from tests.unit.delivery.tool import Tool

from secure_export.azure.settings import AzureSettings
from secure_export.delivery.connection import Target
from secure_export.delivery.contract import ClaimedLane
from secure_export.errors import StoreUnavailable
from secure_export.policy.decide import Policy
from secure_export.policy.settings import RouteSettings
from secure_export.service import _delivering, _intake
from secure_export.settings import RetentionSettings
from secure_export.store.postgresql.common_time import CommonTime
from secure_export.store.postgresql.database import Database
from secure_export.store.postgresql.place import place_of
from secure_export.store.postgresql.store import PostgresStore
from secure_export.telemetry.health import Health
from secure_export.telemetry.metrics import Metrics

_FAR = datetime(2031, 1, 1, tzinfo=UTC)


class _Answering:
    """A database whose clock says what the test wants, after as many seconds as it wants."""

    def __init__(self) -> None:
        self.says = _FAR
        self.takes = 0.0
        self.seconds = 100.0
        self.is_up = True
        self.time = CommonTime(cast("Database", self), seconds=lambda: self.seconds)

    async def read(self, query: object) -> datetime:
        if not self.is_up:
            raise StoreUnavailable("down")
        self.seconds += self.takes
        return self.says


async def test_it_is_the_databases_time() -> None:
    """Whatever this machine's clock says, and however it is set: between two questions seconds are counted."""
    database = _Answering()
    await database.time.ask()
    assert database.time() == _FAR
    database.seconds += 7
    assert database.time() == _FAR + timedelta(seconds=7)
    database.says += timedelta(hours=1)
    await database.time.ask()
    assert database.time() == _FAR + timedelta(hours=1)


async def test_an_answer_that_took_long_says_too_little() -> None:
    """Nobody knows when in the meantime the clock was read, unless there is no better answer."""
    database = _Answering()
    database.takes = 4.0
    await database.time.ask()
    assert database.time() == _FAR + timedelta(seconds=2)
    database.says += timedelta(hours=1)
    await database.time.ask()
    assert database.time() == _FAR + timedelta(seconds=6)


async def test_it_goes_on_while_the_database_is_away(monkeypatch: pytest.MonkeyPatch) -> None:
    """An outage neither stops the time nor ends the asking."""
    monkeypatch.setattr("secure_export.store.postgresql.common_time._BETWEEN_SECONDS", 0.001)
    database = _Answering()
    await database.time.begin()
    database.is_up = False
    await asyncio.sleep(0.02)
    database.seconds += 5
    assert database.time() == _FAR + timedelta(seconds=5)
    database.is_up, database.says = True, _FAR + timedelta(days=1)
    async with asyncio.timeout(5):
        while database.time() < _FAR + timedelta(days=1):  # noqa: ASYNC110 - it tells nobody
            await asyncio.sleep(0.002)
    await database.time.close()


async def test_a_store_has_the_time_of_its_database(postgres: Server, database: str) -> None:
    """Processes of several machines agree on it, and so on when a lease ends."""
    stores = [
        await PostgresStore.open(place_of(postgres.url(database, **options)))
        for options in ({}, {"pooler": "transaction"})
    ]
    told = (await postgres.fetch("SELECT clock_timestamp()"))[0][0]
    for store in stores:
        assert abs((store.clock() - told).total_seconds()) < 1
        await store.close()


class _Lanes:
    """Lanes that are asked for what is due, and have nothing."""

    def __init__(self) -> None:
        self.asked: set[datetime] = set()
        self.was_asked = asyncio.Event()

    async def take_over(self, connection: str, *, now: datetime, patience: timedelta) -> int:
        self.asked.add(now)
        return 0

    async def claim(self, connection: str, *, now: datetime, **asked: object) -> Sequence[ClaimedLane]:
        self.asked.add(now)
        self.was_asked.set()
        return ()

    async def wait(self, *, timeout_seconds: float) -> None:
        await asyncio.sleep(0.01)


async def test_the_service_goes_by_the_time_of_its_store() -> None:
    """A node whose own clock is an hour off takes no lanes of others, and keeps its own."""
    lanes = _Lanes()
    parts = MagicMock()
    parts.store = SimpleNamespace(clock=lambda: _FAR, lanes=lanes, journal=None, upkeep=AsyncMock())
    parts.settings.retention = RetentionSettings()
    parts.settings.connections = {}
    parts.settings.azure = AzureSettings()
    parts.targets = {"desk": Target("desk", Policy(RouteSettings()), Tool(ManualClock()))}
    async with _delivering(parts, Metrics(), Health()), asyncio.timeout(5):
        await lanes.was_asked.wait()
    assert lanes.asked == {_FAR}
    assert _intake(parts, MagicMock(), Metrics())._clock() == _FAR
