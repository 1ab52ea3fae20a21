"""What a work item is in ServiceNow's fields, and what a record there means for us: pure.

The revision that a record holds stands in the record itself, in ``correlation_display``, written by the same call as
the notes: entries of a journal cannot be taken back or written twice without being seen, so that a look after an answer
that was lost must tell exactly which of them are there.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from urllib.parse import quote

from secure_export.itsm import texts
from secure_export.itsm.notes import Part, bound_cis
from secure_export.itsm.notes import parts as shared_parts
from secure_export.itsm.servicenow.api.rows import Row, display, value
from secure_export.itsm.servicenow.tasks.kinds import Kind
from secure_export.itsm.texts import utf16_units as units
from secure_export.workitems.work_item import Confirmed, Note, ToolState, WorkItem

LONGEST_TITLE = 160
LONGEST_DESCRIPTION = 4000
LONGEST_NOTES = 4000
_LONGEST_DISPLAY = 100
# Journals show as HTML what stands between two (property glide.ui.security.allow_codetag, true as shipped).
_CODE_TAG = re.compile(r"\[(\s*/?\s*code\s*)\]", re.IGNORECASE)
_REVISION = re.compile(r" · rev ([0-9]{1,12})\Z")
_TIME = "%Y-%m-%d %H:%M:%S"
_MOST_SHOWN = 60
# The instance gives these forms of their own, or they are read back on purpose elsewhere.
_NOT_COMPARED = frozenset({"sys_id", "work_notes", "state", "correlation_id", "correlation_display"})
_ROW_FIELDS = (
    *("sys_id", "number", "state", "active", "correlation_id", "correlation_display", "cmdb_ci"),
    *("assigned_to", "assignment_group", "resolved_at", "closed_at"),
    *("sys_created_on", "sys_created_by", "sys_updated_on", "sys_updated_by", "sys_mod_count"),
)


def row_fields(kind: Kind, *further: str) -> tuple[str, ...]:
    """Give the fields that are read of a record; names that a table does not have do no harm."""
    ending = tuple(name for name in (kind.code_field, kind.notes_field, *kind.text_fields) if name)
    return tuple(dict.fromkeys((*_ROW_FIELDS, *ending, *further)))


def cut(text: str, most: int, ending: str = "…") -> str:
    """Shorten a text as the instance counts, with an ending that says so."""
    return texts.cut(text, most, size=units, ending=ending)


def harmless(text: str) -> str:
    """Take the meaning from what a journal shows as HTML: alert texts are written by whoever can make an alert."""
    return _CODE_TAG.sub(r"(\1)", text)


def title_of(item: WorkItem) -> str:
    """Give the short description: one line."""
    return cut(" ".join(harmless(item.desired.content.title).split()), LONGEST_TITLE)


def description_of(item: WorkItem, most: int = LONGEST_DESCRIPTION) -> str:
    """Give the description as long as the field is."""
    return cut(harmless(item.desired.content.description), most, texts.SHORTENED)


def display_of(item: WorkItem, revision: int) -> str:
    """Give what ``correlation_display`` says of a record that holds a revision."""
    ending = f" · rev {revision}"
    return f"{cut(title_of(item), _LONGEST_DISPLAY - units(ending))}{ending}"


def revision_of(row: Row) -> int:
    """Say which revision a record holds; 0 when it does not tell."""
    found = _REVISION.search(value(row, "correlation_display"))
    return int(found.group(1)) if found else 0


def parts(notes: Sequence[Note], held: int, revision: int) -> list[Part]:
    """Share the notes that a record does not have yet over as few entries as may be; see ``notes.parts``."""
    safe = [replace(note, text=harmless(note.text)) for note in notes]
    return shared_parts(safe, held, revision, most=LONGEST_NOTES, size=units)


def opening(item: WorkItem, kind: Kind, fields: Mapping[str, str], part: Part) -> dict[str, str]:
    """Give the values of a new record, without its keys.

    Args:
        item: The work item.
        kind: What it becomes.
        fields: Further fields, in ServiceNow's values.
        part: The notes that it begins with.
    """
    content = item.desired.content
    cis = bound_cis(content.bindings)
    return {
        **fields,
        "short_description": title_of(item),
        "description": description_of(item),
        "impact": str(content.impact),
        "urgency": str(content.urgency),
        **({"priority": str(content.priority)} if kind.writes_priority else {}),
        **({"cmdb_ci": cis[0].id or ""} if cis else {}),
        **({"work_notes": part.text} if part.text else {}),
        "correlation_display": display_of(item, part.revision),
    }


def is_over(row: Row, kind: Kind) -> bool:
    """Whether a record is resolved, closed or cancelled."""
    return state_of(row, kind) is not ToolState.OPEN


def state_of(row: Row, kind: Kind) -> ToolState:
    """Say what a record's state is."""
    active = {"true": True, "false": False}.get(value(row, "active"))
    return kind.tool_state(value(row, "state"), active=active)


