"""Notifications by time: their numbers begin with it, and each day has a partition."""

import asyncio
from collections import defaultdict
from collections.abc import Iterable
from datetime import datetime, timedelta
from time import monotonic
from typing import Any

from secure_export.store.instants import micros
from secure_export.store.postgresql.connect import Connection
from secure_export.store.postgresql.database import Database

_TELLING_BITS = 20
_MICROS_OF_DAY = 86_400_000_000
_DAYS_AHEAD = 10
_DAYS_BACK = 1


_DAYS = """
SELECT substring(child.relname FROM 16)::integer AS day FROM pg_inherits JOIN pg_class AS child ON child.oid = inhrelid
WHERE inhparent = 'notifications'::regclass AND child.relname ~ '^notifications_d[0-9]+$'
    AND substring(child.relname FROM 16)::integer < $1
ORDER BY day LIMIT 10
"""
_DROP = "SELECT drop_partitions($1)"


def first_number_at(at: datetime) -> int:
    """Give the smallest number of a notification that was received at a time."""
    return micros(at) // 1000 << _TELLING_BITS


def day_of(number: int) -> int:
    """Give the day, since 1970, whose partition a notification is in."""
    return (number >> _TELLING_BITS) * 1000 // _MICROS_OF_DAY


def only_day(day: int) -> str:
    """Give the condition that lets the planner see that only one partition is asked, however many there are."""
    low, high = ((one * _MICROS_OF_DAY // 1000) << _TELLING_BITS for one in (day, day + 1))
    return f"notifications.id >= {low} AND notifications.id < {high}"


def between_days(first: int, last: int) -> tuple[int, int]:
    """Give the smallest number of the day before a time in microseconds, and that of the second day after another."""
    days = (max(0, first // _MICROS_OF_DAY - 1), last // _MICROS_OF_DAY + 2)
    return (days[0] * _MICROS_OF_DAY // 1000) << _TELLING_BITS, (days[1] * _MICROS_OF_DAY // 1000) << _TELLING_BITS


async def of_days(connection: Connection, query: str, numbers: Iterable[int]) -> list[Any]:
    """Ask about notifications: only the partitions of their days, however many there are.

    Args:
        connection: The database.
        query: What is asked of the numbers ``$1``; it ends with its condition.
        numbers: The notifications.
    """
    days: dict[int, list[int]] = defaultdict(list)
    for number in numbers:
        days[day_of(number)].append(number)
    return [row for day, some in days.items() for row in await connection.fetch(f"{query} AND {only_day(day)}", some)]


async def make_partitions(database: Database, now: datetime) -> None:
    """Make the partitions of the days around now, and of those to come.

    What comes for a day without one goes to a partition of its own, and moves when the day's is made: nothing fails.
    """
    first = micros(now - timedelta(days=_DAYS_BACK)) // _MICROS_OF_DAY
    last = first + _DAYS_BACK + _DAYS_AHEAD
    if await database.read(lambda db: _there(db, last)) and await database.read(lambda db: _there(db, first)):
        return
    await database.write(lambda db: db.fetchval("SELECT make_partitions($1, $2)", first, last))


async def drop_partitions(database: Database, before: datetime) -> int:
    """Drop partitions that ended before a time and hold nothing that is worked on; how many held anything.

    Each by itself, with pauses: whoever writes waits while one is dropped, and finds out anew which there are.
    """
    line = micros(before)
    rows = await database.read(lambda db: db.fetch(_DAYS, line // _MICROS_OF_DAY))
    dropped = 0
    for row in rows:
        end = (row[0] + 1) * _MICROS_OF_DAY
        began = monotonic()
        dropped += await database.write(lambda db, end=end: db.fetchval(_DROP, end)) or 0  # type: ignore[misc] # end is bound now
        await asyncio.sleep(monotonic() - began)
    return dropped


async def _there(connection: Connection, day: int) -> bool:
    return await connection.fetchval("SELECT to_regclass($1)", f"notifications_d{day}") is not None
