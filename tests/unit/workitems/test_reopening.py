"""Records opened again: because it fired again, because a route insists, because the tool went back in time."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from tests.unit.workitems.samples import (
    after,
    ended,
    fired,
    folded,
    having,
    health,
    item_of,
    minute,
    opened,
    state_of,
    told,
)

from secure_export.workitems.arrival import Arrival
from secure_export.workitems.fold import Situation, fold
from secure_export.workitems.outcome import Done, Outcome, Refused, TryLater, Unclear
from secure_export.workitems.plan import Do, Plan, Rest, Wait, expire, plan
from secure_export.workitems.settle import begin
from secure_export.workitems.work_item import Confirmed, State, StepKind, ToolState, WhenPeopleEnd, WorkItem

LOOK, CREATE, UPDATE, RESOLVE, REOPEN = (
    StepKind.LOOK,
    StepKind.CREATE,
    StepKind.UPDATE,
    StepKind.RESOLVE,
    StepKind.REOPEN,
)
HOUR = timedelta(hours=1)
OPEN, RESOLVED, CLOSED = ToolState.OPEN, ToolState.RESOLVED, ToolState.CLOSED


def again(alert: str = "b", at: float = 30, **changes: Any) -> Arrival:
    """A firing of a route that opens resolved work items again within the hour."""
    return fired(alert, at, **{"reopen_within": HOUR, **changes})


def over(state: ToolState = RESOLVED, first: Arrival | None = None) -> Situation:
    """Fired, ended at minute 1, resolved in the tool."""
    situation = folded(ended("a"), onto=opened(first or fired("a")), now=minute(1))
    return having(situation, told(situation, RESOLVE, state))


def reopening() -> Situation:
    """Resolved, and fired again: the record is to be opened again."""
    return folded(again(), onto=over(), now=minute(30))


def record(state: ToolState, revision: int = 99, *, changed: float | None = None) -> Done:
    """The tool has it, and changed it at this minute."""
    ended_at = None if state is OPEN else minute(5)
    at = minute(changed) if changed is not None else None
    return Done(Confirmed("sys1", "INC1", "", state, revision, minute(5), ended_at=ended_at, changed_at=at))


def test_what_fires_again_within_the_time_opens_its_record_again() -> None:
    """The same work item, open, with a note that tells of it; the record is opened by a step of its own."""
    item = item_of(reopening())
    assert (item.id, item.generation, item.desired.state) == (item_of(over()).id, 1, State.OPEN)
    assert [note.text for note in item.desired.notes] == ["Fired again in Azure: b is high"]
    assert item.resolved_at is None
    assert item.owed
    assert plan(item, now=minute(30)) == Do(REOPEN)
    assert state_of(reopening(), "b").work_item == item.id
    assert "opened again" in state_of(reopening(), "b").reasons[-1]


NEW_ONES: list[tuple[str, Situation, Arrival]] = [
    ("a route without the setting", over(), fired("b", 30)),
    ("fired again too late", over(), again(at=61.5)),
    ("closed for good meanwhile", over(CLOSED), again()),
    ("a person closed it", having(opened(), told(opened(), LOOK, CLOSED)), again()),
    ("a person resolved it", having(opened(), told(opened(), LOOK, RESOLVED)), again()),
]


@pytest.mark.parametrize(("before", "arrival"), [row[1:] for row in NEW_ONES], ids=[row[0] for row in NEW_ONES])
def test_what_gets_a_new_work_item_all_the_same(before: Situation, arrival: Arrival) -> None:
    """Only what we resolved, and not long ago, is opened again."""
    item = item_of(folded(arrival, onto=before, now=minute(70)))
    assert item.id != item_of(before).id
    assert (item.generation, item.confirmed, item.reopening) == (2, None, False)


def test_the_last_moment_counts() -> None:
    """The time is that of the event, not that of its arrival, and its end belongs to it."""
    item = item_of(folded(again(at=61), onto=over(), now=minute(9999)))
    assert plan(item, now=minute(9999)) == Do(REOPEN)


def test_an_old_message_opens_nothing_again() -> None:
    """The late firing of an alert that has ended: repeated, nothing happens; unheard, it is recorded by itself."""
    assert item_of(folded(again("a", 0), onto=over())) == item_of(over())
    unheard = folded(ended("b", 40), again("b", 30), onto=over(), now=minute(50))
    assert item_of(unheard).generation == 2
    assert item_of(unheard).desired.state is State.RESOLVED


def test_an_outage_that_began_again_by_time_opens_its_record_again() -> None:
    """Health events tell of one problem by ids of their own; a later one is no old message."""
    before = folded(health("h2", 2, over=True), onto=opened(health("h1", 1)), now=minute(2))
    before = having(before, told(before, RESOLVE, RESOLVED))
    late = health("h0", 0.5, reopen_within=HOUR)
    assert item_of(folded(late, onto=before)).desired.state is State.RESOLVED
    assert plan(item_of(folded(health("h3", 20, reopen_within=HOUR), onto=before)), now=minute(20)) == Do(REOPEN)


def test_while_a_resolve_is_in_doubt_it_waits_for_the_look() -> None:
    """Whether there is a record to open again is not known before the look."""
    situation = folded(ended("a"), onto=opened(), now=minute(1))
    doubtful = having(situation, begin(item_of(situation), RESOLVE))
    assert fold(doubtful, again(), now=minute(30), new_id="x") is None


def test_what_ends_before_it_was_opened_again_is_opened_and_resolved() -> None:
    """The outage was short, and the tool was down: the record tells of it, and is resolved in the end."""
    situation = folded(ended("b", 40), onto=reopening(), now=minute(40))
    item = item_of(situation)
    assert plan(item, now=minute(40)) == Do(REOPEN)
    item = after(item, REOPEN, record(OPEN, item.desired.revision))
    assert plan(item, now=minute(40)) == Do(RESOLVE)


def test_or_it_is_left_resolved_where_the_route_keeps_no_record_of_those() -> None:
    """Nothing is owed for an outage that nobody is to hear of."""
    item = item_of(folded(ended("b", 40, record_short_lived=False), onto=reopening(), now=minute(40)))
    assert (item.desired.state, item.owed, item.desired.notes) == (State.RESOLVED, False, ())
    assert plan(item, now=minute(40)) == Rest()


def test_a_time_limit_of_earlier_alerts_goes_on_counting() -> None:
    """An alert that Azure never ends was closed by time; when the one that fired again has ended, time ends both."""
    limited = opened(fired("a", close_after=HOUR))
    expired = expire(item_of(limited), now=minute(61))
    situation = having(limited, told(having(limited, expired), RESOLVE, RESOLVED))
    situation = folded(again("b", 70), onto=situation, now=minute(70))
    item = told(situation, REOPEN, OPEN)
    assert expire(item, now=minute(80)) == item
    item = item_of(folded(ended("b", 90), onto=having(situation, item), now=minute(90)))
    assert expire(item, now=minute(91)).desired.state is State.RESOLVED


def no_answer(item: WorkItem) -> WorkItem:
    """Whether it was opened again is not known."""
    return replace(after(item, REOPEN, Unclear("no answer")), not_before=None)


REVISION = item_of(reopening()).desired.revision
SOON = minute(7)
STEPS: list[tuple[str, WorkItem, StepKind, Outcome, Plan]] = [
    ("opened again: nothing is owed", item_of(reopening()), REOPEN, record(OPEN, REVISION), Rest()),
    ("opened again without the note: update", item_of(reopening()), REOPEN, record(OPEN, 1), Do(UPDATE)),
    ("not now: wait", item_of(reopening()), REOPEN, TryLater("busy", SOON), Wait(SOON, "busy")),
    ("no answer: look", no_answer(item_of(reopening())), LOOK, record(OPEN, REVISION), Rest()),
    ("a look finds it resolved: open it again", no_answer(item_of(reopening())), LOOK, record(RESOLVED, 2), Do(REOPEN)),
    ("refused: a new record", item_of(reopening()), REOPEN, Refused("no right"), Do(CREATE)),
    ("closed for good: a new record", item_of(reopening()), REOPEN, record(CLOSED, 2), Do(CREATE)),
    ("closed, finds a look: a new record", no_answer(item_of(reopening())), LOOK, record(CLOSED, 2), Do(CREATE)),
    ("deleted: a new record", item_of(reopening()), REOPEN, Done(None), Do(CREATE)),
]


@pytest.mark.parametrize(("item", "step", "outcome", "next_plan"), [r[1:] for r in STEPS], ids=[r[0] for r in STEPS])
def test_what_comes_after_a_reopening(item: WorkItem, step: StepKind, outcome: Outcome, next_plan: Plan) -> None:
    """After each outcome: what is planned at that moment."""
    settled = after(item, step, outcome)
    assert plan(settled, now=minute(5)) == next_plan
    if next_plan == Do(CREATE):
        assert (settled.generation, settled.desired.content.title) == (2, "b is high")
        assert settled.reopening is False


def test_a_begun_reopening_leaves_doubt() -> None:
    """After a crash the look comes first."""
    assert plan(begin(item_of(reopening()), REOPEN), now=minute(30)) == Do(LOOK)


def test_a_reopening_that_reads_back_resolved_is_given_up_after_some_attempts() -> None:
    """A business rule that resolves at once what we open must neither hide the alert nor keep us busy for ever."""
    item = item_of(reopening())
    for _ in range(2):
        item = after(item, REOPEN, record(RESOLVED, REVISION))
        assert isinstance(plan(item, now=minute(5)), Wait)
    item = after(item, REOPEN, record(RESOLVED, REVISION))
    assert plan(item, now=minute(5)) == Do(CREATE)
    assert "reads back resolved" in item.reasons[-1]


def test_what_fires_meanwhile_is_told_in_the_new_record_too() -> None:
    """Two fired again, and the record turns out to be closed for good: one new record tells of both."""
    item = item_of(folded(again("c", 31), onto=reopening(), now=minute(31)))
    item = after(item, REOPEN, record(CLOSED, 2))
    assert [note.text for note in item.desired.notes] == ["Fired in Azure: c is high"]


def test_a_short_outage_whose_record_is_closed_for_good_rests() -> None:
    """It fired again and ended; the record cannot tell of it, and nothing is made for what is over."""
    item = item_of(folded(ended("b", 40), onto=reopening(), now=minute(40)))
    item = after(item, REOPEN, record(CLOSED, 2))
    assert (plan(item, now=minute(41)), item.generation) == (Rest(), 1)


# A person resolves it while its alert fires.

INSISTS: dict[str, Any] = {"when_people_end": WhenPeopleEnd.REOPEN}


def insisting() -> Situation:
    """Open in the tool, of a route that insists."""
    return opened(fired("a", **INSISTS))


def insisted() -> WorkItem:
    """A person resolved it: it is to be opened again."""
    return after(item_of(insisting()), LOOK, record(RESOLVED, 1))


def test_a_route_may_insist() -> None:
    """What a person resolved is opened again, with a note and a reason that say why."""
    item = insisted()
    assert plan(item, now=minute(5)) == Do(REOPEN)
    assert [note.text for note in item.desired.notes] == ["Opened again: its alert still fires in Azure."]
    assert "a person resolved it in the tool while its alert still fires: opened again" in item.reasons[-1]


def test_but_only_once() -> None:
    """Resolved once more by people, it is theirs: no fight."""
    item = after(insisted(), REOPEN, record(OPEN, insisted().desired.revision))
    item = after(item, LOOK, record(RESOLVED, item.desired.revision))
    assert item.hands_off == "a person ended it once more after it was opened again: left to them"
    assert plan(item, now=minute(9)) == Rest()


def test_not_even_when_the_answer_was_lost() -> None:
    """The look finds the reopening's note in a resolved record: it was open, and a person resolved it once more."""
    item = no_answer(insisted())
    item = after(item, LOOK, record(RESOLVED, item.desired.revision))
    assert item.hands_off == "a person ended it once more after it was opened again: left to them"


