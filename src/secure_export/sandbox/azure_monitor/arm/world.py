"""All of ARM: subscriptions, resource groups, resources, who may do what, and how it behaves."""

import random
import re
import uuid
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from secure_export.sandbox.azure_monitor.arm.directory import Directory, NoDirectory
from secure_export.sandbox.azure_monitor.arm.errors import group_not_found, subscription_not_found
from secure_export.sandbox.azure_monitor.arm.ledger import Ledger, guid_of
from secure_export.sandbox.azure_monitor.arm.rbac import Access
from secure_export.sandbox.azure_monitor.estate import SUBSCRIPTION_NAMES, Estate
from secure_export.sandbox.azure_monitor.monitor import AzureMonitor, Message
from secure_export.sandbox.clock import Clock
from secure_export.sandbox.counters import Counters
from secure_export.sandbox.rates import Windows
from secure_export.sandbox.rest_faults import Faults

Row = dict[str, Any]
PROVIDERS: Final = ("Microsoft.Insights", "Microsoft.AlertsManagement", "Microsoft.ResourceGraph")
_ID: Final = re.compile(
    r"/subscriptions/(?P<subscription>[^/]+)/resourceGroups/(?P<group>[^/]+)/providers/(?P<type>[^/]+/[^/]+)/(?P<name>[^/]+)",
    re.IGNORECASE,
)


@dataclass(slots=True)
class Subscription:
    """A subscription.

    Attributes:
        id: Its id.
        name: What people call it.
        tenant: The tenant that it trusts.
        providers: The registration state of resource providers.
    """

    id: str
    name: str
    tenant: str
    providers: dict[str, str] = field(default_factory=lambda: dict.fromkeys(PROVIDERS, "Registered"))


@dataclass(slots=True)
class Behaviour:
    """What is not documented, or what tests want otherwise.

    Attributes:
        webhook_refusal_status: The status of ``AadWebhook…`` errors: the facts know the body only (entra-facts 13).
        owner_check: Whether the caller must own the application of a secure webhook.
        graph_lag_seconds: How long Resource Graph knows nothing of a new or changed alert.
        reads: Reads of one caller in one subscription in a minute; 0: any number.
        writes: Writes of one caller in one subscription in a minute; 0: any number.
        alert_lists: Lists of alerts in one subscription in a minute (entra-facts 6.4).
        alert_summaries: Summaries of alerts in one subscription in a minute.
        alert_calls: Other calls about alerts in one subscription in a minute.
        queries: Resource Graph's queries of one caller in five seconds.
    """

    webhook_refusal_status: int = 400
    owner_check: bool = True
    graph_lag_seconds: float = 0.0
    reads: int = 1_500
    writes: int = 600
    alert_lists: int = 100
    alert_summaries: int = 50
    alert_calls: int = 1_000
    queries: int = 15


@dataclass(frozen=True, slots=True)
class ResourceId:
    """A resource's id, taken apart."""

    subscription: str
    group: str
    type: str
    name: str


