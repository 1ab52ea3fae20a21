"""Standard changes begin as their template says (servicenow-facts 9.2; where the template stands is a guess)."""

from typing import TYPE_CHECKING

from secure_export.sandbox.servicenow.inputs import Inputs
from secure_export.sandbox.servicenow.rules import Change, Operation

if TYPE_CHECKING:
    from secure_export.sandbox.servicenow.instance import Instance

VERSION = "std_change_producer_version"
PRODUCER = "std_change_record_producer"
TEMPLATE = "sys_template"


def install(instance: "Instance") -> None:
    """Register the rule."""
    instance.before("change_request", _apply, operations=[Operation.INSERT], order=10)


def _apply(change: Change) -> None:
    """Fill the columns that the caller left as they are by default; what the caller wrote stays."""
    instance = change.instance
    columns = instance.dictionary.columns(change.table)
    for name, value in _values(instance, change.new(VERSION)).items():
        column = columns.get(name)
        if column is not None and change.new(name) == column.default:
            text = Inputs(instance).stored(change.table, column, value, change.user, display_values=False)
            change.current[name] = text


def _values(instance: "Instance", version: str) -> dict[str, str]:
    """Give what the template of a version says: ``column=value`` pairs, joined by ``^``."""
    producer = (instance.tables.get(VERSION, version) or {}).get("std_change_producer", "")
    template = (instance.tables.get(PRODUCER, producer) or {}).get("template", "")
    text = (instance.tables.get(TEMPLATE, template) or {}).get("template", "")
    pairs = (term.partition("=") for term in text.split("^") if "=" in term)
    return {name: value for name, _, value in pairs}
