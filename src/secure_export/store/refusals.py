"""Why a lane's change is not written."""

from secure_export.delivery.contract import ClaimedLane, Outdated
from secure_export.errors import LostLane


def lost(lane: ClaimedLane) -> LostLane:
    """Say that a lane is another's."""
    return LostLane(f"lane {lane.correlation_key} of {lane.connection} has another owner by now; nothing was written")


def outdated(lane: ClaimedLane) -> Outdated:
    """Say that what was folded by is not so any more."""
    return Outdated(f"alerts of lane {lane.correlation_key} of {lane.connection} were changed by another lane")


def nothing_to_step_for(lane: ClaimedLane) -> ValueError:
    """Say that a step needs a work item."""
    return ValueError(f"a step was begun for lane {lane.correlation_key}, which has no work item")
