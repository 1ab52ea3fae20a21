"""Several processes on one file: a command beside the running service."""

import asyncio
import subprocess
import sys
from pathlib import Path

from secure_export.store.sqlite.store import SqliteStore

COMMAND = """
import asyncio, sys
from pathlib import Path
from secure_export.store.sqlite.store import SqliteStore

async def main():
    store = await SqliteStore.open(Path(sys.argv[1]))
    await store.upkeep.keep_cursor("of-the-command", "2")
    await store.close()

asyncio.run(main())
"""


async def test_a_command_that_ends_leaves_the_service_its_log(tmp_path: Path) -> None:
    """The service holds locks for as long as it runs, so that no other process takes itself for the last one and
    deletes the write-ahead log: what the service then acknowledged would be gone after a crash.
    """
    path, log = tmp_path / "store.db", tmp_path / "store.db-wal"
    service = await SqliteStore.open(path)
    await service.upkeep.keep_cursor("of-the-service", "1")
    before = log.stat().st_ino
    for _ in range(2):
        await asyncio.to_thread(subprocess.run, [sys.executable, "-c", COMMAND, str(path)], check=True)
        assert log.stat().st_ino == before
        await service.upkeep.keep_cursor("of-the-service", "3")
        assert await service.upkeep.cursor("of-the-command") == "2"
    await service.close()

    store = await SqliteStore.open(path)
    assert await store.upkeep.cursor("of-the-service") == "3"
    await store.close()


async def test_the_file_is_its_owners_alone(tmp_path: Path) -> None:
    """What alerts say is nobody else's business."""
    store = await SqliteStore.open(tmp_path / "folder" / "store.db")
    assert (tmp_path / "folder" / "store.db").stat().st_mode & 0o777 == 0o600
    await store.close()
