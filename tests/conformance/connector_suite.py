"""What every connector must do, whichever tool it reaches: ``secure_export.itsm.contract.Connector``.

A connector's own test module gives a subclass of ``ConnectorSuite`` a fixture ``tool``, and thereby passes all of this.
Where a tool has no means for something (one that knows no assignment, say), its adapter says so in ``Tool.lacks``, and
the rule is left out with that reason; no rule is made weaker for it.
"""

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from enum import StrEnum
from typing import Protocol

import pytest

from secure_export.itsm.contract import Connector
from secure_export.workitems.outcome import Done, Outcome, Refused, TryLater, Unclear
from secure_export.workitems.work_item import (
    Binding,
    Confirmed,
    Content,
    Desired,
    Note,
    State,
    StepKind,
    ToolState,
    WorkItem,
)

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
OVER = (ToolState.RESOLVED, ToolState.CLOSED)
WRITES = (StepKind.CREATE, StepKind.UPDATE, StepKind.RESOLVE, StepKind.REOPEN)
ON_WHAT_IS_THERE = (StepKind.UPDATE, StepKind.RESOLVE, StepKind.REOPEN)


class Fault(StrEnum):
    """What a tool can do to us."""

    UNREACHABLE = "unreachable"
    """No request reaches it: nothing is changed."""
    BUSY = "busy"
    """It asks to come back later, and changes nothing."""
    REFUSES = "refuses"
    """It refuses the change for a reason that will not go away, and changes nothing."""
    ANSWER_LOST = "answer-lost"
    """It does what it was asked, but its answer does not reach us."""
    GARBAGE = "garbage"
    """It does what it was asked, and answers with something that no one understands."""
    RESOLVE_IGNORED = "resolve-ignored"
    """It takes a resolve without complaint and leaves the record open, as a business rule might."""
    REOPEN_IGNORED = "reopen-ignored"
    """It takes a reopening without complaint and leaves the record resolved."""


NOTHING_CHANGED = (Fault.UNREACHABLE, Fault.BUSY, Fault.REFUSES)
IN_DOUBT = (Fault.ANSWER_LOST, Fault.GARBAGE)


class Ability(StrEnum):
    """What most tools have means for, and some do not."""

    ASSIGN = "assign"
    """Records have somebody who works on them."""
    GROUP = "group"
    """Records have a group that looks at them."""
    HOLD = "hold"
    """People put records on hold."""
    PRIORITY = "priority"
    """People change a record's priority."""
    COMMENT = "comment"
    """People write into a record's history, and that counts as a change."""
    DELETE = "delete"
    """Records can be deleted."""
    CLOSE = "close"
    """Closed is another state than resolved, and final."""
    REOPEN = "reopen"
    """A resolved record can be opened again, by people and by us."""
    SEVERAL_CIS = "several-cis"
    """A record can be about several CIs."""
    RESOLUTION = "resolution"
    """It says how a record was resolved."""
    OWN_STATES = "own-states"
    """Its states have words of its own, which tell more than open, resolved and closed."""
    CHANGED_AT = "changed-at"
    """It says when a record was last changed."""
    CHANGES_ONCE = "changes-once"
    """It can be asked what people changed so that each change is told once, and our own are not."""


class Act(StrEnum):
    """What a person does with a record in the tool."""

    COMMENT = "comment"
    ASSIGN = "assign"
    HOLD = "hold"
    LOWER_PRIORITY = "lower-priority"
    RESOLVE = "resolve"
    REOPEN = "reopen"
    CLOSE = "close"


PERSON = "Ada Lovelace"
PERSONS_WORDS = "I am on it"
PERSONS_RESOLUTION = "Restarted by hand"


@dataclass(frozen=True, slots=True)
class Record:
    """A record as a person sees it in the tool.

    Attributes:
        number: What people call it.
        title: One line.
        description: Several lines.
        state: Its state.
        on_hold: Whether a person put it on hold.
        priority: 1 to 5.
        group: Who is to look at it; empty when nobody.
        assignee: Who works on it; empty when nobody.
        notes: The texts that we wrote into its history, oldest first.
        cis: The CMDB's ids of the CIs it is about, each once, the primary one first: in a tool with one CI field and a
            table of further ones that field, then the table's others.
        resolution: Why it is resolved; empty while open.
    """

    number: str
    title: str
    description: str
    state: ToolState
    on_hold: bool
    priority: int
    group: str
    assignee: str
    notes: tuple[str, ...]
    cis: tuple[str, ...]
    resolution: str


