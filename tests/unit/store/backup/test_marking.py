"""A store that was restored by other means is told so, and then looks before it acts."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from tests.conformance.store_suite.samples import NOW, claim, entry, folded, item, open_in_tool, resolved
from tests.postgres import Server

from secure_export.delivery.contract import Change
from secure_export.errors import NotFound, SettingsError, StoreUnavailable
from secure_export.store.backup.marking import mark_restored
from secure_export.store.copy import others
from secure_export.store.instants import micros
from secure_export.store.open import Store, open_store
from secure_export.store.restored import RESTORED_AT
from secure_export.store.sqlite import alone
from secure_export.workitems.work_item import StepKind


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Wait only shortly for those who use a store."""
    monkeypatch.setattr(alone, "_PATIENCE_SECONDS", 0.05)
    monkeypatch.setattr(others, "_PATIENCE_SECONDS", 0.05)


@pytest.fixture(params=["sqlite", "postgresql"])
async def place(request: pytest.FixtureRequest, tmp_path: Path, postgres: Server) -> AsyncIterator[str]:
    """Give the URL of an empty store of each kind."""
    if request.param == "sqlite":
        yield f"sqlite://{tmp_path}/store.db"
        return
    async with postgres.database(migrated=False) as name:
        yield postgres.url(name)


async def fill(store: Store) -> None:
    """Leave work items that are open, over, begun, not made yet and parked, and a lane without any."""
    for name in ("open", "over", "begun", "unmade", "fresh"):
        await store.journal.append(entry(f"alert:{name}"))
    lanes = {lane.correlation_key.removeprefix("alert:"): lane for lane in await claim(store.lanes)}
    made = {name: item(f"alert:{name}") for name in lanes}
    await store.lanes.save(lanes["open"], folded(lanes["open"], item=open_in_tool(made["open"])), now=NOW)
    await store.lanes.save(lanes["over"], folded(lanes["over"], item=resolved(made["over"])), now=NOW)
    begun = Change(folded=(), item=made["begun"], begin=StepKind.CREATE)
    await store.lanes.save(lanes["begun"], begun, now=NOW)
    await store.lanes.save(lanes["unmade"], folded(lanes["unmade"], item=made["unmade"]), now=NOW)


async def test_everything_is_looked_at_before_it_is_acted_on(place: str) -> None:
    """What is open is read back, what was begun or never made is in doubt, what is over is left alone."""
    store = await open_store(place)
    await fill(store)
    with pytest.raises(StoreUnavailable, match="stop the service"):
        await mark_restored(place, None, now=NOW)
    await store.close()
    assert await mark_restored(place, None, now=NOW) == 3
    store = await open_store(place)
    try:
        found = {lane.correlation_key.removeprefix("alert:"): lane for lane in await claim(store.lanes)}
        assert set(found) == {"open", "begun", "unmade", "fresh"}
        assert all(lane.look and lane.wary for lane in found.values())
        doubts = {name: lane.item.doubt for name, lane in found.items() if lane.item is not None}
        assert doubts == {"open": False, "begun": True, "unmade": True}
        assert await store.upkeep.cursor(RESTORED_AT) == str(micros(NOW))
    finally:
        await store.close()


async def test_what_is_no_store_is_not_marked(tmp_path: Path, postgres: Server) -> None:
    """A wrong name makes nothing."""
    with pytest.raises(NotFound):
        await mark_restored(f"sqlite://{tmp_path}/nothing.db", None, now=NOW)
    with pytest.raises(NotFound):  # nor was it made
        await mark_restored(f"sqlite://{tmp_path}/nothing.db", None, now=NOW)
    async with postgres.database(migrated=False) as name:
        with pytest.raises(SettingsError, match="store migrate"):
            await mark_restored(postgres.url(name), None, now=NOW)
        with pytest.raises(SettingsError, match="without pooler"):
            await mark_restored(postgres.url(name, pooler="transaction"), None, now=NOW)
