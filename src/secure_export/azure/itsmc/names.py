"""What ITSM connections are called here; pure."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from secure_export.azure.itsmc.inventory import Inventory
from secure_export.azure.itsmc.treatment import ordered

_CONNECTION = re.compile(r"[^a-z0-9_-]+")


@dataclass(frozen=True, slots=True)
class Known:
    """What the configuration has already.

    Attributes:
        action_groups: ``[azure.action_groups]``: connection, receiver and resource id by the section's name.
        connection: The connection that a person names for all ITSM actions; None: names are found.
    """

    action_groups: Mapping[str, tuple[str, str, str]] = field(default_factory=dict)
    connection: str | None = None


def names_of(inventory: Inventory, known: Known) -> dict[str, str]:
    """Give each ITSM connection a name here: the one it has already, or one of its workspace's."""
    ids = dict.fromkeys(r.connection_id for group in inventory.groups for r in ordered(group.receivers))
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