class Tool(Protocol):
    """A tool that tests look into, behind the connector that is tested.

    Attributes:
        connector: What is tested, for the connection ``CONNECTION``.
        other_connector: The same tool reached for another connection, ``OTHER_CONNECTION``.
        faults: The faults that it knows.
        lacks: What it has no means for, each with a sentence that says why; an adapter that lacks nothing need not
            have it.
        secrets: Texts that must not appear in any reason.
    """

    connector: Connector
    other_connector: Connector
    faults: frozenset[Fault]
    lacks: Mapping[Ability, str]
    secrets: Sequence[str]

    async def records(self, key: str) -> Sequence[Record]:
        """Give every record that carries this key."""
        ...

    async def count(self) -> int:
        """Count all records."""
        ...

    async def act(self, key: str, act: Act) -> None:
        """Do what a person does; comments, assignees and resolutions are those of this module."""
        ...

    async def delete(self, key: str) -> None:
        """Delete the record as a person with enough rights may."""
        ...

    async def add_ci(self, name: str, resource_id: str) -> str:
        """Put a CI into the CMDB; its id."""
        ...

    def failing(self, fault: Fault) -> AbstractContextManager[None]:
        """Have every request meet a fault."""
        ...


CONNECTION = "tool"
OTHER_CONNECTION = "other-tool"


def work_item(
    correlation_key: str = "alert-1",
    *,
    connection: str = CONNECTION,
    state: State = State.OPEN,
    revision: int = 1,
    notes: tuple[Note, ...] = (),
    bindings: tuple[Binding, ...] = (),
    confirmed: Confirmed | None = None,
    title: str = "CPU of vm-web-1 is high",
    description: str = "Percentage CPU is 93.\nThe threshold is 80.",
) -> WorkItem:
    """Make a work item: what matters to a test, and defaults for the rest."""
    content = Content(
        title=title,
        description=description,
        impact=2,
        urgency=1,
        priority=2,
        severity="Sev1",
        assignment_group="Linux",
        bindings=bindings,
    )
    resolution = "Azure Monitor says it is over" if state is State.RESOLVED else ""
    desired = Desired(state=state, content=content, revision=revision, notes=notes, resolution=resolution)
    return WorkItem(
        id=f"item of {correlation_key}",
        connection=connection,
        correlation_key=correlation_key,
        generation=1,
        desired=desired,
        confirmed=confirmed,
        created_at=NOW,
    )


def bound(ci_id: str, name: str) -> Binding:
    """Make a binding that found its CI."""
    return Binding(ci_id, name, "resource-id", f"the CMDB has the resource id of {name}")


async def take(connector: Connector, step: StepKind, item: WorkItem) -> Outcome:
    """Take one step."""
    call = {
        StepKind.LOOK: connector.look,
        StepKind.CREATE: connector.create,
        StepKind.UPDATE: connector.update,
        StepKind.RESOLVE: connector.resolve,
        StepKind.REOPEN: connector.reopen,
    }[step]
    return await call(item)


async def confirmed_by(connector: Connector, step: StepKind, item: WorkItem) -> Confirmed:
    """Take one step, which must succeed, and give what the tool then says."""
    outcome = await take(connector, step, item)
    assert isinstance(outcome, Done), outcome
    assert outcome.confirmed is not None
    return outcome.confirmed


async def created(tool: Tool, item: WorkItem) -> WorkItem:
    """Create the record and give the work item as it is then."""
    return replace(item, confirmed=await confirmed_by(tool.connector, StepKind.CREATE, item))


async def only_record(tool: Tool, item: WorkItem) -> Record:
    """Give the one record that the work item must have."""
    records = await tool.records(item.key)
    assert len(records) == 1
    return records[0]


def noted(item: WorkItem, *texts: str) -> WorkItem:
    """The work item with further notes owed."""
    first = item.desired.revision + 1
    notes = tuple(Note(first + place, text) for place, text in enumerate(texts))
    desired = replace(item.desired, revision=item.desired.revision + len(texts), notes=(*item.desired.notes, *notes))
    return replace(item, desired=desired)


def to_resolve(item: WorkItem) -> WorkItem:
    """The work item as it is when its problem ended."""
    desired = replace(
        item.desired,
        state=State.RESOLVED,
        revision=item.desired.revision + 1,
        resolution="Azure Monitor says it is over",
    )
    return replace(item, desired=desired)


def to_reopen(item: WorkItem, *notes: str) -> WorkItem:
    """The work item as it is when its problem is there again after its resolve."""
    desired = replace(item.desired, state=State.OPEN, revision=item.desired.revision + 1, resolution="")
    return noted(replace(item, desired=desired, reopening=True), *(notes or ("Fired again: disk",)))


async def resolved(tool: Tool, item: WorkItem) -> WorkItem:
    """Create the record, resolve it, and give the work item as it is then."""
    item = to_resolve(await created(tool, item))
    return replace(item, confirmed=await confirmed_by(tool.connector, StepKind.RESOLVE, item))


async def about_to(tool: Tool, step: StepKind, note: str) -> WorkItem:
    """Bring the tool to where a step comes next, and give the work item that owes it and a note."""
    match step:
        case StepKind.CREATE:
            return noted(work_item(), note)
        case StepKind.REOPEN:
            can(tool, Ability.REOPEN)
            return to_reopen(await resolved(tool, work_item()), note)
        case StepKind.RESOLVE:
            return to_resolve(noted(await created(tool, work_item()), note))
        case _:
            return noted(await created(tool, work_item()), note)


