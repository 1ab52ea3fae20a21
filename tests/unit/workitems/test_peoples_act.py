"""What counts as an act of people, and what does not: it is told to others."""

from dataclasses import replace

import pytest
from tests.unit.workitems.samples import fired, minute, opened
from tests.unit.workitems.test_reopening import reopening

from secure_export.workitems.confirming import keep
from secure_export.workitems.peoples_act import PeoplesAct, peoples_act
from secure_export.workitems.work_item import Confirmed, ToolState, WorkItem

ACKNOWLEDGED = PeoplesAct.ACKNOWLEDGED


def shown(item: WorkItem, tool_state: str, **changes: object) -> WorkItem:
    """Let the tool say that the record is open, in this state."""
    told = Confirmed("sys1", "INC1", "", ToolState.OPEN, 1, minute(6), tool_state=tool_state)
    return keep(item, replace(told, **changes))  # type: ignore[arg-type] # the caller names members


@pytest.mark.parametrize(
    ("tool_state", "at_work", "act"),
    [
        ("New", False, None),
        ("In Progress", False, ACKNOWLEDGED),
        ("on-hold", False, ACKNOWLEDGED),
        ("In Bearbeitung", False, None),
        ("In Bearbeitung", True, ACKNOWLEDGED),
    ],
)
def test_work_that_was_begun_is_an_acknowledgement(tool_state: str, *, at_work: bool, act: PeoplesAct | None) -> None:
    """By the tool's own value in any language, and by its word in English."""
    item = opened(fired("a")).item
    assert item is not None
    assert peoples_act(shown(item, tool_state, at_work=at_work)) is act


def test_a_record_that_we_opened_again_is_in_progress_by_our_doing() -> None:
    """Every tool's reopening sets such a state; a person's act is only what changes it afterwards."""
    item = reopening().item
    assert item is not None
    item = shown(item, "In Progress", at_work=True)
    assert peoples_act(item) is None
    assert peoples_act(shown(item, "In Progress", at_work=True)) is None
    assert peoples_act(shown(item, "On Hold", at_work=True)) is ACKNOWLEDGED
