"""Short, readable class names for Azure resource types."""

import re

_CLASSES = {
    "microsoft.apimanagement/service": "api-gateway",
    "microsoft.app/containerapps": "container-app",
    "microsoft.app/managedenvironments": "container-app-environment",
    "microsoft.automation/automationaccounts": "automation-account",
    "microsoft.azurearcdata/sqlserverinstances": "sql-server",
    "microsoft.batch/batchaccounts": "batch-account",
    "microsoft.cache/redis": "redis-cache",
    "microsoft.cache/redisenterprise": "redis-cache",
    "microsoft.cdn/profiles": "content-delivery-profile",
    "microsoft.cognitiveservices/accounts": "ai-service",
    "microsoft.compute/disks": "disk",
    "microsoft.compute/snapshots": "disk-snapshot",
    "microsoft.compute/virtualmachines": "virtual-machine",
    "microsoft.compute/virtualmachines/extensions": "virtual-machine-extension",
    "microsoft.compute/virtualmachinescalesets": "virtual-machine-scale-set",
    "microsoft.containerinstance/containergroups": "container-group",
    "microsoft.containerregistry/registries": "container-registry",
    "microsoft.containerservice/managedclusters": "kubernetes-cluster",
    "microsoft.databricks/workspaces": "databricks-workspace",
    "microsoft.datafactory/factories": "data-factory",
    "microsoft.dataprotection/backupvaults": "backup-vault",
    "microsoft.dbformysql/flexibleservers": "mysql-server",
    "microsoft.dbforpostgresql/flexibleservers": "postgresql-server",
    "microsoft.devices/iothubs": "iot-hub",
    "microsoft.documentdb/databaseaccounts": "cosmos-db-account",
    "microsoft.eventgrid/topics": "event-grid-topic",
    "microsoft.eventhub/namespaces": "event-hub-namespace",
    "microsoft.hybridcompute/machines": "arc-server",
    "microsoft.insights/components": "application-insights",
    "microsoft.insights/webtests": "web-test",
    "microsoft.keyvault/vaults": "key-vault",
    "microsoft.kubernetes/connectedclusters": "kubernetes-cluster",
    "microsoft.logic/workflows": "logic-app",
    "microsoft.machinelearningservices/workspaces": "machine-learning-workspace",
    "microsoft.managedidentity/userassignedidentities": "managed-identity",
    "microsoft.monitor/accounts": "monitor-workspace",
    "microsoft.netapp/netappaccounts": "netapp-account",
    "microsoft.network/applicationgateways": "application-gateway",
    "microsoft.network/azurefirewalls": "firewall",
    "microsoft.network/connections": "vpn-connection",
    "microsoft.network/dnszones": "dns-zone",
    "microsoft.network/expressroutecircuits": "expressroute-circuit",
    "microsoft.network/frontdoors": "front-door",
    "microsoft.network/loadbalancers": "load-balancer",
    "microsoft.network/natgateways": "nat-gateway",
    "microsoft.network/networkinterfaces": "network-interface",
    "microsoft.network/networksecuritygroups": "network-security-group",
    "microsoft.network/privateendpoints": "private-endpoint",
    "microsoft.network/publicipaddresses": "public-ip-address",
    "microsoft.network/routetables": "route-table",
    "microsoft.network/trafficmanagerprofiles": "traffic-manager",
    "microsoft.network/virtualnetworkgateways": "vpn-gateway",
    "microsoft.network/virtualnetworks": "virtual-network",
    "microsoft.network/virtualnetworks/subnets": "subnet",
    "microsoft.operationalinsights/workspaces": "log-analytics-workspace",
    "microsoft.recoveryservices/vaults": "recovery-services-vault",
    "microsoft.resources/resourcegroups": "resource-group",
    "microsoft.resources/subscriptions": "subscription",
    "microsoft.resources/subscriptions/resourcegroups": "resource-group",
    "microsoft.search/searchservices": "search-service",
    "microsoft.servicebus/namespaces": "service-bus-namespace",
    "microsoft.signalrservice/signalr": "signalr-service",
    "microsoft.sql/managedinstances": "sql-managed-instance",
    "microsoft.sql/managedinstances/databases": "sql-database",
    "microsoft.sql/servers": "sql-server",
    "microsoft.sql/servers/databases": "sql-database",
    "microsoft.sql/servers/elasticpools": "sql-elastic-pool",
    "microsoft.sqlvirtualmachine/sqlvirtualmachines": "sql-virtual-machine",
    "microsoft.storage/storageaccounts": "storage-account",
    "microsoft.synapse/workspaces": "synapse-workspace",
    "microsoft.web/serverfarms": "app-service-plan",
    "microsoft.web/sites": "web-app",
    "microsoft.web/sites/slots": "web-app-slot",
    "microsoft.web/staticsites": "static-web-app",
}
_FUNCTION_APP = "function-app"
_WORD = re.compile(r"[^0-9a-z]+")
_CAMEL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")


def class_of_type(resource_type: str, kind: str = "") -> str:
    """Give the class of an Azure resource type.

    Args:
        resource_type: Such as ``Microsoft.Compute/virtualMachines``, in any case.
        kind: The resource's ``kind``, which tells function apps from other sites.

    Returns:
        A class of our own for well-known types; for others the provider and type, such as ``quantum-workspaces``
        for ``Microsoft.Quantum/workspaces``.
    """
    known = _CLASSES.get(resource_type.strip().lower())
    if known == "web-app" and "functionapp" in kind.lower():
        return _FUNCTION_APP
    return known or readable(resource_type.strip().removeprefix("Microsoft.").removeprefix("microsoft."))


def readable(text: str) -> str:
    """Give a class name as people may have written it in our form: ``Virtual Machine`` becomes ``virtual-machine``."""
    return _WORD.sub("-", _CAMEL.sub("-", text).lower()).strip("-")
