"""Which webhooks take the place of which ITSM actions; pure."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from secure_export.azure.itsmc.inventory import Group, Receiver
from secure_export.azure.itsmc.names import Known
from secure_export.azure.itsmc.treatment import ordered

RECEIVER = "secure-export"
_SECTION = re.compile(r"[^A-Za-z0-9_.-]+")
_RESOURCE_GROUP = re.compile(r"^[-A-Za-z0-9._()]{1,90}$")


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

    def about(self, receiver: Receiver) -> str:
        """Name one of its ITSM actions, for people."""
        return f"action {self.group.name}/{receiver.name}"

    def is_of(self, connection_id: str) -> bool:
        """Whether one of its ITSM actions uses an ITSM connection."""
        return any(one.connection_id == connection_id for one in self.receivers)


def moves_of(groups: Sequence[Group], names: Mapping[str, str], known: Known) -> Iterator[Move]:
    """Say which webhook each action group gets for each connection that its ITSM actions use.

    Args:
        groups: The action groups.
        names: What each ITSM connection is called here, by its id.
        known: What the configuration has already.
    """
    sections = set(known.action_groups)
    for group in groups:
        if why_not_moved(group) is not None:
            continue
        parts: dict[str, list[Receiver]] = {}
        for one in ordered(group.receivers):
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


def why_not_moved(group: Group) -> str | None:
    """Say why an action group gets no webhook; None when it does."""
    if not group.enabled:
        return "it is disabled and calls nobody: enable it first, or delete it"
    if not _RESOURCE_GROUP.match(group.resource_group):
        return "its resource group's name has letters that the configuration does not take: make a new action group"
    return None
