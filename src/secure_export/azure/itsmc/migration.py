"""What becomes of all ITSM actions that were found: connections, routes, action groups, and what is left; pure."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from secure_export.azure.itsmc.inventory import Group, Inventory, Receiver, Rule
from secure_export.azure.itsmc.line import Fate, Line
from secure_export.azure.itsmc.routes import MOST_ROUTES, Route, routes_of, usual_of
from secure_export.azure.itsmc.treatment import Tool, Treatment, rank, treatment_of

RECEIVER = "secure-export"
_SECTION = re.compile(r"[^A-Za-z0-9_.-]+")
_CONNECTION = re.compile(r"[^a-z0-9_-]+")
_RESOURCE_GROUP = re.compile(r"^[-A-Za-z0-9._()]{1,90}$")
_SHORT_TITLE = "title = \"{{ alert.title | truncate(40, true, '', 0) }}\""


@dataclass(frozen=True, slots=True)
class Known:
    """What the configuration has already.

    Attributes:
        action_groups: ``[azure.action_groups]``: connection, receiver and resource id by the section's name.
        connection: The connection that a person names for all ITSM actions; None: names are found.
    """

    action_groups: Mapping[str, tuple[str, str, str]] = field(default_factory=dict)
    connection: str | None = None


@dataclass(frozen=True, slots=True)
class Connection:
    """An ITSM connection, and what it becomes.

    Attributes:
        name: The section under ``[connections]``.
        id: What ITSMC calls it.
        workspace: The workspace that holds it: its name, or its id.
        subscriptions: Whose alerts it takes.
        routes: Which alerts become what.
    """

    name: str
    id: str
    workspace: str
    subscriptions: tuple[str, ...]
    routes: tuple[Route, ...]


@dataclass(frozen=True, slots=True)
class Move:
    """An action group's ITSM actions of one connection, and the webhook that takes their place.

    Attributes:
        section: The section under ``[azure.action_groups]``.
        connection: The connection's name here.
        receiver: The webhook's name in the action group.
        group: The action group.
        receivers: Its ITSM actions, the one that counts first.
    """

    section: str
    connection: str
    receiver: str
    group: Group
    receivers: tuple[Receiver, ...]

    def settings(self, *, several_tenants: bool) -> dict[str, Any]:
        """Give the section as it is written."""
        named = {} if self.section == self.group.name else {"name": self.group.name}
        where = {"subscription": self.group.subscription, "resource_group": self.group.resource_group}
        receiver = {} if self.receiver == RECEIVER else {"receiver": self.receiver}
        tenant = {"tenant_id": self.group.tenant_id} if several_tenants else {}
        return {"connection": self.connection, **where, **named, **receiver, **tenant}


@dataclass(frozen=True, slots=True)
class Migration:
    """What becomes of ITSMC.

    Attributes:
        inventory: What was found.
        connections: The connections.
        moves: The action groups.
        lines: What becomes of everything, with the reason.
    """

    inventory: Inventory
    connections: tuple[Connection, ...]
    moves: tuple[Move, ...]
    lines: tuple[Line, ...]


def migration_of(inventory: Inventory, tool: Tool, known: Known) -> Migration:
    """Say what becomes of everything that was found."""
    names = _names(inventory, known)
    moves = tuple(_moves(inventory.groups, names, known))
    treatments = {move.section: _treatment(move, tool) for move in moves}
    connections: list[Connection] = []
    lines: list[Line] = []
    for connection_id, name in names.items():
        own = [move for move in moves if move.connection == name and _is_of(move, connection_id)]
        if not own:
            continue
        uses = [(treatments[move.section], move.group.rules) for move in own]
        connection = _connection(connection_id, name, inventory, own, uses)
        connections.append(connection)
        lines += _connection_lines(connection, tool, own, uses)
    for group in inventory.groups:
        lines += _group_lines(group)
    for move in moves:
        lines += treatments[move.section].lines
        lines += _superfluous(move)
    return Migration(inventory, tuple(_one_of_a_name(connections)), moves, tuple(lines))


def _names(inventory: Inventory, known: Known) -> dict[str, str]:
    """Give each ITSM connection a name here: the one it has already, or one of its workspace's."""
    ids = dict.fromkeys(r.connection_id for group in inventory.groups for r in _ordered(group))
    workspaces = {r.connection_id: r.workspace_id for group in inventory.groups for r in group.receivers}
    bases = {one: _workspace(workspaces[one], inventory) for one in ids}
    names: dict[str, str] = {}
    for one in ids:
        base = _CONNECTION.sub("-", bases[one].lower()).strip("-_")[:50] or "itsmc"
        alone = sum(other == bases[one] for other in bases.values()) == 1
        short = re.sub(r"[^a-z0-9]", "", one)[:8]
        found = base if alone or not short else f"{base}-{short}"
        names[one] = known.connection or _already(one, inventory, known) or found
    return names


