"""A tool in memory with a careful connector, and with connectors that make one mistake each.

It proves the suite itself: the careful one passes every story, and each mistake is seen by the story that is meant to.
"""

import asyncio
import copy
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum
from pathlib import Path
from typing import Any

from tests.faults.tool_faults.adapter import BUSY_SECONDS, DONE_ALL_THE_SAME, Ability, Deed, Found, Trouble
from tests.unit.delivery.tool import CmdbInMemory

from secure_export.cmdb.contract import ConfigurationItem
from secure_export.itsm.contract import Changes, CheckResult
from secure_export.workitems.outcome import Done, Outcome, Refused, TryLater, Unclear
from secure_export.workitems.work_item import Confirmed, ToolState, WorkItem

Clock = Callable[[], datetime]
_VALUES = ("solved", "done")


class Mistake(StrEnum):
    """What a connector can do wrong."""

    BLIND_CREATE = "blind-create"
    """A create looks neither before nor after."""
    DOUBT_IS_FAILURE = "doubt-is-failure"
    """What may have been done is taken for not done, and is done again without a look."""
    HIDDEN_IS_GONE = "hidden-is-gone"
    """Rows that rights hide are taken for rows that are not there."""
    ECHO = "echo"
    """A resolve is called done without having been read back."""
    NOTES_AGAIN = "notes-again"
    """Notes are written without anything that tells later that they are there."""
    TWINS_STAY = "twins-stay"
    """Nobody looks for doubles after a create."""
    REOPENS = "reopens"
    """An update opens what a person closed."""
    OLD_VALUE = "old-value"
    """The value for a resolve is never read again."""


_BLIND = frozenset({Mistake.BLIND_CREATE, Mistake.DOUBT_IS_FAILURE})


class NotDone(Exception):  # noqa: N818 - reads as what it says
    """Nothing was done."""

    def __init__(self, reason: str, not_before: datetime | None = None) -> None:
        super().__init__(reason)
        self.not_before = not_before


class Doubt(Exception):  # noqa: N818 - reads as what it says
    """It may have been done."""


class Aborted(Exception):  # noqa: N818 - reads as what it says
    """The tool will not have it."""


@dataclass
class Row:
    """A record."""

    number: str
    key: str
    title: str
    changed_at: datetime
    state: ToolState = ToolState.OPEN
    revision: int = 0
    notes: list[str] = field(default_factory=list)
    resolution: str = ""
    aside: bool = False
    ended_at: datetime | None = None


class MemoryService:
    """The tool: rows, rights, a list of values, and troubles. It helps nobody: an insert inserts."""

    def __init__(self, clock: Clock) -> None:
        self.clock = clock
        self.rows: list[Row] = []
        self.made = 0
        self.changed: list[str] = []
        self.hidden = False
        self.values = [_VALUES[0]]
        self.writes: deque[Trouble] = deque()
        self.reads: deque[Trouble] = deque()
        self.always: Trouble | None = None
        self.slow = 0.0
        self.met = 0

    async def read(self, key: str) -> tuple[list[Row], int]:
        """Give the rows of a key that we may see, and how many there are."""
        await self._trouble(self.reads, None)
        rows = [one for one in self.rows if one.key == key and not one.aside]
        return ([] if self.hidden else copy.deepcopy(rows)), len(rows)

    async def insert(self, key: str, title: str, revision: int, notes: Sequence[str]) -> Row:
        def act() -> Row:
            self.made += 1
            row = Row(f"T{self.made:05d}", key, title, self.clock(), revision=revision, notes=list(notes))
            self.rows.append(row)
            return copy.deepcopy(row)

        row: Row = await self._write(act)
        return row

    async def change(self, number: str, act: Callable[[Row], None], *, resolves: bool = False) -> None:
        def do() -> None:
            row = next((one for one in self.rows if one.number == number), None)
            if row is None or self.hidden:
                raise NotDone("404: there is no such record, or you may not see it")
            act(row)
            row.changed_at = self.clock()

        await self._write(do, resolves=resolves)

    async def _write(self, act: Callable[[], Any], *, resolves: bool = False) -> Any:
        if self.slow:
            seconds, self.slow = self.slow, 0.0
            self.met += 1
            return await asyncio.shield(asyncio.ensure_future(self._slowly(seconds, act)))
        return await self._trouble(self.writes, act, resolves=resolves)

    async def _slowly(self, seconds: float, act: Callable[[], Any]) -> Any:
        await asyncio.sleep(seconds)
        return act()

    async def _trouble(self, planned: deque[Trouble], act: Callable[[], Any] | None, *, resolves: bool = False) -> Any:
        await asyncio.sleep(0)
        trouble = planned.popleft() if planned else self.always
        self.met += trouble is not None
        match trouble:
            case Trouble.BUSY:
                raise NotDone("429: too many requests", self.clock() + timedelta(seconds=BUSY_SECONDS))
            case Trouble.RESOLVE_IGNORED if resolves:
                return None
            case None | Trouble.RESOLVE_IGNORED:
                return act() if act is not None else None
            case Trouble.BUSY_SILENT | Trouble.UNAVAILABLE | Trouble.REQUEST_LOST | Trouble.ERROR_BEFORE:
                raise NotDone("503: nothing was done") if act is None else Doubt(f"503: {trouble.value}")
            case Trouble.ABORTED if act is not None:
                raise Aborted("a rule of the tool aborted it")
        if act is not None and trouble in DONE_ALL_THE_SAME:
            act()
        raise NotDone(trouble.value) if act is None else Doubt(trouble.value)


