"""From an instance of BMC's CMDB to a configuration item: pure.

The two forms of the CMDB API and the AR forms give the same attributes in different wrappings (BMC documentation,
"Example of using the REST API to search for CIs").
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from secure_export.cmdb.contract import ConfigurationItem
from secure_export.itsm.bmc_helix.cmdb.ci_reference import CiReference, reference
from secure_export.workitems.work_item import Binding

Row = Mapping[str, str]
"""The attributes of an instance that have a value, as text."""

NEEDED = ("Name", "ClassId", "ReconciliationIdentity")
USEFUL = ("MarkAsDeleted", "AssetLifecycleStatus", "DatasetId", "Company")
CI_NAME = "ci_name"

# By ClassId, which is in capitals; asset forms are named after the class as it is written here (CDM).
_CLASSES = (
    "BMC_AccessPoint", "BMC_Activity", "BMC_Application", "BMC_ApplicationInfrastructure", "BMC_ApplicationService",
    "BMC_ApplicationSystem", "BMC_BaseElement", "BMC_BusinessProcess", "BMC_BusinessService", "BMC_CloudInstance",
    "BMC_Cluster", "BMC_Collection", "BMC_ComputerSystem", "BMC_DataBase", "BMC_DataBaseStorage", "BMC_DiskDrive",
    "BMC_DiskPartition", "BMC_Document", "BMC_Equipment", "BMC_FileSystem", "BMC_HardwareSystemComponent",
    "BMC_IPEndpoint", "BMC_LAN", "BMC_LANEndpoint", "BMC_LNsCollection", "BMC_LocalFileSystem", "BMC_LogicalEntity",
    "BMC_Mainframe", "BMC_MFVirtualSystem", "BMC_Monitor", "BMC_NetworkPort", "BMC_OperatingSystem",
    "BMC_Organization", "BMC_Package", "BMC_Person", "BMC_PhysicalLocation", "BMC_Printer", "BMC_Processor",
    "BMC_Product", "BMC_ResourcePool", "BMC_Role", "BMC_SoftwareServer", "BMC_StorageSubsystem", "BMC_StorageVolume",
    "BMC_System", "BMC_SystemResource", "BMC_SystemService", "BMC_TechnicalService", "BMC_Transaction",
    "BMC_VirtualSystem", "BMC_VirtualSystemEnabler",
)  # fmt: skip
_SPELLED = {name.upper(): name for name in _CLASSES}

# Binding knows what is out of use by English words (``secure_export.cmdb.decide``). Labels, and their numbers.
_LIFE_CYCLE: Mapping[str, str] = {
    "end of life": "retired", "6": "retired",
    "delete": "deleted", "deleted": "deleted", "8": "deleted",
    "disposed": "disposed", "11": "disposed",
    "return to vendor": "disposed", "13": "disposed",
    "retired": "retired", "decommissioned": "decommissioned", "stolen": "stolen",
}  # fmt: skip
_MARKED = frozenset({"1", "yes", "true"})


def rows_of(body: Any) -> tuple[Row, ...] | None:
    """Read an answer; None when it holds no list of instances."""
    if not isinstance(body, Mapping):
        return None
    for wrapping, inner in (("instances", "attributes"), ("entries", "values")):
        if isinstance(found := body.get(wrapping), list):
            return tuple(_row(one.get(inner)) for one in found if isinstance(one, Mapping))
    return None


def class_of(row: Row, asked: str) -> str:
    """Give the class of a row as the CMDB writes it; ``ClassId`` has it in capitals.

    Args:
        row: The row.
        asked: The class that was asked, which may be above the row's own.
    """
    class_id = row.get("ClassId", "").strip()
    if not class_id or class_id.upper() == asked.upper():
        return _SPELLED.get(asked.upper(), asked)
    return _SPELLED.get(class_id.upper(), class_id)


def reference_of(row: Row, asked: str) -> CiReference | None:
    """Give what a CI is known by; None when reconciliation has not seen it, so that it cannot be bound."""
    return reference(CiReference(class_of(row, asked), row.get("ReconciliationIdentity", "").strip()).text)


def out_of_use(row: Row) -> str:
    """Say in binding's words why a CI is out of use; empty when it is in use."""
    if row.get("MarkAsDeleted", "").strip().lower() in _MARKED:
        return "deleted"
    return _LIFE_CYCLE.get(row.get("AssetLifecycleStatus", "").strip().lower(), "")


def ci_of(
    row: Row, known_by: CiReference, *, name: str = "", resource_id: str | None = None, further: Iterable[str] = ()
) -> ConfigurationItem:
    """Make a configuration item of a row.

    Args:
        row: The row.
        known_by: Its class and reconciliation identity, which make up its id.
        name: The name that it was found by; empty for its own.
        resource_id: The Azure resource id, in normal form, that it was found by; None: by no id.
        further: Attributes that become attributes by their own names.
    """
    own = row.get("Name", "")
    attributes = {
        "class_id": known_by.class_id,
        "reconciliation_id": known_by.identity,
        CI_NAME: own,
        "company": row.get("Company", ""),
        "status": out_of_use(row),
        "lifecycle_status": row.get("AssetLifecycleStatus", ""),
        **{attribute: row.get(attribute, "") for attribute in further},
    }
    return ConfigurationItem(
        id=known_by.text,
        name=name or own,
        class_name=known_by.class_name,
        resource_id=resource_id,
        attributes={key: value for key, value in attributes.items() if value},
    )


def ci_name(binding: Binding) -> str:
    """Give the name that the CMDB has for a bound CI: it may have been found by another, such as its host name."""
    return binding.attributes.get(CI_NAME) or binding.name


def first_of_each(rows: Sequence[Row]) -> list[Row]:
    """Leave out rows that came twice; those that are not reconciled have no identity to tell them by."""
    first: dict[str, Row] = {}
    for place, row in enumerate(rows):
        identity = row.get("ReconciliationIdentity", "")
        first.setdefault(identity if identity not in {"", "0"} else f"/{place}", row)
    return list(first.values())


def _row(values: Any) -> Row:
    if not isinstance(values, Mapping):
        return {}
    return {str(name): text for name, value in values.items() if (text := _text(value))}


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "1" if value else ""
    if isinstance(value, int | float):
        return str(value)
    return value if isinstance(value, str) else ""