def _already(connection_id: str, inventory: Inventory, known: Known) -> str | None:
    """Find the name in a section of one of its action groups; only where it can mean no other connection."""
    for group in inventory.groups:
        if {one.connection_id for one in group.receivers} != {connection_id}:
            continue
        named = {name for name, _, path in known.action_groups.values() if path.lower() == group.id.lower()}
        if len(named) == 1:
            return named.pop()
    return None


def _workspace(workspace_id: str, inventory: Inventory) -> str:
    return inventory.workspaces.get(workspace_id.partition("|")[2].lower(), "") or "itsmc"


def _moves(groups: Sequence[Group], names: Mapping[str, str], known: Known) -> Iterator[Move]:
    sections = set(known.action_groups)
    for group in groups:
        if _why_not(group) is not None:
            continue
        parts: dict[str, list[Receiver]] = {}
        for one in _ordered(group):
            parts.setdefault(names[one.connection_id], []).append(one)
        for number, (name, receivers) in enumerate(parts.items()):
            there = _section_of(group, name, known)
            section = there[0] if there else _free(group.name if number == 0 else f"{group.name}-{name}", sections)
            webhook = there[1] if there else RECEIVER if number == 0 else f"{RECEIVER}-{name}"
            sections.add(section)
            yield Move(section, name, webhook, group, tuple(receivers))


def _section_of(group: Group, connection: str, known: Known) -> tuple[str, str] | None:
    return next(
        (
            (section, receiver)
            for section, (name, receiver, path) in known.action_groups.items()
            if path.lower() == group.id.lower() and name == connection
        ),
        None,
    )


def _free(wanted: str, taken: set[str]) -> str:
    """Make a section's name of an action group's; two of one name in different resource groups are numbered."""
    base = _SECTION.sub("-", wanted).strip("-_.")[:90] or "action-group"
    names = (base, *(f"{base}-{number}" for number in range(2, len(taken) + 3)))
    lowered = {one.lower() for one in taken}
    return next(name for name in names if name.lower() not in lowered)


def _ordered(group: Group) -> list[Receiver]:
    return sorted(group.receivers, key=rank)


def _treatment(move: Move, tool: Tool) -> Treatment:
    first = move.receivers[0]
    return treatment_of(_about(move, first), first.ticket, tool)


def _is_of(move: Move, connection_id: str) -> bool:
    return any(one.connection_id == connection_id for one in move.receivers)


def _connection(
    connection_id: str, name: str, inventory: Inventory, moves: Sequence[Move], uses: Sequence[tuple[Treatment, Any]]
) -> Connection:
    rules = [rule for move in moves for rule in move.group.rules]
    subscriptions = {one for rule in rules for one in rule.subscriptions} | {move.group.subscription for move in moves}
    workspace_id = moves[0].receivers[0].workspace_id.rpartition("|")[2]
    return Connection(
        name=name,
        id=connection_id,
        workspace=inventory.workspaces.get(workspace_id.partition("|")[2].lower(), "")
        or workspace_id.rpartition("|")[2],
        subscriptions=tuple(sorted(subscriptions)),
        routes=tuple(routes_of(uses)),
    )


