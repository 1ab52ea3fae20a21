"""What outcomes change: a sentence per row."""

# ruff: noqa: E501 - a table reads best with a row a line

from dataclasses import replace
from datetime import timedelta

import pytest
from tests.unit.workitems.samples import RETRY, after, ended, fired, folded, having, item_of, minute, opened, told

from secure_export.workitems.outcome import Done, Outcome, Refused, TryLater, Unclear
from secure_export.workitems.plan import Do, Park, Plan, Rest, Wait, plan
from secure_export.workitems.settle import begin, unpark
from secure_export.workitems.work_item import Confirmed, State, StepKind, ToolState, WorkItem

LOOK, CREATE, UPDATE, RESOLVE = StepKind.LOOK, StepKind.CREATE, StepKind.UPDATE, StepKind.RESOLVE
FIRST_WAIT = timedelta(seconds=RETRY.first_seconds)


def record(state: ToolState = ToolState.OPEN, revision: int = 99, *, at: float = 5) -> Done:
    """The tool has it."""
    return Done(
        Confirmed(
            "sys1", "INC1", "", state, revision, minute(at), ended_at=None if state is ToolState.OPEN else minute(at)
        )
    )


def new() -> WorkItem:
    """To be created."""
    return item_of(folded(fired("a")))


def owing_update() -> WorkItem:
    """In the tool, with another alert to tell of."""
    return item_of(folded(fired("b", 2), onto=opened()))


def owing_resolve() -> WorkItem:
    """In the tool, and over."""
    return item_of(folded(ended("a"), onto=opened()))


def in_doubt(item: WorkItem, step: StepKind) -> WorkItem:
    """Without an answer to a step."""
    return replace(after(item, step, Unclear("no answer")), not_before=None)


SOON = minute(5) + FIRST_WAIT
ROWS: list[tuple[str, WorkItem, StepKind, Outcome, Plan]] = [
    ("created: nothing is owed", new(), CREATE, record(revision=1), Rest()),
    ("created without an answer: wait, then look", new(), CREATE, Unclear("cut"), Wait(SOON, "cut")),
    ("surely not created: wait", new(), CREATE, TryLater("busy"), Wait(SOON, "busy")),
    ("refused: a person is needed", new(), CREATE, Refused("no group"), Park("no group")),
    ("created, says a tool that does not say what: look", new(), CREATE, Done(None), Wait(SOON, "the tool did not say what it made")),
    ("a look finds what a create made", in_doubt(new(), CREATE), LOOK, record(revision=1), Rest()),
    ("a look finds nothing: create", in_doubt(new(), CREATE), LOOK, Done(None), Do(CREATE)),
    ("a look finds it closed by a person", in_doubt(new(), CREATE), LOOK, record(ToolState.CLOSED, 1), Rest()),
    ("a look that cannot tell the revision: update", in_doubt(new(), CREATE), LOOK, record(revision=0), Do(UPDATE)),
    ("updated: nothing is owed", owing_update(), UPDATE, record(revision=2), Rest()),
    ("an update that reads back without it: wait", owing_update(), UPDATE, record(revision=1), Wait(SOON, "the tool took the update, but the work item reads back without it")),
    ("resolved and read back: nothing is owed", owing_resolve(), RESOLVE, record(ToolState.RESOLVED, 2), Rest()),
    ("resolved, says the tool, and reads back open: wait", owing_resolve(), RESOLVE, record(revision=2), Wait(SOON, "the tool took the resolve, but the work item reads back open")),
    ("a resolve without an answer, found open: resolve again", in_doubt(owing_resolve(), RESOLVE), LOOK, record(revision=1), Do(RESOLVE)),
    ("a resolve without an answer, found resolved", in_doubt(owing_resolve(), RESOLVE), LOOK, record(ToolState.RESOLVED), Rest()),
    ("to be resolved, and deleted by a person", owing_resolve(), RESOLVE, Done(None), Rest()),
    ("a refused resolve waits for a person", owing_resolve(), RESOLVE, Refused("close code is mandatory"), Park("close code is mandatory")),
    ("a reason is never empty", new(), CREATE, TryLater(" "), Wait(SOON, "no reason was given")),
    ("a tool's page is cut to a reason", new(), CREATE, Refused("x" * 9999), Park("x" * 499 + "…")),
    ("who asks for half an hour gets it", new(), CREATE, TryLater("busy", minute(35)), Wait(minute(35), "busy")),
    ("who asks for a year gets an hour", new(), CREATE, TryLater("busy", minute(525_600)), Wait(minute(65), "busy")),
    ("who asks for less than our wait does not get it", new(), CREATE, TryLater("busy", minute(0)), Wait(SOON, "busy")),
    ("a look that failed leaves the doubt", in_doubt(new(), CREATE), LOOK, TryLater("busy"), Wait(minute(5) + 2 * FIRST_WAIT, "busy")),
    ("a look that is refused needs a person", in_doubt(new(), CREATE), LOOK, Refused("no right to read"), Park("no right to read")),
]  # fmt: skip