class MemoryConnector:
    """Reaches the tool as carefully as the contract asks, but for its mistake."""

    def __init__(self, service: MemoryService, cmdb: CmdbInMemory, mistake: Mistake | None) -> None:
        self._service = service
        self.cmdb = cmdb
        self._mistake = mistake
        self._values = list(service.values)

    async def look(self, item: WorkItem) -> Outcome:
        return await self._safely(lambda: self._look(item))

    async def create(self, item: WorkItem) -> Outcome:
        return await self._safely(lambda: self._create(item))

    async def update(self, item: WorkItem) -> Outcome:
        return await self._safely(lambda: self._bring(item, resolve=False))

    async def resolve(self, item: WorkItem) -> Outcome:
        return await self._safely(lambda: self._bring(item, resolve=True))

    async def reopen(self, item: WorkItem) -> Outcome:
        return Refused("this tool opens nothing again")

    async def changes(self, cursor: str) -> Changes:
        changed = self._service.changed
        return Changes(tuple(dict.fromkeys(changed[int(cursor or len(changed)) :])), str(len(changed)))

    async def check(self) -> Sequence[CheckResult]:
        return []

    async def close(self) -> None:
        pass

    async def _safely(self, act: Callable[[], Awaitable[Outcome]]) -> Outcome:
        try:
            return await act()
        except NotDone as error:
            return TryLater(str(error), error.not_before)
        except Doubt as error:
            return TryLater(str(error)) if self._mistake is Mistake.DOUBT_IS_FAILURE else Unclear(str(error))
        except Aborted as error:
            return Refused(str(error))

    async def _row(self, item: WorkItem) -> Row | None:
        rows, count = await self._service.read(item.key)
        if len(rows) < count and self._mistake is not Mistake.HIDDEN_IS_GONE:
            raise NotDone("rights hide records of ours")
        return min(rows, key=lambda one: one.number, default=None)

    async def _look(self, item: WorkItem) -> Outcome:
        row = await self._row(item)
        return Done(self._confirmed(row) if row is not None else None)

    async def _create(self, item: WorkItem) -> Outcome:
        if self._mistake not in _BLIND and (there := await self._row(item)) is not None:
            return Done(self._confirmed(there))
        content, notes = item.desired.content, [one.text for one in item.desired.notes]
        made = await self._service.insert(item.key, content.title, item.desired.revision, notes)
        if self._mistake in _BLIND | {Mistake.TWINS_STAY}:
            return Done(self._confirmed(made))
        rows, _ = await self._service.read(item.key)
        for double in sorted(rows, key=lambda one: one.number)[1:]:
            await self._service.change(double.number, _put_aside)
        return await self._look(item)

    async def _bring(self, item: WorkItem, *, resolve: bool) -> Outcome:
        row = await self._row(item)
        if row is None:
            return Unclear("the record is gone")
        if row.state is not ToolState.OPEN and self._mistake is not Mistake.REOPENS:
            return Done(self._confirmed(row))
        value = (self._values if self._mistake is Mistake.OLD_VALUE else self._service.values)[0]
        if resolve and value not in self._service.values:
            raise Aborted("the resolution is not one of the list")
        await self._service.change(row.number, lambda there: self._put(there, item, resolve=resolve), resolves=resolve)
        if resolve and self._mistake is Mistake.ECHO:
            row.state, row.revision = ToolState.RESOLVED, item.desired.revision
            return Done(self._confirmed(row))
        return await self._look(item)

    def _put(self, there: Row, item: WorkItem, *, resolve: bool) -> None:
        held = 0 if self._mistake is Mistake.NOTES_AGAIN else there.revision
        there.notes += [one.text for one in item.desired.notes if one.revision > held]
        if self._mistake is not Mistake.NOTES_AGAIN:
            there.revision = item.desired.revision
        there.state = ToolState.RESOLVED if resolve else ToolState.OPEN
        if resolve:
            there.resolution, there.ended_at = item.desired.resolution, self._service.clock()

    def _confirmed(self, row: Row) -> Confirmed:
        return Confirmed(
            ref=row.number,
            number=row.number,
            url="",
            state=row.state,
            revision=row.revision,
            at=self._service.clock(),
            ended_at=row.ended_at if row.state is not ToolState.OPEN else None,
            changed_at=row.changed_at,
        )


