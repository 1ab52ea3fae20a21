"""A small Azure estate that does not exist: what the sandbox's alerts are about and the demo's CMDB is filled from."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final

TENANT_DOMAIN: Final = "lindenhof-logistics.example"
PRODUCTION: Final = "7b1d6f20-3c44-4e0b-9a86-1f2e5d8c9a01"
SHARED: Final = "2f9c4ab8-6d15-47f3-8e70-c3b5a1d7e602"
SUBSCRIPTION_NAMES: Final = {PRODUCTION: "lindenhof-production", SHARED: "lindenhof-shared-services"}


@dataclass(frozen=True, slots=True)
class Resource:
    """An Azure resource.

    Attributes:
        subscription: Its subscription's id.
        group: Its resource group, in the case people wrote it in.
        type: Its type, such as ``Microsoft.Compute/virtualMachines``.
        name: Its name; of a nested one only the last part.
        location: Its region.
        tags: As set by people; None: none were ever set.
        kind: Azure's own sub-type, where it has one.
        properties: A few of its properties.
        parent: Name of the resource it is nested in, such as the server of a database.
    """

    subscription: str
    group: str
    type: str
    name: str
    location: str = "westeurope"
    tags: Mapping[str, str] | None = None
    kind: str = ""
    properties: Mapping[str, Any] = field(default_factory=dict)
    parent: str | None = None

    @property
    def id(self) -> str:
        """The ARM id, in the case the portal shows."""
        provider, *types = self.type.split("/")
        names = [self.name] if self.parent is None else [self.parent, self.name]
        path = "/".join(f"{kind}/{name}" for kind, name in zip(types, names, strict=True))
        return f"/subscriptions/{self.subscription}/resourceGroups/{self.group}/providers/{provider}/{path}"

    def as_row(self, tenant: str) -> dict[str, Any]:
        """Give the row of the ``resources`` table: types and groups in lower case, absent things as null or ""."""
        return {
            "id": self.id,
            "name": self.name,
            "type": self.type.lower(),
            "tenantId": tenant,
            "kind": self.kind,
            "location": self.location,
            "resourceGroup": self.group.lower(),
            "subscriptionId": self.subscription,
            "managedBy": "",
            "sku": None,
            "plan": None,
            "properties": dict(self.properties),
            "tags": None if self.tags is None else dict(self.tags),
            "identity": None,
            "zones": None,
            "extendedLocation": None,
        }


@dataclass(frozen=True, slots=True)
class Estate:
    """All resources of one tenant.

    Attributes:
        tenant: The tenant's id.
        resources: What there is.
    """

    tenant: str
    resources: tuple[Resource, ...]

    @property
    def subscriptions(self) -> tuple[str, ...]:
        """The subscriptions that resources are in, each once."""
        return tuple(dict.fromkeys(one.subscription for one in self.resources))

    def named(self, name: str) -> Resource:
        """Find the first resource with a name.

        Raises:
            LookupError: There is none.
        """
        for one in self.resources:
            if one.name == name:
                return one
        raise LookupError(
            f"The estate has no resource {name!r}; it has {', '.join(one.name for one in self.resources)}."
        )

    def of_type(self, kind: str) -> Iterator[Resource]:
        """Give the resources of a type, whatever the case."""
        return (one for one in self.resources if one.type.lower() == kind.lower())

    def resource_graph_export(self) -> dict[str, Any]:
        """Give what ``az graph query -q resources`` prints."""
        rows = [one.as_row(self.tenant) for one in self.resources]
        return {"count": len(rows), "data": rows, "skip_token": None, "total_records": len(rows)}


def _tags(environment: str, owner: str, service: str, criticality: str = "medium") -> dict[str, str]:
    return {"environment": environment, "owner": owner, "service": service, "criticality": criticality}


def _vm(group: str, name: str, tags: Mapping[str, str] | None, size: str, system: str = "Linux") -> Resource:
    properties = {
        "hardwareProfile": {"vmSize": size},
        "storageProfile": {"osDisk": {"osType": system}},
        "extended": {"instanceView": {"powerState": {"code": "PowerState/running"}}},
        "provisioningState": "Succeeded",
    }
    return Resource(PRODUCTION, group, "Microsoft.Compute/virtualMachines", name, tags=tags, properties=properties)


_SHOP = _tags("production", "team-shop", "web shop", "high")
_WAREHOUSE = _tags("production", "team-warehouse", "warehouse", "high")
_PLATFORM = _tags("production", "team-platform", "platform")
_DONE: Final = {"provisioningState": "Succeeded"}


def _shop() -> Iterator[Resource]:
    group = "rg-shop-prod"
    yield _vm(group, "vm-shop-web-01", _SHOP, "Standard_D4s_v5")
    yield _vm(group, "vm-shop-web-02", _SHOP, "Standard_D4s_v5")
    yield _vm(group, "vm-batch-01", _SHOP, "Standard_E4s_v5")
    yield Resource(
        PRODUCTION, group, "Microsoft.Web/serverFarms", "plan-shop", kind="linux", tags=_SHOP, properties=_DONE
    )
    yield Resource(
        PRODUCTION,
        group,
        "Microsoft.Web/sites",
        "app-shop-checkout",
        kind="app,linux",
        tags=_SHOP,
        properties={"state": "Running", "defaultHostName": "app-shop-checkout.azurewebsites.example"},
    )
    yield Resource(
        PRODUCTION,
        group,
        "Microsoft.Insights/components",
        "appi-shop",
        kind="web",
        tags=_SHOP,
        properties={"Application_Type": "web"},
    )
    yield Resource(
        PRODUCTION, group, "Microsoft.Sql/servers", "sql-shop", kind="v12.0", tags=_SHOP, properties={"state": "Ready"}
    )
    yield Resource(
        PRODUCTION,
        group,
        "Microsoft.Sql/servers/databases",
        "orders",
        kind="v12.0,user",
        tags=_SHOP,
        properties={"status": "Online"},
        parent="sql-shop",
    )
    yield Resource(
        PRODUCTION,
        group,
        "Microsoft.Storage/storageAccounts",
        "stshopmedia",
        kind="StorageV2",
        tags=_SHOP,
        properties={"accessTier": "Hot"},
    )
    yield Resource(
        PRODUCTION, group, "Microsoft.KeyVault/vaults", "kv-shop", tags=_SHOP, properties={"enableSoftDelete": True}
    )
    yield Resource(PRODUCTION, group, "Microsoft.Cache/Redis", "redis-shop", tags=_SHOP, properties=_DONE)
    yield Resource(
        PRODUCTION,
        group,
        "Microsoft.Network/applicationGateways",
        "agw-shop",
        tags=_SHOP,
        properties={"operationalState": "Running"},
    )


def _warehouse() -> Iterator[Resource]:
    group = "RG-Warehouse-Prod"
    yield _vm(group, "vm-wms-db-01", _WAREHOUSE, "Standard_E16s_v5", "Windows")
    yield _vm(group, "vm-wms-app-01", _WAREHOUSE, "Standard_D8s_v5", "Windows")
    # The same name as in the shop's group: by name alone nobody can tell which one is meant.
    yield _vm(group, "vm-batch-01", _WAREHOUSE, "Standard_B2ms")
    yield Resource(
        PRODUCTION,
        group,
        "Microsoft.Compute/virtualMachineScaleSets",
        "vmss-pick-workers",
        tags=_WAREHOUSE,
        properties=_DONE,
    )
    yield Resource(
        PRODUCTION,
        group,
        "Microsoft.ContainerService/managedClusters",
        "aks-warehouse",
        tags=_WAREHOUSE,
        properties={"kubernetesVersion": "1.31.4", "powerState": {"code": "Running"}},
    )
    yield Resource(
        PRODUCTION,
        group,
        "Microsoft.Storage/storageAccounts",
        "stwarehouselabels",
        kind="StorageV2",
        properties={"accessTier": "Cool"},
    )
    yield Resource(
        PRODUCTION,
        group,
        "Microsoft.ServiceBus/namespaces",
        "sb-warehouse",
        tags=_WAREHOUSE,
        properties={"status": "Active"},
    )
    yield Resource(
        PRODUCTION,
        group,
        "Microsoft.DocumentDB/databaseAccounts",
        "cosmos-stock",
        kind="GlobalDocumentDB",
        tags=_WAREHOUSE,
        properties=_DONE,
    )
    yield Resource(PRODUCTION, group, "Microsoft.Network/loadBalancers", "lb-wms", tags=_WAREHOUSE, properties=_DONE)


def _shared() -> Iterator[Resource]:
    group = "rg-monitoring"
    yield Resource(
        SHARED,
        group,
        "Microsoft.OperationalInsights/workspaces",
        "log-central",
        tags=_PLATFORM,
        properties={"retentionInDays": 90},
    )
    yield Resource(SHARED, group, "Microsoft.Monitor/accounts", "amw-central", tags=_PLATFORM, properties=_DONE)
    yield Resource(SHARED, group, "Microsoft.RecoveryServices/vaults", "rsv-central", tags=_PLATFORM, properties=_DONE)
    yield Resource(
        SHARED,
        group,
        "Microsoft.Automation/automationAccounts",
        "aa-operations",
        tags=_PLATFORM,
        properties={"state": "Ok"},
    )
    yield replace(_vm("rg-identity", "vm-dc-01", _PLATFORM, "Standard_D2s_v5", "Windows"), subscription=SHARED)
    yield replace(_vm("rg-identity", "vm-dc-02", _PLATFORM, "Standard_D2s_v5", "Windows"), subscription=SHARED)
    yield Resource(
        SHARED,
        "rg-network",
        "Microsoft.Network/virtualNetworkGateways",
        "vpn-branches",
        tags=_PLATFORM,
        properties=_DONE,
    )
    yield Resource(
        SHARED, "rg-network", "Microsoft.Network/azureFirewalls", "fw-central", tags=_PLATFORM, properties=_DONE
    )
    yield Resource(SHARED, "rg-network", "Microsoft.Network/virtualNetworks", "vnet-hub", properties=_DONE)


def sample_estate(tenant: str) -> Estate:
    """Give the sandbox's estate: two subscriptions, some thirty resources, two of them with the same name."""
    return Estate(tenant, (*_shop(), *_warehouse(), *_shared()))
