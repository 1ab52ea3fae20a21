"""What test runs that were killed left in memory is removed by the next, and nothing that somebody uses."""

import fcntl
import os
import subprocess
import time
from pathlib import Path

from tests.postgres import remove_leftovers


def _ended() -> int:
    """Give the number of a process that is over."""
    process = subprocess.Popen(["true"])  # noqa: S607 - wherever it is
    process.wait()
    return process.pid


def test_only_what_nobody_uses_is_removed(tmp_path: Path) -> None:
    """A folder stays while its server lives, while its run holds it, and while it may only be about to begin."""
    pids = {"dead": _ended(), "alive": os.getpid(), "held": _ended(), "new": None, "old": None}
    for name, pid in pids.items():
        folder = tmp_path / f"se-postgres-{name}"
        (folder / "data").mkdir(parents=True)
        if pid is not None:
            (folder / "data" / "postmaster.pid").write_text(f"{pid}\n{folder}/data\n")
    hour_ago = time.time() - 3600
    os.utime(tmp_path / "se-postgres-old", (hour_ago, hour_ago))
    os.utime(tmp_path / "se-postgres-alive", (hour_ago, hour_ago))
    (tmp_path / "another").mkdir()
    held = os.open(tmp_path / "se-postgres-held", os.O_RDONLY)
    try:
        fcntl.flock(held, fcntl.LOCK_EX)
        remove_leftovers(tmp_path)
    finally:
        os.close(held)
    kept = {one.name.removeprefix("se-postgres-") for one in tmp_path.iterdir()}
    assert kept == {"alive", "held", "new", "another"}
