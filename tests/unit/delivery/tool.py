"""An ITSM tool in memory, behind the contract of connectors, with people in it and faults as a test scripts them.

Unlike a real connector it makes a second record when it is asked to create twice: what delivery does wrong shows.
"""

import asyncio
from collections import defaultdict, deque
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from secure_export.clock import Clock
from secure_export.cmdb.contract import ConfigurationItem
from secure_export.itsm.contract import Changes, CheckResult
from secure_export.workitems.outcome import Done, Outcome, Refused, TryLater, Unclear
from secure_export.workitems.work_item import Confirmed, StepKind, ToolState, WorkItem

Act = Callable[[], Outcome]
Fault = Callable[[Act], Awaitable[Outcome]]


@dataclass
class Record:
    """A record as the tool has it."""

    number: str
    key: str
    title: str
    state: ToolState = ToolState.OPEN
    revision: int = 0
    notes: list[str] = field(default_factory=list)
    cis: list[str] = field(default_factory=list)
    resolution: str = ""
    ended_at: datetime | None = None
    changed_at: datetime | None = None


class CmdbInMemory:
    """CIs by resource id and by name, and how often somebody asked."""

    def __init__(self) -> None:
        self.cis: list[ConfigurationItem] = []
        self.asked: list[tuple[str, ...]] = []
        self.fault: Callable[[], Awaitable[None]] | None = None

    @property
    def unreadable(self) -> str:
        return ""

    async def by_resource_ids(self, resource_ids: Sequence[str]) -> Sequence[ConfigurationItem]:
        await self._ask(resource_ids)
        return [ci for ci in self.cis if ci.resource_id in set(resource_ids)]

    async def by_names(self, names: Sequence[str]) -> Sequence[ConfigurationItem]:
        await self._ask(names)
        return [ci for ci in self.cis if ci.name.lower() in {name.lower() for name in names}]

    async def _ask(self, what: Sequence[str]) -> None:
        self.asked.append(tuple(what))
        if self.fault is not None:
            await self.fault()


