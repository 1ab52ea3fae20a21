"""Keeping work items as records of a tool: each step is taken, and what came of it is told whichever way it ended."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Generic, Protocol, TypeVar

from secure_export.itsm.ended import Ended
from secure_export.workitems.outcome import Done, Outcome
from secure_export.workitems.work_item import StepKind, WorkItem


class Step(Protocol):
    """A step on one record that is being taken."""

    def cut_short(self, outcome: Outcome) -> Outcome:
        """Say what came of it when it could not go on, perhaps after it had changed something."""
        ...


S = TypeVar("S", bound=Step)


class RecordKeeper(Generic[S]):
    """Keeps work items as records.

    A create tells its own outcome however far it came: what it leaves undone is owed by what it has made.

    Args:
        begin: Begins a step on a work item; raises ``Ended`` when it is none that is kept here.
        ways: How each kind of step is taken; each raises ``Ended`` when it cannot go on.
    """

    def __init__(self, begin: Callable[[WorkItem], S], ways: Mapping[StepKind, Callable[[S], Awaitable[Done]]]) -> None:
        self._begin = begin
        self._ways = ways

    async def look(self, item: WorkItem) -> Outcome:
        """Find the record by its key; ``Done(None)`` when there surely is none."""
        return await self._take(StepKind.LOOK, item)

    async def create(self, item: WorkItem) -> Outcome:
        """Make the record; one that is there already is given as it is."""
        return await self._take(StepKind.CREATE, item)

    async def update(self, item: WorkItem) -> Outcome:
        """Bring notes and configuration items in; a record that is over stays as it is."""
        return await self._take(StepKind.UPDATE, item)

    async def resolve(self, item: WorkItem) -> Outcome:
        """Resolve the record, and read it back."""
        return await self._take(StepKind.RESOLVE, item)

    async def reopen(self, item: WorkItem) -> Outcome:
        """Open the record again, and read it back."""
        return await self._take(StepKind.REOPEN, item)

    async def _take(self, kind: StepKind, item: WorkItem) -> Outcome:
        try:
            step = self._begin(item)
        except Ended as ended:
            return ended.outcome
        try:
            return await self._ways[kind](step)
        except Ended as ended:
            return ended.outcome if kind is StepKind.CREATE else step.cut_short(ended.outcome)