def test_without_its_note_it_was_not_opened_yet() -> None:
    """The request was lost: it is opened again now."""
    assert plan(after(no_answer(insisted()), LOOK, record(RESOLVED, 1)), now=minute(5)) == Do(REOPEN)


@pytest.mark.parametrize("outcome", [record(CLOSED, 1), Done(None)], ids=["closed", "deleted"])
def test_what_a_person_closed_for_good_is_left_all_the_same(outcome: Done) -> None:
    """Only a resolved record can be opened again."""
    item = after(item_of(insisting()), LOOK, outcome)
    assert item.hands_off is not None
    assert plan(item, now=minute(9)) == Rest()


@pytest.mark.parametrize("outcome", [record(CLOSED, 1), Refused("no right")], ids=["closed", "refused"])
def test_a_reopening_that_cannot_be_is_left_to_the_person(outcome: Outcome) -> None:
    """The alert was told in the record that a person resolved: no new one is made for it."""
    item = after(insisted(), REOPEN, outcome)
    assert item.hands_off is not None
    assert (item.generation, plan(item, now=minute(9))) == (1, Rest())


def test_a_record_of_unknown_history_is_left_resolved() -> None:
    """A restored store meets a record that is resolved: perhaps by a later life of ours, which saw the end."""
    item = after(item_of(folded(fired("a", **INSISTS))), CREATE, record(RESOLVED, 7))
    assert item.hands_off == "the tool has a record of it that is over already: left closed"


