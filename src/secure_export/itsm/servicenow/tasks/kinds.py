"""The kinds of tasks, and what their states mean: pure. ``state`` has other values, and other meanings, in each table.

Sources: ServiceNow documentation, "Incident management state model", "Problem management", "Change states"; for tables
that only extend ``task`` its own choices of ``state``.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from secure_export.itsm.servicenow.settings import ServiceNowSettings, TableSettings
from secure_export.workitems.work_item import ToolState

NEVER = "never"
_ALIASES = {"change": "change_request"}
_TABLE = re.compile(r"[a-z][a-z0-9_]{0,79}")


@dataclass(frozen=True, slots=True)
class Kind:
    """What is to be known of a table of tasks.

    Attributes:
        table: Its name.
        open_states: Values of ``state`` that mean that there is work to do.
        resolved_states: Values that mean that it is resolved, and can be opened again.
        closed_states: Values that are final.
        resolved_state: The value that a resolve sets; None: a person has to end it.
        reopen_state: The value that opens a resolved record again; None: it is not opened again.
        cancelled_state: The value that a superfluous twin gets.
        code_field: The field that says in a word or two how it was resolved; empty: there is none.
        notes_field: The field that says it in sentences; empty: there is none.
        close_codes: Values or labels for ``code_field``, the best first.
        duplicate_code: The one for a superfluous twin that is resolved as a duplicate; empty: there is none.
        close_fields: Further fields that a resolve sets.
        text_fields: Fields that a resolve also puts its reason into, where people left them empty.
        cancel_fields: Further fields that cancelling a twin sets.
        writes_priority: Whether ``priority`` is written; elsewhere the instance computes it from impact and urgency.
        states_at_work: Values among ``open_states`` that mean that somebody began to work on it.
    """

    table: str
    open_states: tuple[str, ...]
    resolved_states: tuple[str, ...]
    closed_states: tuple[str, ...]
    resolved_state: str | None
    reopen_state: str | None
    cancelled_state: str
    code_field: str = ""
    notes_field: str = "close_notes"
    close_codes: tuple[str, ...] = ()
    duplicate_code: str = ""
    close_fields: Mapping[str, str] = field(default_factory=dict)
    text_fields: tuple[str, ...] = ()
    cancel_fields: Mapping[str, str] = field(default_factory=dict)
    writes_priority: bool = False
    states_at_work: tuple[str, ...] = ()

    def tool_state(self, state: str, *, active: bool | None = None) -> ToolState:
        """Say what a value of ``state`` means.

        Args:
            state: The value.
            active: ``active`` of the record, which tells for values that nobody here knows; None: not told.
        """
        if state in self.closed_states:
            return ToolState.CLOSED
        if state in self.resolved_states:
            return ToolState.RESOLVED
        return ToolState.CLOSED if state not in self.open_states and active is False else ToolState.OPEN


INCIDENT = Kind(
    table="incident",
    open_states=("1", "2", "3"),
    resolved_states=("6",),
    closed_states=("7", "8"),
    resolved_state="6",
    reopen_state="2",
    cancelled_state="8",
    code_field="close_code",
    duplicate_code="Duplicate",
    states_at_work=("2", "3"),
)
PROBLEM = Kind(
    table="problem",
    open_states=("101", "102", "103", "104"),
    resolved_states=("106",),
    closed_states=("107",),
    resolved_state="106",
    reopen_state="103",
    cancelled_state="107",
    code_field="resolution_code",
    notes_field="fix_notes",
    close_codes=("fix_applied", "risk_accepted"),
    text_fields=("cause_notes",),
    cancel_fields={"resolution_code": "canceled"},
    states_at_work=("103", "104"),
)
CHANGE_REQUEST = Kind(
    table="change_request",
    open_states=("-5", "-4", "-3", "-2", "-1", "0"),
    resolved_states=(),
    closed_states=("3", "4"),
    resolved_state=None,
    reopen_state=None,
    cancelled_state="4",
    code_field="close_code",
    close_codes=("successful",),
)
PROBLEM_TASK = Kind(
    table="problem_task",
    open_states=("151", "152", "154"),
    resolved_states=("157",),
    closed_states=(),
    resolved_state="157",
    reopen_state="154",
    cancelled_state="157",
    states_at_work=("154",),
)
TASK = Kind(
    table="task",
    open_states=("-5", "1", "2"),
    resolved_states=("3",),
    closed_states=("4", "7"),
    resolved_state="3",
    reopen_state="2",
    cancelled_state="4",
    writes_priority=True,
    states_at_work=("2",),
)
_KNOWN: Mapping[str, Kind] = {kind.table: kind for kind in (INCIDENT, PROBLEM, CHANGE_REQUEST, PROBLEM_TASK, TASK)}


def kind_of(work_item: str, settings: ServiceNowSettings) -> Kind | None:
    """Give the kind of task that a route's ``work_item`` asks for; None when it is no name of a table.

    A table that nobody here knows is taken for one that extends ``task`` and keeps its states.
    """
    table = _ALIASES.get(work_item, work_item)
    if not _TABLE.fullmatch(table):
        return None
    kind = _KNOWN.get(table, replace(TASK, table=table))
    if table == INCIDENT.table:
        kind = replace(kind, close_codes=settings.close_codes)
    return _with(kind, settings.tables[table]) if table in settings.tables else kind


def _with(kind: Kind, told: TableSettings) -> Kind:
    """Let what is configured for a table stand over what is known of it."""
    resolved = kind.resolved_state if told.resolved_state is None else _state(told.resolved_state)
    closed = told.closed_states or kind.closed_states
    return replace(
        kind,
        open_states=told.open_states or kind.open_states,
        resolved_states=_resolved_states(kind, resolved, closed) if told.resolved_state else kind.resolved_states,
        closed_states=closed,
        resolved_state=resolved,
        reopen_state=kind.reopen_state if told.reopen_state is None else _state(told.reopen_state),
        cancelled_state=told.cancelled_state or kind.cancelled_state,
        code_field=kind.code_field if told.close_code_field is None else told.close_code_field,
        notes_field=kind.notes_field if told.close_notes_field is None else told.close_notes_field,
        close_codes=told.close_codes or kind.close_codes,
        close_fields={**kind.close_fields, **told.close_fields},
        # What another model of states means by these values is not known.
        states_at_work=() if told.open_states else kind.states_at_work,
    )


def _resolved_states(kind: Kind, resolved: str | None, closed: Sequence[str]) -> tuple[str, ...]:
    """A state that is set by a resolve means resolved, unless it is said to be final."""
    states = (*((resolved,) if resolved else ()), *kind.resolved_states)
    return tuple(dict.fromkeys(state for state in states if state not in closed))


def _state(text: str) -> str | None:
    return None if text == NEVER else text
