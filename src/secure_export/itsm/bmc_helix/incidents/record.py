"""What a work item is in BMC's fields, and what an incident there means for us: pure.

The revision that an incident holds stands in the summary of the work notes themselves: a note and the mark that tells
of it are one entry, whichever way it was written, so that a look after a lost answer knows exactly which are there.
"""

import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from urllib.parse import quote

from secure_export.itsm.bmc_helix.cmdb.ci_reference import reference
from secure_export.itsm.bmc_helix.cmdb.ci_rows import ci_name
from secure_export.itsm.bmc_helix.forms import NUMBER, REQUEST_ID
from secure_export.itsm.bmc_helix.rows import ID, Row, first, time_of, value
from secure_export.itsm.bmc_helix.settings import BmcHelixSettings
from secure_export.itsm.notes import Part, bound_cis
from secure_export.itsm.texts import SHORTENED, cut, utf8_bytes
from secure_export.workitems.work_item import Binding, Confirmed, ToolState, WorkItem

NEW = "New"
ASSIGNED = "Assigned"
IN_PROGRESS = "In Progress"
RESOLVED = "Resolved"
CANCELLED = "Cancelled"
CREATE_ACTION = {"z1D_Action": "CREATE"}
CHANGE_ACTION = {"z1D Action": "MODIFY"}
# Of versions whose form does not say how long its summary is (it is 100 in older ones, 254 in newer ones).
LONGEST_TITLE = 100
LONGEST_DESCRIPTION = 32_000
LONGEST_NOTES = 32_000
LONGEST_RESOLUTION = 32_000
MARK = "Azure Monitor alert, rev "
_MARKED = re.compile(rf"{MARK}([0-9]{{1,12}})")
_OVER = {
    "Resolved": ToolState.RESOLVED,
    "4": ToolState.RESOLVED,
    "Closed": ToolState.CLOSED,
    "5": ToolState.CLOSED,
    "Cancelled": ToolState.CLOSED,
    "6": ToolState.CLOSED,
}
_ROW_FIELDS = (
    *(REQUEST_ID, NUMBER, "InstanceId", "Status", "Status_Reason", "Resolution", "Assignee", "Assigned Group"),
    *("HPD_CI_ReconID", "Submitter", "Submit Date", "Last Modified Date", "Last Modified By"),
    *("Last Resolved Date", "Closed Date"),
)


def row_fields(key_field: str) -> tuple[str, ...]:
    """Give the fields that are read of an incident; names that a version does not have do no harm."""
    return (key_field, *_ROW_FIELDS)


def title_of(item: WorkItem, most: int | None) -> str:
    """Give the summary: one line, as long as the form's field is."""
    return cut(" ".join(item.desired.content.title.split()), most or LONGEST_TITLE, size=utf8_bytes)


def description_of(item: WorkItem, most: int | None) -> str:
    """Give the details, as long as the form's field is."""
    longest = min(most or LONGEST_DESCRIPTION, LONGEST_DESCRIPTION)
    return cut(item.desired.content.description, longest, size=utf8_bytes, ending=SHORTENED)


def mark(revision: int) -> str:
    """Give the summary of a work note that brings an incident to a revision."""
    return f"{MARK}{revision}"


def marked_revision(summary: str) -> int:
    """Say which revision a work note's summary tells of; 0: none."""
    found = _MARKED.fullmatch(summary.strip())
    return int(found.group(1)) if found else 0


def work_info(part: Part, settings: BmcHelixSettings) -> dict[str, str]:
    """Give the values that write a work note together with the incident itself; none for a part without a text."""
    if not part.text:
        return {}
    return {
        "z1D_WorklogDetails": mark(part.revision),
        "z1D_Details": part.text,
        "z1D_Activity_Type": settings.work_info_type,
        "z1D_View_Access": settings.work_info_access,
        "z1D_Secure_Log": "Yes",
    }