def test_a_new_record_may_be_insisted_on_anew() -> None:
    """After a second end by people a firing that they could not see got a record of its own, with a word of its own."""
    item = after(insisted(), REOPEN, record(OPEN, insisted().desired.revision))
    item = item_of(folded(fired("b", 6, **INSISTS), onto=having(insisting(), item)))
    item = after(item, UPDATE, record(RESOLVED, 1))
    assert (item.generation, plan(item, now=minute(6))) == (2, Do(CREATE))
    item = after(
        after(item, CREATE, record(OPEN, item.desired.revision)), LOOK, record(RESOLVED, item.desired.revision)
    )
    assert plan(item, now=minute(7)) == Do(REOPEN)


def test_a_firing_that_the_person_could_not_see_is_told_by_the_reopening() -> None:
    """One work item, not two: the record that is opened again tells of it."""
    item = item_of(folded(fired("b", 2, **INSISTS), onto=insisting()))
    item = after(item, UPDATE, record(RESOLVED, 1))
    assert plan(item, now=minute(5)) == Do(REOPEN)
    assert item.desired.notes[0].text == "Fired in Azure: b is high"


def test_the_newest_firing_says_what_its_route_wants() -> None:
    """The setting may change while a work item is open: the next firing brings it along."""
    item = item_of(folded(fired("b", 2), onto=insisting()))
    assert item.when_people_end is WhenPeopleEnd.LEAVE


