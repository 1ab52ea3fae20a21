"""What a long history costs: intake with millions of notifications stored, next to an empty store, in turns."""

import asyncio
import os
import sqlite3
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from statistics import median

import msgspec

from bench.contenders import Running, SecureExport
from bench.entra import Entra
from bench.intake import plan_for
from bench.load import Measured, run
from secure_export.intake.contract import Entry
from secure_export.store.signals import Signals
from secure_export.store.sqlite.appender import Appender
from secure_export.store.sqlite.store import SqliteStore

CONNECTIONS = 64
_BATCH = 8192
_SPAN = timedelta(days=90)
_CALLER = b'{"tenant":"t","application":"a","version":"2.0","token_id":"u"}'
_BODY = b'{"schemaId":"azureMonitorCommonAlertSchema","data":{"essentials":{"alertId":"a","monitorCondition":"Fired"}}}'


class History(msgspec.Struct, frozen=True, kw_only=True):
    """Intake with and without a past.

    Attributes:
        notifications: How many are stored beforehand.
        store_mib: How large the store is with them.
        empty_rate: Alerts taken in a second on an empty store.
        full_rate: The same with the notifications stored.
        empty_rates: The single runs.
        full_rates: The single runs.
        empty_p99: In milliseconds.
        full_p99: In milliseconds.
        errors: Requests that were not taken.
    """

    notifications: int
    store_mib: float
    empty_rate: float
    full_rate: float
    empty_rates: list[float]
    full_rates: list[float]
    empty_p99: float
    full_p99: float
    errors: int

    @property
    def percent(self) -> float:
        """How much of the rate is left."""
        return self.full_rate / self.empty_rate * 100 if self.empty_rate else 0.0


def measure_history(
    entra: Entra, *, notifications: int, rounds: int, seconds: float, say: Callable[[str], None]
) -> History:
    """Fill one store, leave another empty, and measure intake on both in turns.

    Args:
        entra: Whose token is sent.
        notifications: How many to store beforehand.
        rounds: How many runs of each.
        seconds: How long each run is.
        say: Told what is done now.
    """
    with ExitStack() as stack:
        empty, full = (
            Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="secure-export-bench-"))) for _ in range(2)
        )
        _fill(full / "store.db", notifications, say)
        store_mib = (full / "store.db").stat().st_size / 1024**2
        services = {
            name: stack.enter_context(SecureExport(entra, name=name).started(folder))
            for name, folder in (("empty", empty), ("full", full))
        }
        runs = _in_turns(services, rounds, seconds, say)
    return History(
        notifications=notifications,
        store_mib=store_mib,
        empty_rate=median(one.rate for one in runs["empty"]),
        full_rate=median(one.rate for one in runs["full"]),
        empty_rates=[round(one.rate, 1) for one in runs["empty"]],
        full_rates=[round(one.rate, 1) for one in runs["full"]],
        empty_p99=median(one.p99 for one in runs["empty"]),
        full_p99=median(one.p99 for one in runs["full"]),
        errors=sum(one.errors for found in runs.values() for one in found),
    )


def _in_turns(
    services: dict[str, Running], rounds: int, seconds: float, say: Callable[[str], None]
) -> dict[str, list[Measured]]:
    runs: dict[str, list[Measured]] = {name: [] for name in services}
    for number in range(rounds):
        for name, running in services.items():
            say(f"run {number + 1} of {rounds}: {name} store")
            runs[name].append(run(plan_for(running, CONNECTIONS, seconds)))
    return runs


def _fill(path: Path, notifications: int, say: Callable[[str], None]) -> None:
    """Store notifications whose work is done: they are there, and no lane is left of them."""
    asyncio.run(_make(path))
    appender = Appender(Signals())
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("PRAGMA synchronous=OFF")
        done = 0
        for batch in _batches(notifications):
            connection.execute("BEGIN")
            appender.write(connection, batch)
            connection.execute("DELETE FROM pending")
            connection.execute("DELETE FROM lanes")
            connection.execute("COMMIT")
            done += len(batch)
            say(f"stored {done:,} of {notifications:,} notifications")
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()


async def _make(path: Path) -> None:
    store = await SqliteStore.open(path)
    await store.close()


def _batches(count: int) -> Iterator[list[Entry]]:
    """Make notifications as they came in over the last months, each of an alert of its own."""
    now = datetime.now(UTC)
    for first in range(0, count, _BATCH):
        numbers = range(first, min(first + _BATCH, count))
        yield [_entry(now - _SPAN + _SPAN * (number / count), number) for number in numbers]


def _entry(at: datetime, number: int) -> Entry:
    return Entry(
        connection="desk",
        body=_BODY,
        received_at=at,
        caller=_CALLER,
        dedupe_key=int(at.timestamp() * 1e6).to_bytes(8, "big") + os.urandom(16),
        correlation_key=f"alert:{number}",
        alert_id=str(number),
    )
