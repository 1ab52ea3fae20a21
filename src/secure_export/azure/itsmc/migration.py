"""What becomes of all ITSM actions that were found: connections, routes, action groups, and what is left; pure."""

from dataclasses import dataclass

from secure_export.azure.itsmc.connections import Connection, connection_of, one_of_a_name
from secure_export.azure.itsmc.inventory import Inventory
from secure_export.azure.itsmc.line import Line
from secure_export.azure.itsmc.moves import Move, moves_of
from secure_export.azure.itsmc.names import Known, names_of
from secure_export.azure.itsmc.treatment import Tool, Treatment, treatment_of
from secure_export.azure.itsmc.whole_lines import connection_lines, group_lines, superfluous


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
    names = names_of(inventory, known)
    moves = tuple(moves_of(inventory.groups, names, known))
    treatments = {move.section: _treatment(move, tool) for move in moves}
    connections: list[Connection] = []
    lines: list[Line] = []
    for connection_id, name in names.items():
        own = [move for move in moves if move.connection == name and move.is_of(connection_id)]
        if not own:
            continue
        uses = [(treatments[move.section], move.group.rules) for move in own]
        connection = connection_of(connection_id, name, inventory, own, uses)
        connections.append(connection)
        lines += connection_lines(connection, tool, own, uses)
    for group in inventory.groups:
        lines += group_lines(group)
    for move in moves:
        lines += treatments[move.section].lines
        lines += superfluous(move)
    return Migration(inventory, tuple(one_of_a_name(connections)), moves, tuple(lines))


def _treatment(move: Move, tool: Tool) -> Treatment:
    first = move.receivers[0]
    return treatment_of(move.about(first), first.ticket, tool)
