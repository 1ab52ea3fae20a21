"""What an ITSM action says of the work item it makes: ``ticketConfiguration``, JSON in a text; pure.

Inside is ``WorkItemData``, again JSON in a text. Its members depend on the tool and are published nowhere whole (Azure
Monitor REST API, ``ItsmReceiver``; Terraform's azurerm, ``itsm_receiver``), so what is not known is kept and shown.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

_LONGEST_SHOWN = 200
_PER_LOG_ENTRY = ("CreateOneWIPerLog", "CreateMultipleWorkItems")
_TEMPLATE_NAMES = ("TemplateName", "TemplateId", "Template")
_KNOWN = {"PayloadRevision", "WorkItemType", "UseTemplate", "WorkItemData", "CreateOneWIPerCI", *_PER_LOG_ENTRY}
_KEYS = ("Key", "Name", "FieldName", "Field")
_VALUES = ("Value", "FieldValue")


class WorkItemType(StrEnum):
    """The kinds of work items that ITSMC made in ServiceNow (Azure Monitor docs, ITSMC definition)."""

    INCIDENT = "incident"
    EVENT = "event"
    ALERT = "alert"


@dataclass(frozen=True, slots=True)
class Ticket:
    """What an ITSM action asked for.

    Attributes:
        work_item_type: The kind of work item, as it is written; empty when nothing is said.
        one_per_ci: Whether each configuration item gets a work item of its own.
        one_per_log_entry: Whether each row of a log alert's result gets one.
        uses_template: Whether fields come from a template.
        template: The template's name or id; empty when none is said.
        data: The fixed fields, as text by the name that ITSMC has for them.
        unknown: Further members, by name, as text.
        faults: What could not be read, as sentence parts.
    """

    work_item_type: str = ""
    one_per_ci: bool = False
    one_per_log_entry: bool = False
    uses_template: bool = False
    template: str = ""
    data: Mapping[str, str] = field(default_factory=dict)
    unknown: Mapping[str, str] = field(default_factory=dict)
    faults: tuple[str, ...] = ()

    @property
    def type(self) -> WorkItemType | None:
        """The kind of work item; None: none that is known."""
        lowered = self.work_item_type.strip().lower()
        return WorkItemType(lowered) if lowered in set(WorkItemType) else None


def read_ticket(text: object) -> Ticket:
    """Read a ``ticketConfiguration``; whatever it is, something comes of it, and what is wrong is said."""
    said, faults = _object(text, "ticketConfiguration")
    members = {str(name).lower(): (str(name), value) for name, value in said.items()}
    known = {name.lower() for name in (*_KNOWN, *_TEMPLATE_NAMES)}
    data, template, unread = _work_item_data(members.get("workitemdata", ("", None))[1])
    if not said and not faults:
        faults = ("the ticketConfiguration is empty",)
    templates = [_text(members[n.lower()][1]) for n in _TEMPLATE_NAMES if n.lower() in members]
    return Ticket(
        work_item_type=_text(members.get("workitemtype", ("", ""))[1]),
        one_per_ci=_is_true(members, "CreateOneWIPerCI"),
        one_per_log_entry=any(_is_true(members, name) for name in _PER_LOG_ENTRY),
        uses_template=_is_true(members, "UseTemplate"),
        template=next((one for one in (*templates, template) if one), ""),
        data=data,
        unknown={name: _text(value) for key, (name, value) in members.items() if key not in known},
        faults=(*faults, *unread),
    )


def _work_item_data(value: Any) -> tuple[dict[str, str], str, tuple[str, ...]]:
    """Read the fixed fields: an object, or a list of objects with name and value; also a template's name in it."""
    if value in (None, "", {}, []):
        return {}, "", ()
    said, faults = _pairs(value)
    data = {str(name): _text(one) for name, one in said.items() if one not in (None, "", {}, [])}
    template = next((data.pop(name) for name in _TEMPLATE_NAMES if name in data), "")
    return data, template, faults


def _pairs(value: Any) -> tuple[Mapping[str, Any], tuple[str, ...]]:
    parsed = _parsed(value) if isinstance(value, str) else value
    if isinstance(parsed, list) and all(isinstance(one, dict) for one in parsed):
        pairs = {str(_first(one, _KEYS)): _first(one, _VALUES) for one in parsed if _first(one, _KEYS) is not None}
        if len(pairs) == len(parsed):
            return pairs, ()
    return _object(value, "WorkItemData")


def _first(one: Mapping[str, Any], names: tuple[str, ...]) -> Any:
    return next((one[name] for name in names if name in one), None)


def _object(value: object, name: str) -> tuple[dict[str, Any], tuple[str, ...]]:
    """Give an object that is written as itself or in a text; anything else is a fault that shows it."""
    parsed = _parsed(value) if isinstance(value, str) else value
    if isinstance(parsed, dict):
        return parsed, ()
    return {}, (f"the {name} cannot be read: {_text(value)[:_LONGEST_SHOWN] or 'it is empty'}",)


def _parsed(text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None


def _is_true(members: Mapping[str, tuple[str, Any]], name: str) -> bool:
    value = members.get(name.lower(), ("", False))[1]
    return value is True or (isinstance(value, str) and value.strip().lower() == "true")


def _text(value: Any) -> str:
    if value is None:
        return ""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)
