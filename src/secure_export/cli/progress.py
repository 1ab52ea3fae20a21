"""How far long work is: a bar on a terminal, now and then a line elsewhere."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeElapsedColumn

from secure_export.cli.output import err

_SECONDS_BETWEEN_LINES = 5.0


class Shown:
    """Work that consists of parts, one after the other.

    Args:
        bars: Where bars are drawn; None where nobody looks at a terminal.
    """

    def __init__(self, bars: Progress | None) -> None:
        self._bars = bars
        self._bar: TaskID | None = None
        self._what, self._all, self._done = "", 0, 0
        self._told_at = 0.0

    def begun(self, what: str, rows: int) -> None:
        """A part begins, which has so many rows."""
        self._what, self._all, self._done = what, rows, 0
        if self._bars is not None:
            self._bar = self._bars.add_task(what, total=rows) if rows else None
        elif rows:
            self._line(f"{what}: {rows}")

    def done(self, rows: int) -> None:
        """So many more are done."""
        self.reached(self._done + rows)

    def reached(self, rows: int) -> None:
        """So many are done in all."""
        self._done = rows
        if self._bars is not None and self._bar is not None:
            self._bars.update(self._bar, completed=rows)
        elif self._bars is None and time.monotonic() - self._told_at >= _SECONDS_BETWEEN_LINES:
            self._line(f"{self._what}: {rows} of {self._all}")

    def _line(self, text: str) -> None:
        self._told_at = time.monotonic()
        err.print(text, soft_wrap=True)


@contextmanager
def shown() -> Iterator[Shown]:
    """Show how far work is, on standard error."""
    if not err.is_terminal:
        yield Shown(None)
        return
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=err) as bars:
        yield Shown(bars)


def pages(what: str, part: Shown) -> Callable[[int, int], None]:
    """Give what is told how many pages of how many are copied."""
    begun = False

    def told(done: int, all_: int) -> None:
        nonlocal begun
        if not begun:
            part.begun(what, all_)
            begun = True
        part.reached(done)

    return told