def can(tool: Tool, *abilities: Ability) -> None:
    """Leave a test out, saying why, when the tool has no means for what it is about."""
    lacks: Mapping[Ability, str] = getattr(tool, "lacks", {})
    for ability in abilities:
        if ability in lacks:
            pytest.skip(f"LEFT OUT, this tool has no means for {ability.value}: {lacks[ability]}")


def knows(tool: Tool, fault: Fault) -> None:
    """Leave a test out when the tool cannot meet its fault."""
    if fault not in tool.faults:
        pytest.skip(f"this tool cannot meet the fault {fault.value}")


_NEEDED = {
    Act.COMMENT: (Ability.COMMENT,),
    Act.ASSIGN: (Ability.ASSIGN,),
    Act.HOLD: (Ability.HOLD,),
    Act.CLOSE: (Ability.CLOSE,),
}


class ConnectorSuite:
    """The rules of every connector."""

    async def test_a_created_record_says_what_the_work_item_says(self, tool: Tool) -> None:
        """Title, description, priority and group of the content are in the record, and it is open."""
        item = work_item()
        confirmed = await confirmed_by(tool.connector, StepKind.CREATE, item)
        record = await only_record(tool, item)
        assert (record.title, record.description) == (item.desired.content.title, item.desired.content.description)
        assert (record.priority, record.state) == (2, ToolState.OPEN)
        assert record.group == "Linux" or Ability.GROUP in getattr(tool, "lacks", {})
        assert confirmed.number == record.number
        assert confirmed.state is ToolState.OPEN
        assert confirmed.ended_at is None

    async def test_a_record_is_created_open_even_when_the_problem_is_over(self, tool: Tool) -> None:
        """A create makes an open record; resolving is a step of its own, so that it is read back."""
        item = work_item(state=State.RESOLVED)
        confirmed = await confirmed_by(tool.connector, StepKind.CREATE, item)
        assert confirmed.state is ToolState.OPEN
        assert (await only_record(tool, item)).state is ToolState.OPEN

    async def test_a_look_finds_what_was_created(self, tool: Tool) -> None:
        """A look after a create gives the same record."""
        item = work_item()
        made = await confirmed_by(tool.connector, StepKind.CREATE, item)
        seen = await confirmed_by(tool.connector, StepKind.LOOK, item)
        assert (seen.ref, seen.number, seen.url, seen.state) == (made.ref, made.number, made.url, made.state)
        assert seen.revision in {0, item.desired.revision}

    async def test_a_look_says_surely_that_there_is_none(self, tool: Tool) -> None:
        """A key that the tool does not have is an answer, not a doubt."""
        await created(tool, work_item("another"))
        assert await tool.connector.look(work_item("missing")) == Done(None)

    async def test_a_look_goes_by_the_key_and_by_nothing_else(self, tool: Tool) -> None:
        """A work item that wrongly holds another record's reference and title does not find that record."""
        there = await created(tool, work_item("one"))
        stranger = work_item("two", confirmed=there.confirmed)
        assert await tool.connector.look(stranger) == Done(None)

    async def test_a_second_create_gives_the_record_that_is_there(self, tool: Tool) -> None:
        """A create is never repeated: the key's record is given as it is, and stays as it is."""
        item = work_item()
        first = await confirmed_by(tool.connector, StepKind.CREATE, item)
        again = replace(item, desired=replace(item.desired, content=replace(item.desired.content, title="Other")))
        second = await confirmed_by(tool.connector, StepKind.CREATE, again)
        assert (second.ref, second.number) == (first.ref, first.number)
        assert (await only_record(tool, item)).title == item.desired.content.title

    async def test_a_second_create_does_not_reopen(self, tool: Tool) -> None:
        """A create for a record that is resolved by now says so and leaves it resolved."""
        item = await created(tool, work_item())
        await confirmed_by(tool.connector, StepKind.RESOLVE, to_resolve(item))
        second = await confirmed_by(tool.connector, StepKind.CREATE, work_item())
        assert second.state in OVER
        assert (await only_record(tool, item)).state in OVER

    async def test_connections_of_one_tool_are_kept_apart(self, tool: Tool) -> None:
        """The same correlation key in two connections is two records, and each connection finds its own."""
        ours, theirs = work_item(), work_item(connection=OTHER_CONNECTION)
        first = await confirmed_by(tool.connector, StepKind.CREATE, ours)
        assert await tool.other_connector.look(theirs) == Done(None)
        second = await confirmed_by(tool.other_connector, StepKind.CREATE, theirs)
        assert first.number != second.number

    async def test_notes_owed_at_creation_reach_the_record_once(self, tool: Tool) -> None:
        """Whether a create or the update after it writes them, each note is there once, in order."""
        item = noted(work_item(), "Fired: disk", "Fired: memory")
        item = await created(tool, item)
        assert item.confirmed is not None
        if item.confirmed.revision < item.desired.revision:
            confirmed = await confirmed_by(tool.connector, StepKind.UPDATE, item)
            assert confirmed.revision == item.desired.revision
        assert (await only_record(tool, item)).notes == ("Fired: disk", "Fired: memory")

    async def test_an_update_writes_each_note_once(self, tool: Tool) -> None:
        """An update that is taken again, notes and all, adds nothing the second time."""
        item = noted(await created(tool, work_item()), "Fired: disk", "Fired: memory")
        for _ in range(2):
            confirmed = await confirmed_by(tool.connector, StepKind.UPDATE, item)
            assert confirmed.revision == item.desired.revision
        item = noted(item, "Resolved: disk")
        await confirmed_by(tool.connector, StepKind.UPDATE, item)
        assert (await only_record(tool, item)).notes == ("Fired: disk", "Fired: memory", "Resolved: disk")

    async def test_an_update_leaves_title_and_description(self, tool: Tool) -> None:
        """People read and mend these; an update does not write them again."""
        item = await created(tool, work_item())
        content = replace(item.desired.content, title="Other", description="Other")
        changed = replace(item, desired=replace(item.desired, content=content, revision=2))
        await confirmed_by(tool.connector, StepKind.UPDATE, changed)
        record = await only_record(tool, item)
        assert (record.title, record.description) == (item.desired.content.title, item.desired.content.description)

    async def test_cis_are_merged(self, tool: Tool) -> None:
        """An update adds the CIs that are new; those that are there stay, and the first stays the primary one."""
        can(tool, Ability.SEVERAL_CIS)
        one = await tool.add_ci("vm-web-1", _vm("vm-web-1"))
        two = await tool.add_ci("vm-web-2", _vm("vm-web-2"))
        item = await created(tool, work_item(bindings=(bound(one, "vm-web-1"),)))
        assert (await only_record(tool, item)).cis == (one,)
        for bindings in ((bound(two, "vm-web-2"),), (bound(two, "vm-web-2"), bound(one, "vm-web-1"))):
            revision = item.desired.revision + 1
            content = replace(item.desired.content, bindings=bindings)
            item = replace(item, desired=replace(item.desired, content=content, revision=revision))
            await confirmed_by(tool.connector, StepKind.UPDATE, item)
            assert (await only_record(tool, item)).cis == (one, two)

    async def test_a_ci_that_appears_later_becomes_the_primary_one(self, tool: Tool) -> None:
        """A record without CI gets its first by an update."""
        unbound = Binding(None, "vm-web-1", "not-in-cmdb", "the CMDB has no CI of this name")
        item = await created(tool, work_item(bindings=(unbound,)))
        assert (await only_record(tool, item)).cis == ()
        ci = await tool.add_ci("vm-web-1", _vm("vm-web-1"))
        content = replace(item.desired.content, bindings=(bound(ci, "vm-web-1"),))
        item = replace(item, desired=replace(item.desired, content=content, revision=2))
        await confirmed_by(tool.connector, StepKind.UPDATE, item)
        assert (await only_record(tool, item)).cis == (ci,)

    async def test_a_resolve_is_read_back(self, tool: Tool) -> None:
        """A resolve brings the notes that are owed, says why, and confirms a state that the tool has."""
        item = to_resolve(noted(await created(tool, work_item()), "Resolved: disk"))
        confirmed = await confirmed_by(tool.connector, StepKind.RESOLVE, item)
        record = await only_record(tool, item)
        assert confirmed.state is record.state
        assert record.state in OVER
        assert confirmed.revision == item.desired.revision
        assert confirmed.ended_at is not None
        assert record.notes == ("Resolved: disk",)
        assert item.desired.resolution in record.resolution

    async def test_a_resolve_that_the_tool_ignores_is_told_as_it_is(self, tool: Tool) -> None:
        """A record that reads back open after a resolve is confirmed as open, so that the resolve stays owed."""
        knows(tool, Fault.RESOLVE_IGNORED)
        item = to_resolve(await created(tool, work_item()))
        with tool.failing(Fault.RESOLVE_IGNORED):
            confirmed = await confirmed_by(tool.connector, StepKind.RESOLVE, item)
        assert confirmed.state is ToolState.OPEN
        assert (await confirmed_by(tool.connector, StepKind.RESOLVE, item)).state in OVER

    async def test_a_second_resolve_changes_nothing(self, tool: Tool) -> None:
        """A resolve that is taken again finds the record resolved and leaves it so."""
        item = to_resolve(noted(await created(tool, work_item()), "Resolved: disk"))
        await confirmed_by(tool.connector, StepKind.RESOLVE, item)
        before = await only_record(tool, item)
        assert (await confirmed_by(tool.connector, StepKind.RESOLVE, item)).state in OVER
        assert await only_record(tool, item) == before

    @pytest.mark.parametrize("step", [StepKind.UPDATE, StepKind.RESOLVE])
    async def test_what_people_set_stays(self, tool: Tool, step: StepKind) -> None:
        """The assignee and the priority that a person set outlive updates and resolves of ours."""
        can(tool, Ability.ASSIGN, Ability.PRIORITY)
        item = await created(tool, work_item())
        await tool.act(item.key, Act.ASSIGN)
        await tool.act(item.key, Act.LOWER_PRIORITY)
        lowered = (await only_record(tool, item)).priority
        assert lowered > item.desired.content.priority
        confirmed = await confirmed_by(tool.connector, step, to_resolve(noted(item, "Resolved: disk")))
        record = await only_record(tool, item)
        assert (record.assignee, record.priority) == (PERSON, lowered)
        assert PERSON in confirmed.assignment

    async def test_an_update_leaves_the_state_that_people_set(self, tool: Tool) -> None:
        """A record that a person put on hold is on hold after an update."""
        can(tool, Ability.HOLD)
        item = await created(tool, work_item())
        await tool.act(item.key, Act.HOLD)
        await confirmed_by(tool.connector, StepKind.UPDATE, noted(item, "Fired: disk"))
        assert (await only_record(tool, item)).on_hold

    async def test_a_record_on_hold_can_be_resolved(self, tool: Tool) -> None:
        """On hold is open: the end of the problem resolves it."""
        can(tool, Ability.HOLD)
        item = await created(tool, work_item())
        await tool.act(item.key, Act.HOLD)
        assert (await confirmed_by(tool.connector, StepKind.RESOLVE, to_resolve(item))).state in OVER

    async def test_an_update_does_not_reopen_what_people_resolved(self, tool: Tool) -> None:
        """A record that a person resolved while its alert fires stays resolved, and that is told."""
        item = await created(tool, work_item())
        await tool.act(item.key, Act.RESOLVE)
        confirmed = await confirmed_by(tool.connector, StepKind.UPDATE, noted(item, "Fired: disk"))
        assert confirmed.state in OVER
        assert confirmed.ended_at is not None
        assert (await only_record(tool, item)).state in OVER

    async def test_a_resolve_keeps_peoples_own_resolution(self, tool: Tool) -> None:
        """A record that a person resolved is not resolved again over their words."""
        can(tool, Ability.RESOLUTION)
        item = await created(tool, work_item())
        await tool.act(item.key, Act.RESOLVE)
        assert (await confirmed_by(tool.connector, StepKind.RESOLVE, to_resolve(item))).state in OVER
        assert PERSONS_RESOLUTION in (await only_record(tool, item)).resolution

    @pytest.mark.parametrize("step", ON_WHAT_IS_THERE)
    async def test_a_closed_record_is_left_alone(self, tool: Tool, step: StepKind) -> None:
        """Closed is final: it is confirmed as closed, and stays exactly as it is."""
        can(tool, Ability.CLOSE)
        item = await created(tool, work_item())
        await tool.act(item.key, Act.CLOSE)
        before = await only_record(tool, item)
        item = to_resolve(noted(item, "Resolved: disk"))
        confirmed = await confirmed_by(tool.connector, step, to_reopen(item) if step is StepKind.REOPEN else item)
        assert confirmed.state is ToolState.CLOSED
        assert (await only_record(tool, item)) == before

    @pytest.mark.parametrize("step", ON_WHAT_IS_THERE)
    async def test_a_deleted_record_is_not_made_again(self, tool: Tool, step: StepKind) -> None:
        """A step on a record that is gone leads to a look, which says surely that there is none."""
        can(tool, Ability.DELETE)
        item = await created(tool, work_item())
        await tool.delete(item.key)
        outcome = await take(tool.connector, step, to_resolve(item))
        assert isinstance(outcome, Unclear) or outcome == Done(None)
        assert await tool.connector.look(item) == Done(None)
        assert list(await tool.records(item.key)) == []

    async def test_a_record_that_people_reopened_is_told_as_open(self, tool: Tool) -> None:
        """After a person's reopening a look says open, and when it ended is no longer told."""
        can(tool, Ability.REOPEN)
        item = await created(tool, work_item())
        await confirmed_by(tool.connector, StepKind.RESOLVE, to_resolve(item))
        await tool.act(item.key, Act.REOPEN)
        seen = await confirmed_by(tool.connector, StepKind.LOOK, item)
        assert (seen.state, seen.ended_at) == (ToolState.OPEN, None)

    async def test_a_resolved_record_is_opened_again(self, tool: Tool) -> None:
        """A reopening brings notes and CIs in, confirms the state that was read back, and is no end."""
        can(tool, Ability.REOPEN)
        ci = await tool.add_ci("vm-web-1", _vm("vm-web-1"))
        item = to_reopen(await resolved(tool, work_item()), "Fired again: disk", "Fired: memory")
        content = replace(item.desired.content, bindings=(bound(ci, "vm-web-1"),))
        item = replace(item, desired=replace(item.desired, content=content))
        confirmed = await confirmed_by(tool.connector, StepKind.REOPEN, item)
        record = await only_record(tool, item)
        assert (confirmed.state, confirmed.ended_at) == (ToolState.OPEN, None)
        assert confirmed.revision == item.desired.revision
        assert (record.state, record.cis) == (ToolState.OPEN, (ci,))
        assert record.notes == ("Fired again: disk", "Fired: memory")
        assert (await confirmed_by(tool.connector, StepKind.RESOLVE, to_resolve(item))).state in OVER

    async def test_what_a_person_resolved_is_opened_again(self, tool: Tool) -> None:
        """A route may insist on a work item that a person resolved: a reopening asks not who resolved it."""
        can(tool, Ability.REOPEN)
        item = await created(tool, work_item())
        await tool.act(item.key, Act.RESOLVE)
        assert (await confirmed_by(tool.connector, StepKind.REOPEN, to_reopen(item))).state is ToolState.OPEN
        assert (await only_record(tool, item)).state is ToolState.OPEN

    async def test_a_second_reopening_writes_nothing_twice(self, tool: Tool) -> None:
        """A reopening that is taken again finds the record open and its notes there."""
        can(tool, Ability.REOPEN)
        item = to_reopen(await resolved(tool, work_item()))
        for _ in range(2):
            assert (await confirmed_by(tool.connector, StepKind.REOPEN, item)).state is ToolState.OPEN
        assert (await only_record(tool, item)).notes == ("Fired again: disk",)

    async def test_a_reopening_leaves_an_open_record_as_people_have_it(self, tool: Tool) -> None:
        """A record that is open already keeps its state, on hold for one."""
        can(tool, Ability.HOLD)
        item = await created(tool, work_item())
        await tool.act(item.key, Act.HOLD)
        assert (await confirmed_by(tool.connector, StepKind.REOPEN, to_reopen(item))).state is ToolState.OPEN
        record = await only_record(tool, item)
        assert (record.on_hold, record.notes) == (True, ("Fired again: disk",))

    async def test_what_people_set_outlives_a_reopening(self, tool: Tool) -> None:
        """The assignee and the priority that a person set are there after it."""
        can(tool, Ability.REOPEN, Ability.ASSIGN, Ability.PRIORITY)
        item = await created(tool, work_item())
        await tool.act(item.key, Act.ASSIGN)
        await tool.act(item.key, Act.LOWER_PRIORITY)
        item = to_resolve(item)
        await confirmed_by(tool.connector, StepKind.RESOLVE, item)
        before = await only_record(tool, item)
        confirmed = await confirmed_by(tool.connector, StepKind.REOPEN, to_reopen(item))
        record = await only_record(tool, item)
        assert (record.assignee, record.priority) == (PERSON, before.priority)
        assert (record.title, record.description, record.group) == (before.title, before.description, before.group)
        assert PERSON in confirmed.assignment

    async def test_a_reopening_that_the_tool_ignores_is_told_as_it_is(self, tool: Tool) -> None:
        """A record that reads back resolved after a reopening is confirmed as resolved, so that it stays owed."""
        can(tool, Ability.REOPEN)
        knows(tool, Fault.REOPEN_IGNORED)
        item = to_reopen(await resolved(tool, work_item()))
        with tool.failing(Fault.REOPEN_IGNORED):
            confirmed = await confirmed_by(tool.connector, StepKind.REOPEN, item)
        assert confirmed.state is ToolState.RESOLVED
        assert (await confirmed_by(tool.connector, StepKind.REOPEN, item)).state is ToolState.OPEN

    async def test_how_it_was_resolved_is_told(self, tool: Tool) -> None:
        """What people wrote about the resolution comes back, and so does what we wrote."""
        can(tool, Ability.RESOLUTION)
        theirs = await created(tool, work_item("one"))
        assert theirs.confirmed is not None
        assert theirs.confirmed.resolution == ""
        await tool.act(theirs.key, Act.RESOLVE)
        assert PERSONS_RESOLUTION in (await confirmed_by(tool.connector, StepKind.LOOK, theirs)).resolution
        ours = await resolved(tool, work_item("two"))
        assert ours.confirmed is not None
        assert ours.desired.resolution in ours.confirmed.resolution

    async def test_the_tools_own_word_for_the_state_is_told(self, tool: Tool) -> None:
        """A record on hold is open to us, and its own word says more."""
        can(tool, Ability.OWN_STATES, Ability.HOLD)
        item = await created(tool, work_item())
        await tool.act(item.key, Act.HOLD)
        seen = await confirmed_by(tool.connector, StepKind.LOOK, item)
        assert item.confirmed is not None
        assert (seen.state, bool(seen.tool_state)) == (ToolState.OPEN, True)
        assert seen.tool_state != item.confirmed.tool_state

    async def test_when_it_was_changed_is_told(self, tool: Tool) -> None:
        """It stays while nothing is changed, and never goes back when a person or we change something."""
        can(tool, Ability.CHANGED_AT)
        item = await created(tool, work_item())
        first = await confirmed_by(tool.connector, StepKind.LOOK, item)
        again = await confirmed_by(tool.connector, StepKind.LOOK, item)
        assert first.changed_at is not None
        assert again.changed_at == first.changed_at
        await tool.act(item.key, Act.RESOLVE)
        later = await confirmed_by(tool.connector, StepKind.LOOK, item)
        assert later.changed_at is not None
        assert later.changed_at >= first.changed_at

    async def test_what_the_tool_took_whole_has_no_remarks(self, tool: Tool) -> None:
        """A remark tells of something that the tool did not take: an ordinary create and resolve have none."""
        item = await resolved(tool, work_item())
        assert item.confirmed is not None
        assert item.confirmed.remarks == ()

    @pytest.mark.parametrize("fault", NOTHING_CHANGED)
    @pytest.mark.parametrize("step", list(StepKind))
    async def test_what_was_not_done_is_not_claimed(self, tool: Tool, step: StepKind, fault: Fault) -> None:
        """When the tool changed nothing, the answer is to try later, refused, or unclear; the record is as before."""
        knows(tool, fault)
        item = await about_to(tool, step, "Said: disk")
        before = list(await tool.records(item.key))
        with tool.failing(fault):
            outcome = await take(tool.connector, step, item)
        self._is_no_success(tool, outcome)
        if fault is Fault.BUSY:
            assert isinstance(outcome, TryLater)
        if fault is Fault.REFUSES and step in WRITES:
            assert isinstance(outcome, Refused)
        assert list(await tool.records(item.key)) == before

    @pytest.mark.parametrize("fault", IN_DOUBT)
    @pytest.mark.parametrize("step", WRITES)
    async def test_what_may_have_been_done_is_unclear(self, tool: Tool, step: StepKind, fault: Fault) -> None:
        """A write whose answer is lost or not understood is unclear; look and retry leave one record and one note."""
        knows(tool, fault)
        wanted = await about_to(tool, step, "Fired: disk")
        with tool.failing(fault):
            outcome = await take(tool.connector, step, wanted)
        assert isinstance(outcome, Unclear)
        self._is_no_success(tool, outcome)
        seen = await confirmed_by(tool.connector, StepKind.LOOK, wanted)
        assert seen.number
        again = await confirmed_by(tool.connector, step, wanted)
        if again.revision < wanted.desired.revision:
            again = await confirmed_by(tool.connector, StepKind.UPDATE, replace(wanted, confirmed=again))
        record = await only_record(tool, wanted)
        assert record.notes == ("Fired: disk",)
        assert (record.state in OVER) is (step is StepKind.RESOLVE)

    async def test_a_look_that_fails_is_no_answer(self, tool: Tool) -> None:
        """An unreachable tool is never taken for one that has no such record."""
        knows(tool, Fault.UNREACHABLE)
        with tool.failing(Fault.UNREACHABLE):
            outcome = await tool.connector.look(work_item())
        assert isinstance(outcome, TryLater | Unclear)

    def _is_no_success(self, tool: Tool, outcome: Outcome) -> None:
        assert isinstance(outcome, TryLater | Refused | Unclear)
        assert outcome.reason.strip()
        assert not any(secret in outcome.reason for secret in tool.secrets)

    async def test_long_and_foreign_texts_are_taken(self, tool: Tool) -> None:
        """Texts are written by rule authors all over the world, and may be longer than a field of the tool."""
        item = work_item(title="Größe überschritten 🚨 " * 40, description="线程 <b>&amp;</b> '\"\\ \t\n" * 5000)
        item = noted(item, "Ereignis: Ausfall — ähm 🚨\nzweite Zeile")
        confirmed = await confirmed_by(tool.connector, StepKind.CREATE, item)
        if confirmed.revision < item.desired.revision:
            await confirmed_by(tool.connector, StepKind.UPDATE, replace(item, confirmed=confirmed))
        record = await only_record(tool, item)
        assert record.title.startswith("Größe überschritten 🚨")
        assert record.description.startswith("线程 <b>&amp;</b> '\"\\")
        assert record.notes == ("Ereignis: Ausfall — ähm 🚨\nzweite Zeile",)

    async def test_changes_start_from_now_on(self, tool: Tool) -> None:
        """An empty cursor asks for nothing of the past, and gives a cursor to go on with."""
        can(tool, Ability.COMMENT)
        item = await created(tool, work_item())
        await tool.act(item.key, Act.COMMENT)
        changes = await tool.connector.changes("")
        assert (changes.keys, changes.more) == ((), False)
        assert changes.cursor

    @pytest.mark.parametrize("act", [Act.COMMENT, Act.ASSIGN, Act.HOLD, Act.RESOLVE, Act.CLOSE])
    async def test_what_people_change_is_told_once(self, tool: Tool, act: Act) -> None:
        """A change by a person is told with the work item's key, and not again with the new cursor."""
        can(tool, Ability.CHANGES_ONCE, *_NEEDED.get(act, ()))
        item = await created(tool, work_item())
        await created(tool, work_item("untouched"))
        cursor = (await tool.connector.changes("")).cursor
        await tool.act(item.key, act)
        changes = await tool.connector.changes(cursor)
        assert changes.keys == (item.key,)
        assert (await tool.connector.changes(changes.cursor)).keys == ()

    async def test_our_own_changes_are_not_told(self, tool: Tool) -> None:
        """What this program writes does not come back to it as news."""
        can(tool, Ability.CHANGES_ONCE)
        cursor = (await tool.connector.changes("")).cursor
        item = noted(await created(tool, work_item()), "Fired: disk")
        await confirmed_by(tool.connector, StepKind.UPDATE, item)
        await confirmed_by(tool.connector, StepKind.RESOLVE, to_resolve(item))
        assert (await tool.connector.changes(cursor)).keys == ()

    async def test_changes_of_another_connection_are_not_told(self, tool: Tool) -> None:
        """A person's change of a record of one connection is news for that connection only."""
        can(tool, Ability.COMMENT)
        theirs = work_item(connection=OTHER_CONNECTION)
        await confirmed_by(tool.other_connector, StepKind.CREATE, theirs)
        ours_cursor = (await tool.connector.changes("")).cursor
        their_cursor = (await tool.other_connector.changes("")).cursor
        await tool.act(theirs.key, Act.COMMENT)
        assert theirs.key not in (await tool.connector.changes(ours_cursor)).keys
        assert (await tool.other_connector.changes(their_cursor)).keys == (theirs.key,)

    async def test_changes_that_cannot_be_asked_for_are_asked_for_again(self, tool: Tool) -> None:
        """While the tool is out of reach nothing raises, and nothing is passed over."""
        can(tool, Ability.COMMENT)
        knows(tool, Fault.UNREACHABLE)
        item = await created(tool, work_item())
        cursor = (await tool.connector.changes("")).cursor
        await tool.act(item.key, Act.COMMENT)
        with tool.failing(Fault.UNREACHABLE):
            missed = await tool.connector.changes(cursor)
        assert missed.keys == ()
        assert (await tool.connector.changes(missed.cursor)).keys == (item.key,)

    @pytest.mark.parametrize("cursor", ["rubbish", "-1", "²", "9" * 40, "1; DROP TABLE incidents"])
    async def test_a_cursor_that_is_none_raises_nothing(self, tool: Tool, cursor: str) -> None:
        """A cursor of another version or tool is answered with one that works."""
        can(tool, Ability.COMMENT)
        item = await created(tool, work_item())
        changes = await tool.connector.changes(cursor)
        await tool.act(item.key, Act.COMMENT)
        assert (await tool.connector.changes(changes.cursor)).keys == (item.key,)

    async def test_a_check_leaves_no_trace(self, tool: Tool) -> None:
        """Every permission is tried, all pass, and no record is left behind."""
        before = await tool.count()
        results = await tool.connector.check()
        assert results
        assert all(result.passed and result.subject and result.detail for result in results)
        assert await tool.count() == before

    async def test_a_check_names_what_is_wrong(self, tool: Tool) -> None:
        """A check of a tool that cannot be used fails with words, and does not raise."""
        knows(tool, Fault.UNREACHABLE)
        with tool.failing(Fault.UNREACHABLE):
            results = await tool.connector.check()
        failed = [result for result in results if not result.passed]
        assert failed
        assert all(result.detail for result in failed)
        assert not any(secret in result.detail for result in results for secret in tool.secrets)

    async def test_cis_are_found_by_resource_id(self, tool: Tool) -> None:
        """Ids are compared without regard to case, and come back in normal form."""
        ci = await tool.add_ci("VM-Web-1", _vm("vm-web-1"))
        await tool.add_ci("vm-web-2", _vm("vm-web-2"))
        for asked in (_vm("vm-web-1"), _vm("VM-WEB-1").upper()):
            found = await tool.connector.cmdb.by_resource_ids([asked, _vm("missing")])
            assert [(one.id, one.name, one.resource_id) for one in found] == [(ci, "VM-Web-1", _vm("vm-web-1"))]

    async def test_cis_are_found_by_name(self, tool: Tool) -> None:
        """Every CI of a name is given; names are compared without regard to case."""
        ours = {await tool.add_ci("shop", _vm("shop")), await tool.add_ci("SHOP", _vm("shop-2"))}
        await tool.add_ci("shop-window", _vm("window"))
        for asked in (["shop"], ["Shop", "missing"]):
            assert {one.id for one in await tool.connector.cmdb.by_names(asked)} == ours

    async def test_asking_the_cmdb_for_nothing_gives_nothing(self, tool: Tool) -> None:
        """No ids and no names are no CIs, not all of them."""
        await tool.add_ci("shop", _vm("shop"))
        assert list(await tool.connector.cmdb.by_resource_ids([])) == []
        assert list(await tool.connector.cmdb.by_names([])) == []

    async def test_closing_twice_is_closing_once(self, tool: Tool) -> None:
        """A stop that is repeated does no harm."""
        await tool.connector.close()
        await tool.connector.close()


def _vm(name: str) -> str:
    group = "/subscriptions/11111111-1111-1111-1111-111111111111/resourcegroups/web"
    return f"{group}/providers/microsoft.compute/virtualmachines/{name}"