def confirmed(  # noqa: PLR0913 - what is said of a record, and by whom
    row: Row, kind: Kind, *, url: str, at: datetime, revision: int | None = None, remarks: Sequence[str] = ()
) -> Confirmed:
    """Say what a record tells of its work item.

    Args:
        row: The record, each field with value and display value.
        kind: What it is.
        url: The instance's address.
        at: When we were told.
        revision: The revision that we have just written; None: what the record says.
        remarks: What the instance did differently.
    """
    state = state_of(row, kind)
    ended = time_of(row, "resolved_at") or time_of(row, "closed_at")
    return Confirmed(
        ref=value(row, "sys_id"),
        number=value(row, "number"),
        url=page(url, kind.table, value(row, "sys_id")),
        state=state,
        revision=revision_of(row) if revision is None else revision,
        at=at,
        assignment=display(row, "assigned_to") or display(row, "assignment_group"),
        ended_at=None if state is ToolState.OPEN else ended or time_of(row, "sys_updated_on"),
        remarks=tuple(remarks),
        tool_state=display(row, "state"),
        resolution=_resolution(row, kind),
        changed_at=time_of(row, "sys_updated_on"),
        at_work=state is ToolState.OPEN and value(row, "state") in kind.states_at_work,
    )


def page(url: str, table: str, sys_id: str) -> str:
    """Give the address at which a person opens a record."""
    return f"{url}/nav_to.do?uri={quote(f'{table}.do?sys_id={sys_id}', safe='')}"


def time_of(row: Row, name: str) -> datetime | None:
    """Read a point in time, which the value form gives in UTC; None when there is none."""
    try:
        return datetime.strptime(value(row, name), _TIME).replace(tzinfo=UTC)
    except ValueError:
        return None


def as_query(at: datetime) -> str:
    """Write a time as an encoded query has it: in UTC."""
    return at.astimezone(UTC).strftime(_TIME)


def differences(sent: Mapping[str, str], row: Row) -> dict[str, str]:
    """Say what a record has otherwise than it was sent: by field, a sentence for people.

    An instance blanks what is no choice of a field, cuts what is too long, and passes over what it does not let us
    write, all without a word.

    Args:
        sent: The values that were sent.
        row: The record as it was answered.
    """
    found: dict[str, str] = {}
    for name, wanted in sent.items():
        if name in _NOT_COMPARED or not wanted:
            continue
        if (why := _difference(name, wanted, row)) is not None:
            found[name] = why
    return found


def _difference(name: str, wanted: str, row: Row) -> str | None:
    if name not in row:
        return f"ServiceNow does not show {name}: the table has no such field, or the integration user may not read it"
    there = _plain(value(row, name))
    if there == _plain(wanted):
        return None
    if not there:
        return (
            f"ServiceNow left {name} empty instead of {_shown(wanted)}: it is none of the field's choices, or the "
            "integration user may not write the field"
        )
    if _plain(wanted).startswith(there):
        return f"ServiceNow cut {name} to {units(there)} characters"
    return (
        f"ServiceNow has {_shown(display(row, name))} in {name} instead of {_shown(wanted)}: a rule of its own set it"
    )


def _plain(text: str) -> str:
    return text.replace("\r\n", "\n").strip()


def _shown(text: str) -> str:
    return repr(cut(text, _MOST_SHOWN))


def _resolution(row: Row, kind: Kind) -> str:
    code = display(row, kind.code_field) if kind.code_field else ""
    notes = value(row, kind.notes_field) if kind.notes_field else ""
    return ": ".join(text for text in (code, notes.strip()) if text)
