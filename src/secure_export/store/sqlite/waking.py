"""Makes lanes ready for another reason than a new notification."""

import sqlite3
from datetime import datetime

from secure_export.store.instants import micros
from secure_export.store.keys import lane_key
from secure_export.store.sqlite.statements import take_numbers
from secure_export.store.sqlite.work_item_table import latest_of, put_work_item
from secure_export.workitems.settle import unpark


def wake(connection: sqlite3.Connection, name: str, correlation_key: str, *, now: datetime, look: bool = False) -> bool:
    """Make a lane of the connection ``name`` ready; one that an owner works on stays ready when it is given back.

    Args:
        connection: The database.
        name: The lane's connection.
        correlation_key: Which lane of it.
        now: The time now.
        look: Whether to have the work item read back, too.

    Returns:
        Whether anything changed.
    """
    key = lane_key(name, correlation_key)
    row = connection.execute("SELECT id, state, look, woken FROM lanes WHERE key = ?", (key,)).fetchone()
    if row is None:
        connection.execute(
            "INSERT INTO lanes (id, key, connection, correlation_key, state, due_at, look) "
            "VALUES (?, ?, ?, ?, 'ready', ?, ?)",
            (take_numbers(connection, 1), key, name, correlation_key, micros(now), look),
        )
        return True
    number, state, has_look, woken = row
    if state == "claimed":
        connection.execute("UPDATE lanes SET woken = 1, look = look OR ? WHERE id = ?", (look, number))
        return not woken or (look and not has_look)
    if state == "ready":
        connection.execute("UPDATE lanes SET look = 1 WHERE id = ? AND ? > look", (number, look))
        return look and not has_look
    connection.execute(
        "UPDATE lanes SET state = 'ready', due_at = ?, reason = '', look = look OR ? WHERE id = ?",
        (micros(now), look, number),
    )
    return True


def retry(connection: sqlite3.Connection, name: str, correlation_key: str, *, now: datetime) -> bool:
    """Make a parked or waiting lane ready, and let its work item be tried again at once; whether anything changed."""
    item = latest_of(connection, lane_key(name, correlation_key))
    if item is not None:
        put_work_item(connection, unpark(item))
    return wake(connection, name, correlation_key, now=now)