@pytest.mark.parametrize(
    ("item", "step", "outcome", "next_plan"), [row[1:] for row in ROWS], ids=[row[0] for row in ROWS]
)
def test_what_comes_after_a_step(item: WorkItem, step: StepKind, outcome: Outcome, next_plan: Plan) -> None:
    """After a step and its outcome: what is planned at that moment."""
    assert plan(after(item, step, outcome), now=minute(5)) == next_plan


@pytest.mark.parametrize("step", [CREATE, UPDATE, RESOLVE])
def test_after_a_crash_the_next_step_is_a_look(step: StepKind) -> None:
    """A step that was begun and not settled leaves doubt: look before anything else, whatever is owed."""
    item = {CREATE: new(), UPDATE: owing_update(), RESOLVE: owing_resolve()}[step]
    assert plan(begin(item, step), now=minute(5)) == Do(LOOK)


def test_a_look_that_crashed_leaves_no_doubt() -> None:
    """A look changes nothing in the tool."""
    assert begin(owing_update(), LOOK) == owing_update()
    assert not after(owing_update(), LOOK, Unclear("no answer")).doubt


def test_waits_grow_over_looks_that_work() -> None:
    """Create fails, look works, create fails: the second wait is longer, although the look between them worked."""
    once = after(new(), CREATE, Unclear("no answer"))
    looked = after(once, LOOK, Done(None))
    twice = after(looked, CREATE, Unclear("no answer"))
    assert looked.not_before is None
    assert twice.not_before == minute(5) + 2 * FIRST_WAIT
    assert after(twice, LOOK, record(revision=1)).attempts == 0


PEOPLE = [
    ("closed while it fires", ToolState.CLOSED, "a person closed it in the tool while its alert still fires: left closed"),
    ("resolved while it fires", ToolState.RESOLVED, "a person closed it in the tool while its alert still fires: left closed"),
    ("deleted while it fires", ToolState.GONE, "it was deleted in the tool: left to the people there"),
]  # fmt: skip


@pytest.mark.parametrize(("state", "why"), [row[1:] for row in PEOPLE], ids=[row[0] for row in PEOPLE])
def test_what_a_person_ended_is_left(state: ToolState, why: str) -> None:
    """What a person did stands: noted with its reason, nothing owed, not reopened."""
    outcome = Done(None) if state is ToolState.GONE else record(state, 1)
    item = after(item_of(opened()), LOOK, outcome)
    assert (item.hands_off, item.owed, item.desired.state) == (why, False, State.RESOLVED)
    assert item.confirmed is not None
    assert item.confirmed.state is state
    assert item.reasons[-1] == why


def test_what_a_person_opened_again_is_left() -> None:
    """Resolved by us, opened again by a person: it is theirs, and no resolve is sent after it."""
    situation = folded(ended("a"), onto=opened())
    situation = having(situation, told(situation, RESOLVE, ToolState.RESOLVED))
    item = told(situation, LOOK, ToolState.OPEN)
    assert item.left_open
    assert plan(item, now=minute(9)) == Rest()


@pytest.mark.parametrize("outcome", [record(ToolState.CLOSED, 2), Done(None)], ids=["closed", "deleted"])
def test_a_firing_that_a_closed_record_could_not_tell_of_gets_a_record_of_its_own(outcome: Done) -> None:
    """A person closed the record, and before we knew, another alert joined: it must not vanish with the record."""
    before = owing_update()
    item = after(before, UPDATE, outcome)
    assert item.generation == before.generation + 1
    assert item.key != before.key
    assert item.desired.content.title == "b is high"
    assert item.hands_off is None
    assert plan(item, now=minute(5)) == Do(CREATE)


def test_of_several_such_firings_all_are_told() -> None:
    """The first gives the new record its content, the others are notes."""
    before = item_of(folded(fired("b", 2), fired("c", 3), onto=opened()))
    item = after(before, UPDATE, record(ToolState.CLOSED, 3))
    assert item.desired.content.title == "b is high"
    assert [note.text for note in item.desired.notes] == ["Fired in Azure: c is high"]


def test_a_firing_that_ended_meanwhile_gets_none() -> None:
    """The alert that joined has ended; what a person closed stays closed."""
    before = item_of(folded(fired("b", 2), ended("b", 3), onto=opened()))
    assert after(before, UPDATE, record(ToolState.CLOSED, 3)).generation == 1


def test_a_firing_that_came_after_a_create_without_an_answer_gets_one_too() -> None:
    """The record of a create in doubt was closed before we found it: what had joined meanwhile is not in it."""
    doubtful = having(folded(fired("a")), in_doubt(new(), CREATE))
    before = item_of(folded(fired("b", 2), onto=doubtful))
    item = after(before, LOOK, record(ToolState.CLOSED, 0))
    assert (item.generation, item.desired.content.title) == (2, "b is high")


