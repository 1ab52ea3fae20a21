"""What becomes of connections and action groups as a whole, with the reason; pure."""

from collections.abc import Iterator, Sequence

from secure_export.azure.itsmc.connections import Connection
from secure_export.azure.itsmc.inventory import Group, Rule
from secure_export.azure.itsmc.line import Fate, Line
from secure_export.azure.itsmc.moves import Move, why_not_moved
from secure_export.azure.itsmc.routes import MOST_ROUTES, usual_of
from secure_export.azure.itsmc.treatment import Tool, Treatment, ordered

_SHORT_TITLE = "title = \"{{ alert.title | truncate(40, true, '', 0) }}\""


def connection_lines(
    connection: Connection, tool: Tool, moves: Sequence[Move], uses: Sequence[tuple[Treatment, Sequence[Rule]]]
) -> Iterator[Line]:
    """Say what is to be known of a connection.

    Args:
        connection: What it becomes.
        tool: The tool.
        moves: Its action groups.
        uses: What its ITSM actions made of alerts, and the rules that use them.
    """
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


def group_lines(group: Group) -> Iterator[Line]:
    """Say what is to be known of an action group."""
    about = f"action group {group.name}"
    if (why := why_not_moved(group)) is not None:
        yield Line(about, "action group", group.id, "nothing", why, Fate.BY_HAND)
    elif not group.rules:
        yield Line(about, "alert rules", "none was found", "nothing to write",
                   "no rule that can be read names it; perhaps nobody needs it any more", Fate.OTHERWISE)  # fmt: skip
    if len(group.receivers) > 1:
        names = ", ".join(one.name for one in ordered(group.receivers))
        yield Line(about, "several ITSM actions", names, "one secure webhook for each connection",
                   "each action made a work item of every alert: duplicates, the well-known ones of ITSMC",
                   Fate.OTHERWISE)  # fmt: skip


def superfluous(move: Move) -> Iterator[Line]:
    """Say of every ITSM action but the first that its work items are not made any more."""
    first, *others = move.receivers
    for one in others:
        reason = (
            f"'{first.name}' makes the work item of each alert; for both, make a second connection of the same tool "
            "with a webhook of its own in this action group"
        )
        was = f"{one.ticket.work_item_type or 'unknown'} for every alert"
        yield Line(move.about(one), "second work item", was, "not made", reason, Fate.NOTHING)
