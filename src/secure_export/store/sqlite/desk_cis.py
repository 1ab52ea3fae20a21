"""Statements that read and change the desk's CMDB."""

import sqlite3
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from secure_export.cmdb.contract import ConfigurationItem
from secure_export.cmdb.drafts import CiDraft, PutResult
from secure_export.itsm.desk.cis import Ambiguous, after_import, meant
from secure_export.itsm.desk.contract import Relation
from secure_export.store.desk_rows import CI_COLUMNS, ci_id_of, ci_of, row_of_ci, sorted_json
from secure_export.store.instants import micros

_VALUES_AT_A_TIME = 500
_OUTGOING = """
SELECT r.kind, r.target, coalesce(
    (SELECT id FROM desk_cis WHERE resource_id = r.target),
    (SELECT min(id) FROM desk_cis WHERE name_key = r.target GROUP BY name_key HAVING count(*) = 1)
) FROM desk_ci_relations r WHERE r.ci = ? ORDER BY r.kind, r.target
"""
_INCOMING = """
SELECT r.kind, coalesce(o.resource_id, o.name), o.id
FROM desk_ci_relations r JOIN desk_cis o ON o.id = r.ci
WHERE r.target = ? OR (r.target = ? AND ?)
ORDER BY r.kind, o.id
"""


def by_ids(db: sqlite3.Connection, ids: Iterable[str]) -> list[ConfigurationItem]:
    """Give the CIs with these ids."""
    return _where_in(db, "id", [row for ci in ids if (row := row_of_ci(ci)) is not None])


def by_resource_ids(db: sqlite3.Connection, resource_ids: Iterable[str]) -> list[ConfigurationItem]:
    """Give the CIs with these resource ids."""
    return _where_in(db, "resource_id", sorted({resource_id.lower() for resource_id in resource_ids}))


def by_names(db: sqlite3.Connection, names: Iterable[str]) -> list[ConfigurationItem]:
    """Give the CIs with these names."""
    return _where_in(db, "name_key", sorted({name.lower() for name in names}))


def relations(db: sqlite3.Connection, ci: str) -> list[Relation]:
    """Give the relations of a CI and those to it."""
    row_id = row_of_ci(ci)
    row = db.execute("SELECT resource_id, name_key FROM desk_cis WHERE id = ?", (row_id,)).fetchone()
    if row is None:
        return []
    (same_name,) = db.execute("SELECT count(*) FROM desk_cis WHERE name_key = ?", (row[1],)).fetchone()
    outgoing = db.execute(_OUTGOING, (row_id,)).fetchall()
    incoming = db.execute(_INCOMING, (row[0], row[1], same_name == 1)).fetchall()
    return [
        Relation(kind, is_outgoing, other, ci_id_of(other_row) if other_row is not None else None)
        for rows, is_outgoing in ((outgoing, True), (incoming, False))
        for kind, other, other_row in rows
    ]


def version(db: sqlite3.Connection) -> int:
    """Give the CMDB's version."""
    row: tuple[int] = db.execute("SELECT version FROM desk_cmdb_version").fetchone()
    return row[0]


def put(db: sqlite3.Connection, drafts: Sequence[CiDraft], now: datetime) -> PutResult:
    """Add or change CIs."""
    result = PutResult()
    for draft in drafts:
        result += _put_one(db, draft, micros(now))
    if result.added or result.changed:
        db.execute("UPDATE desk_cmdb_version SET version = version + 1")
    return result


def _put_one(db: sqlite3.Connection, draft: CiDraft, at: int) -> PutResult:
    candidates = _where_in(db, "name_key", [draft.name.lower()])
    if draft.resource_id:
        candidates += _where_in(db, "resource_id", [draft.resource_id])
    try:
        there = meant(draft, candidates)
    except Ambiguous as error:
        return PutResult(skipped=(error.problem,))
    if there is None:
        _relate(db, _insert(db, draft, at), draft)
        return PutResult(added=1)
    after, row_id = after_import(there, draft), row_of_ci(there.id)
    related = _relate(db, row_id, draft)
    if after == there and not related:
        return PutResult(unchanged=1)
    db.execute(
        "UPDATE desk_cis SET name = ?, name_key = ?, class_name = ?, resource_id = ?, attributes = ?, updated_at = ? "
        "WHERE id = ?",
        (
            after.name,
            after.name.lower(),
            after.class_name,
            after.resource_id,
            sorted_json(after.attributes),
            at,
            row_id,
        ),
    )
    return PutResult(changed=1)


def _insert(db: sqlite3.Connection, draft: CiDraft, at: int) -> int | None:
    attributes = {name: value for name, value in draft.attributes.items() if value}
    return db.execute(
        "INSERT INTO desk_cis (name, name_key, class_name, resource_id, attributes, created_at, updated_at) "
        "VALUES (?, ?, ?, ?, ?, ?, ?)",
        (draft.name, draft.name.lower(), draft.class_name, draft.resource_id, sorted_json(attributes), at, at),
    ).lastrowid


def _relate(db: sqlite3.Connection, row_id: int | None, draft: CiDraft) -> int:
    """Add the relations that are not there yet; how many were added."""
    rows = [(row_id, relation.kind, relation.target.lower()) for relation in draft.relations]
    sql = "INSERT INTO desk_ci_relations (ci, kind, target) VALUES (?, ?, ?) ON CONFLICT DO NOTHING"
    return db.executemany(sql, rows).rowcount if rows else 0


def _where_in(db: sqlite3.Connection, column: str, values: Sequence[Any]) -> list[ConfigurationItem]:
    found: list[ConfigurationItem] = []
    for start in range(0, len(values), _VALUES_AT_A_TIME):
        some = values[start : start + _VALUES_AT_A_TIME]
        marks = ", ".join("?" * len(some))
        sql = f"SELECT {CI_COLUMNS} FROM desk_cis WHERE {column} IN ({marks})"  # noqa: S608 - constants; values are bound
        found += [ci_of(row) for row in db.execute(sql, some)]
    return found
