"""The estate in BMC's CMDB, as an import of Azure's inventory and the reconciliation after it leave it.

BMC has no standard attribute for an Azure resource id, so that this site has an extension for it, ``AzureResourceId``.
The classes follow BMC's Common Data Model ("CDM Mapping for Cloud"); what has none of its own is a cloud instance.
"""

from functools import partial
from typing import Any, Final

from secure_export.sandbox.azure_monitor.estate import Estate, Resource
from secure_export.sandbox.bmc_helix import looking
from secure_export.sandbox.bmc_helix.cis import add_ci
from secure_export.sandbox.bmc_helix.demo_data import COMPANY
from secure_export.sandbox.bmc_helix.forms.cmdb import AZURE_ATTRIBUTE, DISCOVERED, GOLDEN, NOT_RECONCILED
from secure_export.sandbox.bmc_helix.server import ArServer

COMPUTER: Final = "BMC_ComputerSystem"
_ANY: Final = "BMC_CloudInstance"
_CLASSES: Final = {
    "microsoft.cache/redis": "BMC_DataBase",
    "microsoft.compute/virtualmachines": COMPUTER,
    "microsoft.compute/virtualmachinescalesets": "BMC_Cluster",
    "microsoft.containerservice/managedclusters": "BMC_Cluster",
    "microsoft.documentdb/databaseaccounts": "BMC_DataBase",
    "microsoft.sql/servers": "BMC_SoftwareServer",
    "microsoft.sql/servers/databases": "BMC_DataBase",
    "microsoft.storage/storageaccounts": "BMC_StorageVolume",
    "microsoft.web/serverfarms": "BMC_SoftwareServer",
    "microsoft.web/sites": "BMC_Application",
}
_MADE_AGAIN: Final = frozenset({"vm-shop-web-02", "kv-shop"})
"""Resources that were deleted and made again: the CMDB still has the dead ones, under the same id."""
_IMPORTED_TWICE: Final = frozenset({"vm-wms-db-01"})
"""Resources that are there once more, without reconciliation."""

LOOKUPS: Final = (
    {"class": "BMC_BaseElement", "attribute": AZURE_ATTRIBUTE, "source": "resource_id"},
    {"class": COMPUTER, "attribute": "Name", "source": "name"},
    {"class": COMPUTER, "attribute": "TokenId", "source": "host_name", "match": "token"},
    {"class": "BMC_BaseElement", "attribute": "Name", "source": "name"},
)
"""How the connection is told to look CIs up: what BMC calls *Class Query Mapping*."""


def class_of(resource_type: str) -> str:
    """Give the class of an Azure type."""
    return _CLASSES.get(resource_type.lower(), _ANY)


def put_estate(server: ArServer, estate: Estate) -> int:
    """Put every resource into its class, and beside some of them what makes a CMDB hard to read.

    Args:
        server: The stand-in.
        estate: The resources.

    Returns:
        How many of its CIs are resources of the estate.
    """
    for resource in estate.resources:
        put = partial(add_ci, server, resource.name, ci_class=class_of(resource.type), **_values(resource))
        if resource.name in _MADE_AGAIN:
            put(MarkAsDeleted="Yes")
        identity = str(put()["ReconciliationIdentity"])
        if class_of(resource.type) == COMPUTER:
            put(dataset=DISCOVERED, identity=identity)
        if resource.name in _IMPORTED_TWICE:
            put(reconciled=False)
    return len(estate.resources)


def cis_of(server: ArServer, resource: Resource) -> list[str]:
    """Give the reconciliation identities that an incident about a resource may be bound to: it should be one."""
    right = (class_of(resource.type).upper(), GOLDEN, resource.id.lower(), "No")
    return [
        str(ci["ReconciliationIdentity"])
        for ci in looking.cis(server)
        if (ci["ClassId"], ci["DatasetId"], ci[AZURE_ATTRIBUTE], ci["MarkAsDeleted"]) == right
        and ci["ReconciliationIdentity"] != NOT_RECONCILED
    ]


def _values(resource: Resource) -> dict[str, Any]:
    """Give the attributes of a resource; ids in lower case, because this site's database heeds case."""
    host = {"HostName": resource.name, "TokenId": f"{resource.name}:lindenhof-logistics.example", "isVirtual": "Yes"}
    return {
        AZURE_ATTRIBUTE: resource.id.lower(),
        "Company": COMPANY,
        "OwnerName": (resource.tags or {}).get("owner"),
        "Region": resource.location,
        **(host if class_of(resource.type) == COMPUTER else {}),
    }
