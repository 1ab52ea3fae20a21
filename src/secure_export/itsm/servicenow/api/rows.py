"""Reading the fields of a record, in whichever form the instance gives them: pure."""

from collections.abc import Mapping
from typing import Any

Row = Mapping[str, Any]
"""One record as the instance gives it; with ``sysparm_display_value=all`` every field has value and display value."""


def value(row: Mapping[str, Any], field: str) -> str:
    """Give a field's value, whichever form the row has; empty when it has none."""
    found = row.get(field)
    if isinstance(found, Mapping):
        found = found.get("value")
    return found if isinstance(found, str) else ""


def display(row: Mapping[str, Any], field: str) -> str:
    """Give what people see of a field, or its value where that is not told."""
    found = row.get(field)
    shown = found.get("display_value") if isinstance(found, Mapping) else None
    return shown if isinstance(shown, str) and shown else value(row, field)
