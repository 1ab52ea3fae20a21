"""A SQLite database with rows of every kind in every table, and what is in one."""

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

from tests.conformance.store_suite.samples import NOW, alert, at, claim, entry, folded, item, open_in_tool, unreadable

from secure_export.store.instants import micros
from secure_export.store.sqlite.store import SqliteStore

AWKWARD = "nul \0 and \x1a0 and ü 🚨 'quoted' \\ \n"
_DESK = """
INSERT INTO desk_incidents (id, connection, key, title, description, state, impact, urgency, priority, assignment_group,
    assignee, fields, resolution_code, resolution, opened_at, updated_at, resolved_at, closed_at, revision)
    VALUES (7, 'desk', x'00ff', :text, '', 'new', 1, 2, 3, '', '', '{}', '', '', 1, 2, NULL, NULL, 1);
INSERT INTO desk_events (id, incident, at, author, by_person, kind, text, changes)
    VALUES (3, 7, 5, 'a', 1, 'comment', :text, '[]'), (4, 7, 6, 'b', 0, 'comment', '', '[]');
INSERT INTO desk_incident_cis (incident, position, ci, name, rule, reason) VALUES (7, 0, 'CI1', :text, 'r', 'why');
INSERT INTO desk_cis (id, name, name_key, class_name, resource_id, attributes, created_at, updated_at)
    VALUES (1, 'Web', 'web', 'vm', '/subscriptions/x', '{}', 1, 2), (9, :text, 'other', 'vm', NULL, '{}', 1, 2);
INSERT INTO desk_ci_relations (ci, kind, target) VALUES (1, 'runs on', 'other'), (1, 'runs on', 'b'), (1, 'a', :text);
UPDATE desk_cmdb_version SET version = 12;
DELETE FROM desk_cis WHERE id = 9;
UPDATE sqlite_sequence SET seq = 40 WHERE name = 'desk_incidents';
INSERT INTO cursors (name, value) VALUES ('poll:desk', :text), ('store:tried-at', '1');
INSERT INTO audit_log (at, by, action, subject) VALUES (1, 'me', 'retry', :text);
INSERT INTO missing_cis (connection, name, work_item, woken_at) VALUES ('desk', :text, 1, 5), ('Desk', 'A', 1, 0);
"""
_LANES = """
UPDATE lanes SET state = 'parked', due_at = NULL, reason = 'refused', look = 1 WHERE id % 7 = 1;
UPDATE lanes SET state = 'waiting', due_at = :later WHERE id % 7 = 2;
INSERT INTO steps (lane, work_item, kind, token, started_at)
    SELECT key, 1, 'create', 5, :now FROM lanes WHERE state = 'claimed' LIMIT 1;
INSERT INTO steps (lane, work_item, kind, token, started_at, finished_at, outcome)
    SELECT lane, seq, 'create', 4, 1, 2, 'done' FROM work_items;
"""


async def filled(path: Path, *, more: int = 0) -> None:
    """Make a database with lanes in every state, a begun step, quarantine, and what the desk keeps."""
    store = await SqliteStore.open(path, clock=lambda: NOW)
    try:
        for number in range(30 + more):
            key = None if number == 3 else number.to_bytes(24, "big")
            body = b"{}" if number % 2 else b'{"x": "' + b"y" * 600 + b'"}'
            await store.journal.append(
                entry(f"alert:{number}", key=key, body=body, received_at=at(number * 7000.25), alert_id=f"ID-{number}")
            )
        await store.journal.append(unreadable(AWKWARD))
        for number, lane in enumerate(await claim(store.lanes, limit=12)):
            made = open_in_tool(item(lane.correlation_key, reasons=(AWKWARD,)), f"INC{number}")
            told = alert(f"ID-{number}", work_item=made.id)
            await store.lanes.save(lane, folded(lane, item=made, alerts=(told,)), now=NOW)
        await claim(store.lanes, limit=3)
    finally:
        await store.close()
    with closing(sqlite3.connect(path)) as db:
        for statement in _DESK.split(";\n"):
            db.execute(statement, {"text": AWKWARD} if ":text" in statement else {})
        for statement in _LANES.split(";\n"):
            db.execute(statement, {"now": micros(NOW), "later": micros(at(50))})
        db.commit()


def contents(path: Path) -> dict[str, list[tuple[Any, ...]]]:
    """Give all rows of all tables but those that belong to one database, with times in place of numbers."""
    with closing(sqlite3.connect(path)) as db:
        names = [row[0] for row in db.execute("SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY name")]
        found = {
            name: sorted(db.execute(f"SELECT * FROM {name}").fetchall(), key=repr)  # noqa: S608 - a name of the schema
            for name in names
            if name not in {"migrations", "counter", "sqlite_sequence"}
        }
        times = dict(db.execute("SELECT id, received_at FROM notifications"))
    found["cursors"] = [row for row in found["cursors"] if not row[0].startswith("store")]
    for name, place in {"notifications": 0, "quarantine": 0, "alert_notifications": 0, "pending": 1}.items():
        found[name] = sorted(((*r[:place], times[r[place]], *r[place + 1 :]) for r in found[name]), key=repr)
    return found