def ci_values(cis: Sequence[Binding], asset_forms: Mapping[str, str]) -> dict[str, str]:
    """Give the four values that bind an incident to the first CI; none when there is none."""
    for binding in cis:
        if (ci := reference(binding.id)) is not None:
            return {
                "HPD_CI": ci_name(binding),
                "HPD_CI_ReconID": ci.identity,
                "HPD_CI_FormName": ci.class_id,
                "z1D_CI_FormName": ci.asset_form(asset_forms),
            }
    return {}


def opening(item: WorkItem, settings: BmcHelixSettings, lengths: Mapping[str, int | None]) -> dict[str, Any]:
    """Give what a new incident says, without its key, notes and further fields.

    Args:
        item: The work item.
        settings: The connection's settings.
        lengths: How long the form's texts may be, by field.
    """
    content = item.desired.content
    return {
        "Description": title_of(item, lengths.get("Description")),
        "Detailed_Decription": description_of(item, lengths.get("Detailed_Decription")),
        "Impact": settings.impact[content.impact],
        "Urgency": settings.urgency[content.urgency],
        "Status": NEW,
        **ci_values(bound_cis(content.bindings), settings.cmdb.asset_forms),
        **CREATE_ACTION,
    }


def state_of(row: Row) -> ToolState:
    """Say what an incident's state is."""
    return _OVER.get(value(row, "Status"), ToolState.OPEN)


def is_over(row: Row) -> bool:
    """Whether an incident is resolved, closed or cancelled."""
    return state_of(row) is not ToolState.OPEN


def update_id(row: Row) -> str:
    """Give the id by which an incident is changed: of the join form, the base record's id twice.

    Some servers show the base record's id alone (recorded answers); it is completed.
    """
    found = first(row, REQUEST_ID) or str(row.get(ID) or "")
    return found if not found or "|" in found else f"{found}|{found}"


def confirmed(
    row: Row, settings: BmcHelixSettings, *, at: datetime, revision: int, remarks: Sequence[str] = ()
) -> Confirmed:
    """Say what an incident tells of its work item.

    Args:
        row: The incident.
        settings: The connection's settings.
        at: When we were told.
        revision: The revision that it is known to hold; 0: not known.
        remarks: What BMC did differently.
    """
    state = state_of(row)
    changed = time_of(row, "Last Modified Date")
    return Confirmed(
        ref=update_id(row),
        number=value(row, NUMBER),
        url=page(row, settings.incident_url),
        state=state,
        revision=revision,
        at=at,
        assignment=first(row, "Assignee", "Assigned Group"),
        ended_at=_ended_at(row, state) or (changed if state is not ToolState.OPEN else None),
        remarks=tuple(remarks),
        tool_state=value(row, "Status"),
        resolution=_resolution(row, state),
        changed_at=changed,
    )


def page(row: Row, template: str) -> str:
    """Give the address at which a person opens an incident; empty without a template."""
    ids = {
        "number": value(row, NUMBER),
        "entry_id": update_id(row).partition("|")[0],
        "instance_id": value(row, "InstanceId"),
    }
    return template.format(**{name: quote(text, safe="") for name, text in ids.items()}) if template else ""


def age(row: Row) -> tuple[str, str]:
    """Orders incidents by when they were made; of the same second by their numbers, so that everybody orders alike."""
    at = time_of(row, "Submit Date")
    return (at.isoformat() if at is not None else "9", value(row, NUMBER))


def _ended_at(row: Row, state: ToolState) -> datetime | None:
    match state:
        case ToolState.RESOLVED:
            return time_of(row, "Last Resolved Date")
        case ToolState.CLOSED:
            return time_of(row, "Last Resolved Date", "Closed Date")
        case _:
            return None


def _resolution(row: Row, state: ToolState) -> str:
    reason = value(row, "Status_Reason") if state is not ToolState.OPEN else ""
    return ": ".join(text for text in (reason.strip(), value(row, "Resolution").strip()) if text)
