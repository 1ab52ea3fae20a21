"""What retention no longer keeps goes also where clocks were wrong."""

from datetime import timedelta
from pathlib import Path

from tests.conformance.store_suite.samples import NOW, claim, entry, folded

from secure_export.delivery.contract import Retention
from secure_export.store.sqlite.store import SqliteStore


async def test_what_came_while_the_clock_was_ahead_keeps_nothing_else(tmp_path: Path) -> None:
    """Notifications that seem young, recorded before old ones, stay; those behind them are deleted."""
    store = await SqliteStore.open(tmp_path / "store.db", clock=lambda: NOW)
    await store.journal.append(entry("alert:ahead", received_at=NOW + timedelta(days=365)))
    for name in ("a", "b"):
        await store.journal.append(entry(f"alert:{name}", received_at=NOW - timedelta(days=99)))
    for lane in await claim(store.lanes, now=NOW + timedelta(days=366)):
        await store.lanes.save(lane, folded(lane), now=NOW)
    retention = Retention(notifications=timedelta(days=90))
    assert await store.upkeep.forget(retention, now=NOW, limit=10) == 2
    assert await store.upkeep.forget(retention, now=NOW, limit=10) == 0
    await store.close()
