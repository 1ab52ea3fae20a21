"""The selections as they come out of the box (bmc-facts section 5, Enumerations)."""

from typing import Final

from secure_export.sandbox.bmc_helix.forms.model import Option


def _numbered(*labels: str, start: int = 0, step: int = 1) -> tuple[Option, ...]:
    return tuple(Option(start + place * step, label) for place, label in enumerate(labels))


NEW: Final = 0
ASSIGNED: Final = 1
IN_PROGRESS: Final = 2
PENDING: Final = 3
RESOLVED: Final = 4
CLOSED: Final = 5
CANCELLED: Final = 6
FINAL: Final = frozenset({CLOSED, CANCELLED})

STATUS: Final = _numbered("New", "Assigned", "In Progress", "Pending", "Resolved", "Closed", "Cancelled")
IMPACT: Final = _numbered(
    "1-Extensive/Widespread",
    "2-Significant/Large",
    "3-Moderate/Limited",
    "4-Minor/Localized",
    start=1000,
    step=1000,
)
URGENCY: Final = _numbered("1-Critical", "2-High", "3-Medium", "4-Low", start=1000, step=1000)
PRIORITY: Final = _numbered("Critical", "High", "Medium", "Low")
SERVICE_TYPE: Final = _numbered(
    "User Service Restoration",
    "User Service Request",
    "Infrastructure Restoration",
    "Infrastructure Event",
    "Security Incident",
)
INFRASTRUCTURE_EVENT: Final = 3
REPORTED_SOURCE: Final = _numbered(
    "Direct Input",
    "Email",
    "External Escalation",
    "Fax",
    "Self Service",
    "Systems Management",
    "Phone",
    "Voice Mail",
    "Walk In",
    "Web",
    "Other",
    "BMC Impact Manager Event",
    "Chat",
    start=1000,
    step=1000,
)
STATUS_REASON: Final = _numbered(
    "Infrastructure Change Created",
    "Local Site Action Required",
    "Purchase Order Approval",
    "Registration Approval",
    "Supplier Delivery",
    "Support Contact Hold",
    "Third Party Vendor Action Reqd",
    "Client Action Required",
    "Infrastructure Change",
    "Request",
    "Future Enhancement",
    "Pending Original Incident",
    "Client Hold",
    "Monitoring Incident",
    "Customer Follow-Up Required",
    "Temporary Corrective Action",
    "No Further Action Required",
    "Resolved by Original Incident",
    "Automated Resolution Reported",
    "No longer a Causal CI",
    "Pending Causal Incident Resolution",
    "Resolved by Causal Incident",
    start=1000,
    step=1000,
)
REASONS: Final[dict[int, frozenset[str]]] = {
    PENDING: frozenset(
        {
            "Automated Resolution Reported",
            "Client Action Required",
            "Client Hold",
            "Future Enhancement",
            "Infrastructure Change",
            "Local Site Action Required",
            "Monitoring Incident",
            "Pending Original Incident",
            "Purchase Order Approval",
            "Registration Approval",
            "Request",
            "Supplier Delivery",
            "Support Contact Hold",
            "Third Party Vendor Action Reqd",
        }
    ),
    RESOLVED: frozenset(
        {
            "Automated Resolution Reported",
            "Customer Follow-Up Required",
            "Future Enhancement",
            "Monitoring Incident",
            "No Further Action Required",
            "Resolved by Original Incident",
            "Temporary Corrective Action",
        }
    ),
    CLOSED: frozenset({"Automated Resolution Reported", "Infrastructure Change Created"}),
    CANCELLED: frozenset({"No longer a Causal CI"}),
}
"""Which status reasons go with which status, by label."""
WORK_LOG_TYPE: Final = _numbered(
    "Customer Communication",
    "Customer Follow-up",
    "Customer Status Update",
    "Closure Follow Up",
    "Detail Clarification",
    "General Information",
    "Resolution Communications",
    "Satisfaction Survey",
    "Status Update",
    "Incident Task / Action",
    "Problem Script",
    "Working Log",
    "Email System",
    "Paging System",
    "BMC Impact Manager Update",
    "Chat",
    "Vendor Communication",
    start=1000,
    step=1000,
)
VIEW_ACCESS: Final = _numbered("Internal", "Public")
YES_NO: Final = (Option(0, "Yes"), Option(1, "No"))
ENABLED: Final = _numbered("Proposed", "Enabled", "Offline", "Obsolete", "Archive", "Delete")
EVENT_TYPE: Final = _numbered("None", "Root Cause", "Impacted")
