"""The filters of each list."""

from collections.abc import Mapping
from typing import Any

from secure_export.console.query import CONNECTION, PAGING, Parameter
from secure_export.itsm.desk.incident import OPEN_STATES, IncidentState

ANY_OPEN = "open"

ALERTS = (
    CONNECTION,
    Parameter("condition", "Only those that fire, or only those that are resolved.", choices=("fired", "resolved")),
    Parameter("work_item", "Only those of this work item (its id)."),
    Parameter("search", "Only those that contain this text."),
    *PAGING,
)
ALERT = (Parameter("connection", "Only the one of this connection, where several have an alert of this id."),)
WORK_ITEMS = (
    CONNECTION,
    Parameter("state", "Only those that should be in this state.", choices=("open", "resolved")),
    Parameter("owed", "Only those that the ITSM tool has not confirmed, or only those it has.", "flag"),
    Parameter("unbound", "Only those that name something the CMDB does not have, or only the others.", "flag"),
    *PAGING,
)
LANES = (
    CONNECTION,
    Parameter("state", "Only those in this state.", choices=("ready", "claimed", "waiting", "parked")),
    *PAGING,
)
QUARANTINE = (CONNECTION, *PAGING)
CIS = (Parameter("search", "Only those whose name, class or resource id contains this text."), *PAGING)
INCIDENTS = (
    CONNECTION,
    Parameter(
        "state",
        "Only those in this state; `open` means new, in progress or on hold.",
        choices=(ANY_OPEN, *(state.value for state in IncidentState)),
    ),
    Parameter("ci", "Only those about the configuration item with this id."),
    Parameter("search", "Only those whose number or title contains this text."),
    *PAGING,
)


def incident_filter(asked: Mapping[str, Any]) -> dict[str, Any]:
    """Turn what was asked into what the desk understands."""
    rest = {name: value for name, value in asked.items() if name != "state"}
    state = asked.get("state")
    if state is None:
        return rest
    return {**rest, "states": OPEN_STATES if state == ANY_OPEN else (IncidentState(state),)}
