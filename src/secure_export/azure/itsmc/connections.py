"""The connections here that ITSM connections become; pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from secure_export.azure.itsmc.inventory import Inventory
from secure_export.azure.itsmc.moves import Move
from secure_export.azure.itsmc.routes import Route, routes_of
from secure_export.azure.itsmc.treatment import Treatment


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


def connection_of(
    connection_id: str, name: str, inventory: Inventory, moves: Sequence[Move], uses: Sequence[tuple[Treatment, Any]]
) -> Connection:
    """Say what an ITSM connection becomes.

    Args:
        connection_id: What ITSMC calls it.
        name: What it is called here.
        inventory: What was found.
        moves: Its action groups.
        uses: What its ITSM actions made of alerts, and the rules that use them.
    """
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


def one_of_a_name(connections: Sequence[Connection]) -> list[Connection]:
    """Bring together what a person gives one name; the routes of the first count."""
    kept: dict[str, Connection] = {}
    for one in connections:
        first = kept.setdefault(one.name, one)
        subscriptions = tuple(sorted({*first.subscriptions, *one.subscriptions}))
        kept[one.name] = Connection(first.name, first.id, first.workspace, subscriptions, first.routes)
    return list(kept.values())
