"""The change request's state models, one for each type (servicenow-facts 9.2)."""

from itertools import pairwise
from typing import TYPE_CHECKING

from secure_export.sandbox.servicenow.rules import Change, Operation

if TYPE_CHECKING:
    from secure_export.sandbox.servicenow.instance import Instance

NEW, ASSESS, AUTHORIZE, SCHEDULED, IMPLEMENT, REVIEW, CLOSED, CANCELED = "-5", "-4", "-3", "-2", "-1", "0", "3", "4"
CHECK_TRANSITION = "Change Model: Check State Transition"
_WAYS = {
    "normal": (NEW, ASSESS, AUTHORIZE, SCHEDULED, IMPLEMENT, REVIEW, CLOSED),
    "emergency": (NEW, AUTHORIZE, SCHEDULED, IMPLEMENT, REVIEW, CLOSED),
    "standard": (NEW, SCHEDULED, IMPLEMENT, REVIEW, CLOSED),
}


def install(instance: "Instance") -> None:
    """Register the rules."""
    instance.before("change_request", _check_transition, operations=[Operation.UPDATE], order=40)


def next_states(change_type: str, state: str) -> frozenset[str]:
    """Give the states that a change of a type can move to."""
    steps = {one: {other} for one, other in pairwise(_WAYS.get(change_type, _WAYS["normal"]))}
    if state in steps:
        return frozenset(steps[state] | {CANCELED})
    return frozenset()


def _check_transition(change: Change) -> None:
    if change.changes("state") and change.new("state") not in next_states(change.new("type"), change.old("state")):
        change.abort(CHECK_TRANSITION)
