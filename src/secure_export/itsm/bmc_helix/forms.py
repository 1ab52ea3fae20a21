"""The forms of BMC that are used, and what is to be known of them: pure.

The form that makes incidents has underscores in many names where the others have blanks; the spelling ``Decription`` is
BMC's own (records that published clients show).
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

CREATE = "HPD:IncidentInterface_Create"
INCIDENT = "HPD:IncidentInterface"
WORK_LOG = "HPD:WorkLog"
ASSOCIATIONS = "HPD:Associations"
BASE = "HPD:Help Desk"
TEMPLATE = "HPD:Template"
SUPPORT_GROUP = "CTM:Support Group"
PEOPLE = "CTM:People"

NUMBER = "Incident Number"
REQUEST_ID = "Request ID"

_NAMES = ("name", "fieldName", "field_name", "Field Name", "label")
_LENGTHS = ("maxLength", "max_length", "maxSize", "length", "char_length")
_OPTIONS = ("option", "fieldOption", "field_option", "field_options", "entry_mode", "entryMode", "required")
_SELECTIONS = (
    "enum",
    "selections",
    "enumeration",
    "enum_values",
    "enumValues",
    "enums",
    "values",
    "options",
    "regularList",
)
_DEFAULTS = ("defaultValue", "default_value", "default")


@dataclass(frozen=True, slots=True)
class FieldShape:
    """What is to be known of a field.

    Attributes:
        name: Its name.
        longest: How long its text may be; None: not known, or without bound.
        required: Whether a new record must have it.
        has_default: Whether it has a value when none is given.
        labels: The labels of a selection; empty: it is none.
    """

    name: str
    longest: int | None = None
    required: bool = False
    has_default: bool = False
    labels: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class FormShape:
    """What is to be known of a form.

    Attributes:
        fields: Its fields by name; empty: the server does not tell.
    """

    fields: Mapping[str, FieldShape] = field(default_factory=dict)

    def has(self, name: str) -> bool:
        """Whether a field is there, as far as is known."""
        return not self.fields or name in self.fields

    def longest(self, name: str) -> int | None:
        """Say how long a field's text may be; None: not known."""
        found = self.fields.get(name)
        return found.longest if found is not None else None

    def missing(self, given: Mapping[str, Any]) -> tuple[str, ...]:
        """Give the required fields that have no value and get none by themselves."""
        return tuple(
            name
            for name, shape in self.fields.items()
            if shape.required and not shape.has_default and not given.get(name)
        )


def shape_of(body: Any) -> FormShape:
    """Read what ``OPTIONS`` of a form answers, in whichever of the forms that versions have.

    It is a JSON schema, with the fields under ``values``, or a list of fields, or an object by their names; what a
    field has may lie in an object ``limits`` or ``limit``.
    """
    required = _schema(body).get("required")
    listed = required if isinstance(required, list) else ()
    names = frozenset(name for name in listed if isinstance(name, str))
    shapes = (shape for told in _fields(body) if (shape := _shape(told, names)) is not None)
    return FormShape({shape.name: shape for shape in shapes})


def _schema(body: Any) -> Mapping[str, Any]:
    """The part of a JSON schema that describes the values of a record; the whole where there is no such part."""
    if not isinstance(body, dict):
        return {}
    properties = body.get("properties")
    values = properties.get("values") if isinstance(properties, dict) else None
    return values if isinstance(values, dict) and isinstance(values.get("properties"), dict) else body


def _fields(body: Any) -> Iterator[Mapping[str, Any]]:
    told = next((one for key in ("fields", "Fields", "properties") if (one := _schema(body).get(key))), body)
    if isinstance(told, list):
        yield from (one for one in told if isinstance(one, dict))
    elif isinstance(told, dict):
        yield from ({"name": name, **one} for name, one in told.items() if isinstance(one, dict))


def _shape(told: Mapping[str, Any], required: frozenset[str]) -> FieldShape | None:
    limits = next((one for key in ("limits", "limit", "fieldLimit") if isinstance(one := told.get(key), dict)), {})
    everything = {**limits, **told}
    name = _first(everything, _NAMES)
    if not isinstance(name, str) or not name:
        return None
    length = _first(everything, _LENGTHS)
    option = _first(everything, _OPTIONS)
    return FieldShape(
        name=name,
        longest=length if isinstance(length, int) and not isinstance(length, bool) and length > 0 else None,
        required=name in required
        or option is True
        or (isinstance(option, str) and option.strip().upper() == "REQUIRED"),
        has_default=_first(everything, _DEFAULTS) not in {None, ""},
        labels=tuple(_labels(_first(everything, _SELECTIONS))),
    )


def _labels(told: Any) -> Iterator[str]:
    if isinstance(told, Mapping):
        told = list(told.values()) if all(isinstance(one, str) for one in told.values()) else list(told)
    if not isinstance(told, Sequence) or isinstance(told, str):
        return
    for one in told:
        label = _first(one, ("label", "name", "value")) if isinstance(one, Mapping) else one
        if isinstance(label, str) and label:
            yield label


def _first(told: Mapping[str, Any], names: Sequence[str]) -> Any:
    return next((told[name] for name in names if told.get(name) is not None), None)