def test_when_it_ends_before_it_was_opened_again_the_persons_word_stands() -> None:
    """A person resolved it, and Azure ended it: nothing is opened only to be resolved."""
    situation = having(insisting(), insisted())
    item = item_of(folded(ended("a", 6), onto=situation, now=minute(6)))
    assert (plan(item, now=minute(6)), item.desired.state, item.hands_off) == (Rest(), State.RESOLVED, None)


def test_but_a_reopening_in_doubt_is_looked_at_first() -> None:
    """It may have been opened: then the resolve is owed."""
    situation = having(insisting(), no_answer(insisted()))
    item = item_of(folded(ended("a", 6), onto=situation, now=minute(6)))
    assert plan(item, now=minute(6)) == Do(LOOK)
    assert plan(after(item, LOOK, record(OPEN, 2)), now=minute(6)) == Do(RESOLVE)


def test_a_new_outage_may_be_insisted_on_anew() -> None:
    """What fires again after our own resolve begins from the start."""
    item = after(insisted(), REOPEN, record(OPEN, insisted().desired.revision))
    situation = folded(ended("a", 6), onto=having(insisting(), item), now=minute(6))
    situation = having(situation, told(situation, RESOLVE, RESOLVED))
    assert item_of(folded(again(**INSISTS), onto=situation, now=minute(30))).insisted == 0


