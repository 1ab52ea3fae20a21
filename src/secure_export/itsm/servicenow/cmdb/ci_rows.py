"""From a row of a CMDB table to a configuration item: pure.

Rows are asked for with ``sysparm_display_value=all``, so that each field has the value that the database keeps and the
one that people read (ServiceNow docs, "Table API").
"""

from collections.abc import Iterable, Mapping, Sequence

from secure_export.cmdb.contract import ConfigurationItem
from secure_export.itsm.servicenow.api.rows import Row, display, value

_SHOWN = (
    "support_group",
    "assignment_group",
    "managed_by_group",
    "managed_by",
    "owned_by",
    "environment",
    "maintenance_schedule",
    "location",
    "company",
)
_CRITICALITY = ("business_criticality", "busines_criticality")  # the second spelling is a column of cmdb_ci_service
_STATUS = ("install_status", "operational_status", "life_cycle_stage", "life_cycle_stage_status", "state")
FIELDS = ("sys_id", "name", "sys_class_name", *_SHOWN, "used_for", *_CRITICALITY, *_STATUS)
"""The columns to ask for; an instance leaves out those that a class does not have."""

# Binding knows what is out of use by English words (``secure_export.cmdb.decide``), whatever the instance's language.
_OUT_OF_USE: Mapping[str, Mapping[str, str]] = {
    "install_status": {"7": "retired", "8": "stolen", "100": "absent"},
    "operational_status": {"6": "retired"},
    "life_cycle_stage": {"end of life": "retired"},
    "state": {"terminated": "deleted"},
}
_NAME_OF = {"state": "status", "life_cycle_stage_status": "lifecycle_status"}


def ci_of(row: Row, resource_id: str | None, further: Iterable[str] = ()) -> ConfigurationItem:
    """Make a configuration item of a row.

    Args:
        row: The row.
        resource_id: Its Azure resource id in normal form; None when it has none.
        further: Columns that become attributes by their own names, besides the usual ones.
    """
    return ConfigurationItem(
        id=value(row, "sys_id"),
        name=display(row, "name"),
        class_name=value(row, "sys_class_name"),
        resource_id=resource_id,
        attributes=_attributes(row, further),
    )


def in_use(row: Row) -> bool:
    """Whether a row is not marked as retired, stolen, absent or terminated."""
    return not any(_out_of_use(row, column) for column in _OUT_OF_USE)


def first_of_each(rows: Sequence[Row]) -> list[Row]:
    """Leave out rows that came twice, which happens when two queries cover one class."""
    first: dict[str, Row] = {}
    for row in rows:
        first.setdefault(value(row, "sys_id"), row)
    return list(first.values())


def _attributes(row: Row, further: Iterable[str]) -> dict[str, str]:
    """What decisions and templates use of a CI; columns that are empty are left out."""
    found = {column: display(row, column) for column in (*_SHOWN, *further)}
    found["sys_class_name"] = value(row, "sys_class_name")
    found["environment"] = found["environment"] or display(row, "used_for")
    found["business_criticality"] = next((_digit(value(row, c)) for c in _CRITICALITY if value(row, c)), "")
    found |= {_NAME_OF.get(column, column): _out_of_use(row, column) or display(row, column) for column in _STATUS}
    return {name: text for name, text in found.items() if text}


def _out_of_use(row: Row, column: str) -> str:
    words = _OUT_OF_USE.get(column, {})
    return next((words[text] for one in (value, display) if (text := one(row, column).strip().lower()) in words), "")


def _digit(criticality: str) -> str:
    """``1 - most critical`` in the form that assessment knows: ``1``."""
    digit, dash, _ = criticality.partition(" - ")
    return digit if dash and digit.isdigit() else criticality
