"""In which CMDB classes an Azure resource may stand, and in which column its id: data, and pure.

Which class the same Azure thing gets differs by the source that filled the CMDB (Service Graph Connector, Discovery)
and by its version, so that each type has several candidates. Sources: ServiceNow docs, "cmdb-sgc-azure-resource-types",
"cmdb-data-mapping-azure", "cmdb-azure-classes" and the Azure patterns of Discovery.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from secure_export.alerts.resource_id import ResourceId, parse

OBJECT_ID = "object_id"
ANY_RESOURCE = "cmdb_ci_cmp_resource"
"""The class of what has no class of its own; always the last candidate."""

SUBSCRIPTION = "Microsoft.Resources/subscriptions"
RESOURCE_GROUP = "Microsoft.Resources/subscriptions/resourceGroups"


@dataclass(frozen=True, slots=True)
class Place:
    """Where a CI may stand.

    Attributes:
        class_name: The class, which is a table.
        column: The column that holds the Azure id.
    """

    class_name: str
    column: str = OBJECT_ID


_CLUSTER = Place("cmdb_ci_kubernetes_cluster", "cluster_resource_id")
_ACCOUNT = Place("cmdb_ci_cloud_service_account", "account_id")
_SERVERS = ("cmdb_ci_server", "cmdb_ci_win_server", "cmdb_ci_linux_server")
_DATABASE = ("cmdb_ci_cloud_database",)
_DATABASE_CLUSTER = ("cmdb_ci_cloud_db_cluster",)
_LOAD_BALANCER = ("cmdb_ci_cloud_load_balancer", "cmdb_ci_lb_service")
_GATEWAY = ("cmdb_ci_virtual_pvt_gateway",)
_MESSAGING = ("cmdb_ci_cloud_messaging_service",)
_APP_SERVER = ("cmdb_ci_cloud_appserver",)
_DNS_ZONE = ("cmdb_ci_dns_zone",)

CLASSES: Mapping[str, tuple[str | Place, ...]] = {
    "Microsoft.AppConfiguration/configurationStores": (),
    "Microsoft.Automation/automationAccounts": (),
    "Microsoft.Cache/redis": _DATABASE,
    "Microsoft.Compute/availabilitySets": ("cmdb_ci_availability_set", "cmdb_ci_availability_zone"),
    "Microsoft.Compute/diskEncryptionSets": (),
    "Microsoft.Compute/disks": ("cmdb_ci_storage_volume",),
    "Microsoft.Compute/galleries/images": (),
    "Microsoft.Compute/hostGroups/hosts": ("cmdb_ci_cloud_host",),
    "Microsoft.Compute/images": ("cmdb_ci_os_template", "cmdb_ci_cloud_os_image"),
    "Microsoft.Compute/snapshots": ("cmdb_ci_storage_vol_snapshot",),
    "Microsoft.Compute/virtualMachines": ("cmdb_ci_vm_instance", *_SERVERS),
    "Microsoft.Compute/virtualMachineScaleSets": ("cmdb_ci_instance_scale_set",),
    "Microsoft.Compute/virtualMachineScaleSets/virtualMachines": ("cmdb_ci_vm_instance",),
    "Microsoft.ContainerRegistry/registries": (),
    "Microsoft.ContainerService/managedClusters": (_CLUSTER, "cmdb_ci_kubernetes_cluster"),
    "Microsoft.Databricks/workspaces": (),
    "Microsoft.DataFactory/factories": (),
    "Microsoft.DataProtection/backupVaults": (),
    "Microsoft.DBforMySQL/flexibleServers": _DATABASE,
    "Microsoft.DBforMySQL/servers": _DATABASE,
    "Microsoft.DBforPostgreSQL/flexibleServers": _DATABASE,
    "Microsoft.DBforPostgreSQL/serverGroupsv2": _DATABASE_CLUSTER,
    "Microsoft.DBforPostgreSQL/servers": _DATABASE,
    "Microsoft.DevCenter/devcenters": _APP_SERVER,
    "Microsoft.DocumentDB/databaseAccounts": _DATABASE,
    "Microsoft.EventGrid/systemTopics": _MESSAGING,
    "Microsoft.EventHub/namespaces": _MESSAGING,
    "Microsoft.Insights/components": (),
    "Microsoft.Insights/dataCollectionRules": (),
    "Microsoft.KeyVault/vaults": (),
    "Microsoft.KeyVault/vaults/keys": (),
    "Microsoft.Kusto/clusters": _DATABASE_CLUSTER,
    "Microsoft.Logic/workflows": ("cmdb_ci_cloud_function",),
    "Microsoft.ManagedIdentity/userAssignedIdentities": (),
    "Microsoft.Management/managementGroups": ("cmdb_ci_azure_management_group",),
    "Microsoft.Network/applicationGateways": _LOAD_BALANCER,
    "Microsoft.Network/applicationGatewayWebApplicationFirewallPolicies": ("cmdb_ci_web_acl",),
    "Microsoft.Network/applicationSecurityGroups": (),
    "Microsoft.Network/azureFirewalls": (),
    "Microsoft.Network/connections": ("cmdb_ci_vpc_gateway_connection",),
    "Microsoft.Network/dnsZones": _DNS_ZONE,
    "Microsoft.Network/expressRouteCircuits": ("cmdb_ci_cloud_direct_connect",),
    "Microsoft.Network/ipGroups": (),
    "Microsoft.Network/loadBalancers": _LOAD_BALANCER,
    "Microsoft.Network/localNetworkGateways": _GATEWAY,
    "Microsoft.Network/natGateways": ("cmdb_ci_nat_gateway",),
    "Microsoft.Network/networkInterfaces": ("cmdb_ci_nic",),
    "Microsoft.Network/networkSecurityGroups": ("cmdb_ci_compute_security_group",),
    "Microsoft.Network/privateDnsZones": _DNS_ZONE,
    "Microsoft.Network/privateEndpoints": (),
    "Microsoft.Network/publicIPAddresses": ("cmdb_ci_cloud_public_ipaddress",),
    "Microsoft.Network/serviceEndpointPolicies": (),
    "Microsoft.Network/virtualNetworkGateways": _GATEWAY,
    "Microsoft.Network/virtualNetworks": ("cmdb_ci_network",),
    "Microsoft.Network/virtualNetworks/subnets": ("cmdb_ci_cloud_subnet",),
    "Microsoft.OperationalInsights/workspaces": (),
    "Microsoft.RecoveryServices/vaults": (),
    SUBSCRIPTION: (_ACCOUNT, "cmdb_ci_cloud_service_account"),
    RESOURCE_GROUP: ("cmdb_ci_resource_group",),
    "Microsoft.ServiceBus/namespaces": (),
    "Microsoft.ServiceBus/namespaces/queues": _MESSAGING,
    "Microsoft.ServiceBus/namespaces/topics": ("cmdb_ci_cloud_topic",),
    "Microsoft.Sql/managedInstances": _DATABASE,
    "Microsoft.Sql/servers": _DATABASE,
    "Microsoft.Storage/storageAccounts": ("cmdb_ci_cloud_storage_account",),
    "Microsoft.Storage/storageAccounts/blobServices": ("cmdb_ci_storage_volume",),
    "Microsoft.Storage/storageAccounts/fileServices": ("cmdb_ci_cloud_file_share",),
    "Microsoft.Web/serverfarms": _APP_SERVER,
    "Microsoft.Web/sites": ("cmdb_ci_cloud_webserver", "cmdb_ci_cloud_function"),
}
"""The candidates of each ARM type but for ``ANY_RESOURCE``, the likeliest first; spelled as ARM spells types."""

COVERED_BY: Mapping[str, str] = {"cmdb_ci_win_server": "cmdb_ci_server", "cmdb_ci_linux_server": "cmdb_ci_server"}
"""Classes that extend another candidate: its rows hold theirs, so that they are asked only where it cannot be."""

_SPELLED = {name.lower(): name for name in CLASSES}


def resource_type(resource: ResourceId) -> str:
    """Give the ARM type of a resource, group or subscription, in lower case; empty for what is none of them."""
    if resource.type:
        return resource.type
    if resource.resource_group is not None:
        return RESOURCE_GROUP.lower()
    return SUBSCRIPTION.lower() if resource.subscription is not None else ""


def places(resource: ResourceId, own: Mapping[str, Sequence[str]] | None = None) -> tuple[Place, ...]:
    """Say where a resource's CI may stand, the best place first.

    Args:
        resource: The resource.
        own: The classes that the configuration names, by ARM type in lower case; they come before the built-in ones.

    Returns:
        The candidates of its type, or of the nearest type that it is a part of; ``ANY_RESOURCE`` is the last.
    """
    kind = resource_type(resource)
    found = (*(own or {}).get(kind, ()), *_built_in(kind), ANY_RESOURCE)
    return tuple(dict.fromkeys(Place(one) if isinstance(one, str) else one for one in found))


def spellings(resource_id: str) -> tuple[str, ...]:
    """Give how an id may be written in a CMDB that heeds case, the likeliest first.

    Args:
        resource_id: The id, as Azure wrote it or in normal form.

    Returns:
        The id as given, in lower case, and with those parts in ARM's own case whose case is known.
    """
    parts = parse(resource_id)
    if parts is None:
        return tuple(dict.fromkeys((resource_id, resource_id.lower())))
    return tuple(dict.fromkeys((parts.text, as_given(resource_id), _as_arm_writes(parts))))


def as_given(resource_id: str) -> str:
    """Give an id with its case kept, one slash before each segment and none at the end."""
    return "/" + "/".join(segment for part in resource_id.split("/") if (segment := part.strip()))


def value_in(place: Place, resource: ResourceId, written: str) -> str:
    """Give what the place's column holds for a resource.

    Args:
        place: Where it is looked for.
        resource: The resource.
        written: One of its ``spellings``.
    """
    return resource.name if place == _ACCOUNT else written


def _built_in(kind: str) -> tuple[str | Place, ...]:
    """The candidates of a type; of an unlisted part of a listed type, those of the whole."""
    listed = _listed(kind)
    return CLASSES[listed] if listed is not None else ()


def _listed(kind: str) -> str | None:
    """The listed type, as ARM spells it, that a type is or is a part of."""
    while kind.count("/") > 0:
        if kind in _SPELLED:
            return _SPELLED[kind]
        kind = kind.rpartition("/")[0]
    return None


def _as_arm_writes(parts: ResourceId) -> str:
    """An id in which names are in lower case, and everything else is in the case that ARM answers with."""
    listed = _listed(parts.type) or ""
    provider, *kinds = (listed + parts.type[len(listed) :]).split("/")
    left = iter(kinds)
    written: list[str] = []
    inside = False
    segments = parts.text.split("/")[1:]
    for kind, name in zip(segments[::2], segments[1::2], strict=True):
        if kind == "providers":
            inside = name == parts.provider
            written += [kind, provider if inside else name]
        else:
            spelled = "resourceGroups" if kind == "resourcegroups" else kind
            written += [next(left, kind) if inside else spelled, name]
    return "/" + "/".join(written)
