"""What an ITSM action made of an alert, said as a route says it; pure."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from secure_export.azure.itsmc.fixed_fields import WhyNotSettable, carried
from secure_export.azure.itsmc.inventory import Receiver
from secure_export.azure.itsmc.line import Fate, Line
from secure_export.azure.itsmc.ticket import Ticket, WorkItemType

_ORDER = (WorkItemType.INCIDENT, WorkItemType.EVENT, WorkItemType.ALERT)


@dataclass(frozen=True, slots=True)
class Tool:
    """The tool that work items are made in.

    Attributes:
        type: The connection's ``type``.
        why_not_settable: Says why a route cannot set a field.
    """

    type: str
    why_not_settable: WhyNotSettable


@dataclass(frozen=True, slots=True)
class Treatment:
    """What an ITSM action made of alerts.

    Attributes:
        of_log: The route's settings for log alerts.
        of_others: The route's settings for all other alerts.
        lines: What each option becomes, with the reason.
    """

    of_log: Mapping[str, Any]
    of_others: Mapping[str, Any]
    lines: tuple[Line, ...] = field(default=(), compare=False)


def ordered(receivers: Iterable[Receiver]) -> list[Receiver]:
    """Order ITSM actions: of several in one action group, the first is what people work on."""
    return sorted(receivers, key=_rank)


def treatment_of(about: str, ticket: Ticket, tool: Tool) -> Treatment:
    """Say what an ITSM action becomes.

    Args:
        about: The ITSM action, for people.
        ticket: What it says.
        tool: The tool.
    """
    work_item, line = _work_item(about, ticket, tool)
    group_by, grouping = _group_by(about, ticket)
    fixed = carried(about, ticket.data, tool=tool.type, why_not=tool.why_not_settable)
    own = {**fixed.route, **({"fields": fixed.fields} if fixed.fields else {})}
    lines = (line, *grouping, *_template(about, ticket), *fixed.lines, *_unknown(about, ticket))
    of_log = {"work_item": work_item, "group_by": group_by, **own}
    return Treatment(of_log, {**of_log, "group_by": "alert"}, tuple(lines))


def _work_item(about: str, ticket: Ticket, tool: Tool) -> tuple[str, Line]:
    was, option = ticket.work_item_type or "nothing", "WorkItemType"
    if ticket.type is None:
        reason = "what it was cannot be read; an incident is what most have"
        return "incident", Line(about, option, was, 'work_item = "incident": check it', reason, Fate.BY_HAND)
    if ticket.type is WorkItemType.INCIDENT:
        return "incident", Line(about, option, was, 'work_item = "incident"', "the same")
    if tool.type != "servicenow":
        reason = f"{tool.type} has incidents here, and no events"
        return "incident", Line(about, option, was, 'work_item = "incident"', reason, Fate.OTHERWISE)
    if ticket.type is WorkItemType.EVENT:
        return "event", Line(about, option, was, 'work_item = "event"', "the same; it needs Event Management")
    reason = "ServiceNow makes alerts of events; writing alerts directly is not right there"
    return "event", Line(about, option, was, 'work_item = "event"', reason, Fate.OTHERWISE)


def _group_by(about: str, ticket: Ticket) -> tuple[str, list[Line]]:
    """Log alerts alone could be grouped (Azure Monitor docs, ITSMC definition); all others made one work item each."""
    lines = []
    if ticket.one_per_log_entry:
        reason = (
            "one alert is one work item here, whatever number of rows it found; split the rule by a dimension, and "
            "each row that matters is an alert of its own"
        )
        lines.append(Line(about, "CreateOneWIPerLog", "true", 'group_by = "alert"', reason, Fate.NOTHING))
    if ticket.one_per_ci:
        reason = "one open work item for each configuration item of log alerts; other alerts have one each, as before"
        lines.append(Line(about, "CreateOneWIPerCI", "true", 'group_by = "ci"', reason))
        return "ci", lines
    if ticket.one_per_log_entry:
        return "alert", lines
    reason = "one open work item for each log alert rule, which later CIs join; other alerts have one each, as before"
    return "rule", [Line(about, "CreateOneWIPerCI", "false", 'group_by = "rule"', reason)]


def _template(about: str, ticket: Ticket) -> list[Line]:
    if not ticket.uses_template and not ticket.template:
        return []
    reason = "Azure holds a template's name at most; its fields are in the tool (System Definition > Templates)"
    todo = "write the template's fields under fields"
    return [Line(about, "UseTemplate", ticket.template or "true", todo, reason, Fate.BY_HAND)]


def _unknown(about: str, ticket: Ticket) -> list[Line]:
    lines = [
        Line(about, name, value, "nothing", "what it meant is published nowhere", Fate.NOTHING)
        for name, value in ticket.unknown.items()
    ]
    return [*lines, *(Line(about, "ticketConfiguration", fault, "look at the action in Azure",
                           "it cannot be read", Fate.BY_HAND) for fault in ticket.faults)]  # fmt: skip


def _rank(receiver: Receiver) -> int:
    kind = receiver.ticket.type
    return _ORDER.index(kind) if kind is not None else len(_ORDER)
