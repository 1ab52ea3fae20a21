"""The three incident forms: what is kept, the interface to it, and the staging form that creates (bmc-facts section 5).

Field names are those of recorded answers: blanks on the interface and the base form, underscores on the staging form.
"""

from dataclasses import replace
from typing import Final

from secure_export.sandbox.bmc_helix.forms import options
from secure_export.sandbox.bmc_helix.forms.fields import by_server, choice, display, file, number, text, texts, time
from secure_export.sandbox.bmc_helix.forms.model import Field, Form, Kind, form

BASE: Final = "HPD:Help Desk"
INTERFACE: Final = "HPD:IncidentInterface"
STAGING: Final = "HPD:IncidentInterface_Create"

SUMMARY_LIMIT: Final = 255
NOT_ON_STAGING: Final = frozenset({"Entry ID", "Last Modified By", "Last Modified Date", "Submit Date"})
STAGING_NAMES: Final = {
    "First Name": "First_Name",
    "Last Name": "Last_Name",
    "Service Type": "Service_Type",
    "Detailed Decription": "Detailed_Decription",
    "Contact Company": "Contact_Company",
    "Customer Login ID": "Login_ID",
    "z1D Action": "z1D_Action",
}
"""What the staging form calls fields that have blanks on the other two."""
_REQUIRED_TO_CREATE: Final = ("Description", "Impact", "Urgency", "Status", "Reported Source", "Service_Type")
_INDEXED: Final = ("Incident Number", "Vendor Ticket Number", "mc_ueid", "cell_name", "policy_name", "use_case")

_KEPT: Final = [
    text("Description", SUMMARY_LIMIT, 1_000_000_000),
    text("Detailed Decription", 0, 1_000_000_151),
    text("Company", 254, 1_000_000_001),
    text("First Name", 30, 1_000_000_019),
    text("Last Name", 30, 1_000_000_018),
    text("Customer Login ID", 254),
    text("Person ID", 15),
    text("Contact Company", 254, 1_000_000_082),
    text("Internet E-mail", 255, 1_000_000_048),
    choice("Impact", options.IMPACT, 1_000_000_163),
    choice("Urgency", options.URGENCY, 1_000_000_162),
    by_server("Priority", Kind.ENUM, 1_000_000_164, options.PRIORITY),
    by_server("Priority Weight", Kind.INTEGER, 1_000_000_169),
    choice("Reported Source", options.REPORTED_SOURCE, 1_000_000_215),
    choice("Service Type", options.SERVICE_TYPE, 1_000_000_099),
    choice("Status", options.STATUS, 7),
    choice("Status_Reason", options.STATUS_REASON, 1_000_000_150),
    text("Resolution", 0, 1_000_000_156),
    *texts("Resolution Category", "Resolution Category Tier 2", "Resolution Category Tier 3", "Resolution Method"),
    text("Assigned Support Company", 254, 1_000_000_251),
    text("Assigned Support Organization", 60, 1_000_000_014),
    text("Assigned Group", 60, 1_000_000_217),
    text("Assigned Group ID", 15, 1_000_000_079),
    text("Assignee", 69, 1_000_000_218),
    text("Assignee Login ID", 254, 4),
    *texts("Owner Support Company", "Owner Support Organization", "Owner Group", "Owner Group ID"),
    text("Categorization Tier 1", 60, 1_000_000_063),
    text("Categorization Tier 2", 60, 1_000_000_064),
    text("Categorization Tier 3", 60, 1_000_000_065),
    text("Product Categorization Tier 1", 60, 200_000_003),
    text("Product Categorization Tier 2", 60, 200_000_004),
    text("Product Categorization Tier 3", 60, 200_000_005),
    text("Product Name", 254, 240_001_002),
    *texts("Product Model/Version", "Manufacturer", "Region", "Site", "Site Group", "City", "Country", limit=254),
    *texts("Closure Product Category Tier1", "Closure Product Category Tier2", "Closure Product Category Tier3"),
    *texts("Closure Product Name", "Closure Manufacturer"),
    *texts("HPD_CI", "HPD_CI_ReconID", "HPD_CI_FormName", "ServiceCI", "ServiceCI_ReconID"),
    *texts("Vendor Name", "Vendor Organization", "Vendor Group"),
    text("Vendor Ticket Number", 60),
    *texts("Component_ID", "mc_ueid", "cell_name", "policy_name", "policy_type", "use_case", "status_incident"),
    *texts("Impact_OR_Root", "root_component_id_list", "root_incident_id_list", "TemplateID"),
    choice("InfrastructureEventType", options.EVENT_TYPE),
    time("Reported Date", 1_000_000_560),
    *[time(name) for name in ("Responded Date", "Required Resolution DateTime", "Estimated Resolution Date")],
]
_SET_BY_SERVER: Final = [
    by_server("Entry ID", field_id=1),
    by_server("Submitter", field_id=2),
    by_server("Submit Date", Kind.TIME, 3),
    by_server("Last Modified By", field_id=5),
    by_server("Last Modified Date", Kind.TIME, 6),
    by_server("Status History", Kind.HISTORY, 15),
    by_server("InstanceId", field_id=179),
    by_server("Incident Number", field_id=1_000_000_161),
    by_server("Last Resolved Date", Kind.TIME, 1_000_000_563),
    by_server("Closed Date", Kind.TIME),
    by_server("Reopened Date", Kind.TIME),
    by_server("Re-Opened Counter", Kind.INTEGER),
    by_server("Total Transfers", Kind.INTEGER),
    by_server("Previous_HPD_CI_ReconID"),
    by_server("Previous_ServiceCI_ReconID"),
]
_WORK_INFO: Final = [
    display("z1D Action"),
    display("z1D_CI_FormName"),
    display("z1D_WorklogDetails"),
    display("z1D_Details"),
    display("z1D_Activity_Type", options.WORK_LOG_TYPE),
    display("z1D_View_Access", options.VIEW_ACCESS),
    display("z1D_Secure_Log", options.YES_NO),
    display("z1D_CommunicationSource"),
    replace(file("z2AF_Act_Attachment_1"), stored=False),
]
_OWN_OF_STAGING: Final = [
    by_server("Request ID", field_id=1),
    by_server("Create Date", Kind.TIME, 3),
    by_server("Modified Date", Kind.TIME, 6),
    by_server("Record ID"),
    by_server("Incident_Entry_ID"),
    by_server("Person Instance ID"),
    text("HPD_TemplateName"),
    text("ApplyTemplate"),
    text("OptionForClosingIncident"),
    text("CI Name"),
    text("Lookup Keyword"),
    text("Schema Name"),
    text("DatasetId"),
    text("ReconciliationIdentity"),
    number("Flag_Create_Request"),
]


def incident_forms() -> list[Form]:
    """Give the three forms."""
    kept = [*_SET_BY_SERVER, *_KEPT, *_WORK_INFO]
    interface = [by_server("Request ID", field_id=-1), *kept]
    return [
        form(BASE, kept, key="Entry ID", prefix="INC", indexed=_INDEXED),
        form(INTERFACE, interface, table=BASE, joined=True, indexed=_INDEXED),
        form(STAGING, _staging(kept), indexed=("Incident Number",)),
    ]


def _staging(kept: list[Field]) -> list[Field]:
    own = {field.name for field in _OWN_OF_STAGING}
    shared = [
        replace(field, name=STAGING_NAMES.get(field.name, field.name))
        for field in kept
        if field.name not in NOT_ON_STAGING | own
    ]
    return [*_OWN_OF_STAGING, *(replace(one, required=one.name in _REQUIRED_TO_CREATE) for one in shared)]
