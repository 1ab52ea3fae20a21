"""A long past: notifications and work items whose work is done, written into a store fast.

One alert goes the whole way through the program itself, fired and resolved; its work item, its alert and its steps are
then written many times over, each with ids of its own. Bodies of notifications are short, because nothing reads old
ones; work items are as large as they are.
"""

import asyncio
import os
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import islice
from pathlib import Path
from typing import Any, Final

from bench.alert import ALERT_ID, FIRED_AT, metric_alert
from bench.entra import Entra
from bench.machine import Core
from bench.service import ALL_ROLES, DESK, Node, nodes_running
from bench.stores import Place, connected
from secure_export.store.keys import alert_key, lane_key
from secure_export.store.open import is_postgresql, sqlite_path

_SPAN: Final = timedelta(days=80)
_UNTIL: Final = timedelta(days=1)
_BATCH: Final = 50_000
_DAY_MICROS: Final = 86_400_000_000
_FIRST: Final = 1_000
_BODY: Final = b'{"schemaId":"azureMonitorCommonAlertSchema","data":{"essentials":{"monitorCondition":"Fired"}}}'
_SAMPLE_ID: Final = b"a" * len(ALERT_ID)
_PATIENCE_SECONDS: Final = 30.0

Row = Mapping[str, Any]


@dataclass(frozen=True)
class Amount:
    """How much has happened.

    Attributes:
        notifications: How many notifications there are.
        work_items: How many work items; notifications are dealt out to their alerts evenly.
    """

    notifications: int
    work_items: int


def fill(entra: Entra, place: Place, amount: Amount, folder: Path, say: Callable[[str], None]) -> None:
    """Write a past into a store.

    Args:
        entra: Whose tokens the program lets in, for the one alert that goes the whole way.
        place: The store, with its tables.
        amount: How much.
        folder: Where files may be made.
        say: Told what is done now.
    """
    _let_one_happen(entra, place, folder)
    past = Past(amount, Sample.read(place), numbers_hold_time=is_postgresql(place.url))
    if is_postgresql(place.url):
        asyncio.run(_into_postgresql(place, past, say))
    else:
        _into_sqlite(place, past, say)


@dataclass(frozen=True)
class Sample:
    """What the program wrote for one alert that ended."""

    item: Row
    alert: Row
    steps: Sequence[Row]

    @classmethod
    def read(cls, place: Place) -> "Sample":
        """Read it from a store that holds nothing else."""
        (item,), (alert,) = place.rows("work_items"), place.rows("alerts")
        return cls(item, alert, place.rows("steps"))


