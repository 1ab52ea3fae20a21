"""Work info of an incident, by its own form and by display-only fields of the incident (bmc-facts section 5)."""

from typing import Any, Final

from secure_export.sandbox.bmc_helix.change import Change
from secure_export.sandbox.bmc_helix.entries import Row
from secure_export.sandbox.bmc_helix.errors import outside_limits, workflow
from secure_export.sandbox.bmc_helix.forms.incident import BASE
from secure_export.sandbox.bmc_helix.forms.others import SUMMARY_LIMIT, WORK_LOG, WORK_LOG_FILES

_GENERAL_INFORMATION: Final = 6000
_FROM_DISPLAY: Final = {
    "Description": "z1D_WorklogDetails",
    "Detailed Description": "z1D_Details",
    "Work Log Type": "z1D_Activity_Type",
    "View Access": "z1D_View_Access",
    "Secure Work Log": "z1D_Secure_Log",
    "Communication Source": "z1D_CommunicationSource",
}
_ATTACHMENT: Final = "z2AF_Act_Attachment_1"


def create(change: Change) -> str:
    """Keep work info that a client sends."""
    number = change.row.get("Incident Number", "")
    change.server.check_required(change)
    incidents = change.server.entries.having(BASE, "Incident Number", [number])
    if not incidents:
        raise workflow(f"The incident {number!r} does not exist.")
    entry_id = _keep(change, incidents[0])
    if change.server.site.notes_touch_incident:
        touched = {"Last Modified By": change.user.login, "Last Modified Date": change.server.now}
        change.server.entries.put(BASE, incidents[0]["Entry ID"], incidents[0] | touched)
    return entry_id


def modify(change: Change) -> None:
    """Change work info; a secured one stays as it is."""
    if change.was("Secure Work Log") == 0:
        raise workflow("This work information is locked. It cannot be changed any more.")
    change.server.keep(change)


def check_display(change: Change) -> None:
    """Refuse a summary in the incident's display-only fields that work info has no room for."""
    if len(change.display.get("z1D_WorklogDetails") or "") > SUMMARY_LIMIT:
        raise outside_limits("z1D_WorklogDetails", SUMMARY_LIMIT)


def from_display(change: Change) -> None:
    """Make work info of what the incident's display-only fields say, if they say anything."""
    values = {field: change.display.get(source) for field, source in _FROM_DISPLAY.items()}
    if not values["Description"] and not values["Detailed Description"]:
        return
    row: dict[str, Any] = {field: value for field, value in values.items() if value is not None}
    row |= {"Incident Number": change.row["Incident Number"]}
    row.setdefault("Work Log Type", _GENERAL_INFORMATION)
    server = change.server
    made = Change(server, server.forms[WORK_LOG], change.user, dict(row), None, row)
    if _ATTACHMENT in change.files:
        made.row[WORK_LOG_FILES[0]] = change.display.get(_ATTACHMENT) or "attachment"
        made.files[WORK_LOG_FILES[0]] = change.files[_ATTACHMENT]
    _keep(made, change.row)


def of_incident(server: Any, number: str) -> list[Row]:
    """Give the work info of an incident, oldest first."""
    rows = server.entries.having(WORK_LOG, "Incident Number", [number])
    return sorted(rows, key=lambda row: str(row["Work Log ID"]))


def _keep(change: Change, incident: Row) -> str:
    change.row |= {
        "Incident Entry ID": incident["Entry ID"],
        "Work Log Submitter": change.user.login,
        "Work Log Submit Date": change.server.now,
        "Number of Attachments": len(change.files),
        "Status": 1,
    }
    change.row.setdefault("View Access", 0)
    change.row.setdefault("Secure Work Log", 1)
    return change.server.create_plain(change)