# The tool's data goes back in time.


def resolved_at(minutes: float) -> WorkItem:
    """Resolved, and the tool said when it changed the record."""
    situation = folded(ended("a"), onto=opened(), now=minute(1))
    return after(item_of(situation), RESOLVE, record(RESOLVED, 2, changed=minutes))


OLD_COPIES: list[tuple[str, float | None, float | None, Plan]] = [
    ("older than we knew it: an old copy, resolved again", 5, 3, Do(RESOLVE)),
    ("newer: a person opened it", 5, 7, Rest()),
    ("in the same moment: a person opened it", 5, 5, Rest()),
    ("the tool does not say now: a person opened it", 5, None, Rest()),
    ("the tool did not say before: a person opened it", None, 3, Rest()),
]


@pytest.mark.parametrize(
    ("knew", "says", "next_plan"), [row[1:] for row in OLD_COPIES], ids=[row[0] for row in OLD_COPIES]
)
def test_a_record_of_an_old_copy_is_nobodys_reopening(knew: float | None, says: float | None, next_plan: Plan) -> None:
    """Found open after it was resolved: by a person, unless the record is older than we knew it."""
    item = resolved_at(knew) if knew is not None else after(item_of(over()), LOOK, record(RESOLVED, 2))
    item = after(item, LOOK, record(OPEN, 1, changed=says))
    assert plan(item, now=minute(9)) == next_plan
    assert item.left_open is (next_plan == Rest())
    assert ("older copy" in item.reasons[-1]) is (next_plan == Do(RESOLVE))


def test_what_a_person_ended_is_ended_again_after_an_old_copy_came_back() -> None:
    """Nobody took the person's word back: the record that they closed is over again."""
    item = after(item_of(opened()), LOOK, record(CLOSED, 1, changed=5))
    item = after(item, LOOK, record(OPEN, 1, changed=3))
    assert plan(item, now=minute(9)) == Do(RESOLVE)


def test_a_time_once_told_is_kept_while_the_tool_does_not_say() -> None:
    """Answers that do not tell the time do not make us forget it."""
    item = after(resolved_at(5), LOOK, record(RESOLVED, 2))
    assert plan(after(item, LOOK, record(OPEN, 1, changed=3)), now=minute(9)) == Do(RESOLVE)


# What the tool remarks.


def remarking(*remarks: str) -> Done:
    """The tool has it, and says something about it."""
    told_so = record(OPEN, 99).confirmed
    assert told_so is not None
    return Done(replace(told_so, revision=1, remarks=remarks))


def test_what_the_tool_remarks_becomes_a_reason_once() -> None:
    """Every look says it again, or does not: it is told once, and kept."""
    item = after(item_of(folded(fired("a"))), CREATE, remarking("no category 'Cloud'", "no category 'Cloud'"))
    for outcome in (remarking("no category 'Cloud'"), remarking(), remarking("no category 'Cloud'", "no CI field")):
        item = after(item, LOOK, outcome)
    assert item.reasons[-2:] == ("no category 'Cloud'", "no CI field")
    assert item.reasons.count("no category 'Cloud'") == 1
    assert item.confirmed is not None
    assert item.confirmed.remarks == ("no category 'Cloud'", "no CI field")


def test_remarks_are_bounded() -> None:
    """A tool that says something else every time does not make the work item grow."""
    item = item_of(opened())
    for number in range(50):
        item = after(item, LOOK, remarking(f"{number} " + "x" * 9999))
    assert item.confirmed is not None
    assert len(item.confirmed.remarks) == 20
    assert all(len(remark) <= 500 for remark in item.confirmed.remarks)
