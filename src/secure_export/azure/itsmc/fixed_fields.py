"""What the fixed fields of an ITSM action become in a route; pure."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from secure_export.azure.itsmc.line import Fate, Line

WhyNotSettable = Callable[[str], str | None]
"""Says why a route cannot set a field of the tool, as a sentence; None: it can."""

_LONGEST_VALUE = 3_000
_COLUMN = re.compile(r"^[a-z][a-z0-9_]{0,79}$")
_SCALE = {"1": 1, "2": 2, "3": 3, "high": 1, "medium": 2, "low": 3}
# Names of ServiceNow's columns that are not simply written with underscores instead of capitals.
_COLUMNS = {"caller": "caller_id", "service": "business_service", "channel": "contact_type"}
_BOUND = {"cmdbci", "configurationitem", "ci", "computer", "affectedci"}
_TEXTS = {"title": "title", "shortdescription": "title", "summary": "title"}
_DESCRIPTIONS = {"description", "comments", "notes", "worknotes"}


@dataclass(slots=True)
class Carried:
    """What of a route the fixed fields say.

    Attributes:
        route: The route's own settings.
        fields: Further fields of the tool.
        lines: What became of each, with the reason.
    """

    route: dict[str, Any] = field(default_factory=dict)
    fields: dict[str, str] = field(default_factory=dict)
    lines: list[Line] = field(default_factory=list)


def carried(about: str, data: Mapping[str, str], *, tool: str, why_not: WhyNotSettable) -> Carried:
    """Say what fixed fields become.

    Args:
        about: The ITSM action, for people.
        data: The fixed fields, by ITSMC's names.
        tool: The connection's type; only ServiceNow and the desk have fields by these names.
        why_not: Says why a route cannot set a field.
    """
    found = Carried()
    for name, value in data.items():
        found.lines.append(_carry(found, about, name, value.strip(), tool, why_not))
    return found


def literal(text: str) -> str:
    """Write a text as a template that gives it back unchanged."""
    return re.sub(r"\{(?=[{%#])", "{{ '{' }}", text)


def column_of(name: str) -> str:
    """Give the name of a column that ITSMC's name means: ``AssignmentGroup`` is ``assignment_group``."""
    spaced = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name.strip())
    lowered = re.sub(r"[^a-z0-9]+", "_", spaced.lower()).strip("_")
    return _COLUMNS.get(lowered, lowered)


def _carry(  # noqa: PLR0911, PLR0913, PLR0917 - one way for each kind of field
    found: Carried, about: str, name: str, value: str, tool: str, why_not: WhyNotSettable
) -> Line:
    plain = re.sub(r"[^a-z0-9]", "", name.lower())
    if len(value) > _LONGEST_VALUE:
        return Line(about, name, f"{len(value)} characters", "write a shorter one by hand",
                    f"templates have at most {_LONGEST_VALUE} characters of their own", Fate.BY_HAND)  # fmt: skip
    if plain in _BOUND:
        return Line(about, name, value, "nothing to write",
                    "the CI is found by the alert's resource id, then by names", Fate.OTHERWISE)  # fmt: skip
    if plain == "assignmentgroup":
        found.route["assignment_group"] = literal(value)
        return Line(about, name, value, "assignment_group", "the route's own setting; looked up by name")
    if plain in {"impact", "urgency"}:
        return _scale(found, about, name, value, plain)
    if plain in _TEXTS:
        found.route["title"] = literal(value)
        return Line(about, name, value, "title", "the same for every work item, as it was")
    if plain in _DESCRIPTIONS:
        found.route["description"] = literal(value) + "\n\n{{ alert.description }}"
        return Line(about, name, value, "description", "stands before what the alert itself tells")
    return _further(found, about, name, value, tool, why_not)


def _scale(found: Carried, about: str, name: str, value: str, plain: str) -> Line:
    said = re.split(r"[\s-]+", value.lower())
    number = next((_SCALE[one] for one in said if one in _SCALE), None)
    if number is None:
        return Line(about, name, value, f"{plain} = 1, 2 or 3", "it is none of high, medium and low", Fate.BY_HAND)
    found.route[plain] = number
    return Line(about, name, value, f"{plain} = {number}", "fixed for every work item, as it was")


def _further(  # noqa: PLR0913, PLR0917 - as above
    found: Carried, about: str, name: str, value: str, tool: str, why_not: WhyNotSettable
) -> Line:
    column = column_of(name)
    if tool not in {"servicenow", "desk"}:
        return Line(about, name, value, "write it under fields, by your form's own name",
                    f"ITSMC's names are not those of {tool}", Fate.BY_HAND)  # fmt: skip
    if not _COLUMN.match(column):
        return Line(about, name, value, "write it under fields, by the column's name",
                    "it is no name of a column", Fate.BY_HAND)  # fmt: skip
    if (why := why_not(column)) is not None:
        return Line(about, name, value, "nothing to write", why, Fate.NOTHING)
    found.fields[column] = literal(value)
    return Line(about, name, value, f"fields.{column}", "check the name and value with 'secure-export explain'")
