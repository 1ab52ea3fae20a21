"""A CMDB as discovery of a small Azure estate leaves it, with what makes binding hard (servicenow-facts 10).

Dead rows of resources that were made again, virtual machines that are two CIs, and two of the same name.
"""

from typing import Final

from secure_export.sandbox.servicenow.demo_data.seeding import Seeding, id_of

PRODUCTION: Final = "7b1d6f20-3c44-4e0b-9a86-1f2e5d8c9a01"
SHARED: Final = "2f9c4ab8-6d15-47f3-8e70-c3b5a1d7e602"
_SHOP: Final = f"/subscriptions/{PRODUCTION}/resourceGroups/rg-shop-prod"
_WAREHOUSE: Final = f"/subscriptions/{PRODUCTION}/resourceGroups/RG-Warehouse-Prod"
_MONITORING: Final = f"/subscriptions/{SHARED}/resourceGroups/rg-monitoring"
_RELATIONS: Final = (
    "Hosted on::Hosts",
    "Contains::Contained by",
    "Virtualized by::Virtualizes",
    "Depends on::Used by",
    "Cools::Cooled By",
    "Runs on::Runs",
)
# The class, and the ARM id in the case that the portal shows.
_RESOURCES: Final = f"""
cmdb_ci_vm_instance | {_SHOP}/providers/Microsoft.Compute/virtualMachines/vm-shop-web-01
cmdb_ci_vm_instance | {_SHOP}/providers/Microsoft.Compute/virtualMachines/vm-shop-web-02
cmdb_ci_vm_instance | {_SHOP}/providers/Microsoft.Compute/virtualMachines/vm-batch-01
cmdb_ci_vm_instance | {_WAREHOUSE}/providers/Microsoft.Compute/virtualMachines/vm-batch-01
cmdb_ci_vm_instance | {_WAREHOUSE}/providers/Microsoft.Compute/virtualMachines/vm-wms-app-01
cmdb_ci_vm_instance | {_WAREHOUSE}/providers/Microsoft.Compute/virtualMachines/vm-wms-db-01
cmdb_ci_cloud_appserver | {_SHOP}/providers/Microsoft.Web/serverFarms/plan-shop
cmdb_ci_cloud_webserver | {_SHOP}/providers/Microsoft.Web/sites/app-shop-checkout
cmdb_ci_cmp_resource | {_SHOP}/providers/Microsoft.Insights/components/appi-shop
cmdb_ci_cloud_database | {_SHOP}/providers/Microsoft.Sql/servers/sql-shop
cmdb_ci_cloud_storage_account | {_SHOP}/providers/Microsoft.Storage/storageAccounts/stshopmedia
cmdb_ci_cmp_resource | {_SHOP}/providers/Microsoft.KeyVault/vaults/kv-shop
cmdb_ci_cloud_database | {_SHOP}/providers/Microsoft.Cache/Redis/redis-shop
cmdb_ci_cloud_load_balancer | {_SHOP}/providers/Microsoft.Network/applicationGateways/agw-shop
cmdb_ci_instance_scale_set | {_WAREHOUSE}/providers/Microsoft.Compute/virtualMachineScaleSets/vmss-pick-workers
cmdb_ci_cloud_storage_account | {_WAREHOUSE}/providers/Microsoft.Storage/storageAccounts/stwarehouselabels
cmdb_ci_cmp_resource | {_WAREHOUSE}/providers/Microsoft.ServiceBus/namespaces/sb-warehouse
cmdb_ci_cloud_database | {_WAREHOUSE}/providers/Microsoft.DocumentDB/databaseAccounts/cosmos-stock
cmdb_ci_cloud_load_balancer | {_WAREHOUSE}/providers/Microsoft.Network/loadBalancers/lb-wms
cmdb_ci_cmp_resource | {_MONITORING}/providers/Microsoft.OperationalInsights/workspaces/log-central
cmdb_ci_cmp_resource | {_MONITORING}/providers/Microsoft.RecoveryServices/vaults/rsv-central
cmdb_ci_cmp_resource | {_MONITORING}/providers/Microsoft.Automation/automationAccounts/aa-operations
"""
_DISCOVERED: Final = {"discovery_source": "SG-Azure", "install_status": "1", "operational_status": "1"}


