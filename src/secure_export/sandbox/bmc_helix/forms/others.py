"""Work info, relations, templates, and who and what there is to assign to (bmc-facts section 5)."""

from typing import Final

from secure_export.sandbox.bmc_helix.forms import options
from secure_export.sandbox.bmc_helix.forms.fields import by_server, choice, file, text, texts
from secure_export.sandbox.bmc_helix.forms.model import Field, Form, Kind, form

WORK_LOG: Final = "HPD:WorkLog"
ASSOCIATIONS: Final = "HPD:Associations"
CMDB_ASSOCIATIONS: Final = "AST:CMDB Associations"
TEMPLATE: Final = "HPD:Template"
PEOPLE: Final = "CTM:People"
COMPANY: Final = "COM:Company"
SUPPORT_GROUP: Final = "CTM:Support Group"
GROUP_MEMBER: Final = "CTM:Support Group Association"
WORK_LOG_FILES: Final = ("z2AF Work Log01", "z2AF Work Log02", "z2AF Work Log03")
SUMMARY_LIMIT: Final = 100


def other_forms() -> list[Form]:
    """Give the forms."""
    return [
        _work_log(),
        _associations(ASSOCIATIONS),
        _associations(CMDB_ASSOCIATIONS),
        _template(),
        *_foundation(),
    ]


def _core(key: str) -> list[Field]:
    return [
        by_server(key, field_id=1),
        by_server("Submitter", field_id=2),
        by_server("Submit Date", Kind.TIME, 3),
        by_server("Last Modified By", field_id=5),
        by_server("Last Modified Date", Kind.TIME, 6),
        by_server("InstanceId", field_id=179),
    ]


def _work_log() -> Form:
    fields = [
        *_core("Work Log ID"),
        text("Incident Number", 15, 1_000_000_161, required=True),
        by_server("Incident Entry ID"),
        text("Description", SUMMARY_LIMIT),
        text("Detailed Description", 0),
        choice("Work Log Type", options.WORK_LOG_TYPE, required=True),
        choice("View Access", options.VIEW_ACCESS),
        choice("Secure Work Log", options.YES_NO),
        choice("Status", options.ENABLED, 7),
        text("Communication Source"),
        by_server("Work Log Submitter"),
        by_server("Work Log Submit Date", Kind.TIME),
        by_server("Number of Attachments", Kind.INTEGER),
        *map(file, WORK_LOG_FILES),
    ]
    return form(WORK_LOG, fields, key="Work Log ID", prefix="WLG", indexed=("Incident Number",))


def _associations(name: str) -> Form:
    fields = [
        *_core("Associations ID"),
        *texts("Request ID01", "Form Name01", "Request Description01", "Request Type01", "Association Type01"),
        *texts("Request ID02", "Form Name02", "Lookup Keyword"),
    ]
    indexed = ("Request ID01", "Request ID02")
    return form(name, fields, key="Associations ID", prefix="ASC", indexed=indexed)


def _template() -> Form:
    values = ("First Name", "Last Name", "Company", "Impact", "Urgency", "Status", "Reported Source", "Service Type")
    fields = [
        *_core("HPD Template ID"),
        text("Description"),
        text("Template Name"),
        *texts(*values),
        *texts("Summary", "Assigned Support Company", "Assigned Support Organization", "Assigned Group"),
        *texts("Categorization Tier 1", "Categorization Tier 2", "Categorization Tier 3"),
    ]
    return form(TEMPLATE, fields, key="HPD Template ID", prefix="TMP", indexed=("InstanceId", "Template Name"))


def _foundation() -> list[Form]:
    people = [
        *_core("Person ID"),
        *texts("First Name", "Last Name", "Full Name", "Company", "Organization", "Remedy Login ID", "Internet E-mail"),
        choice("Support Staff", options.YES_NO),
        choice("Profile Status", options.ENABLED),
    ]
    company = [*_core("Company Entry ID"), *texts("Company", "Company Type"), choice("Status", options.ENABLED, 7)]
    group = [
        *_core("Support Group ID"),
        *texts("Support Group Name", "Company", "Support Organization", "Support Group Role"),
        choice("Status", options.ENABLED, 7),
    ]
    member = [*_core("Support Group Association ID"), *texts("Person ID", "Support Group ID", "Login ID", "Full Name")]
    return [
        form(PEOPLE, people, key="Person ID", prefix="PPL", indexed=("Remedy Login ID", "Last Name", "Full Name")),
        form(COMPANY, company, key="Company Entry ID", prefix="CPY", indexed=("Company",)),
        form(SUPPORT_GROUP, group, key="Support Group ID", prefix="SGP", indexed=("Support Group Name",)),
        form(GROUP_MEMBER, member, key="Support Group Association ID", prefix="SGA", indexed=("Support Group ID",)),
    ]
