"""A small world to run lanes in: Azure, an ITSM tool with people, a store that outlives crashes, and delivery's loop.

Nothing here does I/O; time is a number of minutes. The loop follows ``secure_export.delivery.lane_run``.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from enum import StrEnum

from secure_export.alerts.alert import Ending
from secure_export.workitems.arrival import AlertState, Arrival
from secure_export.workitems.fold import Situation, fold
from secure_export.workitems.outcome import Done, Outcome, Refused, TryLater, Unclear
from secure_export.workitems.plan import Do, Park, Plan, Rest, Wait, expire, plan
from secure_export.workitems.retry import RetryPolicy
from secure_export.workitems.settle import begin, settle, unpark
from secure_export.workitems.work_item import Confirmed, Content, State, StepKind, ToolState, WhenPeopleEnd, WorkItem

START = datetime(2026, 1, 1, tzinfo=UTC)
RETRY = RetryPolicy()
WEEK = timedelta(days=7)
LANE = ("desk", "ci:vm1")
_MOST_STEPS = 200


class Fault(StrEnum):
    """What can go wrong with a step."""

    NONE = "none"
    LOST_REPLY = "done, but the reply is lost"
    LOST_REQUEST = "not done, and there is no reply"
    LATER = "the tool asks to come back later"
    MUCH_LATER = "the tool asks to come back in a year"
    REFUSED = "the tool refuses"
    CRASH_BEFORE = "the program dies before the step"
    CRASH_AFTER = "the program dies after the step"


@dataclass(frozen=True, slots=True)
class Kind:
    """How an alert behaves.

    Attributes:
        alert_id: Its id; its title too, so that what a record tells can be read.
        problem: What it tells of.
        ending: How that ends.
        close_after: How long its work item lives when nothing ends it.
        says_over: Whether its own content says that the problem is over.
    """

    alert_id: str
    problem: str
    ending: Ending = Ending.BY_ID
    close_after: timedelta | None = None
    says_over: bool = False


@dataclass(slots=True)
class Record:
    """A record of the tool.

    Attributes:
        key: What finds it.
        number: What people see.
        texts: Everything it tells: its title and its notes.
        state: Its state.
        revision: The revision of ours that it holds.
        ended_at: When it was resolved or closed.
        seen_at_end: What it told when a person ended it; None while none did.
        by_people: Whether a person reopened it.
        changed_at: When it was last changed.
        insisted: How often it was opened again against a person since it last was for another reason.
    """

    key: str
    number: str
    texts: list[str]
    state: ToolState
    revision: int
    ended_at: datetime | None = None
    seen_at_end: tuple[str, ...] | None = None
    by_people: bool = False
    changed_at: datetime = START
    insisted: int = 0


@dataclass(slots=True)
class Tool:
    """An ITSM tool.

    Attributes:
        records: All it ever had, oldest first.
        tells_revision: Whether a look can tell the revision.
        tells_changes: Whether it says when it changed a record.
        finds_existing: Whether ``create`` answers with the record that is there. Off, a blind second create is caught.
    """

    tells_revision: bool = True
    tells_changes: bool = False
    finds_existing: bool = False
    records: list[Record] = field(default_factory=list)

    def find(self, key: str) -> Record | None:
        return next((r for r in self.records if r.key == key and r.state is not ToolState.GONE), None)

    def take(self, item: WorkItem, step: StepKind, now: datetime) -> Outcome:
        """Do what a connector does."""
        assert step is StepKind.LOOK or item.hands_off is None, "it acts on what was left to people"
        record = self.find(item.key)
        if step is StepKind.CREATE and (record is None or not self.finds_existing):
            assert record is None, f"a second record for {item.key}"
            record = Record(item.key, f"INC{len(self.records)}", [item.desired.content.title], ToolState.OPEN, 0)
            self.records.append(record)
            self._add(record, item)
        elif step is StepKind.REOPEN and record is not None:
            self._reopen(record, item)
        elif step in (StepKind.UPDATE, StepKind.RESOLVE) and record is not None:
            self._add(record, item)
            if step is StepKind.RESOLVE and record.state is ToolState.OPEN:
                record.state, record.ended_at = ToolState.RESOLVED, now
        if record is None:
            return Done(None)
        if step is not StepKind.LOOK:
            record.changed_at = now
        revision = record.revision if step is not StepKind.LOOK or self.tells_revision else 0
        ended_at = record.ended_at if record.state is not ToolState.OPEN else None
        confirmed = Confirmed(record.number, record.number, "", record.state, revision, now, ended_at=ended_at)
        return Done(replace(confirmed, changed_at=record.changed_at if self.tells_changes else None))

    def _reopen(self, record: Record, item: WorkItem) -> None:
        if record.state is ToolState.RESOLVED:
            record.insisted = record.insisted + 1 if item.insisted else 0
            assert record.insisted <= 1 or not self.tells_revision, "it fights with a person"
            record.state, record.by_people, record.seen_at_end, record.ended_at = ToolState.OPEN, False, None, None
        if record.state is ToolState.OPEN:
            self._add(record, item)

    def _add(self, record: Record, item: WorkItem) -> None:
        record.texts += [note.text for note in item.desired.notes if note.revision > record.revision]
        record.revision = item.desired.revision

    def person_ends(self, record: Record, state: ToolState, now: datetime) -> None:
        """A person resolves, closes or deletes a record."""
        if record.state is ToolState.OPEN:
            record.seen_at_end, record.ended_at = tuple(record.texts), now
        if record.state is not ToolState.GONE:
            record.state, record.changed_at = state, now

    def person_reopens(self, record: Record, now: datetime) -> None:
        if record.state in (ToolState.RESOLVED, ToolState.CLOSED):
            record.state, record.by_people, record.changed_at = ToolState.OPEN, True, now

    @property
    def open(self) -> list[Record]:
        return [r for r in self.records if r.state is ToolState.OPEN]


@dataclass(frozen=True, slots=True)
class Kept:
    """What a store keeps of a lane: all of it immutable, so that a crash is a return to it."""

    item: WorkItem | None = None
    alerts: dict[str, AlertState] = field(default_factory=dict)
    pending: tuple[Arrival, ...] = ()
    look: bool = False


@dataclass(slots=True)
class World:
    """One lane with everything around it."""

    tool: Tool = field(default_factory=Tool)
    now: datetime = START
    kept: Kept = field(default_factory=Kept)
    sent: list[Arrival] = field(default_factory=list)
    decided: Plan | None = None
    record_short_lived: bool = True
    reopen_within: timedelta | None = None
    when_people_end: WhenPeopleEnd = WhenPeopleEnd.LEAVE
    steps: list[StepKind] = field(default_factory=list)
    _ids: int = 0

    def azure_sends(self, kind: Kind, *, over: bool) -> Arrival:
        """Azure tells of a firing or an end; it arrives when ``arrives`` says so."""
        arrival = Arrival(
            notification=len(self.sent),
            alert_id=kind.alert_id,
            problem=kind.problem,
            ending=kind.ending,
            fired=not over or kind.says_over,
            ended=over,
            event_at=self.now,
            received_at=self.now,
            content=Content(kind.alert_id, kind.alert_id, 2, 2, 3),
            close_after=kind.close_after,
            record_short_lived=self.record_short_lived,
            reopen_within=self.reopen_within,
            when_people_end=self.when_people_end,
        )
        self.sent.append(arrival)
        return arrival

    def arrives(self, arrival: Arrival) -> None:
        """Intake records a notification."""
        arrival = replace(arrival, received_at=self.now)
        self.kept = replace(self.kept, pending=(*self.kept.pending, arrival))

    def passes(self, time: timedelta) -> None:
        self.now += time

    def look_is_asked_for(self) -> None:
        self.kept = replace(self.kept, look=True)

    def operator_retries(self) -> None:
        if self.kept.item is not None and self.kept.item.parked is not None:
            self.kept = replace(self.kept, item=unpark(self.kept.item))

    def run(self, faults: Iterator[Fault]) -> None:
        """Deliver: fold, expire, plan, then begin, take and settle steps until nothing can be done now."""
        kept, look = self.kept, self.kept.look
        for _ in range(_MOST_STEPS):
            kept = self._folded(kept)
            kept = replace(kept, item=expire(kept.item, now=self.now)) if kept.item else kept
            decided = plan(kept.item, now=self.now, look=look)
            if not isinstance(decided, Do) or kept.item is None:
                self.kept = replace(kept, look=kept.look and isinstance(decided, Wait))
                self.decided = decided
                return
            begun = begin(kept.item, decided.step)
            self.kept = kept = replace(kept, item=begun)
            fault = next(faults, Fault.NONE)
            outcome = self._outcome(begun, decided.step, fault)
            if outcome is None:
                self.decided = None
                return
            settled = settle(begun, decided.step, outcome, now=self.now, jitter=0.5, retry=RETRY)
            looked = decided.step is StepKind.LOOK
            look = look and not looked
            kept = replace(kept, item=settled, look=kept.look and not (looked and settled.waiting == ""))
        raise AssertionError("the lane runs hot: it never comes to rest")

    def _folded(self, kept: Kept) -> Kept:
        situation = Situation(*LANE, kept.item, kept.alerts)
        done, made = 0, set()
        for arrival in kept.pending:
            self._ids += 1
            after = fold(situation, arrival, now=self.now, new_id=f"item-{self._ids}")
            if after is None:
                break
            situation, done = after, done + 1
            made |= {after.item.id} - {kept.item.id if kept.item else None} if after.item else set()
        assert len(made) <= 1, "a transaction keeps one work item: another would be lost"
        return replace(kept, item=situation.item, alerts=dict(situation.alerts), pending=kept.pending[done:])

    def _outcome(self, item: WorkItem, step: StepKind, fault: Fault) -> Outcome | None:
        """What the lane hears of a step; None: it died."""
        self.steps.append(step)
        if fault in (Fault.NONE, Fault.LOST_REPLY, Fault.CRASH_AFTER):
            outcome = self.tool.take(item, step, self.now)
            if fault is Fault.NONE:
                return outcome
        match fault:
            case Fault.LATER:
                return TryLater("the tool is busy")
            case Fault.MUCH_LATER:
                return TryLater("", self.now + timedelta(days=365))
            case Fault.REFUSED:
                return Refused("a mandatory field is missing\n" * 100)
            case Fault.CRASH_BEFORE | Fault.CRASH_AFTER:
                return None
            case _:
                return Unclear("no answer")

    def settles_down(self) -> None:
        """Faults are over: deliver until the lane rests, as an operator, a timer and a clock would."""
        for _ in range(20):
            self.operator_retries()
            self.look_is_asked_for()
            self.run(iter(()))
            self.passes(timedelta(hours=1))
        assert isinstance(self.decided, Rest), f"the lane does not come to rest: {self.decided}"
        assert not self.kept.pending, "a notification is left behind"
        item = self.kept.item
        record = self.tool.find(item.key) if item is not None else None
        if item is not None and item.desired.state is State.OPEN:
            assert record is not None, "it should be open, and is not there"
            assert record.state is ToolState.OPEN, "it should be open, and a person's end was not noticed"


def must_hold(world: World) -> None:
    """What is true at every moment, whatever happens."""
    _nothing_doubled(world.tool)
    item = world.kept.item
    if item is None:
        return
    assert len(item.reasons) <= 20
    assert all(0 < len(reason) <= 500 for reason in item.reasons)
    assert len(item.desired.notes) <= 50
    firing = [a for a in world.kept.alerts.values() if a.firing and a.work_item == item.id]
    if not firing:
        assert item.desired.state is State.RESOLVED, "nothing fires, and no resolve is wanted: it is lost"
    record = world.tool.find(item.key)
    if record is not None and item.desired.state is State.RESOLVED and not item.owed and item.hands_off is None:
        assert record.state is not ToolState.OPEN or record.by_people, "a resolve counts as done, and is not"
    _ended_somehow(world)


def _nothing_doubled(tool: Tool) -> None:
    for record in tool.records:
        firings = [re.sub("^Fired (again )?in Azure: ", "", text) for text in record.texts]
        by_id = [text for text in firings if text.startswith("metric-")]
        assert len(by_id) == len(set(by_id)), f"{record.number} tells of a firing twice: {by_id}"
    there = [r.key for r in tool.records if r.state is not ToolState.GONE]
    assert len(there) == len(set(there)), "two records with one key"
    ours = [r.number for r in tool.open if not r.by_people]
    assert len(ours) <= 1, f"two open records for one correlation key: {ours}"


def _ended_somehow(world: World) -> None:
    """A run that came to its end left the lane idle, waiting with a reason, or parked with a reason."""
    match world.decided:
        case Wait(until, reason):
            assert reason, "it waits without a reason"
            assert until <= world.now + timedelta(hours=1), "it waits for ever"
        case Park(reason):
            assert 0 < len(reason) <= 500, "it is parked without a reason"
        case Rest():
            item = world.kept.item
            assert item is None or not (item.owed or item.doubt), "it rests, and something is owed"
        case _:
            pass