class Tool:
    """The tool and its connector.

    Attributes:
        records: Every record that was ever made and not deleted.
        steps: What was asked for, in order.
        at_work: The keys of the work items that a step is under way for.
        most_at_once: How many steps were under way at a time at most.
        gate: When set to an event, every step waits for it.
        tells_changes: Whether it says when a record was last changed.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._script: dict[StepKind, deque[Fault]] = defaultdict(deque)
        self._always: Fault | None = None
        self.cmdb = CmdbInMemory()
        self.records: list[Record] = []
        self.steps: list[StepKind] = []
        self.at_work: list[str] = []
        self.most_at_once = 0
        self.gate: asyncio.Event | None = None
        self.changed: list[str] = []
        self.tells_changes = False

    def script(self, step: StepKind, *faults: Fault) -> None:
        """Let the next steps of a kind fail in these ways, one after the other."""
        self._script[step].extend(faults)

    def always(self, fault: Fault | None) -> None:
        """Let every step that nothing was scripted for fail in this way."""
        self._always = fault

    @property
    def record(self) -> Record:
        """The only record."""
        (only,) = self.records
        return only

    @property
    def open_records(self) -> list[Record]:
        """Those that are open."""
        return [record for record in self.records if record.state is ToolState.OPEN]

    def person_sets(self, record: Record, state: ToolState) -> None:
        """A person closes, resolves or reopens a record."""
        record.state = state
        record.ended_at = None if state is ToolState.OPEN else self._clock()
        record.changed_at = self._clock()
        self.changed.append(record.key)

    def person_deletes(self, record: Record) -> None:
        """A person deletes a record."""
        self.records.remove(record)
        self.changed.append(record.key)

    async def look(self, item: WorkItem) -> Outcome:
        return await self._take(StepKind.LOOK, item, lambda: self._found(item))

    async def create(self, item: WorkItem) -> Outcome:
        return await self._take(StepKind.CREATE, item, lambda: self._created(item))

    async def update(self, item: WorkItem) -> Outcome:
        return await self._take(StepKind.UPDATE, item, lambda: self._updated(item))

    async def resolve(self, item: WorkItem) -> Outcome:
        return await self._take(StepKind.RESOLVE, item, lambda: self._resolved(item))

    async def reopen(self, item: WorkItem) -> Outcome:
        return await self._take(StepKind.REOPEN, item, lambda: self._reopened(item))

    async def changes(self, cursor: str) -> Changes:
        if not cursor:
            return Changes((), str(len(self.changed)))
        return Changes(tuple(dict.fromkeys(self.changed[int(cursor) :])), str(len(self.changed)))

    async def check(self) -> Sequence[CheckResult]:
        return []

    async def close(self) -> None:
        pass

    async def _take(self, step: StepKind, item: WorkItem, act: Act) -> Outcome:
        assert item.key not in self.at_work, "two steps of one work item at a time"
        self.steps.append(step)
        self.at_work.append(item.key)
        self.most_at_once = max(self.most_at_once, len(self.at_work))
        try:
            await asyncio.sleep(0)
            if self.gate is not None:
                await self.gate.wait()
            fault = self._script[step].popleft() if self._script[step] else self._always
            return await fault(act) if fault is not None else act()
        finally:
            self.at_work.remove(item.key)

    def _of(self, item: WorkItem) -> Record | None:
        return next((record for record in self.records if record.key == item.key), None)

    def _found(self, item: WorkItem) -> Outcome:
        record = self._of(item)
        return Done(self._confirmed(record) if record is not None else None)

    def _created(self, item: WorkItem) -> Outcome:
        record = Record(f"INC{len(self.records) + 1}", item.key, item.desired.content.title)
        self.records.append(record)
        return self._brought_in(record, item)

    def _updated(self, item: WorkItem) -> Outcome:
        record = self._of(item)
        return self._brought_in(record, item) if record is not None else Unclear("there is no such record")

    def _resolved(self, item: WorkItem) -> Outcome:
        record = self._of(item)
        if record is None:
            return Unclear("there is no such record")
        if record.state is ToolState.OPEN:
            record.state, record.ended_at = ToolState.RESOLVED, self._clock()
            record.resolution = item.desired.resolution
        return self._brought_in(record, item)

    def _reopened(self, item: WorkItem) -> Outcome:
        record = self._of(item)
        if record is None:
            return Unclear("there is no such record")
        if record.state is ToolState.CLOSED:
            return Done(self._confirmed(record))
        record.state, record.ended_at, record.resolution = ToolState.OPEN, None, ""
        return self._brought_in(record, item)

    def _brought_in(self, record: Record, item: WorkItem) -> Outcome:
        record.notes += [note.text for note in item.desired.notes if note.revision > record.revision]
        record.cis += [b.id for b in item.desired.content.bindings if b.id is not None and b.id not in record.cis]
        record.revision, record.changed_at = item.desired.revision, self._clock()
        return Done(self._confirmed(record))

    def _confirmed(self, record: Record) -> Confirmed:
        return Confirmed(
            ref=record.number,
            number=record.number,
            url="",
            state=record.state,
            revision=record.revision,
            at=self._clock(),
            ended_at=record.ended_at,
            changed_at=record.changed_at if self.tells_changes else None,
        )


def later(reason: str = "503", not_before: datetime | None = None) -> Fault:
    """Nothing is done, and the tool says to come back."""

    async def fault(act: Act) -> Outcome:
        return TryLater(reason, not_before)

    return fault


def refused(reason: str = "assignment group 'Ops' does not exist") -> Fault:
    """Nothing is done, and the tool will not have it."""

    async def fault(act: Act) -> Outcome:
        return Refused(reason)

    return fault


async def lost_reply(act: Act) -> Outcome:
    """It is done, and nobody hears of it."""
    act()
    return Unclear("the connection broke")


async def lost_request(act: Act) -> Outcome:
    """Nothing is done, and nobody hears of that."""
    return Unclear("the connection broke")


async def hangs(act: Act) -> Outcome:
    """No answer comes."""
    await asyncio.Event().wait()
    return act()


async def raises(act: Act) -> Outcome:
    """The connector has a fault."""
    raise RuntimeError("a fault of the connector")


async def works(act: Act) -> Outcome:
    """All is well, after all."""
    return act()
