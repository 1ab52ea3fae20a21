"""What there is of ITSMC in Azure: action groups with ITSM actions, and the rules that use them; pure."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from secure_export.azure.itsmc.ticket import Ticket, read_ticket


@dataclass(frozen=True, slots=True)
class Receiver:
    """One ITSM action of an action group.

    Attributes:
        name: Its name.
        connection_id: The ITSM connection it uses.
        workspace_id: The Log Analytics workspace that holds the connection: ``<subscription>|<workspace>``.
        region: Where the workspace is.
        ticket: What work items it makes.
        raw: All of it, as Azure has it.
    """

    name: str
    connection_id: str
    workspace_id: str
    region: str
    ticket: Ticket
    raw: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Rule:
    """One alert rule, or what else brings alerts to an action group.

    Attributes:
        id: Its resource id.
        name: Its name.
        kind: Its resource type.
        enabled: Whether it fires.
        groups: The action groups it names, in lower case.
        subscriptions: The subscriptions that it and what it watches lie in, in lower case.
    """

    id: str
    name: str
    kind: str
    enabled: bool
    groups: frozenset[str]
    subscriptions: frozenset[str]

    @property
    def is_log(self) -> bool:
        """Whether it searches logs: ITSMC heeded some options there alone."""
        return self.kind.lower() == "microsoft.insights/scheduledqueryrules"

    @property
    def is_named_in_alerts(self) -> bool:
        """Whether alerts name it: those that a processing rule brings name the rule that fired."""
        return "actionrules" not in self.kind.lower()


@dataclass(frozen=True, slots=True)
class Group:
    """One action group with ITSM actions.

    Attributes:
        tenant_id: The tenant it was found in.
        id: Its resource id.
        enabled: Whether it calls anybody.
        receivers: Its ITSM actions.
        webhooks: The addresses of its secure webhooks.
        rules: What brings alerts to it.
    """

    tenant_id: str
    id: str
    enabled: bool
    receivers: tuple[Receiver, ...]
    webhooks: frozenset[str] = frozenset()
    rules: tuple[Rule, ...] = ()

    @property
    def name(self) -> str:
        """Its name."""
        return self.id.rpartition("/")[2]

    @property
    def subscription(self) -> str:
        """Its subscription."""
        return part_of(self.id, "subscriptions").lower()

    @property
    def resource_group(self) -> str:
        """Its resource group."""
        return part_of(self.id, "resourceGroups")


@dataclass(frozen=True, slots=True)
class Inventory:
    """What was found.

    Attributes:
        subscriptions: The subscriptions that were looked through.
        groups: The action groups with ITSM actions, by their ids.
        workspaces: Names of Log Analytics workspaces by their own id, as far as they could be read.
        remarks: What could not be looked through, as sentences.
    """

    subscriptions: tuple[str, ...]
    groups: tuple[Group, ...]
    workspaces: Mapping[str, str] = field(default_factory=dict)
    remarks: tuple[str, ...] = ()


def group_of(there: Mapping[str, Any], tenant_id: str) -> Group | None:
    """Read an action group; None when it has no ITSM actions."""
    properties = there.get("properties") or {}
    told = properties.get("itsmReceivers") or ()
    receivers = tuple(receiver_of(one) for one in told if isinstance(one, Mapping))
    if not receivers:
        return None
    webhooks = (one for one in properties.get("webhookReceivers") or () if one.get("useAadAuth"))
    return Group(
        tenant_id,
        str(there.get("id", "")),
        enabled=bool(properties.get("enabled", True)),
        receivers=receivers,
        webhooks=frozenset(str(one.get("serviceUri", "")) for one in webhooks),
    )


def receiver_of(one: Mapping[str, Any]) -> Receiver:
    """Read an ITSM action (Azure Monitor REST API, ``ItsmReceiver``)."""
    texts = (str(one.get(name) or "") for name in ("name", "connectionId", "workspaceId", "region"))
    name, connection, workspace, region = texts
    return Receiver(name, connection.lower(), workspace, region, read_ticket(one.get("ticketConfiguration")), dict(one))


def rule_of(there: Mapping[str, Any]) -> Rule:
    """Read an alert rule of any kind: whichever place names action groups is read."""
    properties = there.get("properties") or {}
    rule_id = str(there.get("id", ""))
    named = frozenset(_action_groups(properties))
    scopes = [one for one in properties.get("scopes") or properties.get("scope") or () if isinstance(one, str)]
    enabled = properties.get("enabled", properties.get("state", True))
    subscriptions = (part_of(one, "subscriptions").lower() for one in (rule_id, *scopes))
    return Rule(
        id=rule_id,
        name=str(there.get("name") or rule_id.rpartition("/")[2]),
        kind=_type_of(rule_id),
        enabled=str(enabled).lower() in {"true", "enabled"},
        groups=named,
        subscriptions=frozenset(one for one in subscriptions if one),
    )


def part_of(resource_id: str, name: str) -> str:
    """Give what stands behind a part of a resource id, such as ``subscriptions``; empty where it has none."""
    parts = resource_id.split("/")
    lowered = [part.lower() for part in parts]
    at = lowered.index(name.lower()) + 1 if name.lower() in lowered else len(parts)
    return parts[at] if at < len(parts) else ""


def _type_of(resource_id: str) -> str:
    parts = resource_id.rpartition("/providers/")[2].split("/")
    return "/".join(parts[:2])


def _action_groups(value: Any, *, named: bool = False) -> set[str]:
    """Find the ids of action groups, in lower case: each kind of rule has them in another member."""
    if isinstance(value, Mapping):
        members = ((_names_groups(str(name)) or named, one) for name, one in value.items())
        return {found for is_named, one in members for found in _action_groups(one, named=is_named)}
    if isinstance(value, list):
        return {found for one in value for found in _action_groups(one, named=named)}
    is_one = named and isinstance(value, str) and "/actiongroups/" in value.lower()
    return {str(value).lower()} if is_one else set()


def _names_groups(member: str) -> bool:
    return member.lower().startswith(("actiongroup", "groupids"))
