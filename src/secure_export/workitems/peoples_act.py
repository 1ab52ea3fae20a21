"""What people did with a work item in the tool: pure.

Only what is surely a person's act counts, because it is told to others: what we resolved because Azure said so, what
time ended, and what a tool assigned by its own rules is none.
"""

from enum import StrEnum
from typing import Final

from secure_export.workitems.work_item import ToolState, WorkItem

# Why a work item is left as it is (``WorkItem.hands_off``), where that surely was a person's doing.
ENDED_BY_A_PERSON: Final = "a person closed it in the tool while its alert still fires: left closed"
ENDED_AGAIN_BY_A_PERSON: Final = "a person ended it once more after it was opened again: left to them"
_ENDED_BY_PEOPLE: Final = frozenset({ENDED_BY_A_PERSON, ENDED_AGAIN_BY_A_PERSON})
# The states of work in progress, as the tools that we know write them in English.
_AT_WORK: Final = frozenset({"acknowledged", "in progress", "on hold", "pending", "work in progress"})


class PeoplesAct(StrEnum):
    """What people did."""

    ACKNOWLEDGED = "acknowledged"
    RESOLVED = "resolved"


def peoples_act(item: WorkItem) -> PeoplesAct | None:
    """Say what people did with a work item; None: nothing that is known.

    They acknowledged it by beginning to work on it, and resolved it when its record is over in the tool while we
    wanted it open. A record that we opened again is in progress by our doing, until it shows another state.
    """
    told = item.confirmed
    if told is None:
        return None
    if told.state in {ToolState.RESOLVED, ToolState.CLOSED}:
        return PeoplesAct.RESOLVED if item.hands_off in _ENDED_BY_PEOPLE else None
    is_at_work = told.state is ToolState.OPEN and (told.at_work or _plain(told.tool_state) in _AT_WORK)
    return PeoplesAct.ACKNOWLEDGED if is_at_work and told.tool_state != item.reopened_in else None


def _plain(state: str) -> str:
    """Write a state with blanks, as people see it."""
    return state.replace("_", " ").replace("-", " ").strip().lower()
