"""The classes of the CMDB, and the AR forms that show their instances (bmc-facts section 7)."""

from dataclasses import dataclass
from typing import Final

from secure_export.sandbox.bmc_helix.forms.fields import by_server, choice, number, texts, time
from secure_export.sandbox.bmc_helix.forms.model import Field, Form, Kind, Option, form

CORE: Final = "BMC.CORE"
ROOT: Final = "BMC_BaseElement"
TABLE: Final = "BMC.CORE:BMC_BaseElement"
GOLDEN: Final = "BMC.ASSET"
SANDBOX_DATASET: Final = "BMC.ASSET.SANDBOX"
DISCOVERED: Final = "BMC.ADDM"
DATASETS: Final = (GOLDEN, SANDBOX_DATASET, DISCOVERED)
NOT_RECONCILED: Final = "0"
AZURE_ATTRIBUTE: Final = "AzureResourceId"
"""An extension of this site: no attribute of BMC's own holds an Azure resource id."""

_DELETED: Final = (Option(0, "No"), Option(1, "Yes"))
_INDEXED: Final = ("Name", "ReconciliationIdentity", "TokenId", "HostName", "SerialNumber", "ADDMIntegrationId")


@dataclass(frozen=True, slots=True)
class CiClass:
    """A class.

    Attributes:
        name: Its name.
        parent: What it is a kind of; empty: the root.
        class_id: What ``ClassId`` of its instances says.
        asset_form: Which asset form shows them.
    """

    name: str
    parent: str
    class_id: str
    asset_form: str


_ROWS: Final = (
    (ROOT, "", "AST:BaseElement"),
    ("BMC_System", ROOT, "AST:System"),
    ("BMC_ComputerSystem", "BMC_System", "AST:ComputerSystem"),
    ("BMC_Mainframe", "BMC_ComputerSystem", "AST:Mainframe"),
    ("BMC_Application", "BMC_System", "AST:Application"),
    ("BMC_ApplicationSystem", "BMC_System", "AST:ApplicationSystem"),
    ("BMC_SoftwareServer", "BMC_ApplicationSystem", "AST:SoftwareServer"),
    ("BMC_DataBase", ROOT, "AST:DataBase"),
    ("BMC_Cluster", "BMC_System", "AST:Cluster"),
    ("BMC_CloudInstance", ROOT, "AST:CloudInstance"),
    ("BMC_VirtualSystemEnabler", "BMC_System", "AST:VirtualSystemEnabler"),
    ("BMC_LogicalEntity", ROOT, "AST:LogicalEntity"),
    ("BMC_BusinessService", "BMC_LogicalEntity", "AST:BusinessService"),
    ("BMC_StorageVolume", ROOT, "AST:StorageVolume"),
    ("BMC_LNsCollection", ROOT, "AST:LNsCollection"),
)
CLASSES: Final = {name: CiClass(name, parent, name.upper(), form_) for name, parent, form_ in _ROWS}
BY_CLASS_ID: Final = {one.class_id: one for one in CLASSES.values()}


def subclasses(name: str) -> frozenset[str]:
    """Give the class ids of a class and of all that are a kind of it."""
    found = {name}
    while more := {one.name for one in CLASSES.values() if one.parent in found} - found:
        found |= more
    return frozenset(CLASSES[one].class_id for one in found)


def cmdb_forms() -> list[Form]:
    """Give the forms: one a class under ``BMC.CORE:``, and its asset form."""
    return [made for one in CLASSES.values() for made in (_form(one, f"{CORE}:{one.name}"), _form(one, one.asset_form))]


def _form(ci_class: CiClass, name: str) -> Form:
    return form(
        name,
        _attributes(),
        key="InstanceId",
        table=TABLE,
        classes=subclasses(ci_class.name),
        indexed=(*_INDEXED, AZURE_ATTRIBUTE),
    )


def _attributes() -> list[Field]:
    return [
        by_server("InstanceId", field_id=179),
        by_server("ClassId", field_id=400_079_600),
        by_server("DatasetId", field_id=400_127_400),
        by_server("ReconciliationIdentity", field_id=400_129_200),
        by_server("CreateDate", Kind.TIME, 3),
        by_server("ModifiedDate", Kind.TIME, 6),
        *texts(
            "Name", "ShortDescription", "TokenId", "Category", "Type", "Item", "Model", "ManufacturerName", limit=254
        ),
        *texts(
            "VersionNumber", "SerialNumber", "OwnerName", "Company", "ADDMIntegrationId", "Region", "Site", limit=254
        ),
        *texts("HostName", "Domain", "PrimaryCapability", "AssetLifecycleStatus", "NormalizationStatus", limit=254),
        *texts("Description", AZURE_ATTRIBUTE, limit=0),
        choice("MarkAsDeleted", _DELETED),
        choice("isVirtual", _DELETED),
        number("Priority"),
        time("LastScanDate"),
    ]
