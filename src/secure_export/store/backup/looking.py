"""What a database is told that takes the place of a newer one: all that it believes is to be looked at first.

The ITSM tools have gone on since. Work items that are open here may be resolved there, and what is to be made may be
there already. Each is read back by its key before anything is done about it. Alerts that were recorded after the backup
are not known any more; when they come again, their work items are looked for, too, before they are made.
"""

import sqlite3
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime

from secure_export.store.instants import micros
from secure_export.store.restored import RESTORED_AT
from secure_export.store.rows import UNCLEAR, work_item
from secure_export.store.sqlite.waking import wake
from secure_export.store.sqlite.work_item_table import put_work_item

REASON = "the database was restored from a backup before it had an answer"
_CLOSE_STEPS = "UPDATE steps SET finished_at = ?, outcome = ?, reason = ? WHERE finished_at IS NULL"
_BEGUN = "SELECT work_item FROM steps WHERE finished_at IS NULL AND kind <> 'look'"
_LANES = """
UPDATE lanes SET look = 1, due_at = CASE state WHEN 'claimed' THEN ? ELSE due_at END,
    state = CASE state WHEN 'claimed' THEN 'ready' ELSE state END
"""
_NOT_OVER = """
SELECT seq, connection, correlation_key, document FROM work_items AS item
WHERE seq > ? AND (state = 'open' OR owed = 1 OR open_in_tool = 1)
    AND generation = (SELECT max(generation) FROM work_items WHERE lane = item.lane)
ORDER BY seq LIMIT 500
"""
_KEEP = "INSERT INTO cursors (name, value) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value"


def look_before_all(connection: sqlite3.Connection, *, now: datetime) -> int:
    """See to it that everything is looked at before it is acted on; how many work items are woken for it."""
    connection.execute("BEGIN IMMEDIATE")
    begun = {row[0] for row in connection.execute(_BEGUN)}
    connection.execute(_CLOSE_STEPS, (micros(now), UNCLEAR, REASON))
    connection.execute(_LANES, (micros(now),))
    woken = 0
    for seq, name, correlation_key, document in _not_over(connection):
        item = work_item(document)
        if seq in begun or item.confirmed is None:
            put_work_item(connection, replace(item, doubt=True))
        wake(connection, name, correlation_key, now=now, look=True)
        woken += 1
    connection.execute(_KEEP, (RESTORED_AT, str(micros(now))))
    connection.execute("COMMIT")
    return woken


def _not_over(connection: sqlite3.Connection) -> Iterator[tuple[int, str, str, bytes]]:
    last = 0
    while rows := connection.execute(_NOT_OVER, (last,)).fetchall():
        yield from rows
        last = rows[-1][0]
