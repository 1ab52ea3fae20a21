"""The audit log, which so far only a person with the database at hand reads."""

from pathlib import Path

from tests.conformance.store_suite.samples import NOW, at, claim_one, entry, folded, unreadable

from secure_export.delivery.contract import Release
from secure_export.store.sqlite.store import SqliteStore


async def test_what_operators_do_is_written_down(tmp_path: Path) -> None:
    """Retry, replay and everything else leave a line with who, what, and when, in the same transaction."""
    store = await SqliteStore.open(tmp_path / "store.db")
    await store.journal.append(entry())
    lane = await claim_one(store.lanes)
    await store.lanes.save(lane, folded(lane, release=Release(seen=99, parked="refused")), now=NOW)
    await store.actions.retry("alert:a", by="ada", now=NOW)
    quarantined = await store.journal.append(unreadable())
    await store.actions.replay(quarantined.notification, entry=entry(), by="bob", now=NOW)
    await store.actions.retry_all(connection="prod", by="ada", now=NOW)
    await store.actions.retry_all(connection=None, by="ada", now=NOW)
    await store.actions.audit(by="eve", action="signed-in", subject="console", now=at(1))
    lines = await store._database.read(
        lambda db: db.execute("SELECT by, action, subject, at FROM audit_log ORDER BY id").fetchall()
    )
    assert lines == [
        ("ada", "retry", "alert:a", 1_772_443_145_117_123),
        ("bob", "replay", str(quarantined.notification), 1_772_443_145_117_123),
        ("ada", "retry-all", "prod", 1_772_443_145_117_123),
        ("ada", "retry-all", "*", 1_772_443_145_117_123),
        ("eve", "signed-in", "console", 1_772_443_146_117_123),
    ]
    await store.close()