def _put_aside(row: Row) -> None:
    row.aside, row.state = True, ToolState.CLOSED


class MemoryTool:
    """The tool for the suite; see ``adapter.ToolUnderFault``."""

    abilities = frozenset({Ability.RESOLVE_VALUE, Ability.ROW_RIGHTS, Ability.COPIES, Ability.SLOW_WRITES})
    troubles = frozenset(Trouble)
    deeds = frozenset(Deed)
    concurrency = 4
    work_item = "incident"

    def __init__(self, clock: Clock, mistake: Mistake | None) -> None:
        self._clock = clock
        self._mistake = mistake
        self._service = MemoryService(clock)
        self._cmdb = CmdbInMemory()

    async def connector(self, name: str) -> MemoryConnector:
        return MemoryConnector(self._service, self._cmdb, self._mistake)

    async def found(self) -> Sequence[Found]:
        return [
            Found(row.number, row.title, row.state, row.aside, tuple(row.notes), row.resolution)
            for row in self._service.rows
        ]

    def next_writes(self, trouble: Trouble, times: int = 1) -> None:
        self._service.writes.extend([trouble] * times)

    def next_reads(self, trouble: Trouble, times: int = 1) -> None:
        self._service.reads.extend([trouble] * times)

    def all_calls(self, trouble: Trouble) -> None:
        self._service.always = trouble

    def cmdb_meets(self, trouble: Trouble) -> None:
        pass

    def slow_write(self, seconds: float) -> None:
        self._service.slow = seconds

    def calm(self) -> None:
        self._service.writes.clear()
        self._service.reads.clear()
        self._service.always = None

    def met(self) -> int:
        return self._service.met

    async def act(self, number: str, deed: Deed) -> None:
        (row,) = [one for one in self._service.rows if one.number == number]
        row.changed_at = self._clock()
        self._service.changed.append(row.key)
        match deed:
            case Deed.DELETE:
                self._service.rows.remove(row)
            case Deed.REOPEN:
                row.state, row.ended_at = ToolState.OPEN, None
            case _:
                row.state = ToolState.RESOLVED if deed is Deed.RESOLVE else ToolState.CLOSED
                row.ended_at = self._clock()

    async def revoke_tokens(self) -> None:
        pass

    async def take_resolve_value(self) -> None:
        self._service.values = [_VALUES[1] if self._service.values == [_VALUES[0]] else _VALUES[0]]

    async def hide(self) -> None:
        self._service.hidden = True

    async def show(self) -> None:
        self._service.hidden = False

    async def add_ci(self, name: str, resource_id: str) -> str:
        self._cmdb.cis.append(ConfigurationItem(f"ci-{name}", name, "vm", resource_id.lower()))
        return f"ci-{name}"

    async def retire_ci(self, key: str) -> None:
        out_of_use = {"install_status": "Retired"}
        self._cmdb.cis = [replace(one, attributes=out_of_use) if one.id == key else one for one in self._cmdb.cis]

    async def copied(self) -> object:
        return copy.deepcopy(self._service.rows)

    async def put_back(self, copy: Any) -> None:
        self._service.rows = copy


@asynccontextmanager
async def open_memory(clock: Clock, _: Path, mistake: Mistake | None = None) -> AsyncIterator[MemoryTool]:
    """Open the tool for as long as the block lasts."""
    yield MemoryTool(clock, mistake)
