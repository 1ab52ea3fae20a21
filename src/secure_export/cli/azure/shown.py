"""How a plan is shown: what would be made, changed, left, for people and as JSON."""

import re
from collections.abc import Iterable
from typing import Any

from rich.markup import escape

from secure_export.azure.setup.change import Action, Change, Plan
from secure_export.cli.output import out

_SIGNS = {
    Action.CREATE: ("+", "green"),
    Action.CHANGE: ("~", "yellow"),
    Action.KEEP: ("=", "dim"),
    Action.TAKE_BACK: ("-", "red"),
    Action.BLOCKED: ("!", "bold red"),
}
_ID = re.compile(r"/subscriptions/[^/,\s]+/resourceGroups/[^/,]+/providers/[^,]+/([^/,]+)", re.IGNORECASE)
_RESOURCE = re.compile(r"/subscriptions/([^/]+)/resourceGroups/([^/]+)/providers/\S+?/([^/]+?)(?= → |$)", re.IGNORECASE)


def show_plan(plan: Plan) -> None:
    """Print what would be done in one tenant."""
    out.print(f"\n[bold]tenant {escape(plan.tenant_id)}[/]")
    for change in plan.changes:
        show_change(change)


def show_change(change: Change) -> None:
    """Print what would be done to one thing, property by property."""
    sign, style = _SIGNS[change.action]
    out.print(f"  [{style}]{sign}[/] {titled(change.kind, change.name)}", soft_wrap=True)
    for one in change.differences:
        before = f"{escape(_short(one.before))} → " if one.before else ""
        out.print(f"      [dim]{escape(one.name)}:[/] {before}{escape(_short(one.after))}", soft_wrap=True)
    if change.reason:
        reason_style = "red" if change.action is Action.BLOCKED else "dim"
        out.print(f"      [{reason_style}]{escape(change.reason)}[/]")


def _short(value: str) -> str:
    """Give the name alone where a value is a resource's long id."""
    return _ID.sub(lambda found: found.group(1), value)


def titled(kind: str, name: str) -> str:
    """Give kind and name, of a resource's long id the parts that people look for."""
    found = _RESOURCE.match(name)
    if found is None:
        return f"{escape(kind)} [bold]{escape(name)}[/]"
    subscription, group, short = found.groups()
    rest = name[found.end() :]
    where = f"[dim]({escape(group)}, {escape(subscription.partition('-')[0])}…)[/]"
    return f"{escape(kind)} [bold]{escape(short)}[/]{escape(rest)} {where}"


def summary(plans: Iterable[Plan]) -> str:
    """Sum up plans in a line."""
    plans = list(plans)
    counts = {action: sum(plan.count(action) for plan in plans) for action in Action}
    line = (
        f"{counts[Action.CREATE]} to create, {counts[Action.CHANGE]} to change, {counts[Action.KEEP]} as they should be"
    )
    return f"{line}, {counts[Action.BLOCKED]} blocked" if counts[Action.BLOCKED] else line


def as_json(change: Change) -> dict[str, Any]:
    """Give a change for programs."""
    return {
        "side": change.side.value,
        "kind": change.kind,
        "name": change.name,
        "action": change.action.value,
        "differences": [{"name": d.name, "before": d.before, "after": d.after} for d in change.differences],
        "reason": change.reason,
    }
