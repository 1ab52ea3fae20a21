"""What a store does that was restored from an older copy: the tool may know more than it does."""

import sqlite3
from contextlib import closing
from pathlib import Path

from tests.unit.delivery.scene import START, Scene

from secure_export.store.instants import micros
from secure_export.store.restored import RESTORED_AT
from secure_export.workitems.work_item import StepKind

LOOK, CREATE, RESOLVE = StepKind.LOOK, StepKind.CREATE, StepKind.RESOLVE
_FORGET = ("notifications", "lanes", "pending", "work_items", "alerts", "alert_notifications", "steps")


async def restored_to_nothing(scene: Scene, folder: Path) -> None:
    """Put the store back to before everything."""
    with closing(sqlite3.connect(folder / "store.db")) as db:
        for table in _FORGET:
            db.execute(f"DELETE FROM {table}")  # noqa: S608 - names of this test
        db.commit()
    await scene.store.upkeep.keep_cursor(RESTORED_AT, str(micros(START)))


async def test_a_work_item_that_the_store_forgot_is_found_and_not_made_twice(scene: Scene, tmp_path: Path) -> None:
    """The same firing comes again, as `azure missed` fetches it: a look finds the record by its key."""
    await scene.fire()
    await scene.deliver()
    await restored_to_nothing(scene, tmp_path)
    await scene.fire()
    await scene.deliver()
    assert scene.tool.steps == [CREATE, LOOK]
    assert len(scene.tool.open_records) == 1
    assert (await scene.item())["number"] == "INC1"
    scene.clock.forward(60)
    await scene.end()
    await scene.deliver()
    assert scene.tool.steps == [CREATE, LOOK, RESOLVE]
    assert await scene.is_idle()


async def test_what_the_tool_does_not_have_is_made_after_one_look(scene: Scene, tmp_path: Path) -> None:
    """What really is new costs a look, and no more than one."""
    await restored_to_nothing(scene, tmp_path)
    await scene.fire()
    await scene.deliver()
    assert scene.tool.steps == [LOOK, CREATE]
    assert await scene.is_idle()


async def test_long_after_nothing_is_looked_for(scene: Scene, tmp_path: Path) -> None:
    """Azure keeps alerts for thirty days; what comes later is new."""
    await restored_to_nothing(scene, tmp_path)
    scene.clock.forward(32 * 86400)
    await scene.fire()
    await scene.deliver()
    assert scene.tool.steps == [CREATE]