class Past:
    """Makes the rows, each kind in the order in which it happened.

    Args:
        amount: How many.
        sample: What they are made after.
        numbers_hold_time: Whether a notification's number begins with the milliseconds of its receipt.
    """

    def __init__(self, amount: Amount, sample: Sample, *, numbers_hold_time: bool) -> None:
        self.amount = amount
        self._sample = sample
        self._numbers_hold_time = numbers_hold_time
        end = datetime.now(UTC) - _UNTIL
        self._begin = int((end - _SPAN).timestamp() * 1e6)
        self._span = _SPAN // timedelta(microseconds=1)

    @property
    def days(self) -> tuple[int, int]:
        """The first and the last day, since 1970."""
        return self._begin // _DAY_MICROS, (self._begin + self._span) // _DAY_MICROS

    def notifications(self) -> Iterator[tuple[int, int, bytes]]:
        """Give number, time of receipt and key."""
        for number in range(self.amount.notifications):
            at = self._begin + self._span * number // self.amount.notifications
            yield self._number(number, at), at, at.to_bytes(8, "big") + os.urandom(16)

    def links(self) -> Iterator[tuple[int, int]]:
        """Give which notification spoke of which alert."""
        for number in range(self.amount.notifications):
            at = self._begin + self._span * number // self.amount.notifications
            yield self._number(number, at), _FIRST + number * self.amount.work_items // self.amount.notifications

    def work_items(self) -> Iterator[tuple[Row, Row, list[Row]]]:
        """Give a work item, its alert, and its steps."""
        for number in range(self.amount.work_items):
            at = self._begin + self._span * number // self.amount.work_items
            yield self._work_item(number, at)

    def _number(self, number: int, at: int) -> int:
        return (at // 1000 << 20) | (number & 0xFFFFF) if self._numbers_hold_time else _FIRST + number

    def _work_item(self, number: int, at: int) -> tuple[Row, Row, list[Row]]:
        sample, seq = self._sample, _FIRST + number
        item_id = f"{at // 1000:012x}70008{number:015x}"
        names = {sample.item["id"]: item_id, _SAMPLE_ID.decode(): f"{number:0{len(_SAMPLE_ID)}d}"}
        names[sample.item["number"]] = f"INC{seq:07d}"
        item = _renamed(sample.item, names)
        lane = lane_key(item["connection"], item["correlation_key"])
        item |= {"seq": seq, "lane": lane, "tool_key": os.urandom(16).hex(), "ended_at": at}
        alert = _renamed(sample.alert, names)
        alert |= {"seq": seq, "key": alert_key(alert["alert_id"]), "fired_at": at, "ended_at": at, "seen_at": at}
        own = {"lane": lane, "work_item": seq, "started_at": at, "finished_at": at}
        steps: list[Row] = [{**step, **own, "id": 2 * seq + place} for place, step in enumerate(sample.steps[:2])]
        return item, alert, steps


def _renamed(row: Row, names: Mapping[str, str]) -> dict[str, Any]:
    """Give a row with other names in all its texts."""
    return {column: _with(value, names) for column, value in row.items()}


def _with(value: Any, names: Mapping[str, str]) -> Any:
    if isinstance(value, str):
        for old, new in names.items():
            value = value.replace(old, new)
    elif isinstance(value, bytes) and len(value) > len(_SAMPLE_ID):
        for old, new in names.items():
            value = value.replace(old.encode(), new.encode())
    return value


def _let_one_happen(entra: Entra, place: Place, folder: Path) -> None:
    """Have an alert fire and end, all the way into the desk."""
    body = folder / "alert.json"
    fired_at = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ").encode()
    body.write_bytes(metric_alert().replace(ALERT_ID, _SAMPLE_ID).replace(FIRED_AT, fired_at))
    with nodes_running(entra, place.url, [ALL_ROLES], folder, core=Core.ANY) as (node,):
        webhook = f"http://127.0.0.1:{node.port}{DESK.webhook}"
        send = ["send", str(body), "--url", webhook, "--token-from", entra.authority]
        for more in ([], ["--resolve"]):
            subprocess.run([sys.executable, "-m", "secure_export", *send, *more], check=True, capture_output=True)
            _wait_until_idle(node)


def _wait_until_idle(node: Node) -> None:
    end = time.monotonic() + _PATIENCE_SECONDS
    while node.get("/api/v1/lanes?limit=1")["items"]:
        if time.monotonic() > end:
            raise RuntimeError("the alert that the past is made after did not become a work item")
        time.sleep(0.05)


def _batches(rows: Iterator[Any], what: str, count: int, say: Callable[[str], None]) -> Iterator[list[Any]]:
    done = 0
    while batch := list(islice(rows, _BATCH)):
        yield batch
        done += len(batch)
        say(f"stored {done:,} of {count:,} {what}")


def _into_sqlite(place: Place, past: Past, say: Callable[[str], None]) -> None:
    amount = past.amount
    with closing(sqlite3.connect(sqlite_path(place.url), isolation_level=None)) as file:
        file.execute("PRAGMA synchronous=OFF")
        for batch in _batches(past.notifications(), "notifications", amount.notifications, say):
            told = [(number, at, 1, key, 0, _BODY) for number, at, key in batch]
            _insert(file, "notifications", ("id", "received_at", "sender", "dedupe_key", "packed", "body"), told)
        for batch in _batches(past.links(), "links", amount.notifications, say):
            _insert(file, "alert_notifications", ("notification", "alert"), batch)
        for batch in _batches(past.work_items(), "work items", amount.work_items, say):
            for table, rows in _tables(batch).items():
                _insert(file, table, tuple(rows[0]), [tuple(row.values()) for row in rows])
        file.execute("UPDATE counter SET value = value + ?", (_FIRST + amount.notifications,))
        file.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()


def _insert(file: sqlite3.Connection, table: str, columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> None:
    file.execute("BEGIN")
    marks = ", ".join("?" * len(columns))
    file.executemany(f"INSERT INTO {table} ({', '.join(columns)}) VALUES ({marks})", rows)  # noqa: S608 - own names
    file.execute("COMMIT")


async def _into_postgresql(place: Place, past: Past, say: Callable[[str], None]) -> None:
    amount = past.amount
    db = await connected(place.url)
    try:
        await db.execute("SET synchronous_commit = off")
        await db.execute("SELECT make_partitions($1, $2)", *past.days)
        for batch in _batches(past.notifications(), "notifications", amount.notifications, say):
            told = [(number, at, 1, False, _BODY) for number, at, _ in batch]
            await _copy(db, "notifications", ("id", "received_at", "sender", "packed", "body"), told)
            await _copy(db, "notification_keys", ("key", "notification"), [(key, number) for number, _, key in batch])
        for batch in _batches(past.links(), "links", amount.notifications, say):
            await _copy(db, "alert_notifications", ("notification", "alert"), batch)
        for batch in _batches(past.work_items(), "work items", amount.work_items, say):
            for table, rows in _tables(batch).items():
                await _copy(db, table, tuple(rows[0]), [tuple(row.values()) for row in rows])
        for table, column in (("work_items", "seq"), ("alerts", "seq"), ("steps", "id")):
            highest = f"SELECT max({column}) FROM {table}"  # noqa: S608 - own names
            await db.execute(f"SELECT setval(pg_get_serial_sequence('{table}', '{column}'), ({highest}))")
        say("sorting out what was stored (VACUUM, as autovacuum would)")
        await db.execute("VACUUM (ANALYZE)")
        await db.execute("CHECKPOINT")
    finally:
        await db.close()


def _tables(batch: Sequence[tuple[Row, Row, list[Row]]]) -> dict[str, list[Row]]:
    return {
        "work_items": [item for item, _, _ in batch],
        "alerts": [alert for _, alert, _ in batch],
        "steps": [step for _, _, steps in batch for step in steps],
    }


async def _copy(db: Any, table: str, columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> None:
    await db.copy_records_to_table(table, columns=list(columns), records=rows)