class World:
    """State of a stand-in for Azure Resource Manager.

    Attributes:
        estate: What alerts are about.
        monitor: What notifies.
        directory: Entra ID.
        clock: Its time.
        faults: The faults that are set.
        counters: What was asked.
        behaviour: How it behaves.
        subscriptions: By id in lower case.
        groups: Resource groups, by their id in lower case.
        resources: What ARM itself manages, by id in lower case.
        access: Who may do what.
        ledger: The alerts of Alerts Management.
        notifications: The status of test notifications, by id.
        windows: Counts what is limited.
    """

    def __init__(
        self,
        estate: Estate,
        monitor: AzureMonitor,
        directory: Directory | None = None,
        *,
        clock: Clock | None = None,
        seed: int = 1,
    ) -> None:
        self.estate = estate
        self.monitor = monitor
        self.directory: Directory = directory or NoDirectory()
        self.clock = clock or Clock()
        self.faults = Faults()
        self.counters = Counters()
        self.behaviour = Behaviour()
        self.subscriptions: dict[str, Subscription] = {}
        self.groups: dict[str, Row] = {}
        self.resources: dict[str, Row] = {}
        self.access = Access()
        self.ledger = Ledger(self.clock)
        self.notifications: dict[str, Row] = {}
        self.windows = Windows()
        self._chance = random.Random(seed)
        monitor.observers.append(self._heard)
        for one in estate.subscriptions:
            self.add_subscription(one, SUBSCRIPTION_NAMES.get(one, one), estate.tenant)
        for resource in estate.resources:
            self.add_group(resource.subscription, resource.group)

    def add_subscription(self, subscription: str, name: str, tenant: str) -> Subscription:
        """Add a subscription."""
        found = Subscription(subscription, name, tenant)
        self.subscriptions[subscription.lower()] = found
        return found

    def add_group(self, subscription: str, name: str, location: str = "westeurope", tags: Row | None = None) -> Row:
        """Add a resource group, or give the one that there is."""
        group_id = f"/subscriptions/{subscription}/resourceGroups/{name}"
        row = {
            "id": group_id,
            "name": name,
            "type": "Microsoft.Resources/resourceGroups",
            "location": location,
            "tags": tags or {},
            "properties": {"provisioningState": "Succeeded"},
        }
        return self.groups.setdefault(group_id.lower(), row)

    def subscription(self, subscription: str) -> Subscription:
        """Find a subscription.

        Raises:
            RestError: There is none.
        """
        found = self.subscriptions.get(subscription.lower())
        if found is None:
            raise subscription_not_found(subscription)
        return found

    def group(self, subscription: str, name: str) -> Row:
        """Find a resource group.

        Raises:
            RestError: There is none.
        """
        found = self.groups.get(f"/subscriptions/{subscription}/resourceGroups/{name}".lower())
        if found is None:
            raise group_not_found(name)
        return found

    def put(self, row: Row) -> None:
        """Write a resource."""
        self.resources[row["id"].lower()] = row

    def of_type(self, kind: str, below: str = "") -> Iterator[Row]:
        """Give the resources of a type below a scope."""
        for key, row in tuple(self.resources.items()):
            if row["type"].lower() == kind.lower() and key.startswith(f"{below.lower()}/"):
                yield row

    def all_rows(self) -> Iterator[Row]:
        """Give everything that Resource Graph's table ``resources`` lists, in that table's form."""
        yield from (one.as_row(self.estate.tenant) for one in self.estate.resources)
        for row in self.resources.values():
            found = taken_apart(row["id"])
            yield {
                "id": row["id"],
                "name": row["name"],
                "type": row["type"].lower(),
                "tenantId": self.subscription(found.subscription).tenant,
                "kind": row.get("kind", ""),
                "location": row.get("location", "global").lower(),
                "resourceGroup": found.group.lower(),
                "subscriptionId": found.subscription,
                "managedBy": "",
                "sku": None,
                "plan": None,
                "properties": row["properties"],
                "tags": row.get("tags") or None,
                "identity": None,
                "zones": None,
                "extendedLocation": None,
            }

    def _heard(self, message: Message, groups: Sequence[str]) -> None:
        """Note an alert, and which action groups it reaches."""
        self.ledger.hear(message)
        if groups:
            self.ledger.note(message.alert_id, "ActionsTriggered", ", ".join(groups))
        elif guid_of(message.alert_id) in self.ledger.suppressed:
            self.ledger.note(
                message.alert_id, "ActionsSuppressed", "An alert processing rule removed all action groups"
            )

    def guid(self) -> str:
        """Draw an id."""
        return str(uuid.UUID(int=self._chance.getrandbits(128), version=4))

    def number(self) -> str:
        """Draw an id of digits, as test notifications have them."""
        return f"{self._chance.randrange(10**13, 10**14)}"


def taken_apart(resource_id: str) -> ResourceId:
    """Take a resource's id apart.

    Raises:
        LookupError: It is none.
    """
    found = _ID.fullmatch(resource_id)
    if found is None:
        raise LookupError(f"{resource_id!r} is no id of a resource.")
    return ResourceId(found["subscription"], found["group"], found["type"], found["name"])


def merged(old: Row, new: Row, names: Iterable[str]) -> Row:
    """Put those members over a row that a patch names."""
    return {**old, **{name: new[name] for name in names if name in new}}
