"""Starts the real program with a clock that a file sets forward or back: ``python launcher.py FILE ARGUMENTS...``.

Only the time of day is another; clocks that measure durations go on as they are.
"""

import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

from secure_export import clock


def main() -> None:
    """Put the clock in the place of the program's, and run the program."""
    offset = Path(sys.argv.pop(1))

    def shifted() -> datetime:
        return datetime.now(UTC) + timedelta(seconds=float(offset.read_text()))

    clock.utc_now = shifted  # before anything else takes it from there
    from secure_export.cli.main import run  # noqa: PLC0415 - see above

    run()


if __name__ == "__main__":
    main()
