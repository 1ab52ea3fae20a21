"""Statements that read and change the desk's CMDB."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from hashlib import blake2b
from typing import Any

from secure_export.cmdb.contract import ConfigurationItem
from secure_export.cmdb.drafts import CiDraft, PutResult
from secure_export.itsm.desk.cis import Ambiguous, after_import, meant
from secure_export.itsm.desk.contract import Relation
from secure_export.store.desk_rows import CI_COLUMNS, ci_id_of, ci_of, row_of_ci, sorted_json
from secure_export.store.instants import micros
from secure_export.store.postgresql.connect import Connection
from secure_export.store.postgresql.texts import all_kept

_OUTGOING = """
SELECT r.kind, r.target, coalesce(
    (SELECT id FROM desk_cis WHERE resource_id = r.target),
    (SELECT min(id) FROM desk_cis WHERE name_key = r.target HAVING count(*) = 1)
) FROM desk_ci_relations r WHERE r.ci = $1 ORDER BY r.kind COLLATE "C", r.target COLLATE "C"
"""
_INCOMING = """
SELECT r.kind, coalesce(o.resource_id, o.name), o.id
FROM desk_ci_relations r JOIN desk_cis o ON o.id = r.ci
WHERE r.target = $1 OR (r.target = $2 AND $3::boolean)
ORDER BY r.kind COLLATE "C", o.id
"""
_BY_ROW = f"SELECT {CI_COLUMNS} FROM desk_cis WHERE id = ANY($1::bigint[])"  # noqa: S608 - constants
_BY_RESOURCE_ID = f"SELECT {CI_COLUMNS} FROM desk_cis WHERE resource_id = ANY($1::text[])"  # noqa: S608 - constants
_BY_NAME = f"SELECT {CI_COLUMNS} FROM desk_cis WHERE name_key = ANY($1::text[])"  # noqa: S608 - constants
_SAME_NAME = "SELECT count(*) FROM desk_cis WHERE name_key = $1"
_INSERT = """
INSERT INTO desk_cis (name, name_key, class_name, resource_id, attributes, created_at, updated_at)
VALUES ($1, $2, $3, $4, $5, $6, $6) RETURNING id
"""
_UPDATE = """
UPDATE desk_cis SET name = $1, name_key = $2, class_name = $3, resource_id = $4, attributes = $5, updated_at = $6
WHERE id = $7
"""
_RELATE = """
INSERT INTO desk_ci_relations (ci, key, kind, target) VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING RETURNING ci
"""
# One import at a time, so that two do not both find that a CI is not there yet.
_LOCK = "SELECT pg_advisory_xact_lock(1397310822, 2)"


async def by_ids(db: Connection, ids: Iterable[str]) -> list[ConfigurationItem]:
    """Give the CIs with these ids."""
    rows = [row for ci in ids if (row := row_of_ci(ci)) is not None]
    return [ci_of(row) for row in await db.fetch(_BY_ROW, rows)]


async def by_resource_ids(db: Connection, resource_ids: Iterable[str]) -> list[ConfigurationItem]:
    """Give the CIs with these resource ids."""
    return await _with_texts(db, _BY_RESOURCE_ID, {resource_id.lower() for resource_id in resource_ids})


async def by_names(db: Connection, names: Iterable[str]) -> list[ConfigurationItem]:
    """Give the CIs with these names."""
    return await _with_texts(db, _BY_NAME, {name.lower() for name in names})


async def relations(db: Connection, ci: str) -> list[Relation]:
    """Give the relations of a CI and those to it."""
    row_id = row_of_ci(ci)
    row = await db.fetchrow("SELECT resource_id, name_key FROM desk_cis WHERE id = $1", row_id)
    if row is None:
        return []
    same_name = await db.fetchval(_SAME_NAME, row[1])
    outgoing = await db.fetch(_OUTGOING, row_id)
    incoming = await db.fetch(_INCOMING, row[0], row[1], same_name == 1)
    return [
        Relation(kind, is_outgoing, other, ci_id_of(other_row) if other_row is not None else None)
        for rows, is_outgoing in ((outgoing, True), (incoming, False))
        for kind, other, other_row in rows
    ]


async def version(db: Connection) -> int:
    """Give the CMDB's version."""
    return int(await db.fetchval("SELECT version FROM desk_cmdb_version") or 0)


async def put(db: Connection, drafts: Sequence[CiDraft], now: datetime) -> PutResult:
    """Add or change CIs."""
    await db.execute(_LOCK)
    result = PutResult()
    for draft in drafts:
        result += await _put_one(db, draft, micros(now))
    if result.added or result.changed:
        await db.execute("UPDATE desk_cmdb_version SET version = version + 1")
    return result


async def _put_one(db: Connection, draft: CiDraft, at: int) -> PutResult:
    candidates = await by_names(db, [draft.name])
    if draft.resource_id:
        candidates += await _with_texts(db, _BY_RESOURCE_ID, {draft.resource_id})
    try:
        there = meant(draft, candidates)
    except Ambiguous as error:
        return PutResult(skipped=(error.problem,))
    if there is None:
        await _relate(db, await _insert(db, draft, at), draft)
        return PutResult(added=1)
    after, row_id = after_import(there, draft), row_of_ci(there.id)
    related = await _relate(db, row_id, draft)
    if after == there and not related:
        return PutResult(unchanged=1)
    values: tuple[Any, ...] = (after.name, after.name.lower(), after.class_name, after.resource_id)
    await db.execute(_UPDATE, *values, sorted_json(after.attributes), at, row_id)
    return PutResult(changed=1)


async def _insert(db: Connection, draft: CiDraft, at: int) -> int:
    attributes = sorted_json({name: value for name, value in draft.attributes.items() if value})
    values = (draft.name, draft.name.lower(), draft.class_name, draft.resource_id, attributes, at)
    return int(await db.fetchval(_INSERT, *values) or 0)


async def _relate(db: Connection, row_id: int | None, draft: CiDraft) -> int:
    """Add the relations that are not there yet; how many were added."""
    added = 0
    for relation in draft.relations:
        kind, target = relation.kind, relation.target.lower()
        added += await db.fetchval(_RELATE, row_id, relation_key(kind, target), kind, target) is not None
    return added


def relation_key(kind: str, target: str) -> bytes:
    """Give what tells a CI's relations apart."""
    return blake2b(f"{kind}\0{target}".encode("utf-8", "surrogatepass"), digest_size=16).digest()


async def _with_texts(db: Connection, query: str, texts: set[str]) -> list[ConfigurationItem]:
    return [ci_of(row) for row in await db.fetch(query, all_kept(sorted(texts)))]
