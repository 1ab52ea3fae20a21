"""Which of the desk's incidents and CIs a list is to hold, as conditions."""

from dataclasses import dataclass

from secure_export.itsm.desk.incident import OPEN_STATES, IncidentState
from secure_export.store.filters import Filters, literal
from secure_export.store.paging import rows_before

_OPEN = "state IN ('new', 'in-progress', 'on-hold')"  # word for word the condition of the index desk_incidents_open


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which incidents a list is to hold; see ``Incidents.incidents``."""

    connection: str | None
    states: frozenset[IncidentState]
    ci: str | None
    search: str | None
    cursor: str | None
    limit: int


def incident_filters(wanted: Wanted, *, number: str, like: str) -> Filters:
    """Give the conditions of a list of incidents.

    Args:
        wanted: Which incidents.
        number: What makes the number that people see out of the id.
        like: The operator that compares with a pattern whatever the case.
    """
    filters = Filters("id < ?", rows_before(wanted.cursor))
    filters.equal("connection", wanted.connection)
    _of_states(filters, wanted.states)
    if wanted.ci is not None:
        filters.add("id IN (SELECT incident FROM desk_incident_cis WHERE ci = ?)", wanted.ci)
    if wanted.search:
        pattern = f"%{literal(wanted.search)}%"
        filters.add(rf"(title {like} ? ESCAPE '\' OR {number} {like} ? ESCAPE '\')", pattern, pattern)
    return filters


def ci_filters(search: str | None, cursor: str | None, *, like: str) -> Filters:
    """Give the conditions of a list of CIs."""
    filters = Filters("id < ?", rows_before(cursor))
    if search:
        pattern = f"%{literal(search.lower())}%"
        columns = " OR ".join(rf"{column} {like} ? ESCAPE '\'" for column in ("name_key", "class_name", "resource_id"))
        filters.add(f"({columns})", pattern, pattern, pattern)
    return filters


def _of_states(filters: Filters, states: frozenset[IncidentState]) -> None:
    if states and states <= OPEN_STATES:
        filters.add(_OPEN)
    if states and states != OPEN_STATES:
        filters.add(f"state IN ({', '.join('?' * len(states))})", *sorted(state.value for state in states))
