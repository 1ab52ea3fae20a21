"""Application files carry their display value in ``sys_name``, by which servicenow.itsm finds kinds of relations."""

from typing import TYPE_CHECKING

from secure_export.sandbox.servicenow.rules import Change
from secure_export.sandbox.servicenow.tables import CLASS, Row

if TYPE_CHECKING:
    from secure_export.sandbox.servicenow.instance import Instance

TABLE = "sys_metadata"
NAME = "sys_name"


def install(instance: "Instance") -> None:
    """Register the rule."""
    instance.before(TABLE, _name, order=910)


def name_of(instance: "Instance", row: Row) -> str:
    """Give what people see of an application file."""
    return row.get(instance.dictionary.display_column(row[CLASS]), "")[:255]


def _name(change: Change) -> None:
    change.current[NAME] = name_of(change.instance, change.current)
