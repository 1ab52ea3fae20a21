"""The estate in ServiceNow's CMDB, as Discovery leaves it: which class each Azure type has, and where its id stands.

Written from ServiceNow's documents ("cmdb-sgc-azure-resource-types", the ``azure-*`` patterns of Discovery) and not
from the connector's own table, so that a wrong belief of the connector cannot agree with itself.
"""

from typing import Final

from secure_export.sandbox.azure_monitor.estate import Estate, Resource
from secure_export.sandbox.servicenow.instance import Instance
from secure_export.sandbox.servicenow.tables import Row

# What has no class of its own stands in cmdb_ci_cmp_resource, with its resource_type.
_ANY: Final = "cmdb_ci_cmp_resource"
_CLUSTER: Final = "cmdb_ci_kubernetes_cluster"
_CLASSES: Final = {
    "microsoft.cache/redis": "cmdb_ci_cloud_database",
    "microsoft.compute/virtualmachines": "cmdb_ci_vm_instance",
    "microsoft.compute/virtualmachinescalesets": "cmdb_ci_instance_scale_set",
    "microsoft.containerservice/managedclusters": _CLUSTER,
    "microsoft.documentdb/databaseaccounts": "cmdb_ci_cloud_database",
    "microsoft.network/applicationgateways": "cmdb_ci_cloud_load_balancer",
    "microsoft.network/loadbalancers": "cmdb_ci_cloud_load_balancer",
    "microsoft.network/virtualnetworkgateways": "cmdb_ci_virtual_pvt_gateway",
    "microsoft.network/virtualnetworks": "cmdb_ci_network",
    "microsoft.sql/servers": "cmdb_ci_cloud_database",
    "microsoft.storage/storageaccounts": "cmdb_ci_cloud_storage_account",
    "microsoft.web/serverfarms": "cmdb_ci_cloud_appserver",
    "microsoft.web/sites": "cmdb_ci_cloud_webserver",
}
_IN_USE: Final = {"install_status": "1", "operational_status": "1"}
_GONE: Final = frozenset({"7", "8", "100"})
_DISCOVERED: Final = {"discovery_source": "ServiceNow", **_IN_USE}


def class_of(resource_type: str) -> str:
    """Give the class of an Azure type."""
    return _CLASSES.get(resource_type.lower(), _ANY)


def id_column(class_name: str) -> str:
    """Give the column that holds the Azure resource id."""
    return "cluster_resource_id" if class_name == _CLUSTER else "object_id"


def is_in_use(ci: Row) -> bool:
    """Whether a CI is neither retired, stolen nor absent."""
    return ci.get("install_status", "") not in _GONE


def put_estate(instance: Instance, estate: Estate) -> int:
    """Put every resource into its class, unless it is there, with its team and environment from its tags.

    Args:
        instance: The stand-in.
        estate: The resources.

    Returns:
        How many of its CIs are resources of the estate.
    """
    for resource in estate.resources:
        class_name = class_of(resource.type)
        ci = _existing(instance, class_name, resource) or _discovered(instance, class_name, resource)
        instance.update(class_name, ci["sys_id"], _from_tags(instance, resource))
    return len(estate.resources)


def _existing(instance: Instance, class_name: str, resource: Resource) -> Row | None:
    column = id_column(class_name)
    rows = instance.find(class_name, f"{column}={resource.id}")
    return next((row for row in rows if row[column].lower() == resource.id.lower() and is_in_use(row)), None)


def _discovered(instance: Instance, class_name: str, resource: Resource) -> Row:
    kind = {"resource_type": resource.type} if class_name == _ANY else {}
    return instance.insert(
        class_name, {"name": resource.name, id_column(class_name): resource.id, **kind, **_DISCOVERED}
    )


def _from_tags(instance: Instance, resource: Resource) -> dict[str, str]:
    """Give what people keep of a CI; here it follows from the resource's tags."""
    tags = resource.tags or {}
    team = {"support_group": _group(instance, tags["owner"])} if "owner" in tags else {}
    return {**team, **({"environment": tags["environment"]} if "environment" in tags else {})}


def _group(instance: Instance, name: str) -> str:
    found = instance.first("sys_user_group", f"name={name}")
    group: str = (found or instance.insert("sys_user_group", {"name": name}))["sys_id"]
    return group