def _one_of_a_name(connections: Sequence[Connection]) -> list[Connection]:
    """Bring together what a person gives one name; the routes of the first count."""
    kept: dict[str, Connection] = {}
    for one in connections:
        first = kept.setdefault(one.name, one)
        subscriptions = tuple(sorted({*first.subscriptions, *one.subscriptions}))
        kept[one.name] = Connection(first.name, first.id, first.workspace, subscriptions, first.routes)
    return list(kept.values())


def _connection_lines(
    connection: Connection, tool: Tool, moves: Sequence[Move], uses: Sequence[tuple[Treatment, Sequence[Rule]]]
) -> Iterator[Line]:
    about = f"connection {connection.id}"
    yield Line(about, "ITSM connection", connection.workspace, f"[connections.{connection.name}]",
               f"all actions that use it are one connection of type {tool.type}")  # fmt: skip
    yield Line(about, "server URL, user, password", "(kept by Azure)", "url, username, password: fill in",
               "Azure gives them to nobody", Fate.BY_HAND)  # fmt: skip
    yield Line(about, "short description", "at most 40 characters", "up to 160 characters",
               f"to keep the cut, for rules in the tool that look at it: {_SHORT_TITLE}", Fate.OTHERWISE)  # fmt: skip
    if len(connection.routes) > MOST_ROUTES:
        yield Line(about, "rules", f"{len(connection.routes)} routes", "make several connections of the tool",
                   "a connection has at most 100 routes", Fate.BY_HAND)  # fmt: skip
    usual = usual_of(uses)
    for treatment, rules in uses:
        if treatment == usual:
            continue
        for rule in rules:
            if not rule.is_named_in_alerts:
                yield Line(about, "alert processing rule", rule.name, "write a route for its alerts by hand",
                           "alerts name the rule that fired, not this one", Fate.BY_HAND)  # fmt: skip
    if any(move.group.rules for move in moves) and len({_hashable(t) for t, _ in uses}) > 1:
        yield Line(about, "new alert rules", "as their action group says", "as the last route says",
                   "rules made later that differ from it need a line in a route's `when`", Fate.OTHERWISE)  # fmt: skip


def _hashable(treatment: Treatment) -> str:
    return repr((sorted(treatment.of_log.items()), sorted(treatment.of_others.items())))


def _group_lines(group: Group) -> Iterator[Line]:
    about = f"action group {group.name}"
    if (why := _why_not(group)) is not None:
        yield Line(about, "action group", group.id, "nothing", why, Fate.BY_HAND)
    elif not group.rules:
        yield Line(about, "alert rules", "none was found", "nothing to write",
                   "no rule that can be read names it; perhaps nobody needs it any more", Fate.OTHERWISE)  # fmt: skip
    if len(group.receivers) > 1:
        names = ", ".join(one.name for one in _ordered(group))
        yield Line(about, "several ITSM actions", names, "one secure webhook for each connection",
                   "each action made a work item of every alert: duplicates, the well-known ones of ITSMC",
                   Fate.OTHERWISE)  # fmt: skip


def _superfluous(move: Move) -> Iterator[Line]:
    first, *others = move.receivers
    for one in others:
        reason = (
            f"'{first.name}' makes the work item of each alert; for both, make a second connection of the same tool "
            "with a webhook of its own in this action group"
        )
        was = f"{one.ticket.work_item_type or 'unknown'} for every alert"
        yield Line(_about(move, one), "second work item", was, "not made", reason, Fate.NOTHING)


def _why_not(group: Group) -> str | None:
    if not group.enabled:
        return "it is disabled and calls nobody: enable it first, or delete it"
    if not _RESOURCE_GROUP.match(group.resource_group):
        return "its resource group's name has letters that the configuration does not take: make a new action group"
    return None


def _about(move: Move, receiver: Receiver) -> str:
    return f"action {move.group.name}/{receiver.name}"
