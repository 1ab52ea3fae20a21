"""Runs a command on one core: ``python -m bench.pinned 0 command argument …``."""

import os
import sys


def main() -> None:
    """Become the command, which keeps the core for all of its threads."""
    os.sched_setaffinity(0, {int(sys.argv[1])})
    os.execvp(sys.argv[2], sys.argv[2:])  # noqa: S606 - a command of ours, without a shell


if __name__ == "__main__":
    main()
