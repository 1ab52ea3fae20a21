"""How far the set-up is: a spinner with what is being done on a terminal, and a line for each thing that is done."""

from contextlib import ExitStack
from types import TracebackType
from typing import Self

from rich.status import Status

from secure_export.azure.setup.change import Action, Change
from secure_export.cli.azure.shown import titled
from secure_export.cli.output import err, out

_DOING = {Action.CREATE: "making", Action.CHANGE: "changing", Action.TAKE_BACK: "taking back"}
_DONE = {Action.CREATE: "made", Action.CHANGE: "changed", Action.TAKE_BACK: "taken back"}


class Work:
    """What is being done.

    Args:
        count: How many things there are to do.
        quiet: Whether nothing is shown.
    """

    def __init__(self, count: int, *, quiet: bool = False) -> None:
        self._count, self._number, self._quiet = count, 0, quiet
        self._stack = ExitStack()
        self._status: Status | None = None

    def __enter__(self) -> Self:
        if err.is_terminal and self._count and not self._quiet:
            self._status = self._stack.enter_context(err.status("…"))
        if self._count and not self._quiet:
            out.print()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, problem: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stack.close()

    def begun(self, change: Change) -> None:
        """Something begins."""
        self._number += 1
        if self._status is not None:
            title = titled(change.kind, change.name)
            self._status.update(f"{self._number} of {self._count}: {_DOING[change.action]} {title}")

    def done(self, change: Change) -> None:
        """It is done."""
        if self._quiet:
            return
        word = f"[green]{_DONE[change.action]}[/]" if not change.reason or change.action is not Action.TAKE_BACK else (
            "[yellow]left[/]"
        )  # fmt: skip
        why = f"  [dim]{change.reason}[/]" if change.action is Action.TAKE_BACK and change.reason else ""
        out.print(f"  {word} {titled(change.kind, change.name)}{why}", soft_wrap=True)
