"""What is told of a step, whichever way it ends."""

import pytest
from tests.conformance.connector_suite_steps import work_item

from secure_export.itsm.ended import Ended, unread, unwritten
from secure_export.itsm.record_keeper import RecordKeeper
from secure_export.itsm.verdict import Later, NotSignedIn, NotThere, Ok, Refused, Unclear, Verdict
from secure_export.workitems import outcome
from secure_export.workitems.outcome import Done, Outcome
from secure_export.workitems.work_item import StepKind, WorkItem

REFUSED, CUT = outcome.Refused("no"), outcome.Unclear("cut short")


class Step:
    """A step that changed something before it could not go on."""

    def cut_short(self, _: Outcome) -> Outcome:
        return CUT


async def done(_: Step) -> Done:
    return Done(None)


async def ended(_: Step) -> Done:
    raise Ended(REFUSED)


@pytest.mark.parametrize("kind", list(StepKind))
async def test_a_step_that_cannot_go_on_says_what_it_changed(kind: StepKind) -> None:
    """Each kind of step goes its own way; only a create tells its own end, however far it came."""
    ways = dict.fromkeys(StepKind, done)
    for way, expected in ((done, Done(None)), (ended, REFUSED if kind is StepKind.CREATE else CUT)):
        keeper = RecordKeeper(lambda _: Step(), {**ways, kind: way})
        assert await getattr(keeper, kind.value)(work_item()) == expected


async def test_what_is_not_kept_here_is_no_step() -> None:
    """A work item of another kind is refused before anything is asked."""

    def begin(_: WorkItem) -> Step:
        raise Ended(REFUSED)

    assert await RecordKeeper(begin, dict.fromkeys(StepKind, done)).update(work_item()) == REFUSED


@pytest.mark.parametrize(
    ("told", "expected"),
    [
        (Later("busy"), outcome.TryLater("x could not be read: busy")),
        (NotSignedIn("who?"), outcome.TryLater("x could not be read: who?")),
        (NotThere("gone"), outcome.TryLater("x could not be read: gone")),
        (Unclear("odd"), outcome.TryLater("x could not be read: odd")),
        (Refused("no"), outcome.Refused("x could not be read: no")),
        (Ok(), outcome.TryLater("x could not be read")),
    ],
)
def test_a_reading_that_brought_nothing_changed_nothing(told: Verdict[Ok, Refused], expected: Outcome) -> None:
    """It is made again later, unless the tool refuses it."""
    assert unread(told, "x") == expected


@pytest.mark.parametrize(
    ("told", "expected"),
    [
        (Later("busy"), outcome.TryLater),
        (NotSignedIn("who?"), outcome.TryLater),
        (Refused("no"), outcome.Refused),
        (NotThere("gone"), outcome.Unclear),
        (Unclear("odd"), outcome.Unclear),
        (Ok(), outcome.Unclear),
    ],
)
def test_a_change_that_may_have_been_made_is_unclear(told: Verdict[Ok, Refused], expected: type[Outcome]) -> None:
    """A record that is not found any more, and an answer without it, leave doubt."""
    assert isinstance(unwritten(told), expected)