def fill(seeding: Seeding) -> None:
    """Write it."""
    for name in _RELATIONS:
        parent, _, child = name.partition("::")
        seeding.put("cmdb_rel_type", name, parent_descriptor=parent, child_descriptor=child)
    shop = {"busines_criticality": "1 - most critical", "short_description": "Where customers order"}
    service = seeding.put("cmdb_ci_service", "Web shop", **shop)
    seeding.put("cmdb_ci_service", "Warehouse", busines_criticality="2 - somewhat critical")
    region = seeding.put(
        "cmdb_ci_azure_datacenter", "westeurope", object_id="westeurope", region="westeurope", **_DISCOVERED
    )
    for subscription, name in ((PRODUCTION, "lindenhof-production"), (SHARED, "lindenhof-shared-services")):
        ids = {"account_id": subscription, "object_id": f"/subscriptions/{subscription}"}
        account = seeding.put("cmdb_ci_cloud_service_account", name, **ids, **_DISCOVERED)
        relate(seeding, region, account, "Hosted on::Hosts")
    for line in filter(None, _RESOURCES.splitlines()):
        table, _, arm_id = line.partition(" | ")
        _resource(seeding, table, arm_id, {"region": region, "service": service})
    _hard_cases(seeding)


def relate(seeding: Seeding, parent: str, child: str, kind: str) -> str:
    """Relate two CIs."""
    name = f"{parent} {child} {kind}"
    return seeding.put("cmdb_rel_ci", name, parent=parent, child=child, type=id_of("cmdb_rel_type", kind))


def _resource(seeding: Seeding, table: str, arm_id: str, around: dict[str, str]) -> None:
    group_path, _, rest = arm_id.partition("/providers/")
    name = arm_id.rpartition("/")[2]
    columns = {"object_id": arm_id, **_DISCOVERED, "correlation_id": arm_id[:100]}
    if table == "cmdb_ci_cmp_resource":
        columns["resource_type"] = "/".join(rest.split("/")[:2])
    sys_id = seeding.put(table, name, id_of(table, arm_id), **columns)
    relate(seeding, sys_id, around["region"], "Hosted on::Hosts")
    group = seeding.put(
        "cmdb_ci_resource_group",
        group_path.rpartition("/")[2],
        id_of("group", group_path),
        object_id=group_path,
        **_DISCOVERED,
    )
    relate(seeding, group, sys_id, "Contains::Contained by")
    source = {"name": "SG-Azure", "id": arm_id, "target_table": table, "target_sys_id": sys_id}
    seeding.put("sys_object_source", arm_id, **source)
    if group_path == _SHOP:
        seeding.put("cmdb_key_value", f"{sys_id} service", configuration_item=sys_id, key="service", value="web shop")
        seeding.put("svc_ci_assoc", f"{sys_id} service", ci_id=sys_id, service_id=around["service"])


def _hard_cases(seeding: Seeding) -> None:
    """Write the cluster without ``object_id``, servers that are also virtual machines, and the dead."""
    cluster_id = f"{_WAREHOUSE}/providers/Microsoft.ContainerService/managedClusters/aks-warehouse"
    seeding.put("cmdb_ci_kubernetes_cluster", "aks-warehouse", cluster_resource_id=cluster_id, **_DISCOVERED)
    web = f"{_SHOP}/providers/Microsoft.Compute/virtualMachines/vm-shop-web-01"
    server = seeding.put("cmdb_ci_linux_server", "vm-shop-web-01", object_id=web, **_DISCOVERED)
    relate(seeding, server, id_of("cmdb_ci_vm_instance", web), "Virtualized by::Virtualizes")
    database = f"{_WAREHOUSE}/providers/Microsoft.Compute/virtualMachines/vm-wms-db-01"
    windows = seeding.put("cmdb_ci_win_server", "vm-wms-db-01", object_id=database, **_DISCOVERED)
    relate(seeding, windows, id_of("cmdb_ci_vm_instance", database), "Virtualized by::Virtualizes")
    dead = {**_DISCOVERED, "install_status": "100", "operational_status": "2", "discovery_source": "ServiceNow"}
    second = f"{_SHOP}/providers/Microsoft.Compute/virtualMachines/vm-shop-web-02"
    seeding.put(
        "cmdb_ci_vm_instance",
        "vm-shop-web-02",
        id_of("dead", second),
        object_id=second.lower(),
        state="terminated",
        **dead,
    )
    retired = {**_DISCOVERED, "install_status": "7", "operational_status": "6"}
    vault = f"{_SHOP}/providers/Microsoft.KeyVault/vaults/kv-shop"
    seeding.put("cmdb_ci_cmp_resource", "kv-shop", id_of("dead", vault), object_id=vault, **retired)