FOUND = [
    ("over before it fired: of an earlier problem, so a new record", -5.0, 2),
    ("over after it fired: of this very problem, so left", 5.0, 1),
]


@pytest.mark.parametrize(("over_at", "generation"), [row[1:] for row in FOUND], ids=[row[0] for row in FOUND])
def test_a_record_that_was_there_before_us(over_at: float, generation: int) -> None:
    """A store that was restored, or whose history was deleted, meets a record of its key that is over."""
    assert after(new(), CREATE, record(ToolState.RESOLVED, 7, at=over_at)).generation == generation


def test_a_found_record_of_unknown_end_is_left() -> None:
    """A tool that does not say when a record ended: the record counts as this problem's."""
    unknown = Confirmed("sys1", "INC1", "", ToolState.RESOLVED, 7, minute(5))
    item = after(new(), CREATE, Done(unknown))
    assert item.hands_off == "the tool has a record of it that is over already: left closed"


def test_a_revision_of_a_later_life_says_nothing() -> None:
    """A restored store meets revision 7 and has reached 2: its own notes are still owed."""
    item = after(owing_update(), LOOK, record(revision=7))
    assert len(item.desired.notes) == 1
    assert plan(item, now=minute(5)) == Do(UPDATE)


def test_notes_are_owed_until_a_revision_that_holds_them_is_confirmed() -> None:
    """A look that cannot tell the revision takes back nothing that was known."""
    item = after(owing_update(), UPDATE, record(revision=2))
    assert item.desired.notes == ()
    again = after(item, LOOK, record(revision=0))
    assert again.confirmed is not None
    assert again.confirmed.revision == 2


def parked() -> WorkItem:
    """The tool refused the resolve."""
    return after(owing_resolve(), RESOLVE, Refused("close code is mandatory"))


BY_HAND: list[tuple[str, Outcome, Plan]] = [
    ("done by hand: free", record(ToolState.RESOLVED), Rest()),
    ("deleted: free", Done(None), Rest()),
    ("still open: tried once more", record(revision=1), Do(RESOLVE)),
    ("not answered: parked with its reason", Unclear("no answer"), Park("close code is mandatory")),
    ("refused: parked with the newer reason", Refused("no right to read"), Park("no right to read")),
]


@pytest.mark.parametrize(("outcome", "next_plan"), [row[1:] for row in BY_HAND], ids=[row[0] for row in BY_HAND])
def test_a_parked_work_item_is_looked_at(outcome: Outcome, next_plan: Plan) -> None:
    """A person may do by hand what the tool refused us: a look that was asked for finds out."""
    assert plan(parked(), now=minute(5), look=True) == Do(LOOK)
    assert plan(after(parked(), LOOK, outcome), now=minute(5)) == next_plan


@pytest.mark.parametrize(
    ("step", "outcome", "refusal"),
    [
        (RESOLVE, TryLater("busy"), "close code is mandatory"),
        (RESOLVE, Unclear("no answer"), "close code is mandatory"),
        (RESOLVE, Refused("no right to write"), "no right to write"),
        (RESOLVE, record(revision=2), "close code is mandatory"),
        (RESOLVE, record(ToolState.RESOLVED, 2), ""),
        (LOOK, record(revision=1), "close code is mandatory"),
        (LOOK, record(ToolState.RESOLVED, 1), ""),
    ],
)
def test_a_refusal_is_remembered_until_the_tool_has_what_is_owed(
    step: StepKind, outcome: Outcome, refusal: str
) -> None:
    """Trying again forgets that it is parked, and not why: so the log can tell that it goes on."""
    tried = unpark(parked())
    assert (tried.parked, tried.refusal) == (None, "close code is mandatory")
    assert after(tried, step, outcome).refusal == refusal


def test_what_is_refused_once_more_is_parked_once_more() -> None:
    """A look of a parked work item brings one further attempt, and not one after the other."""
    again = after(after(parked(), LOOK, record(revision=1)), RESOLVE, Refused("close code is still mandatory"))
    assert plan(again, now=minute(5)) == Park("close code is still mandatory")


def test_a_refused_look_that_works_later_frees_the_work_item() -> None:
    """Parked because looking was refused: when it works, the step that was in doubt goes on."""
    blind = after(in_doubt(new(), CREATE), LOOK, Refused("no right to read"))
    assert plan(unpark(blind), now=minute(5)) == Do(LOOK)
    assert plan(after(unpark(blind), LOOK, Done(None)), now=minute(5)) == Do(CREATE)


def test_a_person_tries_again_at_once() -> None:
    """Unparking forgets failures and waits."""
    item = unpark(replace(parked(), attempts=9, not_before=minute(99), waiting="busy"))
    assert (item.parked, item.attempts, item.not_before, item.waiting) == (None, 0, None, "")
    assert plan(item, now=minute(5)) == Do(RESOLVE)
